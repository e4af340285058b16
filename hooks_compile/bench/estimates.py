"""What many rounds say: medians, and how certain a ratio is."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_ROUNDS = 8
_CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A value and the interval that holds the true one with a probability of 95 %."""

    value: float
    low: float
    high: float

    @property
    def precision(self) -> float:
        """Half of the interval, as a share of the value: 0.03 is 3 %."""
        return (self.high - self.low) / 2 / self.value

    @property
    def excludes_one(self) -> bool:
        """Return whether the interval of a ratio does not hold 1: there is a difference."""
        return not self.low <= 1 <= self.high

    def __truediv__(self, other: Estimate) -> Estimate:
        """Return the quotient of two independent estimates; their relative errors add up
        squared."""
        value = self.value / other.value
        up = math.hypot(_log_ratio(self.high, self.value), _log_ratio(other.value, other.low))
        down = math.hypot(_log_ratio(self.value, self.low), _log_ratio(other.high, other.value))
        return Estimate(value, value * math.exp(-down), value * math.exp(up))


def ratio(times: Sequence[float], base: Sequence[float]) -> Estimate:
    """Return the median of the ratios of the same rounds: what slows a round cancels out.

    The interval is that of order statistics, which assumes no distribution (Conover, Practical
    Nonparametric Statistics, 3.2). Below FEWEST_ROUNDS rounds it is too wide to be of use.
    """
    ratios = sorted(a / b for a, b in zip(times, base, strict=True))
    rank = _rank(len(ratios))
    return Estimate(statistics.median(ratios), ratios[rank], ratios[-rank - 1])


def percentile_90(values: Sequence[float]) -> float:
    """Return the value that nine of ten do not exceed."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


def _rank(count: int) -> int:
    """Return how many of ``count`` sorted values lie outside of the interval, on each side."""
    outside = (1 - _CONFIDENCE) / 2 * 2**count
    rank, summed = 0, 1
    while summed <= outside:
        rank += 1
        summed += math.comb(count, rank)
    return max(rank - 1, 0)


def _log_ratio(larger: float, smaller: float) -> float:
    return math.log(larger / smaller)
