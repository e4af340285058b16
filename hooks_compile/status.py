"""What ``status`` tells of each hook: results, logs and counts in, rows out."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hooks_compile.levels import choose_level, dropped
from hooks_compile.report import result_json, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.fallbacks import Fallback
    from hooks_compile.model import CompileResult, Deferrable, LevelChoice, Optimize


@dataclass(frozen=True, slots=True)
class Row:
    """One hook under one interpreter; ``launches`` is None where nothing counted them.

    ``deferrable`` is what of its imports could be deferred, whether or not the project wants it.
    """

    result: CompileResult
    choice: LevelChoice
    dropped: tuple[str, ...]
    fallbacks: tuple[Fallback, ...]
    launches: int | None
    deferrable: Deferrable

    @property
    def notes(self) -> list[str]:
        """What a forced level takes away from this hook, and what became of its imports where its
        project wants them deferred, a line each."""
        path = self.result.source.path
        notes = [f"{path}: level {self.choice.level} drops {d}" for d in self.dropped]
        if self.result.source.imports == "deferred":
            under = f"under {self.result.interpreter.label}"
            if not self.deferrable.reason:
                modules = ", ".join(self.deferrable.modules) or "only what its modules import"
                notes.append(f"{path}: imports deferred {under}: {modules}")
                notes += [f"{path}: not deferred {under}: {k}" for k in self.deferrable.kept]
            else:
                notes.append(f"{path}: no import deferred {under}: {self.deferrable.reason}")
        return notes


def rows(
    results: Iterable[CompileResult],
    optimize: Optimize,
    fallbacks: Sequence[Fallback],
    launches: Mapping[str, int] | None,
    deferrable: Mapping[tuple[Path, str], Deferrable],
) -> list[Row]:
    """Return a row for each result; ``launches`` counts by script as typed, or is None, and
    ``deferrable`` is the compiler's."""
    found = []
    for result in results:
        path = result.source.path
        try:
            source = path.read_bytes()
        except OSError:
            source = b""
        choice = choose_level(source, optimize)
        own = [
            fallback
            for fallback in fallbacks
            if fallback.script == str(path) and fallback.cache_tag == result.interpreter.cache_tag
        ]
        count = None if launches is None else _count(launches, path)
        lost = () if optimize == "auto" else tuple(dropped(source, choice.level))
        waiting = deferrable[path, result.interpreter.cache_tag]
        found.append(Row(result, choice, lost, tuple(own), count, waiting))
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
        str(row.choice.level),
        row.choice.reason,
        str(result.state) + (f": {result.error.message}" if result.error else ""),
        result.entry.name if result.entry else "-",
        "not counted" if row.launches is None else str(row.launches),
        _since(row.fallbacks),
    ]


COLUMNS = ("hook", "interpreter", "level", "why", "state", "entry", "launches", "fallbacks")


def could_defer(rows: Iterable[Row], root: Path) -> str | None:
    """Return a line that tells for which hooks deferred imports would do something, None if none.

    Hooks whose project has asked for them have their own notes.
    """
    waiting = {
        shown(row.result.source.path, root): len(row.deferrable.modules)
        for row in rows
        if row.result.source.imports == "as-written" and not row.deferrable.reason
    }
    if not waiting:
        return None
    hooks = ", ".join(f"{name} ({count})" if count else name for name, count in waiting.items())
    return f'imports = "deferred" would put imports off in: {hooks}'


def _since(fallbacks: Sequence[Fallback]) -> str:
    if not fallbacks:
        return "0"
    first = datetime.datetime.fromtimestamp(fallbacks[0].time).astimezone()
    return f"{len(fallbacks)} since {first:%Y-%m-%d %H:%M} (last: {fallbacks[-1].reason})"


def as_json(row: Row) -> dict[str, Any]:
    """Return a row as JSON values; times are seconds since the epoch."""
    value = result_json(row.result)
    value["level"] = row.choice.level
    value["level_reason"] = row.choice.reason
    value["dropped"] = list(row.dropped)
    value["imports"] = {
        "wanted": row.result.source.imports,
        "deferrable": list(row.deferrable.modules),
        "kept": list(row.deferrable.kept),
        "reason": row.deferrable.reason,
    }
    value["launches"] = row.launches
    value["fallbacks"] = [
        {"time": fallback.time, "reason": fallback.reason} for fallback in row.fallbacks
    ]
    return value
