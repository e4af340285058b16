"""Processes timed in turn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile.bench.timing import Start, time_in_turn

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": os.environ["PATH"]}


def shell(command: str, stdin: bytes = b"") -> Start:
    return Start(["/bin/sh", "-c", command], stdin)


def test_processes_are_started_in_turn_and_each_has_its_times(tmp_path: Path) -> None:
    first = shell("echo a >>log; [ $(grep -c a log) != 2 ] || sleep 0.3")
    second = shell("cat >>log; sleep 0.3", b"b\n")
    times = time_in_turn([first, second], cwd=tmp_path, env=ENV, rounds=3)
    assert (tmp_path / "log").read_text().split() == ["a", "b"] * 3
    assert [len(each) for each in times] == [3, 3]
    assert times[0][1] >= 0.3
    assert min(times[1]) >= 0.3
