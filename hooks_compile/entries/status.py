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

COLUMNS = ("hook", "interpreter", "level", "why", "state", "launches", "fallbacks")
_DROPPED: Mapping[Optimize, list[str]] = {1: ["asserts"], 2: ["asserts", "docstrings"]}


@dataclass(frozen=True, slots=True)
class Row:
    """One hook under one interpreter.

    ``dropped`` is what a forced level drops. ``launches`` is None if they were not counted.
    """

    result: CompileResult
    dropped: Sequence[str]
    fallbacks: Sequence[Fallback]
    launches: int | None

    @property
    def notes(self) -> list[str]:
        """A line about what a forced level drops, and one about deferred imports."""
        source, level = self.result.source, self.result.choice.level
        notes = []
        if self.dropped:
            dropped = " and ".join(self.dropped)
            notes.append(f"{source.path}: level {level} is forced: {dropped} are dropped")
        if source.imports == "deferred":
            lazy = "imports of the standard library are lazy (PEP 810)"
            none = 'imports = "deferred" has no effect: it needs Python 3.15'
            label = self.result.interpreter.label
            notes.append(f"{source.path}: under {label} {lazy if self.defers else none}")
        return notes

    @property
    def defers(self) -> bool:
        """Whether launches defer imports."""
        interpreter = self.result.interpreter
        return self.result.source.imports == "deferred" and interpreter.version >= (3, 15)

    def cells(self, root: Path) -> list[str]:
        """Return a row of the table, in the order of COLUMNS."""
        result = self.result
        since = "0"
        if self.fallbacks:
            first = datetime.datetime.fromtimestamp(self.fallbacks[0].time).astimezone()
            last = self.fallbacks[-1].reason
            since = f"{len(self.fallbacks)} since {first:%Y-%m-%d %H:%M} (last: {last})"
        return [
            shown(result.source.path, root),
            result.interpreter.label,
            str(result.choice.level),
            result.choice.reason or result.detail,
            str(result.state) + (f": {result.error.message}" if result.error else ""),
            "-" if self.launches is None else str(self.launches),
            since,
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the row as JSON values; times are seconds since the epoch."""
        return {
            **result_json(self.result),
            "dropped": self.dropped,
            "imports": {"wanted": self.result.source.imports, "deferred": self.defers},
            "launches": self.launches,
            "fallbacks": [{"time": each.time, "reason": each.reason} for each in self.fallbacks],
        }


def rows(
    results: Iterable[CompileResult],
    optimize: Optimize,
    fallbacks: Sequence[Fallback],
    launches: Mapping[str, int] | None,
) -> list[Row]:
    """Return a row for each result; ``launches`` has counts by script as typed, or is None."""
    found = []
    for result in results:
        key = (str(result.source.path), result.interpreter.cache_tag)
        own = [each for each in fallbacks if (each.script, each.cache_tag) == key]
        count = None if launches is None else _count(launches, result.source.path)
        found.append(Row(result, _DROPPED.get(optimize, []), own, count))
    return found


def _count(launches: Mapping[str, int], path: Path) -> int:
    """Add up the launches of ``path``: typed in full, or from its end."""
    return sum(
        count
        for script, count in launches.items()
        if f"/{path}".endswith("/" + script.removeprefix("./").lstrip("/"))
    )
