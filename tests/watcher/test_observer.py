"""Watches and polling on real directories."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest

from tests.support.repositories import write
from tests.support.watching import wait_until
from watcher.observer import Event, Monitor
from watcher.survey import Places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Watched:
    """A monitor, and the events that came from it."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.losses: list[str] = []
        self.monitor = Monitor(self.queue.put, lambda: self.losses.append("some"), most_watches=3)
        self.events: list[Event] = []

    def want(self, *directories: Path) -> bool:
        """Watch directories of hooks, and no parents; return whether a watch is new."""
        places = Places("/")
        places.hooks = dict.fromkeys(map(str, directories))
        return self.monitor.want(places)

    def came(self, path: Path, *, is_saved: bool) -> bool:
        while not self.queue.empty():
            self.events.append(self.queue.get())
        return any((event.path, event.is_saved) == (str(path), is_saved) for event in self.events)

    def wait_for(self, path: Path, *, is_saved: bool = False) -> None:
        came = partial(self.came, path, is_saved=is_saved)
        wait_until(came, lambda: f"{path}, {is_saved=}; {self.events}")

    def assert_silent(self, seconds: float = 0.3) -> None:
        """No event comes."""
        time.sleep(seconds)
        assert self.queue.empty()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.monitor.close()


def test_creations_renames_and_removals_are_reported(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "guard.py"
    assert watched.want(tmp_path)
    path.write_text("1")
    watched.wait_for(path)
    watched.wait_for(path, is_saved=True)
    watched.events.clear()
    path.rename(tmp_path / "other.py")
    watched.wait_for(path)
    watched.wait_for(tmp_path / "other.py", is_saved=True)
    watched.events.clear()
    (tmp_path / "other.py").unlink()
    watched.wait_for(tmp_path / "other.py")
    (tmp_path / "deeper").mkdir()
    watched.wait_for(tmp_path / "deeper")


def test_a_change_and_the_end_of_writing_are_reported(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"gu\xe4rd.py")  # no UTF-8
    watched.want(tmp_path)
    with path.open("w") as file:
        file.write("1")
        file.flush()
        watched.wait_for(path)
        assert not watched.came(path, is_saved=True)
    if sys.platform == "linux":
        watched.wait_for(path, is_saved=True)


def test_reading_and_writing_entries_is_not_reported(watched: Watched, tmp_path: Path) -> None:
    path = write(tmp_path / "guard.py", "1")
    (tmp_path / "__pycache_opt__").mkdir()
    watched.want(tmp_path)
    path.read_bytes()
    list(tmp_path.iterdir())
    write(tmp_path / "__pycache_opt__/entry.pyc", "1")
    write(tmp_path / "guard.log", "1")
    watched.assert_silent()


def test_what_is_watched_already_is_not_new(watched: Watched, tmp_path: Path) -> None:
    one, two = (write(tmp_path / name / "x.py").parent for name in ("one", "two"))
    watched.want(one)
    assert watched.want(one, two)
    assert not watched.want(one, two)
    watched.want(two)
    write(one / "guard.py")
    write(two / "guard.py")
    watched.wait_for(two / "guard.py")
    assert not any(event.path.startswith(str(one)) for event in watched.events)


def test_a_directory_that_was_replaced_is_watched_anew(watched: Watched, tmp_path: Path) -> None:
    directory = write(tmp_path / "hooks/guard.py").parent
    other = write(tmp_path / "other/guard.py").parent
    watched.want(directory)
    directory.rename(tmp_path / "old")
    other.rename(directory)
    assert watched.want(directory)
    write(directory / "new.py", "2")
    watched.wait_for(directory / "new.py")


def test_a_directory_that_was_deleted_and_made_again_is_watched_anew(
    watched: Watched, tmp_path: Path
) -> None:
    """Its inode may be the same."""
    directory = tmp_path / "hooks"
    directory.mkdir()
    watched.want(directory)
    directory.rmdir()
    directory.mkdir()
    wait_until(lambda: watched.want(directory), lambda: "it is watched anew")
    write(directory / "guard.py", "2")
    watched.wait_for(directory / "guard.py")


def test_what_can_not_be_watched_is_left_to_the_scan(watched: Watched, tmp_path: Path) -> None:
    assert not watched.want(tmp_path / "missing")
    assert watched.want(tmp_path / "missing", tmp_path)
    assert not watched.want(tmp_path / "missing", tmp_path)
    assert watched.monitor.trouble == ""


def test_a_directory_behind_a_symlink(watched: Watched, tmp_path: Path) -> None:
    write(tmp_path / "real/x.py")
    link = tmp_path / "link"
    link.symlink_to("real")
    watched.want(link)
    write(tmp_path / "real/guard.py")
    watched.wait_for(link / "guard.py")


def test_the_threads_end(watched: Watched, tmp_path: Path) -> None:
    before = threading.active_count()
    watched.want(tmp_path)
    assert threading.active_count() > before
    watched.monitor.close()
    assert threading.active_count() == before


def test_of_too_many_directories_the_first_are_watched(watched: Watched, tmp_path: Path) -> None:
    directories = [write(tmp_path / f"d{number}/x.py").parent for number in range(5)]
    assert watched.want(*directories)
    assert watched.monitor.left_out == 2
    write(directories[4] / "guard.py")
    write(directories[0] / "guard.py")
    watched.wait_for(directories[0] / "guard.py")
    assert {event.path for event in watched.events} == {str(directories[0] / "guard.py")}


def test_a_warning_of_watchdogs_is_a_loss_and_its_errors_are_none(
    watched: Watched, tmp_path: Path
) -> None:
    """It warns of dropped events; it logs an error each time that a watch ends."""
    watched.want(tmp_path)
    logging.getLogger("watchdog.observers.inotify").error("called when the thread is inactive")
    assert watched.losses == []
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    assert watched.losses == ["some"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_replaced(watched: Watched, tmp_path: Path) -> None:
    class Bug:
        def has(self, _: str) -> bool:
            sys.exit()

    watched.want(tmp_path)
    before = set(threading.enumerate())
    watched.monitor._places = cast("Places", Bug())
    write(tmp_path / "guard.py")
    wait_until(lambda: before - set(threading.enumerate()), lambda: "the thread is dead")
    assert watched.want(tmp_path)
    write(tmp_path / "other.py")
    watched.wait_for(tmp_path / "other.py", is_saved=True)
