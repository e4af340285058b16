"""A module that the standard snapshot holds is, when a hook imports it, as under plain Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots.held_modules import HELD
from tests.support.snapshot_machine import (
    NEEDS_LOADER,
    Machine,
    each_snapshot_interpreter,
    interpreters,
)
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from tests.support.interpreters_found import Found

pytestmark = NEEDS_LOADER

ADDRESS = re.compile(rb"0x[0-9a-f]+")
# What an import leaves behind. It has no import of its own.
SEEN = """\
import sys
def seen():
    frozen = [sys.modules[n] for n in ("_frozen_importlib", "_frozen_importlib_external")]
    modules = {
        name: [
            repr(module), repr(getattr(module, "__spec__", 0)), sorted(vars(module)),
            repr(getattr(module, "__loader__", 0)), getattr(module, "__file__", ""),
        ]
        for name, module in sys.modules.items() if name != "__main__"
    }
    return {
        "modules": modules,
        "names": [(m.__name__, m.__package__, getattr(m, "__file__", "")) for m in frozen],
        "meta": repr(sys.meta_path), "hooks": len(sys.path_hooks),
        "callbacks": "atexit" in sys.modules and sys.modules["atexit"]._ncallbacks(),
        "filters": repr(sys.modules["_warnings"].filters) if "_warnings" in sys.modules else "",
        "lazy": sorted(getattr(sys, "lazy_modules", ())),
    }
"""
ONE_AFTER_THE_OTHER = """\
before = seen()
try:
    import {}
except ImportError:
    pass
after = seen()
import json
print(json.dumps([before, after]))
"""


@each_snapshot_interpreter
def test_each_brings_what_its_import_brings(interpreter: Found, tmp_path: Path) -> None:
    machine = Machine.create(tmp_path, interpreter)
    hooks = [
        machine.write(SEEN + ONE_AFTER_THE_OTHER.format(name), f"hook_{name}.py")
        for name in HELD[:: scaled(9, 4, 1)]
    ]
    machine.make(hooks[0])
    wrong = []
    for hook in hooks:
        cold, warm = machine.user.source(hook), machine.launch(hook)
        assert warm.resumed, warm
        assert warm.status == cold.status == 0, warm.stderr
        shown = [json.loads(ADDRESS.sub(b"", each.stdout)) for each in (cold, warm)]
        shown[1][1]["lazy"] = shown[0][1]["lazy"]  # a known difference: docs/snapshots.md
        for then, now in zip(*shown, strict=True):
            wrong += [f"{hook.name}: {text}" for text in _differences(then, now)]
    assert not wrong, "\n".join(wrong)


def _differences(one: dict[str, object], other: dict[str, object], where: str = "") -> list[str]:
    found = []
    for key in one.keys() | other.keys():
        left, right = one.get(key), other.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found += _differences(left, right, f"{where}{key}.")
        elif left != right:
            found.append(f"{where}{key}: {left} / {right}"[:600])
    return found


PICKY = """\
import sys, os
sys.path.insert(0, {directory!r})
{change}
import argparse
print(argparse.__file__, argparse is sys.modules["argparse"])
import textwrap
print(textwrap.__file__)
"""


@pytest.mark.parametrize(
    "change",
    [
        "",
        "open({directory!r} + '/textwrap.py', 'w').close()",
        "sys.path.insert(0, '')\nopen({directory!r} + '/textwrap.py', 'w').close()",
        "sys.meta_path.insert(0, sys.meta_path[-1])",
        "sys.path[:] = sys.path[::-1]",
    ],
)
def test_a_hook_that_changes_the_search_gets_what_it_would_get(
    change: str, tmp_path: Path, usual_machine: Machine
) -> None:
    directory = str(tmp_path)
    text = PICKY.format(directory=directory, change=change.format(directory=directory))
    hook = usual_machine.write(text)
    cold = usual_machine.user.source(hook, cwd=tmp_path)
    warm = usual_machine.launch(hook, cwd=tmp_path)
    assert warm.resumed
    assert warm.shown == cold.shown
    assert cold.status == 0


@pytest.fixture(scope="module")
def usual_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with the standard snapshot of the newest Python."""
    machine = Machine.create(tmp_path_factory.mktemp("machine"), interpreters()[-1])
    machine.make(machine.write(""))
    return machine


def test_a_module_that_was_modified_is_imported_anew(tmp_path: Path) -> None:
    """The home of the library is a directory of links, and of one file of our own."""
    machine = Machine.create(tmp_path, interpreters()[0])
    program = [machine.user.python, "-Ic", "import textwrap; print(textwrap.__file__)"]
    file = subprocess.run(program, capture_output=True, text=True, check=True).stdout.strip()
    library = Path(file).parent
    own = tmp_path / "lib" / library.name
    own.mkdir(parents=True)
    for path in library.iterdir():
        if path.name not in ("textwrap.py", "__pycache__"):
            (own / path.name).symlink_to(path)
    shutil.copy(file, own)
    machine = replace(machine, user=machine.user.with_env(PYTHONHOME=str(tmp_path)))
    hook = machine.write("import argparse, textwrap\nprint(getattr(textwrap, 'NEW', 'old'))\n")
    time.sleep(0.1)  # a file of this moment is not trusted
    machine.make(hook)
    said = []
    for _ in range(2):
        launched = machine.launch(hook)
        assert launched.resumed, launched
        said.append(launched.stdout)
        with (own / "textwrap.py").open("a") as stream:
            stream.write("\nNEW = 'new'\n")
    assert said == [b"old\n", b"new\n"]
