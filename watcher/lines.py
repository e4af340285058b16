"""Messages as a person reads them, and as a program does. Pure: returns text and JSON values."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from hooks_compile import printable
from hooks_compile.entries.report import describe_error, plural, result_json, shown
from hooks_compile.model import State
from watcher.model import Broken, Changes, Notice, Removed, StillBroken, Stopped, Synced

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter
    from watcher.model import Changed, Message

_MOST_LINES = 10
_RED, _GREEN, _YELLOW, _DIM, _BOLD = "31;1", "32", "33", "2", "1"
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


def labels(interpreters: Iterable[Interpreter]) -> str:
    """Return ``CPython 3.11.7, CPython 3.13.0``."""
    return ", ".join(dict.fromkeys(interpreter.label for interpreter in interpreters))


def is_urgent(message: Message) -> bool:
    """Tell whether ``--quiet`` says it all the same: what is to be mended, and that it is."""
    if isinstance(message, Changes):
        return any(changed.mended or changed.empty for changed in message.changed)
    if isinstance(message, Notice):
        return message.trouble
    return isinstance(message, Broken | StillBroken)


class Painter:
    """Turns messages into lines; paths are shown as seen from ``base``."""

    def __init__(self, base: Path, *, colour: bool) -> None:
        """``colour`` is for terminals."""
        self._base = base
        self._colour = colour

    def text(self, message: Message, now: float) -> str:
        """Return the lines for ``message``, said at ``now`` (seconds since the epoch)."""
        clock = self._paint(_DIM, time.strftime("%H:%M:%S", time.localtime(now)))
        return "\n".join(f"{clock}  {block}" for block in self._blocks(message))

    def _blocks(self, message: Message) -> list[str]:  # noqa: PLR0911 - one for each message
        match message:
            case Synced():
                return [self._synced(message)]
            case Changes():
                return self._changes(message)
            case Broken():
                return [self._broken(message)]
            case StillBroken():
                return [self._still_broken(message)]
            case Removed():
                noun = "hook" if message.noun == "hook" else "local module"
                return [f"{self._path(message.path)}  is no {noun} any more"]
            case Notice():
                where = f"{self._path(message.path)} " if message.path is not None else ""
                text = where + printable.lines(message.text).replace("\n", "\n          ")
                return [self._paint(_YELLOW, text) if message.trouble else text]
            case Stopped():
                return ["ended"]

    def _synced(self, message: Synced) -> str:
        what = plural(message.hooks, "hook")
        if message.modules:
            what += f" and {plural(message.modules, 'local module')}"
        said = [f"{message.counts[s]} {word}" for s, word in _STATES.items() if s in message.counts]
        said.append(f"{message.seconds:.2f} s")
        verb = "watching " if message.watching else ""
        root = self._paint(_BOLD, shown(message.root))
        under = labels(message.interpreters) or "no Python"
        return f"{verb}{root}: {what}, for {under} ({', '.join(said)})"

    def _changes(self, message: Changes) -> list[str]:
        lines = [self._changed(changed) for changed in message.changed[:_MOST_LINES]]
        rest = message.changed[_MOST_LINES:]
        if rest:
            slowest = max((changed.ms for changed in rest if changed.ms is not None), default=None)
            within = "" if slowest is None else f", the last {slowest:.0f} ms after its save"
            lines.append(f"{plural(len(rest), 'more source')} ready{within}")
        return lines

    def _changed(self, changed: Changed) -> str:
        written = any(result.state is State.COMPILED for result in changed.results)
        verb = "compiled" if written else "ready"
        parts = [labels(result.interpreter for result in changed.results)]
        if changed.noun == "hook":
            parts.append(f"level {changed.results[0].choice.level}")
        else:
            parts.append("local module")
        if changed.ms is not None:
            parts.append(f"{changed.ms:.0f} ms")
        if changed.empty:
            parts.append(self._paint(_YELLOW, "the file is empty: it allows everything"))
        path = self._paint(_GREEN if changed.mended else _BOLD, self._path(changed.path))
        return f"{path}  {'mended, ' if changed.mended else ''}{verb}: {', '.join(parts)}"

    def _broken(self, message: Broken) -> str:
        where = self._path(message.path)
        text = f"BROKEN  {where} does not compile: {_CONSEQUENCES[message.noun]}"
        lines = [self._paint(_RED, text)]
        for error, under in _by_error(message.results, where).items():
            lines += [*error.split("\n"), f"(under {labels(under)})"]
        return "\n    ".join(lines)

    def _still_broken(self, message: StillBroken) -> str:
        places = []
        for broken in message.broken:
            error = broken.results[0].error
            line = f":{error.line}" if error is not None and error.line else ""
            places.append(f"{self._path(broken.path)}{line}")
        more = " ..." if len(places) > _MOST_LINES else ""
        text = f"still broken: {', '.join(places[:_MOST_LINES])}{more}"
        return self._paint(_RED, text)

    def _path(self, path: Path) -> str:
        return shown(path, None if path == self._base else self._base)

    def _paint(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


def _by_error(results: Iterable[CompileResult], where: str) -> dict[str, list[Interpreter]]:
    texts: dict[str, list[Interpreter]] = {}
    for result in results:
        if result.error is not None:
            text = describe_error(where, result.error)
            texts.setdefault(text, []).append(result.interpreter)
    return texts


def as_json(message: Message, now: float, tree: Path) -> list[dict[str, Any]]:
    """Return the JSON objects for ``message`` about the tree ``tree``, one for each line."""
    head = {"time": round(now, 3), "tree": os.fspath(tree)}
    return [head | body for body in _bodies(message)]


def _bodies(message: Message) -> list[dict[str, Any]]:  # noqa: PLR0911 - as above
    match message:
        case Synced():
            return [_synced_json(message)]
        case Changes():
            return [_changed_json(changed) for changed in message.changed]
        case Broken():
            return [broken_json(message)]
        case StillBroken():
            broken = [broken_json(each) for each in message.broken]
            return [{"event": "still broken", "broken": broken}]
        case Removed():
            return [{"event": "removed", "path": os.fspath(message.path), "kind": message.noun}]
        case Notice():
            event = "trouble" if message.trouble else "notice"
            path = None if message.path is None else os.fspath(message.path)
            return [{"event": event, "path": path, "text": message.text}]
        case Stopped():
            return [{"event": "stopped", "signal": message.signal}]


def broken_json(broken: Broken) -> dict[str, Any]:
    """Return a broken source as JSON values."""
    return {
        "event": "broken",
        "path": os.fspath(broken.path),
        "kind": broken.noun,
        "results": [result_json(result) for result in broken.results],
    }


def _synced_json(message: Synced) -> dict[str, Any]:
    return {
        "event": "watching" if message.watching else "synced",
        "hooks": message.hooks,
        "modules": message.modules,
        "interpreters": [os.fspath(each.executable) for each in message.interpreters],
        "counts": {str(state): count for state, count in message.counts.items()},
        "seconds": round(message.seconds, 4),
    }


def _changed_json(changed: Changed) -> dict[str, Any]:
    return {
        "event": "changed",
        "path": os.fspath(changed.path),
        "kind": changed.noun,
        "ms": None if changed.ms is None else round(changed.ms, 2),
        "mended": changed.mended,
        "empty": changed.empty,
        "results": [result_json(result) for result in changed.results],
    }
