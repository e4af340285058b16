"""Messages as text for a person, and as JSON values for a program. Pure."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile import printable
from hooks_compile.entries.report import describe_error, plural, result_json, shown
from hooks_compile.model import CompileResult, Interpreter, State
from watcher.events import Broken, Changed, Changes, Notice, Removed, StillBroken, Stopped, Synced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watcher.events import Message

_MOST_LINES = 10
_RED, _GREEN, _YELLOW, _DIM, _BOLD = "31;1", "32", "33", "2", "1"
_STATES = {
    State.COMPILED: "compiled",
    State.FRESH: "up to date",
    State.BROKEN: "broken",
    State.UNREADABLE: "unreadable",
    State.UNWRITABLE: "not writable",
}
_EVENTS: dict[type, str] = {
    Broken: "broken",
    StillBroken: "still broken",
    Removed: "removed",
    Stopped: "stopped",
}
_CONSEQUENCES = {
    "hook": "at its next event it fails, and a hook that fails blocks nothing",
    "module": "hooks that import it fail, and a hook that fails blocks nothing",
}


def is_urgent(message: Message) -> bool:
    """Return whether ``--quiet`` prints it: something has to be fixed, or is fixed now."""
    if isinstance(message, Changes):
        return any(changed.fixed or changed.empty for changed in message.changed)
    if isinstance(message, Notice):
        return message.trouble
    return isinstance(message, Broken | StillBroken)


class Painter(NamedTuple):
    """Turns messages into lines; paths are shown relative to ``base``."""

    base: Path
    has_colour: bool

    def text(self, message: Message, now: float) -> str:
        """Return the lines for ``message``; ``now`` is in seconds since the epoch."""
        clock = self._paint(_DIM, time.strftime("%H:%M:%S", time.localtime(now)))
        blocks = self._changes(message) if isinstance(message, Changes) else [self._block(message)]
        return "\n".join(f"{clock}  {block}" for block in blocks)

    def _block(self, message: Message) -> str:
        match message:
            case Synced():
                return self._synced(message)
            case Broken():
                return self._broken(message)
            case StillBroken(broken):
                places = [self._place(each) for each in broken[:_MOST_LINES]]
                more = " ..." if len(broken) > _MOST_LINES else ""
                return self._paint(_RED, f"still broken: {', '.join(places)}{more}")
            case Removed(path, kind):
                noun = "hook" if kind == "hook" else "local module"
                return f"{self._path(path)}  is no {noun} any more"
            case Notice(text, path, trouble):
                where = "" if path is None else f"{self._path(path)} "
                text = where + printable.lines(text).replace("\n", "\n          ")
                return self._paint(_YELLOW, text) if trouble else text
        return "ended"

    def _synced(self, message: Synced) -> str:
        what = plural(message.hooks, "hook")
        if message.modules:
            what += f" and {plural(message.modules, 'local module')}"
        counts = message.counts
        said = [f"{counts[state]} {word}" for state, word in _STATES.items() if state in counts]
        root = ("watching " if message.watching else "") + self._paint(_BOLD, shown(message.root))
        under = _labels(message.interpreters) or "no Python"
        return f"{root}: {what}, for {under} ({', '.join([*said, f'{message.seconds:.2f} s'])})"

    def _changes(self, message: Changes) -> list[str]:
        lines = [self._changed(changed) for changed in message.changed[:_MOST_LINES]]
        if rest := message.changed[_MOST_LINES:]:
            slowest = max((changed.ms for changed in rest if changed.ms is not None), default=None)
            within = "" if slowest is None else f", the last {slowest:.0f} ms after its save"
            lines.append(f"{plural(len(rest), 'more source')} ready{within}")
        return lines

    def _changed(self, changed: Changed) -> str:
        written = any(result.state is State.COMPILED for result in changed.results)
        level = f"level {changed.results[0].choice.level}"
        parts = [
            _labels(result.interpreter for result in changed.results),
            level if changed.kind == "hook" else "local module",
        ]
        if changed.ms is not None:
            parts.append(f"{changed.ms:.0f} ms")
        if changed.empty:
            parts.append(self._paint(_YELLOW, "the file is empty: it allows everything"))
        path = self._paint(_GREEN if changed.fixed else _BOLD, self._path(changed.path))
        verb = ("fixed, " if changed.fixed else "") + ("compiled" if written else "ready")
        return f"{path}  {verb}: {', '.join(parts)}"

    def _broken(self, message: Broken) -> str:
        where = self._path(message.path)
        text = f"BROKEN  {where} does not compile: {_CONSEQUENCES[message.kind]}"
        lines = [self._paint(_RED, text)]
        by_error: dict[str, list[Interpreter]] = {}
        for result in message.results:
            if result.error is not None:
                text = describe_error(where, result.error)
                by_error.setdefault(text, []).append(result.interpreter)
        for error, under in by_error.items():
            lines += [*error.split("\n"), f"(under {_labels(under)})"]
        return "\n    ".join(lines)

    def _place(self, broken: Broken) -> str:
        error = broken.results[0].error
        line = f":{error.line}" if error is not None and error.line else ""
        return f"{self._path(broken.path)}{line}"

    def _path(self, path: Path) -> str:
        return shown(path, None if path == self.base else self.base)

    def _paint(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.has_colour else text


def _labels(interpreters: Iterable[Interpreter]) -> str:
    return ", ".join(dict.fromkeys(interpreter.label for interpreter in interpreters))


def as_json(message: Message, now: float, tree: Path) -> list[dict[str, Any]]:
    """Return the JSON objects for ``message``, one for each line; ``tree`` is its tree's root."""
    head = {"time": round(now, 3), "tree": os.fspath(tree)}
    return [head | body for body in _bodies(message)]


def _bodies(message: Message) -> list[dict[str, Any]]:
    if isinstance(message, Changes):
        return [{"event": "changed"} | _fields(changed) for changed in message.changed]
    fields = _fields(message)
    if isinstance(message, Synced):
        return [{"event": "watching" if fields.pop("watching") else "synced"} | fields]
    if isinstance(message, Notice):
        return [{"event": "trouble" if fields.pop("trouble") else "notice"} | fields]
    return [{"event": _EVENTS[type(message)]} | fields]


def _fields(record: Message | Changed) -> dict[str, Any]:
    return {name: _value(value) for name, value in record._asdict().items() if name != "root"}


def _value(value: object) -> Any:  # noqa: PLR0911 - one for each type
    match value:
        case Path():
            return os.fspath(value)
        case CompileResult():
            return result_json(value)
        case Interpreter():
            return os.fspath(value.executable)
        case Broken():
            return _bodies(value)[0]
        case tuple():
            return [_value(each) for each in value]
        case float():
            return round(value, 4)
    return value
