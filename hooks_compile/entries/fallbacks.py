"""What launches recorded: fallbacks in the runtime directory, and traces."""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOG = "fallbacks.log"
# The last second that a date can have: a torn line may begin with the digits of two times.
_LATEST = 253_402_214_400


class Fallback(NamedTuple):
    """One launch that had to compile.

    ``time`` is in seconds since the epoch, ``script`` the real path of the hook, ``cache_tag`` the
    interpreter's, and ``reason`` says why there was no entry.
    """

    time: int
    cache_tag: str
    reason: str
    script: str


def parse_log(text: str) -> list[Fallback]:
    """Return the fallbacks in a log. A line that a full disk or a crash has torn is left out."""
    found = []
    for line in text.splitlines():
        try:
            time, tag, reason, script = line.split("\t")
            fallback = Fallback(int(time), tag, reason, str(ast.literal_eval(script)))
        except (ValueError, SyntaxError):
            continue
        if 0 <= fallback.time < _LATEST:
            found.append(fallback)
    return found


def read_log(runtime: Path) -> list[Fallback]:
    """Return the fallbacks that launches recorded in the runtime directory, oldest first."""
    return parse_log(files.read_if_there(runtime / LOG).decode(errors="replace"))


def shorten_log(runtime: Path, keep_bytes: int = 1 << 18) -> None:
    """Drop the older part of a long log, so that launches can go on recording. Raises OSError."""
    data = files.read_if_there(runtime / LOG)
    if len(data) > 2 * keep_bytes:
        files.replace(runtime / LOG, data[-keep_bytes:].partition(b"\n")[2])


def count_launches(trace: Path) -> Mapping[str, int]:
    """Return the number of launches of each script as typed, from a HOOKS_COMPILE_TRACE file."""
    lines = files.read_if_there(trace).decode(errors="surrogateescape").split("\n")
    return Counter(line.split("\t", 2)[2] for line in lines if line.count("\t") >= 2)
