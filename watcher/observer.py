"""Reports changes in directories: the only importer of watchdog.

What runs in watchdog's threads only puts events into a queue: an exception would end a thread.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from typing import TYPE_CHECKING

from watchdog import events
from watchdog.observers import Observer

from watcher.watch_places import Event, Kind, Places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watchdog.observers.api import BaseObserver, ObservedWatch

    _Identity = tuple[int, int] | None

MOST_WATCHES = 64
"""So many directories of a tree are watched; for the others the periodic scan has to do."""

_RAISE = "to raise the limit: sudo sysctl fs.inotify.max_user_{}, and start hooks-watch again"
_LIMITS = {
    errno.ENOSPC: f"no inotify watch is left; {_RAISE.format('watches=524288')}",
    errno.EMFILE: f"no inotify instance is left; {_RAISE.format('instances=512')}",
}

# Not opened, read, closed without writing: we would wake ourselves.
_KINDS: dict[type[events.FileSystemEvent], Kind] = {
    events.FileCreatedEvent: Kind.CHANGED,
    events.FileModifiedEvent: Kind.CHANGED,
    events.FileAttribEvent: Kind.CHANGED,
    events.FileClosedEvent: Kind.SAVED,
    events.FileDeletedEvent: Kind.GONE,
    events.FileMovedEvent: Kind.SAVED,
    events.DirCreatedEvent: Kind.CHANGED,
    events.DirAttribEvent: Kind.CHANGED,
    events.DirDeletedEvent: Kind.GONE,
    events.DirMovedEvent: Kind.SAVED,
}


class Monitor(events.FileSystemEventHandler):
    """Puts an event into a queue for each change in some directories."""

    def __init__(self, put: Callable[[Event], None], most_watches: int) -> None:
        """Watch nothing yet."""
        self.trouble = ""  # why events do not suffice
        self.left_out = 0  # directories: there are more than may be watched
        self.watches: dict[ObservedWatch, _Identity] = {}
        self._put = put
        self._most_watches = most_watches
        self._places = Places()
        self._losses = _Losses(put)
        logging.getLogger("watchdog").addHandler(self._losses)
        self._observer: BaseObserver | None = None

    def close(self) -> None:
        """Watch nothing any more, and end the threads."""
        self._stop()  # its threads may still log an error, and without a handler that is printed
        logging.getLogger("watchdog").removeHandler(self._losses)

    def want(self, places: Places) -> bool:
        """Report changes in ``places``; if these are too many, in the most important ones.

        Return whether a watch is new, so that changes until now may not have been reported.
        """
        self._places = places
        directories = places.directories()
        self.left_out = max(len(directories) - self._most_watches, 0)
        wanted = {path: _identity(path) for path in directories[: self._most_watches]}
        try:
            return bool(wanted) and self._watch(self._running_observer(), wanted)
        except OSError as error:
            self.trouble = _LIMITS.get(error.errno or 0, f"no events: {error.strerror}")
            return False

    def dispatch(self, event: events.FileSystemEvent) -> None:
        """Take an event, in an observer's thread."""
        kind = _KINDS.get(type(event))
        if kind is not None and event.dest_path:
            self._pass_on(Kind.GONE, event.src_path, is_directory=event.is_directory)
            self._pass_on(kind, event.dest_path, is_directory=event.is_directory)
        elif kind is not None:
            self._pass_on(kind, event.src_path, is_directory=event.is_directory)

    def _pass_on(self, kind: Kind, path: bytes | str, *, is_directory: bool) -> None:
        event = Event(kind, os.fsdecode(path), time.monotonic(), is_directory)
        if self._places.matter(event):
            self._put(event)

    def _running_observer(self) -> BaseObserver:
        """Return the observer, a new one if an exception in :meth:`dispatch` has ended its thread.

        Raises OSError if the system refuses one.
        """
        if self._observer is None or not self._observer.is_alive():
            self._stop()
            self._observer = Observer()
            self._observer.start()
        return self._observer

    def _watch(self, observer: BaseObserver, wanted: Mapping[str, _Identity]) -> bool:
        """Watch exactly the directories ``wanted``; return whether a watch is new.

        Raises OSError if a limit is reached.
        """
        emitters = observer.emitters
        alive = {each.watch for each in emitters if each.is_alive() and each.should_keep_running()}
        for watch, identity in list(self.watches.items()):
            # Another directory may have taken the place of the one that is watched.
            if watch not in alive or wanted.get(watch.path) != identity:
                del self.watches[watch]
                observer.unschedule(watch)
        before = {watch.path for watch in self.watches}
        for path in [path for path in wanted if path not in before]:
            # If it is missing or can't be read, the scan has to do.
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                watch = observer.schedule(
                    self, path, event_filter=list(_KINDS), follow_symlink=True
                )
                self.watches[watch] = wanted[path]
        return {watch.path for watch in self.watches} != before

    def _stop(self) -> None:
        observer, self._observer = self._observer, None
        self.watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()


class _Losses(logging.Handler):
    """Turns watchdog's warnings into events: it warns of dropped events, and errors are usual."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        super().__init__(logging.WARNING)
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        """Take a log record, in a thread of watchdog's."""
        if record.levelno == logging.WARNING:
            self._put(Event(Kind.LOST, "", time.monotonic()))


def _identity(path: str) -> _Identity:
    """Return what stays the same as long as ``path`` is the same directory."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a string
    except OSError:
        return None
    return status.st_dev, status.st_ino
