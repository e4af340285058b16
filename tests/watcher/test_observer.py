"""Watches on real folders: inotify on Linux, watchdog's observer elsewhere (tried here too)."""

from __future__ import annotations

import errno
import os
import queue
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import write
from tests.watcher.running import wait_until
from watcher.filters import ALWAYS, Interest
from watcher.model import Event, Kind
from watcher.observer import InotifyWatches, ObserverWatches, Watches, open_watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


class Watched:
    """Watches, and the events that came from them."""

    def __init__(self, open_them: Callable[[Callable[[Event], None]], Watches]) -> None:
        self.queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.watches = open_them(self.queue.put)
        self.events: list[Event] = []

    def wait_for(self, kind: Kind, path: Path) -> None:
        """Wait for an event."""

        def came() -> bool:
            while not self.queue.empty():
                self.events.append(self.queue.get())
            return any((event.kind, event.path) == (kind, str(path)) for event in self.events)

        wait_until(came, lambda: f"{kind} of {path}; {self.events}", seconds=10)

    def assert_silent(self, seconds: float = 0.3) -> None:
        """No event comes."""
        time.sleep(seconds)
        assert self.queue.empty()


@pytest.fixture(params=["inotify", "observer"])
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    if request.param == "inotify" and sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    watched = Watched(InotifyWatches if request.param == "inotify" else ObserverWatches)
    yield watched
    watched.watches.close()


@pytest.fixture
def inotify() -> Iterator[Watched]:
    watched = Watched(InotifyWatches)
    yield watched
    watched.watches.close()


