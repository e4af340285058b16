"""Messages: what happened, as JSON values for a program and as lines for a person. Pure."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile import printable
from hooks_compile.entries.report import describe_error, plural, result_json
from hooks_compile.model import State
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter
    from watcher.survey import Survey

_COLOURS = {"broken": "31;1", "trouble": "33", "watching": "32", "synced": "32"}
_MOST_LINES = 10
# Stands before each path that is shown relative to a base; no text has it, see printable.
_MARK = "\0"


class Message(NamedTuple):
    """Something to report; its functions are below."""

    event: str
    value: dict[str, Any]  # for a program
    text: str  # for a person: some lines, "" for none
    is_urgent: bool = False  # something has to be fixed, or is fixed now

    def as_json(self, now: float, tree: Path) -> dict[str, Any]:
        """Return the JSON value; ``tree`` is the root of the message's tree."""
        head = {"time": round(now, 3), "tree": os.fspath(tree), "event": self.event}
        return head | self.value

    def as_text(self, now: float, base: Path, *, has_colour: bool) -> str:
        """Return the lines, with paths relative to ``base``; ``now`` is seconds since the epoch."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        colour = _COLOURS.get(self.event) if has_colour else None
        start, end = (f"\x1b[{colour}m", "\x1b[0m") if colour else ("", "")
        text = f"{clock}  {start}{self.text}{end}"
        return text.replace(f"{_MARK}{shown(base)}{os.sep}", "").replace(_MARK, "")


def synced(event: str, found: Survey, counts: Mapping[State, int], seconds: float) -> Message:
    """Return that a tree was compared; ``event`` is "synced", or "watching" from now on."""
    hooks, modules = len(found.hooks), len(found.modules.keys() - found.hooks.keys())
    interpreters = found.target.interpreters
    what = plural(hooks, "hook") + (f" and {plural(modules, 'local module')}" if modules else "")
    done = ", ".join([*(f"{count} {state}" for state, count in counts.items()), f"{seconds:.2f} s"])
    verb = "watching " if event == "watching" else ""
    text = f"{verb}{shown(found.root)}: {what}, for {_labels(interpreters) or 'no Python'} ({done})"
    value = {
        "hooks": hooks,
        "modules": modules,
        "interpreters": [os.fspath(each.executable) for each in interpreters],
        "counts": {str(state): count for state, count in counts.items()},
        "seconds": round(seconds, 4),
    }
    return Message(event, value, text)


def changed(
    path: Path,
    kind: str,
    results: Sequence[CompileResult],
    ms: float | None = None,
    *,
    fixed: bool = False,
    empty: bool = False,
) -> Message:
    """Return that a source is compiled as it is now, under the interpreters of ``results``.

    ``ms`` is the time from the save to the entry, if an event reported the save. ``fixed`` says
    that it did not compile before, ``empty`` that it is a hook without content.
    """
    is_written = any(result.state is State.COMPILED for result in results)
    parts = [
        _labels(result.interpreter for result in results),
        f"level {results[0].choice.level}" if kind == "hook" else "local module",
        *([] if ms is None else [f"{ms:.0f} ms"]),
        *(["the file is empty: it allows everything"] if empty else []),
    ]
    verb = ("fixed, " if fixed else "") + ("compiled" if is_written else "ready")
    value = {
        "path": os.fspath(path),
        "kind": kind,
        "results": [result_json(result) for result in results],
        "ms": None if ms is None else round(ms, 2),
        "fixed": fixed,
        "empty": empty,
    }
    text = f"{_shown(path)}  {verb}: {', '.join(parts)}"
    return Message("changed", value, text, is_urgent=fixed or empty)


def shortened(messages: Sequence[Message]) -> list[Message]:
    """Return the messages about what one step compiled; only the first have text of their own."""
    rest = [message._replace(text="") for message in messages[_MOST_LINES:]]
    if rest:
        rest[-1] = rest[-1]._replace(text=f"{plural(len(rest), 'more source')} ready")
    return [*messages[:_MOST_LINES], *rest]


def broken(path: Path, kind: str, results: Sequence[CompileResult]) -> Message:
    """Return that a source does not compile under the interpreters of ``results``."""
    what = "at its next event it fails" if kind == "hook" else "hooks that import it fail"
    consequence = f"{what}, and a hook that fails blocks nothing"
    found = [f"BROKEN  {_shown(path)} does not compile: {consequence}"]
    by_error: dict[str, list[Interpreter]] = {}
    for result in results:
        if result.error is not None:
            error = describe_error(_shown(path), result.error)
            by_error.setdefault(error, []).append(result.interpreter)
    for error, under in by_error.items():
        found += [*error.split("\n"), f"(under {_labels(under)})"]
    value = {
        "path": os.fspath(path),
        "kind": kind,
        "results": [result_json(result) for result in results],
        "error": next(iter(by_error), "").partition("\n")[0].removeprefix(_MARK),
    }
    return Message("broken", value, "\n    ".join(found), is_urgent=True)


def removed(path: Path, kind: str) -> Message:
    """Return that a source does not exist any more, or is no hook any more."""
    noun = "hook" if kind == "hook" else "local module"
    value = {"path": os.fspath(path), "kind": kind}
    return Message("removed", value, f"{_shown(path)}  is no {noun} any more")


def notice(text: str, path: Path | None = None, *, trouble: bool = False) -> Message:
    """Return what a person should know, and fix if ``trouble`` is True."""
    value = {"path": None if path is None else os.fspath(path), "text": text}
    start = "" if path is None else f"{_shown(path)} "
    shown_text = start + printable.lines(text).replace("\n", "\n          ")
    return Message("trouble" if trouble else "notice", value, shown_text, is_urgent=trouble)


def stopped(signal: int) -> Message:
    """Return that the watcher ends."""
    return Message("stopped", {"signal": signal}, "ended")


def _shown(path: Path) -> str:
    return f"{_MARK}{shown(path)}"


def _labels(interpreters: Iterable[Interpreter]) -> str:
    return ", ".join(dict.fromkeys(interpreter.label for interpreter in interpreters))
