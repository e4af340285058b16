"""The lines of ``status``: results, logs and counts in, text out."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hooks_compile.entries.report import grouped, plural, result_json, some
from hooks_compile.model import State
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.entries.fallbacks import Fallback
    from hooks_compile.model import CompileResult, Optimize

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
        """What a forced level drops, and whether imports are deferred."""
        found = []
        if self.dropped:
            dropped, level = " and ".join(self.dropped), self.result.choice.level
            found.append(f"level {level} is forced: {dropped} are dropped")
        if self.result.source.imports == "deferred":
            acts = "imports of the standard library are lazy (PEP 810)"
            if not self.defers:
                acts = 'imports = "deferred" has no effect: it needs Python 3.15'
            found.append(f"under {self.result.interpreter.label} {acts}")
        return found

    @property
    def defers(self) -> bool:
        """Whether launches defer imports."""
        interpreter = self.result.interpreter
        return self.result.source.imports == "deferred" and interpreter.version >= (3, 15)

    def line(self, root: Path) -> str:
        """Return all that is known in one line."""
        choice = self.result.choice
        (state,) = grouped([self.result], root)
        parts = [f"{state.names[0]}: {state.text}", f"level {choice.level} ({choice.reason})"]
        if self.launches is not None:
            parts.append(plural(self.launches, "launch", "launches"))
        parts += _fallback_lines(self.fallbacks)
        return ", ".join(parts)

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
        path, tag = str(result.source.path), result.interpreter.cache_tag
        own = [each for each in fallbacks if (each.script, each.cache_tag) == (path, tag)]
        counts = [] if launches is None else launches.items()
        # typed in full, or from its end
        typed = [
            n for name, n in counts if path.endswith("/" + name.removeprefix("./").lstrip("/"))
        ]
        count = None if launches is None else sum(typed)
        found.append(Row(result, _DROPPED.get(optimize, []), own, count))
    return found


def lines(found: Sequence[Row], root: Path, *, verbose: bool = False) -> Iterator[str]:
    """Yield what a person reads: exceptions first, the count last.

    ``verbose`` adds a line for each row.
    """
    groups = grouped((row.result for row in found), root)
    yield from (f"{some(it.names)}: {it.text}" for it in groups if it.state is not State.FRESH)
    notes: defaultdict[str, list[str]] = defaultdict(list)
    for row in found:
        for text in row.notes:
            notes[text].append(shown(row.result.source.path, root))
    yield from (f"{some(names)}: {text}" for text, names in notes.items())
    if verbose:
        yield from (row.line(root) for row in found)
    fallbacks = sorted(fallback for row in found for fallback in row.fallbacks)
    yield from (f"launches: {text}" for text in _fallback_lines(fallbacks))
    fresh = [it for it in groups if it.state is State.FRESH]
    yield from (f"{plural(len(it.names), 'hook')} {it.text}" for it in fresh)


def _fallback_lines(fallbacks: Sequence[Fallback]) -> list[str]:
    """Return how often a launch had to compile, since when, and why it last did; [] if never."""
    if not fallbacks:
        return []
    first = datetime.datetime.fromtimestamp(fallbacks[0].time).astimezone()
    since = f"since {first:%Y-%m-%d %H:%M}"
    return [f"{len(fallbacks)} had to compile {since} (last: {fallbacks[-1].reason})"]
