"""Launches measured against each other."""

from __future__ import annotations

import subprocess
import time

import pytest

from hooks_compile.bench.timing import medians


class Clock:
    """A clock that goes only where a launch takes its time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def take(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


def test_launches_are_made_in_turn_and_each_has_its_median(clock: Clock) -> None:
    order: list[str] = []
    times = iter([1.0, 3.0, 1.25, 3.25, 60.0, 3.5])

    def launch(name: str) -> None:
        order.append(name)
        clock.take(next(times))

    first, second = medians([lambda: launch("a"), lambda: launch("b")], rounds=3)
    assert order == ["a", "b"] * 3
    assert (first, second) == (1.25, 3.25), "one launch that was disturbed does not count"


@pytest.mark.parametrize(("budget", "rounds"), [(0, 1), (1, 1), (1.5, 2), (5, 5), (500, 7)])
def test_the_first_round_is_always_made_and_the_budget_ends_the_rest(
    clock: Clock, budget: float, rounds: int
) -> None:
    before = clock.now
    assert medians([lambda: clock.take(1)], rounds=7, budget=budget) == [1]
    assert clock.now - before == rounds


def test_a_launch_that_takes_too_long_ends_the_measurement() -> None:
    count = 0

    def launch() -> None:
        nonlocal count
        count += 1
        if count > limit:
            raise subprocess.TimeoutExpired("launch", 1)

    limit = 2
    assert len(medians([launch, lambda: None], rounds=9)) == 2
    assert count == 3
    limit = 0
    with pytest.raises(subprocess.TimeoutExpired):
        medians([launch], rounds=9)
