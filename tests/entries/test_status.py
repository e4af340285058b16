"""The table of ``status``: a row for each hook and interpreter."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hooks_compile.entries.fallbacks import Fallback
from hooks_compile.entries.status import COLUMNS, rows
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
    assert row(hook, optimize=2).notes == [
        f"{hook}: level 2 is forced: asserts and docstrings are dropped"
    ]
    assert row(hook, optimize=1).dropped == ["asserts"]
    assert row(hook, optimize=0).notes == row(hook).notes == []


def test_a_hook_that_cannot_be_read_any_more_is_still_shown(hook: Path) -> None:
    hook.unlink()
    assert row(hook).cells(hook.parent)[0] == "guard.py"


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
    assert found.cells(hook.parent)[-1] == f"2 since {since} (last: the entry does not verify)"
    assert row(hook).cells(hook.parent)[-1] == "0"


@pytest.mark.parametrize(
    "typed",
    [".claude/hooks/guard.py", "./.claude/hooks/guard.py", "guard.py", "hooks/guard.py"],
)
def test_launches_count_however_the_script_was_typed(hook: Path, typed: str) -> None:
    counts = {typed: 3, str(hook): 2, "ard.py": 7, "other/guard.py": 9}
    assert row(hook, launches=counts).launches == 5


def test_launches_that_nothing_counted_are_unknown_not_zero(hook: Path) -> None:
    assert row(hook).cells(hook.parent)[COLUMNS.index("launches")] == "-"
    assert row(hook, launches={}).cells(hook.parent)[COLUMNS.index("launches")] == "0"


def test_a_row_has_a_cell_for_each_column(hook: Path) -> None:
    found = dict(zip(COLUMNS, row(hook).cells(hook.parent.parent), strict=True))
    assert found == {
        "hook": "hooks/guard.py",
        "interpreter": "CPython 3.11.7",
        "level": "2",
        "why": "a reason",
        "state": "fresh",
        "launches": "-",
        "fallbacks": "0",
    }


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
    assert note.startswith(f'{hook}: under CPython 3.11.7 imports = "deferred" has no effect')
    assert found.as_json()["imports"] == {"wanted": "deferred", "deferred": False}
    newer = found.result.interpreter._replace(version=(3, 15, 0))
    lazy = replace(found, result=found.result._replace(interpreter=newer))
    assert lazy.notes == [
        f"{hook}: under CPython 3.15.0 imports of the standard library are lazy (PEP 810)"
    ]
    assert lazy.as_json()["imports"] == {"wanted": "deferred", "deferred": True}
    assert row(hook).notes == []
