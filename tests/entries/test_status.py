"""The lines of ``status``, and its rows: one for each hook and interpreter."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hooks_compile.entries.fallbacks import Fallback
from hooks_compile.entries.status import lines, rows
from hooks_compile.model import (
    CompileResult,
    HookSource,
    Interpreter,
    LevelChoice,
    State,
)
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.entries.status import Row
    from hooks_compile.model import Imports, Optimize


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    return write(tmp_path / ".claude/hooks/guard.py", "print('x')\n")


def result(
    hook: Path, state: State = State.FRESH, imports: Imports = "as-written"
) -> CompileResult:
    python = Interpreter("python3", hook, "cpython", (3, 11, 7), "cpython-311", "a7", "00")
    entry = hook.with_name("guard.cpython-311.opt-2.00.pyc") if state is State.FRESH else None
    return CompileResult(
        HookSource(hook, imports=imports), python, LevelChoice(2, "a reason"), state, entry
    )


def row(
    hook: Path,
    *,
    optimize: Optimize = "auto",
    fallbacks: tuple[Fallback, ...] = (),
    launches: dict[str, int] | None = None,
    imports: Imports = "as-written",
) -> Row:
    (found,) = rows([result(hook, imports=imports)], optimize, fallbacks, launches)
    return found


def test_a_forced_level_names_what_it_drops(hook: Path) -> None:
    assert row(hook, optimize=2).notes == ["level 2 is forced: asserts and docstrings are dropped"]
    assert row(hook, optimize=1).dropped == ["asserts"]
    assert row(hook, optimize=0).notes == row(hook).notes == []


def test_a_hook_that_cannot_be_read_any_more_is_still_shown(hook: Path) -> None:
    hook.unlink()
    assert row(hook).line(hook.parent).startswith("guard.py: compiled under CPython 3.11.7, ")


def test_fallbacks_count_for_their_hook_and_interpreter_only(hook: Path) -> None:
    log = (
        Fallback(100, "cpython-311", "no entry", str(hook)),
        Fallback(200, "cpython-312", "no entry", str(hook)),
        Fallback(300, "cpython-311", "no entry", f"{hook}.other"),
        Fallback(400, "cpython-311", "the entry does not verify", str(hook)),
    )
    found = row(hook, fallbacks=log)
    assert [fallback.time for fallback in found.fallbacks] == [100, 400]
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(100))
    text = f"2 had to compile since {since} (last: the entry does not verify)"
    assert found.line(hook.parent).endswith(f", {text}")
    assert next(iter(lines([found], hook.parent))) == f"launches: {text}"


@pytest.mark.parametrize(
    "typed",
    [".claude/hooks/guard.py", "./.claude/hooks/guard.py", "guard.py", "hooks/guard.py"],
)
def test_launches_count_however_the_script_was_typed(hook: Path, typed: str) -> None:
    counts = {typed: 3, str(hook): 2, "ard.py": 7, "other/guard.py": 9}
    assert row(hook, launches=counts).launches == 5


def test_launches_that_nothing_counted_are_unknown_not_zero(hook: Path) -> None:
    assert "launches" not in row(hook).line(hook.parent)
    assert "0 launches" in row(hook, launches={}).line(hook.parent)


def test_exceptions_come_first_and_the_count_last(hook: Path) -> None:
    states = [*[State.FRESH] * 9, *[State.MISSING] * 5, State.DAMAGED]
    results = [result(hook.with_name(f"{number}.py"), state) for number, state in enumerate(states)]
    found = rows(results, "auto", (), None)
    assert list(lines(found, hook.parent)) == [
        "9.py, 10.py, 11.py and 2 more: not compiled under CPython 3.11.7",
        "14.py: its entry is not used under CPython 3.11.7: ",
        "9 hooks compiled under CPython 3.11.7",
    ]
    every = list(lines(found, hook.parent, verbose=True))
    assert every[2] == "0.py: compiled under CPython 3.11.7, level 2 (a reason)"
    assert len(every) == 3 + len(states)


def test_json_of_a_row_adds_to_that_of_the_result(hook: Path) -> None:
    log = (Fallback(100, "cpython-311", "no entry", str(hook)),)
    value = row(hook, fallbacks=log, launches={}, optimize=1).as_json()
    assert json.loads(json.dumps(value)) == value
    assert value["hook"] == str(hook)
    assert (value["level"], value["level_reason"]) == (2, "a reason")
    assert value["launches"] == 0
    assert value["fallbacks"] == [{"time": 100, "reason": "no entry"}]
    assert value["dropped"] == ["asserts"]


def test_deferred_imports_are_named_and_where_they_have_no_effect(hook: Path) -> None:
    found = row(hook, imports="deferred")
    (note,) = found.notes
    assert note.startswith('under CPython 3.11.7 imports = "deferred" has no effect')
    assert found.as_json()["imports"] == {"wanted": "deferred", "deferred": False}
    newer = found.result.interpreter._replace(version=(3, 15, 0))
    lazy = replace(found, result=found.result._replace(interpreter=newer))
    assert lazy.notes == ["under CPython 3.15.0 imports of the standard library are lazy (PEP 810)"]
    assert lazy.as_json()["imports"] == {"wanted": "deferred", "deferred": True}
