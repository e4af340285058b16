"""Watches and polling on real directories."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import write
from tests.support.watching import wait_until
from watcher.directories import HOOKS
from watcher.events import Event, Kind
from watcher.observer import Monitor, mounted, parse_mounts, reason_to_poll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Watched:
    """A monitor, and the events that came from it."""

    def __init__(self, poll_s: float | None = None, most_watches: int = 64) -> None:
        self.queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.monitor = Monitor(self.queue.put, poll_s, most_watches)
        self.events: list[Event] = []

    def want(self, *directories: Path) -> list[str]:
        """Watch directories; return those whose changes until now were not reported."""
        return self.monitor.want(dict.fromkeys(map(str, directories), HOOKS))

    def notices(self) -> list[tuple[str, str]]:
        return [(each.event, each.values[0]["text"]) for each in self.monitor.notices.values()]

    def came(self, kind: Kind, path: Path) -> bool:
        while not self.queue.empty():
            self.events.append(self.queue.get())
        return any((event.kind, event.path) == (kind, str(path)) for event in self.events)

    def wait_for(self, kind: Kind, path: Path) -> None:
        wait_until(lambda: self.came(kind, path), lambda: f"{kind} of {path}; {self.events}", 10)

    def assert_silent(self, seconds: float = 0.3) -> None:
        """No event comes."""
        time.sleep(seconds)
        assert self.queue.empty()


@pytest.fixture(params=["events", "polling"])
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    watched = Watched(0.05 if request.param == "polling" else None)
    yield watched
    watched.monitor.close()


@pytest.fixture
def by_events() -> Iterator[Watched]:
    watched = Watched(most_watches=3)
    yield watched
    watched.monitor.close()


def test_creations_renames_and_removals_are_reported(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "guard.py"
    assert watched.want(tmp_path) == [str(tmp_path)]
    path.write_text("1")
    watched.wait_for(Kind.CREATED, path)
    path.rename(tmp_path / "other.py")
    watched.wait_for(Kind.GONE, path)
    watched.wait_for(Kind.MOVED_IN, tmp_path / "other.py")
    (tmp_path / "other.py").unlink()
    watched.wait_for(Kind.GONE, tmp_path / "other.py")
    (tmp_path / "deeper").mkdir()
    watched.wait_for(Kind.CREATED, tmp_path / "deeper")
    assert watched.events[-1].is_directory


def test_a_change_is_reported(watched: Watched, tmp_path: Path) -> None:
    path = write(tmp_path / "guard.py", "1")
    watched.want(tmp_path)
    path.write_text("second")
    watched.wait_for(Kind.CHANGED, path)


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
    assert watched.want(one, two) == [str(two)]
    assert watched.want(two) == []
    write(one / "guard.py")
    write(two / "guard.py")
    watched.wait_for(Kind.CREATED, two / "guard.py")
    assert not any(event.path.startswith(str(one)) for event in watched.events)


def test_a_directory_that_was_replaced_is_watched_anew(watched: Watched, tmp_path: Path) -> None:
    directory = write(tmp_path / "hooks/guard.py").parent
    other = write(tmp_path / "other/guard.py").parent
    watched.want(directory)
    directory.rename(tmp_path / "old")
    other.rename(directory)
    assert watched.want(directory) == [str(directory)]
    write(directory / "new.py", "2")
    watched.wait_for(Kind.CREATED, directory / "new.py")


def test_a_directory_that_was_deleted_and_made_again_is_watched_anew(
    watched: Watched, tmp_path: Path
) -> None:
    """Its inode may be the same."""
    directory = tmp_path / "hooks"
    directory.mkdir()
    watched.want(directory)
    directory.rmdir()
    watched.wait_for(Kind.GONE, directory)
    directory.mkdir()
    assert watched.want(directory) == [str(directory)]
    write(directory / "guard.py", "2")
    watched.wait_for(Kind.CREATED, directory / "guard.py")
    assert watched.monitor.is_alive()


def test_a_directory_that_vanished_meanwhile_has_to_be_looked_at(
    watched: Watched, tmp_path: Path
) -> None:
    assert watched.want(tmp_path / "missing") == [str(tmp_path / "missing")]
    assert watched.monitor.is_alive()


def test_a_directory_behind_a_symlink(watched: Watched, tmp_path: Path) -> None:
    write(tmp_path / "real/x.py")
    link = tmp_path / "link"
    link.symlink_to("real")
    watched.want(link)
    write(tmp_path / "real/guard.py")
    watched.wait_for(Kind.CREATED, link / "guard.py")


def test_the_threads_end(tmp_path: Path) -> None:
    before = threading.active_count()
    watched = Watched()
    watched.want(tmp_path)
    assert watched.monitor.is_alive()
    watched.monitor.close()
    assert threading.active_count() == before


@ON_LINUX
def test_a_writer_that_closes_a_file_is_reported(by_events: Watched, tmp_path: Path) -> None:
    by_events.want(tmp_path)
    write(tmp_path / "guard.py", "1")
    by_events.wait_for(Kind.SAVED, tmp_path / "guard.py")


def test_too_many_directories_are_polled_and_that_is_said(
    by_events: Watched, tmp_path: Path
) -> None:
    directories = [write(tmp_path / f"d{number}/x.py").parent for number in range(5)]
    assert set(by_events.want(*directories)) == set(map(str, directories))
    text = "2 directories are polled every 2 s: at most 3 directories are watched"
    assert by_events.notices() == [("notice", text)]
    assert by_events.want(*directories) == []
    write(directories[4] / "guard.py")
    by_events.wait_for(Kind.CREATED, directories[4] / "guard.py")
    assert by_events.want(directories[0]) == []
    assert by_events.notices() == []


def test_a_warning_of_watchdogs_is_a_loss_and_its_errors_are_none(by_events: Watched) -> None:
    """It warns of dropped events; it logs an error each time that a watch ends."""
    logging.getLogger("watchdog.observers.inotify").error("called when the thread is inactive")
    assert by_events.queue.empty()
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    assert by_events.queue.get(timeout=5).kind is Kind.LOST


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_noticed_and_replaced(
    by_events: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_events.want(tmp_path)
    assert by_events.monitor.is_alive()
    # as a bug in a handler does
    monkeypatch.setattr("watcher.observer._Handler.dispatch", lambda *_: sys.exit())
    write(tmp_path / "guard.py")
    wait_until(lambda: not by_events.monitor.is_alive(), lambda: "the thread is dead")
    monkeypatch.undo()
    by_events.monitor.reopen()
    assert by_events.monitor.is_alive()
    assert by_events.want(tmp_path) == [str(tmp_path)]
    write(tmp_path / "other.py")
    by_events.wait_for(Kind.CREATED, tmp_path / "other.py")


def test_a_file_system_without_events_is_polled(
    by_events: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watcher.observer.mounted", lambda: {"/": "nfs4"})
    assert by_events.want(tmp_path) == [str(tmp_path)]
    text = "1 directory is polled every 2 s: nfs4 does not report what other machines change"
    assert by_events.notices() == [("trouble", text)]


@ON_LINUX
def test_names_that_are_not_utf8_are_reported_as_the_file_system_has_them(
    by_events: Watched, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"gu\xe4rd.py")
    by_events.want(tmp_path)
    path.write_text("1")
    by_events.wait_for(Kind.SAVED, path)


MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /mnt/c rw,noatime - 9p drvfs rw,dirsync
31 22 0:27 / /home/a\\040user/net rw - nfs4 server:/x rw
32 31 0:28 / /home/a\\040user/net/inner rw - tmpfs tmpfs rw
33 22 0:29 / /host rw shared:1 - fuse.grpcfuse grpcfuse rw
torn line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", ""),
        ("/home/a user/repo", ""),
        ("/mnt/c/Users/me/repo", "9p"),
        ("/mnt/cc", ""),
        ("/home/a user/net/repo", "nfs4"),
        ("/home/a user/net/inner/x", ""),
        ("/host/repo/.claude/hooks", "fuse.grpcfuse"),
    ],
)
def test_mounts_that_other_machines_change_are_known(path: str, kind: str) -> None:
    reason = reason_to_poll(path, parse_mounts(MOUNTINFO))
    assert reason.split(" ")[0] == kind


def test_without_a_list_of_mounts_nothing_is_remote() -> None:
    assert reason_to_poll("/x", {}) == ""


@ON_LINUX
def test_this_machines_root_is_mounted() -> None:
    assert "/" in mounted()
