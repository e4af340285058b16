"""What a person reads, and what a program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hooks_compile.model import State
from tests.support.compile_results import HOOKS, NEW_PYTHON, OLD_PYTHON, broken, fine
from watcher.events import (
    Broken,
    Changed,
    Changes,
    Message,
    Notice,
    Removed,
    StillBroken,
    Stopped,
    Synced,
)
from watcher.lines import Painter, as_json, is_urgent

ROOT = Path("/repo")
GUARD = HOOKS / "guard.py"
COUNTS = {State.COMPILED: 3, State.FRESH: 1}
SYNCED = Synced(ROOT, 2, 1, (NEW_PYTHON, OLD_PYTHON), COUNTS, 0.126, watching=True)
CHANGED = Changed(GUARD, "hook", (fine(), fine(python=OLD_PYTHON)), 4.2)
BROKEN = Broken(GUARD, "hook", (broken(), broken(python=OLD_PYTHON)))


def text(message: Message, *, colour: bool = False) -> str:
    """The lines without the time."""
    lines = Painter(ROOT, colour).text(message, 0.0)
    assert re.match(r"(\x1b\[2m)?\d\d:\d\d:\d\d(\x1b\[0m)?  ", lines)
    return re.sub(r"(?m)^\d\d:\d\d:\d\d  ", "", lines)


def test_the_start_says_what_is_watched_for_which_interpreters() -> None:
    assert text(SYNCED) == (
        "watching /repo: 2 hooks and 1 local module, for CPython 3.13.0, CPython 3.8.18 "
        "(3 compiled, 1 up to date, 0.13 s)"
    )
    alone = Synced(ROOT, 1, 0, (), {}, 0.5, watching=False)
    assert text(alone) == "/repo: 1 hook, for no Python (0.50 s)"


def test_a_change_is_one_line_with_hook_interpreters_level_and_milliseconds() -> None:
    assert text(Changes((CHANGED,))) == (
        ".claude/hooks/guard.py  compiled: CPython 3.13.0, CPython 3.8.18, level 2, 4 ms"
    )
    fixed = Changed(GUARD, "hook", (fine(state=State.FRESH),), None, fixed=True)
    assert text(Changes((fixed,))) == (
        ".claude/hooks/guard.py  fixed, ready: CPython 3.13.0, level 2"
    )
    module = Changed(HOOKS / "helper.py", "module", (fine("helper.py"),), 7.0)
    assert text(Changes((module,))) == (
        ".claude/hooks/helper.py  compiled: CPython 3.13.0, local module, 7 ms"
    )


def test_an_empty_hook_is_named_as_what_it_is() -> None:
    empty = Changed(GUARD, "hook", (fine(),), 300.0, empty=True)
    assert text(Changes((empty,))).endswith("the file is empty: it allows everything")


def test_thousands_of_changes_are_a_few_lines() -> None:
    many = tuple(
        Changed(HOOKS / f"h{n}.py", "hook", (fine(f"h{n}.py"),), float(n)) for n in range(2000)
    )
    lines = text(Changes(many)).split("\n")
    assert len(lines) == 11
    assert lines[-1] == "1990 more sources ready, the last 1999 ms after its save"
    assert len(as_json(Changes(many), 0.0, ROOT)) == 2000


def test_a_broken_hook_is_loud_with_file_line_and_caret() -> None:
    assert text(BROKEN) == (
        "BROKEN  .claude/hooks/guard.py does not compile: at its next event it fails, and a hook "
        "that fails blocks nothing\n"
        "    .claude/hooks/guard.py:3: SyntaxError: '(' was never closed\n"
        "        print(1\n"
        "           ^\n"
        "    (under CPython 3.13.0, CPython 3.8.18)"
    )


def test_interpreters_with_other_mistakes_are_told_apart() -> None:
    message = Broken(GUARD, "module", (broken(line=3), broken(line=9, python=OLD_PYTHON)))
    shown = text(message)
    assert "hooks that import it fail" in shown
    assert shown.index("guard.py:3") < shown.index("(under CPython 3.13.0)")
    assert shown.index("guard.py:9") < shown.index("(under CPython 3.8.18)")


def test_what_stays_broken_is_one_line() -> None:
    assert text(StillBroken((BROKEN,))) == "still broken: .claude/hooks/guard.py:3"
    many = tuple(Broken(HOOKS / f"{n}.py", "hook", (broken(f"{n}.py"),)) for n in range(12))
    assert text(StillBroken(many)).endswith("9.py:3 ...")


def test_the_rest() -> None:
    assert text(Removed(GUARD, "hook")) == ".claude/hooks/guard.py  is no hook any more"
    assert text(Removed(GUARD, "module")).endswith("is no local module any more")
    assert text(Notice("is gone", ROOT)) == "/repo is gone"
    assert text(Notice("one\ntwo")) == "one\n          two"
    assert text(Stopped(15)) == "ended"


@pytest.mark.parametrize("message", [SYNCED, Changes((CHANGED,)), BROKEN, StillBroken((BROKEN,))])
def test_colour_adds_nothing_but_colour(message: Message) -> None:
    coloured = text(message, colour=True)
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert re.sub(r"(?m)^\d\d:\d\d:\d\d  ", "", plain) == text(message)
    assert "\x1b" not in text(message)


def test_names_and_sources_cannot_command_the_terminal() -> None:
    evil = HOOKS / "a\x1b]0;owned\x07\n.py"
    for message in (
        Changes((Changed(evil, "hook", (fine(),), 1.0),)),
        Removed(evil, "hook"),
        Notice("\x1b[2J", evil),
        Broken(evil, "hook", (broken(),)),
    ):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text(message))


ALL = [
    SYNCED,
    Changes((CHANGED,)),
    BROKEN,
    StillBroken((BROKEN,)),
    Removed(GUARD, "hook"),
    Notice("is gone", ROOT, trouble=True),
    Notice("a notice"),
    Stopped(15),
]


@pytest.mark.parametrize("message", ALL, ids=lambda message: type(message).__name__)
def test_every_message_is_json_with_time_tree_and_event(message: Message) -> None:
    for value in as_json(message, 12.3456, ROOT):
        again = json.loads(json.dumps(value))
        assert again["time"] == 12.346
        assert again["tree"] == "/repo"
        assert isinstance(again["event"], str)


def test_json_of_a_change_tells_milliseconds_and_results() -> None:
    (value,) = as_json(Changes((CHANGED,)), 0.0, ROOT)
    assert value["path"] == str(GUARD)
    assert value["ms"] == 4.2
    assert [result["cache_tag"] for result in value["results"]] == ["cpython-313", "cpython-38"]
    (value,) = as_json(BROKEN, 0.0, ROOT)
    assert value["results"][0]["error"]["line"] == 3


def test_quiet_says_what_is_to_be_fixed_and_that_it_is() -> None:
    fixed = Changed(GUARD, "hook", (fine(),), 1.0, fixed=True)
    empty = Changed(GUARD, "hook", (fine(),), 1.0, empty=True)
    urgent: list[Message] = [
        BROKEN,
        StillBroken((BROKEN,)),
        Notice("x", trouble=True),
        Changes((fixed,)),
        Changes((empty,)),
    ]
    assert all(map(is_urgent, urgent))
    calm: list[Message] = [
        SYNCED,
        Changes((CHANGED,)),
        Notice("x"),
        Removed(GUARD, "hook"),
        Stopped(2),
    ]
    assert not any(map(is_urgent, calm))
