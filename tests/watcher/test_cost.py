"""What watching costs: nothing while nothing happens, and no more with time."""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import write
from tests.support.tiers import ci_only, coverage_variables, scaled
from tests.support.watching import HOOK, wait_until, wait_warm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.watching import Watcher
    from tests.watcher.conftest import Scene

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

# Half an hour at this pace holds more changes than a day of work.
SOAK_S = scaled(3.0, 8.0, 1800.0)


def switches(watcher: Watcher, thread: str | int = "*") -> int:
    """How often its threads went to sleep: each time they had been woken."""
    text = watcher.proc(f"task/{thread}/status")
    return sum(map(int, re.findall(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)))


def resident_mib(watcher: Watcher) -> float:
    return int(re.findall(r"VmRSS:\s+(\d+)", watcher.proc("status"))[0]) / 1024


def descriptors(watcher: Watcher) -> int:
    return len(os.listdir(f"/proc/{watcher.process.pid}/fd"))  # noqa: PTH208 - names alone


def threads(watcher: Watcher) -> int:
    return int(re.findall(r"Threads:\s+(\d+)", watcher.proc("status"))[0])


def woken(watcher: Watcher, seconds: float, thread: str | int = "*") -> int:
    """How often its threads are woken from now on, in so many seconds."""
    before = switches(watcher, thread)
    time.sleep(seconds)
    return switches(watcher, thread) - before


@ci_only
def test_idle_it_does_nothing_but_beat(scene: Scene) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()
        # before, it writes the state and ends a survey
        wait_until(lambda: woken(watcher, 1.0) <= 2, lambda: "a second in which it is idle")


def test_reading_launching_and_git_status_do_not_wake_it(scene: Scene) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
        scene.assert_hit()
        time.sleep(1.1)
        scene.repo.git("status")  # refreshes the index, for good in another second than the files'
        loop = watcher.process.pid  # the thread that takes events sees more, and drops it
        wait_until(lambda: woken(watcher, 0.7, loop) <= 2, lambda: "it is idle")

        def is_not_woken() -> bool:
            before = switches(watcher, loop)
            for _ in range(50):
                scene.hook.read_bytes()
                list(scene.hook.parent.iterdir())
            scene.assert_hit()
            scene.repo.git("status")
            scene.hook.with_name("guard.log").write_text("a hook's own log\n" * 10)
            time.sleep(0.3)
            return switches(watcher, loop) - before <= 10  # a beat, a refresh of the index

        # A loaded machine has it wait for more than events.
        assert any(is_not_woken() for _ in range(5))
        assert not watcher.messages("changed")


def test_ten_thousand_hooks_take_less_than_fifty_mib(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in coverage_variables():  # to measure coverage takes 6 MiB
        monkeypatch.delenv(name)
    count = scaled(500, 2_000, 10_000)
    hooks = [scene.hook.with_name(f"h{number}.py") for number in range(count)]
    for number, hook in enumerate(hooks):
        hook.write_text(f"print({number})\n")
    with scene.watching() as watcher:
        watcher.wait_started()
        hooks[-1].write_text("print('second')\n")
        wait_warm(scene.user, hooks[-1])
        assert resident_mib(watcher) < 50


def change_somehow(hook: Path, hooks: list[Path], chance: random.Random) -> None:
    """What people, editors and git do to files and directories."""
    inner = list(hook.parent.glob("inner_*"))
    match chance.randrange(6):
        case 0:
            hook.unlink(missing_ok=True)
        case 1 if hook.exists():
            hook.rename(chance.choice(hooks))
        case 2:
            hook.write_text("print((\n")
        case 3:
            write(hook.with_name(f"inner_{chance.randrange(3)}") / "inner.py", f"print({hook!s})")
        case 4 if inner:
            inner[0].rename(hook.with_name(f"inner_{time.time_ns()}"))
            if len(inner) > 5:
                shutil.rmtree(inner[-1], ignore_errors=True)  # the watcher may be writing there
        case _:
            hook.write_text(f"print({chance.random()})\n")


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S + 600)
def test_a_day_of_random_changes_leaves_nothing_behind(scene: Scene) -> None:
    chance = random.Random(4)  # noqa: S311 - no secret
    hooks = [scene.hook.with_name(f"h{number}.py") for number in range(30)]
    seen: list[tuple[float, int, int]] = []

    with scene.watching("--scan", "2") as watcher:
        watcher.wait_started()
        end = time.monotonic() + SOAK_S
        while time.monotonic() < end:
            for _ in range(20):
                change_somehow(chance.choice(hooks), hooks, chance)
            time.sleep(chance.random() / 5)
            seen.append((resident_mib(watcher), threads(watcher), descriptors(watcher)))
        for hook in hooks:
            hook.write_text(f"print({hook.name!r})\n")
        wait_warm(scene.user, *hooks)
        assert not [m for m in watcher.messages("trouble") if "error in hooks-watch" in m["text"]]
    # After a quarter it has settled. A look may be in the middle of things, as when all threads of
    # an observer end and those of a new one begin.
    eighths = [seen[len(seen) * n // 8 : len(seen) * (n + 1) // 8] for n in (2, 7)]
    before, after = (list(map(median, zip(*part, strict=True))) for part in eighths)
    assert after[1] <= before[1] + 7, (before, after)  # a thread for each of as many directories
    assert after[2] <= before[2] + 1, (before, after)
    assert after[0] <= before[0] + 8, (before, after)
