"""The table of ``status``: results, logs and counts in, rows out."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hooks_compile.entries.report import result_json
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.entries.fallbacks import Fallback
    from hooks_compile.model import CompileResult, Optimize


_DROPPED: Mapping[Optimize, tuple[str, ...]] = {
    "auto": (),
    0: (),
    1: ("asserts",),
    2: ("asserts", "docstrings"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One hook under one interpreter.

    ``dropped`` is what a forced level drops. ``launches`` is None if they were not counted.
    """

    result: CompileResult
    dropped: tuple[str, ...]
    fallbacks: tuple[Fallback, ...]
    launches: int | None

    @property
    def notes(self) -> list[str]:
        """A line about what a forced level drops, and one about deferred imports."""
        path = self.result.source.path
        level = self.result.choice.level
        dropped = " and ".join(self.dropped)
        notes = [f"{path}: level {level} is forced: {dropped} are dropped"] if dropped else []
        if self.result.source.imports == "deferred":
            label = self.result.interpreter.label
            lazy = "imports of the standard library are lazy (PEP 810)"
            none = 'imports = "deferred" has no effect: it needs Python 3.15'
            notes.append(f"{path}: under {label} {lazy if self.defers else none}")
        return notes

    @property
    def defers(self) -> bool:
        """Whether launches defer imports."""
        interpreter = self.result.interpreter
        return self.result.source.imports == "deferred" and interpreter.version >= (3, 15)


def rows(
    results: Iterable[CompileResult],
    optimize: Optimize,
    fallbacks: Sequence[Fallback],
    launches: Mapping[str, int] | None,
) -> list[Row]:
    """Return a row for each result; ``launches`` has counts by script as typed, or is None."""
    dropped = _DROPPED[optimize]
    found = []
    for result in results:
        path = result.source.path
        own = [
            fallback
            for fallback in fallbacks
            if fallback.script == str(path) and fallback.cache_tag == result.interpreter.cache_tag
        ]
        count = None if launches is None else _count(launches, path)
        found.append(Row(result, dropped, tuple(own), count))
    return found


def _count(launches: Mapping[str, int], path: Path) -> int:
    """Add up the launches of ``path``: typed in full, or from its end."""
    return sum(
        count
        for script, count in launches.items()
        if f"/{path}".endswith("/" + script.removeprefix("./").lstrip("/"))
    )


def cells(row: Row, root: Path) -> list[str]:
    """Return a row of the table, in the order of COLUMNS."""
    result = row.result
    return [
        shown(result.source.path, root),
        result.interpreter.label,
        str(result.choice.level),
        result.choice.reason or result.detail,
        str(result.state) + (f": {result.error.message}" if result.error else ""),
        "-" if row.launches is None else str(row.launches),
        _since(row.fallbacks),
    ]


COLUMNS = ("hook", "interpreter", "level", "why", "state", "launches", "fallbacks")


def _since(fallbacks: Sequence[Fallback]) -> str:
    if not fallbacks:
        return "0"
    first = datetime.datetime.fromtimestamp(fallbacks[0].time).astimezone()
    return f"{len(fallbacks)} since {first:%Y-%m-%d %H:%M} (last: {fallbacks[-1].reason})"


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as JSON values; times are seconds since the epoch."""
    value = result_json(row.result)
    value["dropped"] = list(row.dropped)
    value["imports"] = {"wanted": row.result.source.imports, "deferred": row.defers}
    value["launches"] = row.launches
    value["fallbacks"] = [
        {"time": fallback.time, "reason": fallback.reason} for fallback in row.fallbacks
    ]
    return value
