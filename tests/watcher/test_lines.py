"""What a person reads, and what a program does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.model import HookSource, State
from tests.support.compile_results import HOOKS, NEW_PYTHON, OLD_PYTHON, broken, fine
from watcher import lines
from watcher.survey import Places, Survey, Target

if TYPE_CHECKING:
    from watcher.lines import Message

ROOT = Path("/repo")
GUARD = HOOKS / "guard.py"
COUNTS = {State.COMPILED: 3, State.FRESH: 1}
BY_PATH = {str(HOOKS / name): HookSource(HOOKS / name) for name in ("guard.py", "other.py")}
HELPER = {str(HOOKS / "helper.py"): HookSource(HOOKS / "helper.py")}
FOUND = Survey(ROOT, BY_PATH, HELPER, Target((NEW_PYTHON, OLD_PYTHON), b"", 0), Places(str(ROOT)))
SYNCED = lines.synced("watching", FOUND, COUNTS, 0.126)
CHANGED = lines.changed(GUARD, "hook", (fine(), fine(python=OLD_PYTHON)), 4.2)
BROKEN = lines.broken(GUARD, "hook", (broken(), broken(python=OLD_PYTHON)))


def text(message: Message, *, has_colour: bool = False) -> str:
    """The lines without the time."""
    shown = message.as_text(0.0, ROOT, has_colour=has_colour)
    assert re.match(r"\d\d:\d\d:\d\d  ", shown)
    return re.sub(r"(?m)^\d\d:\d\d:\d\d  ", "", shown)


def test_the_start_says_what_is_watched_for_which_interpreters() -> None:
    assert text(SYNCED) == (
        "watching /repo: 2 hooks and 1 local module, for CPython 3.13.0, CPython 3.8.18 "
        "(3 compiled, 1 fresh, 0.13 s)"
    )
    alone = FOUND._replace(hooks=HELPER, modules=HELPER, target=Target((), b"", 0))
    shown = text(lines.synced("synced", alone, {}, 0.5))
    assert shown == "/repo: 1 hook, for no Python (0.50 s)"


def test_a_change_is_one_line_with_hook_interpreters_level_and_milliseconds() -> None:
    assert text(CHANGED) == (
        ".claude/hooks/guard.py  compiled: CPython 3.13.0, CPython 3.8.18, level 2, 4 ms"
    )
    fixed = lines.changed(GUARD, "hook", (fine(state=State.FRESH),), None, fixed=True)
    assert text(fixed) == (".claude/hooks/guard.py  fixed, ready: CPython 3.13.0, level 2")
    module = lines.changed(HOOKS / "helper.py", "module", (fine("helper.py"),), 7.0)
    assert text(module) == (".claude/hooks/helper.py  compiled: CPython 3.13.0, local module, 7 ms")


def test_an_empty_hook_is_named_as_what_it_is() -> None:
    empty = lines.changed(GUARD, "hook", (fine(),), 300.0, empty=True)
    assert text(empty).endswith("the file is empty: it allows everything")


def test_thousands_of_changes_are_a_few_lines() -> None:
    many = [lines.changed(HOOKS / f"h{n}.py", "hook", (fine(f"h{n}.py"),)) for n in range(2000)]
    messages = lines.shortened(many)
    assert [message.value for message in messages] == [message.value for message in many]
    shown = [message for message in messages if message.text]
    assert len(shown) == 11
    assert shown[:10] == many[:10]
    assert text(shown[-1]) == "1990 more sources ready"
    assert lines.shortened(many[:10]) == many[:10]


def test_a_broken_hook_is_loud_with_file_line_and_caret() -> None:
    assert text(BROKEN) == (
        "BROKEN  .claude/hooks/guard.py does not compile: at its next event it fails, and a hook "
        "that fails blocks nothing\n"
        "    .claude/hooks/guard.py:3: SyntaxError: '(' was never closed\n"
        "        print(1\n"
        "           ^\n"
        "    (under CPython 3.13.0, CPython 3.8.18)"
    )


def test_interpreters_with_other_errors_are_told_apart() -> None:
    message = lines.broken(GUARD, "module", (broken(line=3), broken(line=9, python=OLD_PYTHON)))
    shown = text(message)
    assert "hooks that import it fail" in shown
    assert shown.index("guard.py:3") < shown.index("(under CPython 3.13.0)")
    assert shown.index("guard.py:9") < shown.index("(under CPython 3.8.18)")


def test_the_rest() -> None:
    assert text(lines.removed(GUARD, "hook")) == ".claude/hooks/guard.py  is no hook any more"
    assert text(lines.removed(GUARD, "module")).endswith("is no local module any more")
    assert text(lines.notice("is missing", ROOT)) == "/repo is missing"
    assert text(lines.notice("one\ntwo")) == "one\n          two"
    assert text(lines.stopped(15)) == "ended"


ALL = [
    SYNCED,
    CHANGED,
    BROKEN,
    lines.removed(GUARD, "hook"),
    lines.notice("is missing", ROOT, trouble=True),
    lines.notice("a notice"),
    lines.stopped(15),
]


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.event)
def test_colour_adds_nothing_but_colour(message: Message) -> None:
    coloured = text(message, has_colour=True)
    wanted = message.event in ("watching", "broken", "trouble")
    assert ("\x1b[" in coloured) is wanted
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text(message)


def test_names_and_sources_cannot_command_the_terminal() -> None:
    evil = HOOKS / "a\x1b]0;owned\x07\n.py"
    for message in (
        lines.changed(evil, "hook", (fine(),), 1.0),
        lines.removed(evil, "hook"),
        lines.notice("\x1b[2J", evil),
        lines.broken(evil, "hook", (broken(),)),
    ):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text(message))


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.event)
def test_every_message_is_json_with_time_tree_and_event(message: Message) -> None:
    again = json.loads(json.dumps(message.as_json(12.3456, ROOT)))
    assert again["time"] == 12.346
    assert again["tree"] == "/repo"
    assert again["event"] == message.event


def test_json_of_a_change_has_milliseconds_and_results() -> None:
    value = CHANGED.as_json(0.0, ROOT)
    assert value["path"] == str(GUARD)
    assert value["ms"] == 4.2
    assert [result["cache_tag"] for result in value["results"]] == ["cpython-313", "cpython-38"]


def test_quiet_says_what_has_to_be_fixed_and_that_it_is() -> None:
    fixed = lines.changed(GUARD, "hook", (fine(),), 1.0, fixed=True)
    empty = lines.changed(GUARD, "hook", (fine(),), 1.0, empty=True)
    urgent = [BROKEN, lines.notice("x", trouble=True)]
    urgent += [fixed, empty]
    assert all(message.is_urgent for message in urgent)
    calm = [SYNCED, CHANGED, lines.notice("x"), lines.removed(GUARD, "hook")]
    assert not any(message.is_urgent for message in [*calm, lines.stopped(2)])
