"""Launches measured against each other: in turn, so that what slows the machine slows all."""

from __future__ import annotations

import math
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def medians(
    launches: Sequence[Callable[[], object]], *, rounds: int, budget: float = math.inf
) -> list[float]:
    """Return the median time of each launch in seconds, after up to ``rounds`` rounds of them all.

    No round is begun after ``budget`` seconds, and the first one always is. A launch that runs into
    its own time limit (subprocess.TimeoutExpired) ends the measurement; in the first round it is
    raised.
    """
    times: list[list[float]] = [[] for _ in launches]
    end = time.perf_counter() + budget
    for number in range(rounds):
        if number and time.perf_counter() >= end:
            break
        try:
            for launch, measured in zip(launches, times, strict=True):
                start = time.perf_counter()
                launch()
                measured.append(time.perf_counter() - start)
        except subprocess.TimeoutExpired:
            if not number:
                raise
            break
    return [statistics.median(measured) for measured in times]
