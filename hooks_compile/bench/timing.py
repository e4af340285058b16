"""Processes timed in turn, so that what slows the machine slows them all."""

from __future__ import annotations

import math
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
    budget: float = math.inf,
) -> list[tuple[float, ...]]:
    """Return the times of each process in seconds, one for each round of them all.

    No round begins after ``budget`` seconds, and no process goes on for longer. If that ends the
    first round, subprocess.TimeoutExpired is raised.
    """
    finished: list[list[float]] = []
    end = time.perf_counter() + budget
    while len(finished) < rounds:
        try:
            times = [_time(start, cwd, env, end) for start in starts]
        except subprocess.TimeoutExpired:
            if not finished:
                raise
            break
        finished.append(times)
    return list(zip(*finished, strict=True))


def _time(start: Start, cwd: Path, env: Mapping[str, str], end: float) -> float:
    """Run a process to its end, at the latest at the time ``end``; return the seconds it took."""
    begun = time.perf_counter()
    if begun >= end:
        raise subprocess.TimeoutExpired(start.words, 0)
    subprocess.run(
        start.words,
        cwd=cwd,
        env=env,
        input=start.stdin,
        capture_output=True,
        timeout=None if math.isinf(end) else end - begun,
        check=False,
    )
    return time.perf_counter() - begun
