"""Messages: what happened, as JSON values for a program and as lines for a person. Pure."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile import printable
from hooks_compile.entries.report import describe_error, plural, result_json
from hooks_compile.model import State
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hooks_compile.model import CompileResult, Interpreter

RED, GREEN, YELLOW = "31;1", "32", "33"

_MOST_LINES = 10
# Stands before each path that is shown relative to a base; no text has it, see printable.
_MARK = "\0"
_STATES = {
    State.COMPILED: "compiled",
    State.FRESH: "up to date",
    State.BROKEN: "broken",
    State.UNREADABLE: "unreadable",
    State.UNWRITABLE: "not writable",
}
_CONSEQUENCES = {
    "hook": "at its next event it fails, and a hook that fails blocks nothing",
    "module": "hooks that import it fail, and a hook that fails blocks nothing",
}


class Message(NamedTuple):
    """Something to report; its functions are below."""

    event: str
    values: list[dict[str, Any]]  # for a program: a line each
    blocks: list[str]  # of lines for a person
    colour: str = ""
    is_urgent: bool = False  # something has to be fixed, or is fixed now

    def as_json(self, now: float, tree: Path) -> list[dict[str, Any]]:
        """Return the JSON objects; ``tree`` is the root of the message's tree."""
        head = {"time": round(now, 3), "tree": os.fspath(tree), "event": self.event}
        return [head | value for value in self.values]

    def as_text(self, now: float, base: Path, *, has_colour: bool) -> str:
        """Return the lines, with paths relative to ``base``; ``now`` is seconds since the epoch."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        start, end = (f"\x1b[{self.colour}m", "\x1b[0m") if has_colour and self.colour else ("", "")
        text = "\n".join(f"{clock}  {start}{block}{end}" for block in self.blocks)
        return text.replace(f"{_MARK}{shown(base)}{os.sep}", "").replace(_MARK, "")


class Changed(NamedTuple):
    """A source that is compiled as it is now, under the interpreters of ``results``."""

    path: Path
    kind: str  # hook or module
    results: Sequence[CompileResult]
    ms: float | None  # from the save to the entry; None if no event reported the save
    fixed: bool = False  # it did not compile before
    empty: bool = False  # the file has no content


def synced(
    root: Path,
    hooks: int,
    modules: int,
    interpreters: Sequence[Interpreter],
    counts: Mapping[State, int],
    seconds: float,
    *,
    watching: bool,
) -> Message:
    """Return that a whole tree was compared; ``counts`` has how many results have each state."""
    what = plural(hooks, "hook") + (f" and {plural(modules, 'local module')}" if modules else "")
    said = [f"{counts[state]} {word}" for state, word in _STATES.items() if state in counts]
    done = ", ".join([*said, f"{seconds:.2f} s"])
    verb = "watching " if watching else ""
    text = f"{verb}{shown(root)}: {what}, for {_labels(interpreters) or 'no Python'} ({done})"
    value = {
        "hooks": hooks,
        "modules": modules,
        "interpreters": [os.fspath(each.executable) for each in interpreters],
        "counts": {str(state): count for state, count in counts.items()},
        "seconds": round(seconds, 4),
    }
    return Message("watching" if watching else "synced", [value], [text], GREEN)


def changes(changed: Sequence[Changed]) -> Message:
    """Return what one step compiled."""
    blocks = [_describe(each) for each in changed[:_MOST_LINES]]
    if rest := changed[_MOST_LINES:]:
        slowest = max((each.ms for each in rest if each.ms is not None), default=None)
        within = "" if slowest is None else f", the last {slowest:.0f} ms after its save"
        blocks.append(f"{plural(len(rest), 'more source')} ready{within}")
    is_empty = any(each.empty for each in changed)
    is_urgent = is_empty or any(each.fixed for each in changed)
    colour = YELLOW if is_empty else GREEN if is_urgent else ""
    return Message("changed", list(map(_changed_json, changed)), blocks, colour, is_urgent)


def broken(path: Path, kind: str, results: Sequence[CompileResult]) -> Message:
    """Return that a source does not compile under the interpreters of ``results``."""
    lines = [f"BROKEN  {_shown(path)} does not compile: {_CONSEQUENCES[kind]}"]
    by_error: dict[str, list[Interpreter]] = {}
    for result in results:
        if result.error is not None:
            text = describe_error(_shown(path), result.error)
            by_error.setdefault(text, []).append(result.interpreter)
    for error, under in by_error.items():
        lines += [*error.split("\n"), f"(under {_labels(under)})"]
    results_json = [result_json(result) for result in results]
    value = {"path": os.fspath(path), "kind": kind, "results": results_json}
    return Message("broken", [value], ["\n    ".join(lines)], RED, is_urgent=True)


def still_broken(messages: Sequence[Message]) -> Message:
    """Return what does not compile at the moment; ``messages`` say it of each source."""
    values = [{"event": message.event} | value for message in messages for value in message.values]
    places = []
    for value in values[:_MOST_LINES]:
        line = value["results"][0]["error"]["line"]
        places.append(_shown(Path(value["path"])) + (f":{line}" if line else ""))
    text = f"still broken: {', '.join(places)}{' ...' if len(values) > _MOST_LINES else ''}"
    return Message("still broken", [{"broken": values}], [text], RED, is_urgent=True)


def removed(path: Path, kind: str) -> Message:
    """Return that a source does not exist any more, or is no hook any more."""
    noun = "hook" if kind == "hook" else "local module"
    value = {"path": os.fspath(path), "kind": kind}
    return Message("removed", [value], [f"{_shown(path)}  is no {noun} any more"])


def notice(text: str, path: Path | None = None, *, trouble: bool = False) -> Message:
    """Return what a person should know, and fix if ``trouble`` is True."""
    value = {"path": None if path is None else os.fspath(path), "text": text}
    where = "" if path is None else f"{_shown(path)} "
    block = where + printable.lines(text).replace("\n", "\n          ")
    event, colour = ("trouble", YELLOW) if trouble else ("notice", "")
    return Message(event, [value], [block], colour, is_urgent=trouble)


def stopped(signal: int) -> Message:
    """Return that the watcher ends."""
    return Message("stopped", [{"signal": signal}], ["ended"])


def _changed_json(changed: Changed) -> dict[str, Any]:
    ms = None if changed.ms is None else round(changed.ms, 2)
    results = [result_json(result) for result in changed.results]
    return changed._asdict() | {"path": os.fspath(changed.path), "ms": ms, "results": results}


def _describe(changed: Changed) -> str:
    is_written = any(result.state is State.COMPILED for result in changed.results)
    level = f"level {changed.results[0].choice.level}"
    parts = [
        _labels(result.interpreter for result in changed.results),
        level if changed.kind == "hook" else "local module",
        *([] if changed.ms is None else [f"{changed.ms:.0f} ms"]),
        *(["the file is empty: it allows everything"] if changed.empty else []),
    ]
    verb = ("fixed, " if changed.fixed else "") + ("compiled" if is_written else "ready")
    return f"{_shown(changed.path)}  {verb}: {', '.join(parts)}"


def _shown(path: Path) -> str:
    return f"{_MARK}{shown(path)}"


def _labels(interpreters: Iterable[Interpreter]) -> str:
    return ", ".join(dict.fromkeys(interpreter.label for interpreter in interpreters))