def test_saves_renames_and_removals_are_told(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "guard.py"
    outcome = watched.watches.want({str(tmp_path): ALWAYS})
    assert outcome == ([str(tmp_path)], {})
    path.write_text("1")
    watched.wait_for(Kind.CREATED, path)
    watched.wait_for(Kind.SAVED, path)
    path.rename(tmp_path / "other.py")
    watched.wait_for(Kind.GONE, path)
    watched.wait_for(Kind.MOVED_IN, tmp_path / "other.py")
    (tmp_path / "other.py").unlink()
    watched.wait_for(Kind.GONE, tmp_path / "other.py")
    (tmp_path / "deeper").mkdir()
    watched.wait_for(Kind.CREATED, tmp_path / "deeper")
    assert watched.events[-1].is_folder


def test_reading_and_writing_entries_is_not_told(watched: Watched, tmp_path: Path) -> None:
    path = write(tmp_path / "guard.py", "1")
    (tmp_path / "__pycache_opt__").mkdir()
    watched.watches.want({str(tmp_path): ALWAYS})
    path.read_bytes()
    list(tmp_path.iterdir())
    write(tmp_path / "__pycache_opt__/entry.pyc", "1")
    write(tmp_path / "guard.log", "1")
    watched.assert_silent()


def test_what_is_watched_already_is_not_new(watched: Watched, tmp_path: Path) -> None:
    one, two = (write(tmp_path / name / "x.py").parent for name in ("one", "two"))
    watched.watches.want({str(one): ALWAYS})
    assert watched.watches.want({str(one): ALWAYS, str(two): ALWAYS}).added == [str(two)]
    assert watched.watches.want({str(two): ALWAYS}).added == []
    write(one / "guard.py")
    write(two / "guard.py")
    watched.wait_for(Kind.SAVED, two / "guard.py")
    assert not any(event.path.startswith(str(one)) for event in watched.events)


def test_a_folder_that_was_replaced_is_watched_anew(watched: Watched, tmp_path: Path) -> None:
    folder = write(tmp_path / "hooks/guard.py").parent
    other = write(tmp_path / "other/guard.py").parent
    watched.watches.want({str(folder): ALWAYS})
    folder.rename(tmp_path / "old")
    other.rename(folder)
    assert watched.watches.want({str(folder): ALWAYS}).added == [str(folder)]
    write(folder / "guard.py", "2")
    watched.wait_for(Kind.SAVED, folder / "guard.py")


def test_a_folder_that_is_not_there_fails(watched: Watched, tmp_path: Path) -> None:
    outcome = watched.watches.want({str(tmp_path / "missing"): ALWAYS})
    assert outcome.added == []
    assert outcome.failed[str(tmp_path / "missing")].errno == errno.ENOENT


def test_the_threads_end(watched: Watched, tmp_path: Path) -> None:
    watched.watches.want({str(tmp_path): ALWAYS})
    assert watched.watches.is_alive()
    watched.watches.close()
    assert not watched.watches.is_alive()


@ON_LINUX
def test_the_system_has_its_own_way() -> None:
    watches = open_watches(lambda _: None)
    assert isinstance(watches, InotifyWatches)
    watches.close()


@ON_LINUX
def test_interest_that_grows_to_the_content_is_heeded(inotify: Watched, tmp_path: Path) -> None:
    path = write(tmp_path / "guard.py", "1")
    inotify.watches.want({str(tmp_path): Interest(folders=True)})
    write(path, "2")
    inotify.assert_silent(0.1)
    inotify.watches.want({str(tmp_path): ALWAYS})
    write(path, "3")
    inotify.wait_for(Kind.SAVED, path)
    inotify.watches.want({str(tmp_path): Interest(frozenset({"settings.json"}))})
    while not inotify.queue.empty():
        inotify.queue.get()
    write(path, "4")
    inotify.assert_silent(0.1)


@ON_LINUX
def test_an_unmatched_rename_holds_nothing_back(inotify: Watched, tmp_path: Path) -> None:
    """watchdog's own observer waits half a second for the rename's other half."""
    folder = write(tmp_path / "hooks/gone.py").parent
    inotify.watches.want({str(folder): ALWAYS})
    (folder / "gone.py").rename(tmp_path / "gone.py")
    write(folder / "guard.py")
    inotify.wait_for(Kind.SAVED, folder / "guard.py")
    times = {event.path: event.time for event in inotify.events}
    assert times[str(folder / "guard.py")] - times[str(folder / "gone.py")] < 0.4


@ON_LINUX
def test_a_file_is_watched_under_all_its_names(inotify: Watched, tmp_path: Path) -> None:
    path = write(tmp_path / "hooks/guard.py", "1")
    other = tmp_path / "other.py"
    other.hardlink_to(path)
    inotify.watches.want({str(path): ALWAYS})
    write(other, "2")
    inotify.wait_for(Kind.SAVED, path)
    assert not inotify.events[-1].is_folder


@ON_LINUX
def test_a_watched_folder_that_goes_or_moves_is_told(inotify: Watched, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    inotify.watches.want({str(one): ALWAYS, str(two): ALWAYS})
    one.rmdir()
    two.rename(tmp_path / "three")
    inotify.wait_for(Kind.GONE, one)
    inotify.wait_for(Kind.GONE, two)
    assert all(event.is_folder for event in inotify.events)
    two.mkdir()
    assert inotify.watches.want({str(two): ALWAYS}).added == [str(two)]


@ON_LINUX
def test_a_folder_that_may_not_be_read_fails_and_harms_no_other(
    inotify: Watched, unprivileged: Path
) -> None:
    closed = [unprivileged / name for name in ("closed", "shut")]
    for folder in closed:
        folder.mkdir(mode=0)
    free = write(unprivileged / "open/guard.py").parent
    outcome = inotify.watches.want(dict.fromkeys(map(str, [*closed, free]), ALWAYS))
    assert outcome.added == [str(free)]
    assert {error.errno for error in outcome.failed.values()} == {errno.EACCES}
    write(free / "guard.py", "2")
    inotify.wait_for(Kind.SAVED, free / "guard.py")


@ON_LINUX
def test_names_that_are_not_utf8_are_told_as_the_file_system_has_them(
    inotify: Watched, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"gu\xe4rd.py")
    inotify.watches.want({str(tmp_path): ALWAYS})
    path.write_text("1")
    inotify.wait_for(Kind.SAVED, path)
