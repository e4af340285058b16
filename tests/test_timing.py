"""Launches measured against each other."""

from __future__ import annotations

import subprocess
import time

import pytest

from hooks_compile.timing import medians


def test_launches_are_made_in_turn_and_each_has_its_median() -> None:
    order: list[str] = []
    naps = iter([0.0, 0.03, 0.0, 0.03, 0.2, 0.03])

    def launch(name: str) -> None:
        order.append(name)
        time.sleep(next(naps))

    first, second = medians([lambda: launch("a"), lambda: launch("b")], rounds=3)
    assert order == ["a", "b"] * 3
    assert first < 0.03 <= second, "one launch that was disturbed does not count"


def test_the_first_round_is_always_made_and_the_budget_ends_the_rest() -> None:
    count = 0

    def launch() -> None:
        nonlocal count
        count += 1
        time.sleep(0.02)

    assert medians([launch], rounds=100, budget=0)[0] >= 0.02
    assert count == 1
    medians([launch], rounds=100, budget=0.05)
    assert 2 < count < 6


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
