"""The finder of a launch makes what Python's own makes, and leaves to it whatever is unusual."""

from __future__ import annotations

import importlib
import importlib.util
import py_compile
import sys
from typing import TYPE_CHECKING

import pytest

from hooks_compile.launcher import stdlib_finder
from tests.support.interpreters_found import each_of_few
from tests.support.launches import User
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.interpreters_found import Found

# Python's finder for the directory of json has listed it only if it was asked.
_SHOWS = """\
import json
import pathlib
import subprocess
import urllib.parse
import email.message
import sys
for name, module in sorted(sys.modules.items()):
    if name != "__main__" and type(module.__loader__) is type(json.__loader__):
        spec, names = module.__spec__, {**module.__dict__}
        print(name, spec.name, spec.origin, spec.submodule_search_locations, spec.loader_state)
        print(spec.cached, spec.parent, spec.has_location, names.get("__cached__"))
        print(type(spec.loader), sorted(spec.loader.__dict__.items()))
        print(names.get("__file__"), names.get("__path__"), names["__loader__"] is spec.loader)
        print([f.__code__.co_filename for f in names.values() if type(f) is type(json.dumps)])
print(sorted(set(sys.path_importer_cache) - {sys.path[0]}), sys.meta_path)
(directory,) = json.__path__
listed = bool(sys.path_importer_cache[directory]._path_cache)
print("listed by Python:", listed, file=sys.stderr)
"""


@each_of_few
def test_a_module_is_what_python_makes(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "work" / "hook.py", _SHOWS)
    user.compile(hook)
    source = user.source(hook, flags=("-S",))
    done = user.launch(hook, flags=("-S",))
    assert (done.status, done.stdout, done.state) == (0, source.stdout, "hit")
    assert source.stderr == b"listed by Python: True\n"
    if interpreter.version >= (3, 10):
        assert done.stderr == b"listed by Python: False\n"


def _nothing(source: Path, compiled: Path) -> None:
    assert source.exists()
    assert compiled.exists()


def _edit(source: Path, _: Path) -> None:
    source.write_text("value = 'other'\n")


def _no_source(source: Path, _: Path) -> None:
    source.unlink()


def _no_pyc(_: Path, compiled: Path) -> None:
    compiled.unlink()


def _damaged(_: Path, compiled: Path) -> None:
    compiled.write_bytes(compiled.read_bytes()[:-9])


def _another_python(_: Path, compiled: Path) -> None:
    compiled.write_bytes(b"abcd" + compiled.read_bytes()[4:])


def _by_hash(source: Path, _: Path) -> None:
    py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)


@pytest.mark.parametrize("name", ["module", "package", "package.inside"])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_nothing, True),
        (_edit, False),
        (_no_source, False),
        (_no_pyc, False),
        (_damaged, False),
        (_another_python, False),
        (_by_hash, False),
    ],
)
def test_only_an_up_to_date_pyc_is_used(
    name: str,
    change: Callable[[Path, Path], None],
    found: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for each in ("module.py", "package/__init__.py", "package/inside.py"):
        py_compile.compile(
            str(write(tmp_path / each, "value = 1\n")),
            invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP,
        )
    monkeypatch.setattr(stdlib_finder, "STDLIB", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    path = [str(tmp_path / "package")] if "." in name else None
    expected = importlib.machinery.PathFinder.find_spec(name, path)
    assert expected is not None
    assert expected.origin is not None
    assert expected.cached is not None
    change(tmp_path / expected.origin, tmp_path / expected.cached)
    spec = stdlib_finder.find_spec(name, path)
    assert (spec is not None) is found
    if spec is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.value == 1
        assert spec == expected  # the loader is the same only without what it had to execute
