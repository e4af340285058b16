"""Reports changes in directories: the only importer of watchdog.

What runs in watchdog's threads only hands events on: an exception would end a thread.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from watchdog import events
from watchdog.observers import Observer

from watcher.survey import Places

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.observers.api import BaseObserver

    from watcher.survey import Identity

_RAISE = "to raise the limit: sudo sysctl fs.inotify.max_user_{}, and start hooks-watch again"
_LIMITS = {
    errno.ENOSPC: f"no inotify watch is left; {_RAISE.format('watches=524288')}",
    errno.EMFILE: f"no inotify instance is left; {_RAISE.format('instances=512')}",
}

# Not opened, read, closed without writing: we would wake ourselves.
_KINDS: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileModifiedEvent,
    events.FileAttribEvent,
    events.FileClosedEvent,
    events.FileDeletedEvent,
    events.FileMovedEvent,
    events.DirCreatedEvent,
    events.DirAttribEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
]


class Event(NamedTuple):
    """Something happened to the absolute ``path`` in a watched directory."""

    path: str
    time: float  # in seconds of the monotonic clock
    is_saved: bool = False  # closed by its writer, or renamed to this name: it is complete


class Monitor(events.FileSystemEventHandler):
    """Watches some directories of a tree."""

    def __init__(
        self, take: Callable[[Event], None], lost: Callable[[], None], most_watches: int
    ) -> None:
        """Watch nothing yet. Other threads call ``take``, and ``lost`` if events were dropped."""
        self.trouble = ""  # why events do not suffice
        self.left_out = 0  # directories: there are more than may be watched
        self.watched: dict[str, Identity] = {}
        self._take = take
        self._most_watches = most_watches
        self._places = Places("")
        self._losses = _Losses(lost)
        self._observer: BaseObserver | None = None

    def close(self) -> None:
        """Watch nothing any more, and end the threads."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None
        # not before: its threads may log an error, and without a handler that is printed
        logging.getLogger("watchdog").removeHandler(self._losses)

    def want(self, places: Places) -> bool:
        """Report changes in ``places``; if these are too many, in the most important ones.

        Return whether the watches are new, so that changes until now may not have been reported.
        """
        if not self._most_watches:  # --poll
            return False
        self._places = places
        directories = places.directories()
        self.left_out = max(len(directories) - self._most_watches, 0)
        wanted = dict(islice(directories.items(), self._most_watches))
        if wanted == self.watched and self._is_alive():
            return False
        self.close()
        self.watched = wanted
        logging.getLogger("watchdog").addHandler(self._losses)
        try:
            observer = self._observer = Observer()
            observer.start()
            for path in wanted:
                # If it is missing or can't be read, the scan has to do.
                with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                    observer.schedule(self, path, event_filter=_KINDS, follow_symlink=True)
        except OSError as error:
            self.trouble = _LIMITS.get(error.errno or 0, f"no events: {error.strerror}")
        return True

    def dispatch(self, event: events.FileSystemEvent) -> None:
        """Take an event, in an observer's thread."""
        now = time.monotonic()
        names = [(event.src_path, event.event_type == events.EVENT_TYPE_CLOSED)]
        if event.dest_path:
            names = [(event.src_path, False), (event.dest_path, True)]
        for path, is_saved in names:
            name = os.fsdecode(path)
            if self._places.has(name):
                self._take(Event(name, now, is_saved))

    def _is_alive(self) -> bool:
        """Return whether all threads run; one ends with its directory, or after an exception."""
        observer = self._observer
        return observer is None or (
            observer.is_alive()
            and all(each.is_alive() and each.should_keep_running() for each in observer.emitters)
        )


class _Losses(logging.Handler):
    """Takes watchdog's log: a warning says that events were dropped, and errors are usual."""

    def __init__(self, lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:
        """Take a log record, in a thread of watchdog's."""
        if record.levelno == logging.WARNING:
            self._lost()
