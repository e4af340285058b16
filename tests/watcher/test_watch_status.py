"""One watcher for a tree, and what it leaves for ``--status``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError
from watcher.watch_status import Station, shown_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from watcher.watch_status import Station
station = Station(Path(sys.argv[1]), Path(sys.argv[2]))
station.acquire()
station.write({"pid": 4321, "since": 1_700_000_000.0, "written": 1_700_000_100.0})
print("held", flush=True)
sys.stdin.read()
"""
STATE = {
    "pid": 4321,
    "since": 1_700_000_000.0,
    "written": 1_700_000_100.0,
    "root": "/repo",
    "hooks": 2,
    "modules": 1,
    "interpreters": ["CPython 3.13.0"],
    "how": "events",
    "last_change": None,
    "errors": [],
}


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that watches the tree ``tmp_path/tree``."""
    for name in ("tree", "runtime"):
        (tmp_path / name).mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "runtime", tmp_path / "tree"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def station(tmp_path: Path) -> Station:
    (tmp_path / "runtime").mkdir(exist_ok=True)
    return Station(tmp_path / "runtime", tmp_path / "tree")


def test_a_second_watcher_learns_who_holds_the_tree(
    holder: subprocess.Popen[str], station: Station
) -> None:
    assert station.status().is_watched
    with pytest.raises(HooksCompileError) as caught:
        station.acquire()
    assert "process 4321 since 2023-11-1" in str(caught.value)
    assert "kill 4321" in str(caught.value)
    assert holder.poll() is None


def test_the_lock_of_a_killed_watcher_is_free_at_once(
    holder: subprocess.Popen[str], station: Station
) -> None:
    holder.kill()
    holder.wait()
    assert not station.status().is_watched
    assert "the last watcher was process 4321 since" in station.status().as_text()
    station.acquire()
    assert Station(station.directory.parent, station.tree).status().is_watched
    station.release()
    assert not station.status().is_watched
    assert station.status().state is None


def test_a_symlink_to_a_tree_is_the_same_tree(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("tree")
    assert Station(tmp_path / "runtime", tmp_path / "link").status().is_watched
    assert not Station(tmp_path / "runtime", tmp_path / "other").status().is_watched
    assert holder.poll() is None


def test_asking_takes_no_lock_and_makes_nothing(station: Station) -> None:
    assert not station.status().is_watched
    assert station.status().state is None
    assert not (station.directory).exists()


def test_the_state_is_whole_or_not_there(station: Station) -> None:
    station.acquire()
    station.write(STATE)
    assert station.status().state == STATE
    station.write(STATE | {"tree": "/not \udcff utf-8"})
    assert station.status().state == STATE | {"tree": "/not \udcff utf-8"}
    assert [path.suffix for path in sorted(station.directory.iterdir())] == [".json", ".lock"]
    station.state_path.write_text('{"torn')
    assert station.status().state is None
    station.release()


def test_a_runtime_directory_that_went_away_is_not_made_anew_here(station: Station) -> None:
    """Only the module that knows how private it has to be makes it."""
    station.acquire()
    shutil.rmtree(station.directory.parent)
    with pytest.raises(HooksCompileError, match="No such file"):
        station.write(STATE)
    assert not station.directory.parent.exists()
    station.release()


def test_when_the_watcher_was_heard_of_is_said(station: Station) -> None:
    station.acquire()
    station.write(STATE)
    assert f"last sign of life at {shown_time(1_700_000_100.0)}" in station.status().as_text()
    assert station.status().as_json(1_700_000_600.0)["seconds_since_heard"] == 500
    station.release()


def test_status_tells_what_is_watched_and_what_is_broken(station: Station) -> None:
    station.acquire()
    assert "just starting" in station.status().as_text()
    station.write(
        STATE
        | {
            "last_change": {"time": 1_700_000_050.0, "event": "removed", "path": "/repo/a.py"},
            "errors": [
                {"error": "/repo/hooks/guard.py:3: SyntaxError: invalid syntax"},
                {"path": "/repo/hooks/of_an_older_watcher.py"},
            ],
        }
    )
    text = station.status().as_text()
    assert f"{station.tree}: watched by process 4321 since" in text
    assert "2 hooks, 1 local module, for CPython 3.13.0; watched by events" in text
    assert f"last change: /repo/a.py removed at {shown_time(1_700_000_050.0)}" in text
    assert "broken: /repo/hooks/guard.py:3: SyntaxError: invalid syntax" in text
    assert "broken: /repo/hooks/of_an_older_watcher.py" in text
    value = station.status().as_json(time.time())
    assert value["watched"] is True
    assert value["watcher"]["pid"] == 4321
    station.release()
    assert "not watched" in station.status().as_text()
