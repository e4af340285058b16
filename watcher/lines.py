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

_COLOURS = {"broken": "31;1", "trouble": "33", "watching": "32", "synced": "32"}
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
    is_urgent: bool = False  # something has to be fixed, or is fixed now

    def as_json(self, now: float, tree: Path) -> list[dict[str, Any]]:
        """Return the JSON objects; ``tree`` is the root of the message's tree."""
        head = {"time": round(now, 3), "tree": os.fspath(tree), "event": self.event}
        return [head | value for value in self.values]

    def as_text(self, now: float, base: Path, *, has_colour: bool) -> str:
        """Return the lines, with paths relative to ``base``; ``now`` is seconds since the epoch."""
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        colour = _COLOURS.get(self.event) if has_colour else None
        start, end = (f"\x1b[{colour}m", "\x1b[0m") if colour else ("", "")
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

    def as_json(self) -> dict[str, Any]:
        """Return the JSON value."""
        ms = None if self.ms is None else round(self.ms, 2)
        results = [result_json(result) for result in self.results]
        return self._asdict() | {"path": os.fspath(self.path), "ms": ms, "results": results}

    def as_text(self) -> str:
        """Return a line for a person."""
        is_written = any(result.state is State.COMPILED for result in self.results)
        parts = [
            _labels(result.interpreter for result in self.results),
            f"level {self.results[0].choice.level}" if self.kind == "hook" else "local module",
            *([] if self.ms is None else [f"{self.ms:.0f} ms"]),
            *(["the file is empty: it allows everything"] if self.empty else []),
        ]
        verb = ("fixed, " if self.fixed else "") + ("compiled" if is_written else "ready")
        return f"{_shown(self.path)}  {verb}: {', '.join(parts)}"


def synced(
    root: Path,
    interpreters: Sequence[Interpreter],
    hooks: int,
    modules: int,
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
    return Message("watching" if watching else "synced", [value], [text])


def changes(changed: Sequence[Changed]) -> Message:
    """Return what one step compiled."""
    blocks = [each.as_text() for each in changed[:_MOST_LINES]]
    if rest := changed[_MOST_LINES:]:
        blocks.append(f"{plural(len(rest), 'more source')} ready")
    is_urgent = any(each.fixed or each.empty for each in changed)
    return Message("changed", [each.as_json() for each in changed], blocks, is_urgent)


def broken(path: Path, kind: str, results: Sequence[CompileResult]) -> Message:
    """Return that a source does not compile under the interpreters of ``results``."""
    text = [f"BROKEN  {_shown(path)} does not compile: {_CONSEQUENCES[kind]}"]
    by_error: dict[str, list[Interpreter]] = {}
    for result in results:
        if result.error is not None:
            error = describe_error(_shown(path), result.error)
            by_error.setdefault(error, []).append(result.interpreter)
    for error, under in by_error.items():
        text += [*error.split("\n"), f"(under {_labels(under)})"]
    results_json = [result_json(result) for result in results]
    value = {"path": os.fspath(path), "kind": kind, "results": results_json}
    return Message("broken", [value], ["\n    ".join(text)], is_urgent=True)


def removed(path: Path, kind: str) -> Message:
    """Return that a source does not exist any more, or is no hook any more."""
    noun = "hook" if kind == "hook" else "local module"
    value = {"path": os.fspath(path), "kind": kind}
    return Message("removed", [value], [f"{_shown(path)}  is no {noun} any more"])


def notice(text: str, path: Path | None = None, *, trouble: bool = False) -> Message:
    """Return what a person should know, and fix if ``trouble`` is True."""
    value = {"path": None if path is None else os.fspath(path), "text": text}
    start = "" if path is None else f"{_shown(path)} "
    block = start + printable.lines(text).replace("\n", "\n          ")
    return Message("trouble" if trouble else "notice", [value], [block], is_urgent=trouble)


def stopped(signal: int) -> Message:
    """Return that the watcher ends."""
    return Message("stopped", [{"signal": signal}], ["ended"])


def _shown(path: Path) -> str:
    return f"{_MARK}{shown(path)}"


def _labels(interpreters: Iterable[Interpreter]) -> str:
    return ", ".join(dict.fromkeys(interpreter.label for interpreter in interpreters))
