"""What launches left behind: fallbacks in the runtime folder, and traces."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fallback:
    """One launch that had to compile: ``time`` in seconds since the epoch, ``script`` its real
    path, ``cache_tag`` its interpreter's, ``reason`` why there was no entry."""

    time: int
    cache_tag: str
    reason: str
    script: str


# The last second that a date can tell: a torn line may begin with the digits of two times.
_LATEST = 253_402_214_400


def parse_log(text: str) -> list[Fallback]:
    """Read ``fallbacks.log``; a line that was torn by a full disk or a crash is left out."""
    found = []
    for line in text.splitlines():
        fields = line.split("\t")
        try:
            time, tag, reason, script = fields
            fallback = Fallback(int(time), tag, reason, str(ast.literal_eval(script)))
            if 0 <= fallback.time < _LATEST:
                found.append(fallback)
        except (ValueError, SyntaxError):
            continue
    return found


def read_log(runtime: Path) -> list[Fallback]:
    """Return the fallbacks that launches recorded in the runtime folder, oldest first."""
    try:
        return parse_log((runtime / "fallbacks.log").read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, IsADirectoryError):
        return []


def shorten_log(runtime: Path, keep_bytes: int = 1 << 18) -> None:
    """Drop the older part of a long log, so that launches go on recording."""
    log = runtime / "fallbacks.log"
    try:
        data = log.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return
    if len(data) > 2 * keep_bytes:
        draft = runtime / ".fallbacks.log.new"
        draft.write_bytes(data[-keep_bytes:].partition(b"\n")[2])
        draft.replace(log)


def count_launches(trace: Path) -> dict[str, int]:
    """Return the number of launches of each script as typed, from a HOOKS_COMPILE_TRACE file."""
    counts: dict[str, int] = {}
    try:
        lines = trace.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return counts
    for line in lines:
        _, _, rest = line.partition("\t")
        _, told, script = rest.partition("\t")
        if told:
            counts[script] = counts.get(script, 0) + 1
    return counts
