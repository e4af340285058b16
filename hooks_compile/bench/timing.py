"""Processes timed in turn, so that what slows the machine slows them all."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Start(NamedTuple):
    """A process to time: its words, and what it reads from standard input."""

    words: Sequence[str]
    stdin: bytes = b""


def time_in_turn(
    starts: Sequence[Start],
    *,
    cwd: Path,
    env: Mapping[str, str],
    rounds: int,
) -> list[tuple[float, ...]]:
    """Return the times of each process in seconds, one for each round of them all."""
    finished = [[_time(start, cwd, env) for start in starts] for _ in range(rounds)]
    return list(zip(*finished, strict=True))


def _time(start: Start, cwd: Path, env: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(
        start.words, cwd=cwd, env=env, input=start.stdin, capture_output=True, check=False
    )
    return time.perf_counter() - begun
