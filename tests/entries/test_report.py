"""Results as a person reads them and as a program does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hooks_compile.entries.report import (
    describe_error,
    describe_trouble,
    plural,
    result_json,
    summary,
    synced_json,
    troubles,
)
from hooks_compile.entries.sync import Synced
from hooks_compile.files import remedy
from hooks_compile.model import (
    CompileResult,
    HookSource,
    Interpreter,
    LevelChoice,
    SourceError,
    State,
)
from hooks_compile.printable import shown

ROOT = Path("/project")
PYTHON = Interpreter(
    "python3", Path("/usr/bin/python3"), "cpython", (3, 11, 7), "cpython-311", "a7", "00"
)
PYPY = Interpreter("pypy3", Path("/usr/bin/pypy3"), "pypy", (3, 9, 16), "pypy39", "50", "00")


def result(
    state: State,
    name: str = ".claude/hooks/guard.py",
    *,
    interpreter: Interpreter = PYTHON,
    error: SourceError | None = None,
    detail: str = "",
) -> CompileResult:
    source = HookSource(ROOT / name, "in .claude/hooks")
    entry = source.path.parent / "__pycache_opt__/x.pyc" if state is State.FRESH else None
    return CompileResult(source, interpreter, LevelChoice(2, "why"), state, entry, error, detail)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/project/.claude/hooks/guard.py", ".claude/hooks/guard.py"),
        ("/elsewhere/guard.py", "/elsewhere/guard.py"),
        ("/projects/guard.py", "/projects/guard.py"),
        ("/project/häk.py", "häk.py"),
        (os.fsdecode(b"/project/caf\xe9.py"), "caf\\udce9.py"),
    ],
)
def test_a_path_is_shown_as_a_person_in_the_project_types_it(path: str, expected: str) -> None:
    assert shown(Path(path), ROOT) == expected
    expected.encode()


def test_without_a_root_a_path_is_shown_in_full() -> None:
    assert shown(ROOT / "x.py") == "/project/x.py"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            SourceError("SyntaxError", "invalid syntax", 3, 4, "if x = 1:\n"),
            ["x.py:3: SyntaxError: invalid syntax", "    if x = 1:", "       ^"],
        ),
        (
            SourceError("SyntaxError", "invalid syntax", 3, 8, "    if x = 1:\n"),
            ["x.py:3: SyntaxError: invalid syntax", "    if x = 1:", "       ^"],
        ),
        (
            SourceError("SyntaxError", "invalid syntax", 1, 1, "\t\f)\n"),
            ["x.py:1: SyntaxError: invalid syntax", "    )", "    ^"],
        ),
        (
            SourceError("SyntaxError", "unexpected EOF", 2, 99, "x\n"),
            ["x.py:2: SyntaxError: unexpected EOF", "    x", "     ^"],
        ),
        (
            SourceError("SyntaxError", "no column", 2, None, "x\n"),
            ["x.py:2: SyntaxError: no column", "    x"],
        ),
        (
            SourceError("SyntaxError", "column 0", 2, 0, "x\n"),
            ["x.py:2: SyntaxError: column 0", "    x"],
        ),
        (SourceError("ValueError", "null bytes"), ["x.py: ValueError: null bytes"]),
        (SourceError("SyntaxError", "encoding", 0), ["x.py: SyntaxError: encoding"]),
    ],
)
def test_an_error_shows_file_line_and_caret(error: SourceError, expected: list[str]) -> None:
    assert describe_error("x.py", error).split("\n") == expected


@pytest.mark.parametrize("state", [State.FRESH, State.COMPILED])
def test_what_is_compiled_is_no_trouble(state: State) -> None:
    assert describe_trouble(result(state), ROOT) == ""


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.MISSING, "not compiled under CPython 3.11.7"),
        (State.DAMAGED, "its entry is not used under CPython 3.11.7: why it is"),
        (State.UNREADABLE, "can't be read: why it is"),
        (State.UNWRITABLE, "its entry can't be written: why it is"),
    ],
)
def test_every_trouble_names_the_hook_and_the_cause(state: State, expected: str) -> None:
    text = describe_trouble(result(state, detail="why it is"), ROOT)
    assert text is not None
    assert text.splitlines()[0] == f".claude/hooks/guard.py: {expected}"


def test_a_directory_that_cannot_be_written_is_one_text_with_the_remedy() -> None:
    names = (".claude/hooks/a.py", ".claude/hooks/b.py", ".husky/c d/x.py")
    results = [result(State.UNWRITABLE, name, detail="Permission denied") for name in names]
    first, second = troubles(Synced(tuple(results), (), ()), ROOT)
    assert first.splitlines() == [
        ".claude/hooks/a.py: its entry can't be written: Permission denied",
        "  to fix it: " + remedy("Permission denied", ROOT / ".claude/hooks/__pycache_opt__"),
    ]
    assert second.startswith(".husky/c d/x.py: ")


def test_a_full_disk_is_not_a_matter_of_permissions() -> None:
    full = result(State.UNWRITABLE, detail="No space left on device")
    (text,) = troubles(Synced((full,), (), ()), ROOT)
    assert "free some space (df -h " in text
    assert "chown" not in text


def test_what_could_not_be_removed_is_a_trouble() -> None:
    path = f"{ROOT}/.claude/hooks/__pycache_opt__/old.pyc"
    refused = (OSError(30, "Read-only file system", path),)
    synced = Synced((result(State.FRESH),), (), (), refused)
    assert troubles(synced, ROOT) == [
        f"{path}: Read-only file system\n  to fix it: make its file system writable "
        "(findmnt -T /), and run it again"
    ]
    assert synced_json(synced, 0)["ok"] is False
    assert synced_json(synced, 0)["refused"] == [path]


def test_a_broken_hook_names_the_interpreter_it_is_broken_for() -> None:
    error = SourceError("SyntaxError", "invalid syntax", 1, 7, "match x:\n")
    text = describe_trouble(result(State.BROKEN, error=error, interpreter=PYPY), ROOT)
    assert text is not None
    assert text.splitlines()[0] == ".claude/hooks/guard.py:1: SyntaxError: invalid syntax"
    assert text.splitlines()[-1] == "    (compiled under PyPy 3.9.16)"


def test_every_state_is_either_fine_or_a_trouble() -> None:
    error = SourceError("SyntaxError", "x")
    for state in State:
        value = result(state, error=error)
        assert (describe_trouble(value, ROOT) == "") is value.ok


def test_the_summary_counts_hooks_once_and_results_by_what_became_of_them() -> None:
    results = [
        result(State.COMPILED),
        result(State.FRESH, interpreter=PYPY),
        result(State.FRESH, "b.py"),
        result(State.BROKEN, "b.py", interpreter=PYPY),
    ]
    assert summary(Synced(tuple(results), (), ()), 1.234) == (
        "2 hooks for CPython 3.11.7, PyPy 3.9.16: 1 compiled, 2 up to date, 1 to fix (1.23 s)"
    )
    modules = (result(State.COMPILED), result(State.FRESH))
    assert summary(Synced((results[0],), modules, (ROOT, ROOT)), 0) == (
        "1 hook for CPython 3.11.7: 1 compiled, 0 up to date, 1 local module compiled, "
        "2 old entries removed (0.00 s)"
    )
    assert summary(Synced((), (), ()), 0) == "no hooks found (0.00 s)"


def test_of_modules_only_those_that_do_not_compile_are_a_trouble() -> None:
    error = SourceError("SyntaxError", "invalid syntax", 1)
    broken = result(State.BROKEN, "package/b.py", error=error)
    synced = Synced((result(State.MISSING),), (broken, result(State.MISSING, "m.py")), ())
    first, second = troubles(synced, ROOT)
    assert first.startswith(".claude/hooks/guard.py: not compiled")
    assert second.startswith("package/b.py:1: SyntaxError")
    assert synced_json(synced, 0)["ok"] is False
    assert synced_json(Synced((), (broken,), ()), 0)["ok"] is False
    assert synced_json(Synced((), (result(State.MISSING),), ()), 0)["ok"] is True


def test_json_of_a_pass_is_made_of_its_results(tmp_path: Path) -> None:
    synced = Synced((result(State.FRESH),), (result(State.COMPILED, "m.py"),), (tmp_path,))
    assert synced_json(synced, 1.23456) == {
        "ok": True,
        "seconds": 1.2346,
        "results": [result_json(synced.results[0])],
        "modules": [result_json(synced.modules[0])],
        "pruned": [str(tmp_path)],
        "refused": [],
    }


def test_plural() -> None:
    assert plural(1, "hook") == "1 hook"
    assert plural(0, "hook") == "0 hooks"
    assert plural(2, "old entry", "old entries") == "2 old entries"


def test_json_of_a_result_holds_every_part() -> None:
    error = SourceError("SyntaxError", "invalid syntax", 3, 4, "if x = 1:\n")
    value = result_json(result(State.BROKEN, error=error))
    assert json.loads(json.dumps(value)) == value
    assert value == {
        "hook": "/project/.claude/hooks/guard.py",
        "origin": "in .claude/hooks",
        "interpreter": "/usr/bin/python3",
        "version": "3.11.7",
        "cache_tag": "cpython-311",
        "level": 2,
        "level_reason": "why",
        "state": "broken",
        "entry": None,
        "detail": "",
        "error": {
            "kind": "SyntaxError",
            "message": "invalid syntax",
            "line": 3,
            "column": 4,
            "text": "if x = 1:\n",
        },
    }
    fresh = result_json(result(State.FRESH))
    assert fresh["entry"] == "/project/.claude/hooks/__pycache_opt__/x.pyc"
    assert fresh["error"] is None
