"""From a source to its code: an entry that verifies, or compiled, stored and recorded."""

from __future__ import annotations

import os
import posix
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.install import runtime_directory
from hooks_compile.launcher import entry, miss
from hooks_compile.launcher.lookup import find_code
from hooks_compile.launcher.miss.plain_python import command_line, pypy_script, without_first_frame
from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.script import read_script
from tests.conftest import CHECKOUT
from tests.support.launches import User, default_interpreter, entries, interpreter_record
from tests.support.repositories import write
from tests.support.tiers import coverage_variables

if TYPE_CHECKING:
    from types import CodeType

    from hooks_compile.launcher.annotations import Notes
    from tests.support.launches import Launched


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A runtime directory; launches write a trace beside it, and bytecode."""
    directory = tmp_path / "runtime"
    runtime_directory.ensure(directory)
    environ = {b"HOOKS_COMPILE_TRACE": os.fsencode(tmp_path / "trace")}
    monkeypatch.setattr("posix.environ", environ)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return f"{directory}/"


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    return write(tmp_path / "hooks" / "hook.py", "print(1)\n")


def found(runtime: str, hook: Path) -> tuple[CodeType, Notes]:
    return find_code(runtime, read_script(str(hook)))


def trace(runtime: str) -> list[list[str]]:
    lines = Path(runtime, "..", "trace").read_text().splitlines()
    return [line.split("\t")[:2] for line in lines]


def test_the_first_launch_compiles_and_the_second_hits(runtime: str, hook: Path) -> None:
    code, notes = found(runtime, hook)
    again, noted = found(runtime, hook)
    assert code == again
    assert code.co_filename == again.co_filename == str(hook)
    assert notes == noted == entry.NO_NOTES
    assert trace(runtime) == [["miss", "no entry"], ["hit", "level 0"]]
    assert Path(runtime, "fallbacks.log").read_text().endswith(f"\tno entry\t{str(hook)!r}\n")
    (seen,) = Path(runtime, "seen").iterdir()
    assert os.fsdecode(seen.read_bytes()) == f"{sys.executable}\0{hook.parent}"


def test_an_entry_that_does_not_verify_is_replaced(runtime: str, hook: Path) -> None:
    found(runtime, hook)
    (path,) = entries(hook.parent)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    found(runtime, hook)
    assert path.read_bytes() == good
    path.unlink()
    path.mkdir()
    found(runtime, hook)
    assert [state for state, _ in trace(runtime)] == ["miss"] * 3
    assert trace(runtime)[1][1] == "the entry does not verify"
    assert trace(runtime)[2][1].startswith("unreadable entry: not a regular file")


def test_what_is_not_stored_is_compiled_each_time(
    runtime: str, hook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found(runtime, hook)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(hook.parent / "elsewhere"))
    found(runtime, hook)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    environ: dict[bytes, bytes] = vars(posix)["environ"]
    environ[b"PYTHONNODEBUGRANGES"] = b"1"
    found(runtime, hook)
    del environ[b"PYTHONNODEBUGRANGES"]
    (hook.parent / entry.CACHE_DIRECTORY).symlink_to(hook.parent)
    found(runtime, hook)
    assert trace(runtime) == [
        ["miss", "no entry; it is not stored: Python is told to write no bytecode"],
        ["miss", "no entry; it is not stored: Python is told to write bytecode elsewhere"],
        ["miss", "no entry; it is not stored: Python is told to keep no columns"],
        ["miss", "no entry; it is not stored: Not a directory"],
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def (\n", SyntaxError),
        ("1 is 1\n", SyntaxError),  # a warning: Python has to show it at each launch
        (b"# \xff\n", UnicodeDecodeError),
        ("x = '\0'\n", (SyntaxError, ValueError)),
    ],
)
def test_what_python_has_to_show_is_raised_and_not_stored(
    runtime: str, hook: Path, text: str | bytes, error: Any
) -> None:
    write(hook, text)
    filters = list(warnings.filters)
    with pytest.raises(error):
        found(runtime, hook)
    assert entries(hook.parent) == []
    assert list(warnings.filters) == filters


def test_recorded_warnings_are_given_again(hook: Path) -> None:
    with pytest.warns(SyntaxWarning, match="told") as caught:
        miss.warn((("SyntaxWarning", "told", 7),), str(hook))
    assert (caught[0].filename, caught[0].lineno) == (str(hook), 7)


def test_a_key_that_is_not_private_or_damaged_is_not_used(runtime: str) -> None:
    assert len(read_key(runtime)) == 16
    key = Path(runtime, "key")
    key.write_bytes(b"short")
    with pytest.raises(ValueError, match="damaged"):
        read_key(runtime)
    key.chmod(0o644)
    with pytest.raises(PermissionError, match="not private"):
        read_key(runtime)
    Path(runtime).chmod(0o755)
    with pytest.raises(PermissionError, match="not private"):
        read_key(runtime)


def test_pypy_follows_one_link_of_the_script(tmp_path: Path) -> None:
    hook = write(tmp_path / "real" / "hook.py")
    (tmp_path / "link.py").symlink_to("real/hook.py")
    assert pypy_script(str(tmp_path / "link.py")) == str(hook)
    assert pypy_script(str(hook)) == str(hook)


def test_before_311_the_hook_for_exceptions_drops_the_first_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []
    own = without_first_frame(lambda *arguments: given.append(arguments))
    monkeypatch.setattr(sys, "excepthook", own)
    try:
        raise ValueError
    except ValueError as error:
        own(ValueError, error, error.__traceback__)
        assert given == [(ValueError, error, None)]
    assert sys.excepthook is not own


def test_the_command_line_is_known_without_orig_argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-S", "launch.py"])
    assert command_line() == ["python3", "-S", "launch.py"]
    monkeypatch.delattr(sys, "orig_argv")
    if Path("/proc/self/cmdline").exists():
        words = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
        assert command_line() == [os.fsdecode(word) for word in words]


# --- a whole launch by the modules of the package, in our own interpreter

BY_PACKAGE = f"""\
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from hooks_compile.launcher.lifecycle import Launch as _launch
del sys.path[0]
with _launch(globals()) as _launch, _launch:
    _launch()()
"""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("import json, sys\nprint(json.dumps(sys.argv), __file__, __name__)\n", 0),
        ("raise SystemExit(2)\n", 2),
        ("def f():\n    raise ValueError('x')\nf()\n", 1),
        ("print(\n", 1),
    ],
)
def test_a_launch_by_the_package_shows_what_the_source_shows(
    runtime: str, hook: Path, text: str, status: int
) -> None:
    # so that a run that measures coverage measures these launches, too
    measured = coverage_variables()
    user = User(interpreter_record(default_interpreter()), Path(runtime), measured)
    write(Path(runtime) / "launch.py", BY_PACKAGE)
    write(hook, text)
    expected = user.run([sys.executable, str(hook), "a", ""])
    assert expected.status == status

    def launched(**env: str) -> Launched:
        words = [sys.executable, str(Path(runtime) / "launch.py"), str(hook), "a", ""]
        return user.with_env(**env).run(words)

    for env, state in (({}, "miss"), ({}, "hit"), ({"HOOKS_COMPILE": "off"}, "source")):
        done = launched(**env)
        assert done.shown == expected.shown
        assert done.state == ("source" if text == "print(\n" else state)
