"""Timings as ratios: commands in turn in one run, medians, a clean environment."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Both distort what Python does at start-up, and some machines export them.
DISTORTING = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Timing:
    """Seconds of each run of one command."""

    seconds: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The median in milliseconds."""
        return statistics.median(self.seconds) * 1000

    def ratio_to(self, other: Timing) -> float:
        """The median of the ratios, run by run: what was slow for both cancels out."""
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds, strict=True))


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without what distorts start-up, and with ``extra``."""
    kept = {name: value for name, value in os.environ.items() if name not in DISTORTING}
    return kept | extra


def in_turn(
    commands: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    env: Mapping[str, str],
    stdin: bytes = b"",
    before: Callable[[str], None] = lambda _: None,
) -> dict[str, Timing]:
    """Run all commands once a round; ``before`` is called with a command's name ahead of it."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for round_ in range(rounds + 1):
        for name, command in commands.items():
            before(name)
            start = time.perf_counter()
            subprocess.run(command, env=env, input=stdin, capture_output=True, check=True)
            if round_:  # the first one warms the disk's cache
                seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


@dataclass(frozen=True)
class Spent:
    """What one process took in seconds: by the clock, and of the processor."""

    wall: float
    cpu: float
    status: int


def start(command: Sequence[str], *, env: Mapping[str, str], stdin: Path) -> int:
    """Start a command that reads ``stdin`` and prints to nowhere; return its process id.

    posix_spawn, since a fork of this process would cost as much as what is measured.
    """
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.fspath(stdin), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    return os.posix_spawn(command[0], list(command), env, file_actions=files)


def spawn(command: Sequence[str], *, env: Mapping[str, str], stdin: Path) -> Spent:
    """Run a command as :func:`start` does.

    The processor time is that of the process and of the children that it has waited for.
    """
    begun = time.perf_counter()
    pid = start(command, env=env, stdin=stdin)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    return Spent(wall, usage.ru_utime + usage.ru_stime, os.waitstatus_to_exitcode(status))


def machine() -> str:
    """Return one line that says what was measured on, and how busy it was."""
    uname = os.uname()
    return f"{uname.sysname} {uname.machine}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"
