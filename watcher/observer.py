"""Watching folders: the only importer of watchdog.

On Linux this is watchdog's inotify reader itself, not its ``Observer`` on top of it. The observer
hides two of the ways in which events get lost (a full queue, a folder for which there was no watch
left), holds everything behind an unmatched rename back for half a second, and takes a thread for
each folder. Elsewhere it is the observer.

Whatever runs in watchdog's threads here only puts events into a queue: an exception would end the
thread in silence.
"""

from __future__ import annotations

import errno
import itertools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from watcher.model import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watchdog.observers.api import BaseObserver
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, Mask, WatchDescriptor

    from watcher.filters import Interest


class Outcome(NamedTuple):
    """What came of asking for watches: places newly watched, and those that can't be, with why."""

    added: list[str]
    failed: dict[str, OSError]


class Watches(Protocol):
    """Watches on folders, and on single files."""

    def want(self, places: Mapping[str, Interest]) -> Outcome:
        """Watch exactly ``places``, as they are on disk now."""

    def is_alive(self) -> bool:
        """Tell whether events still come."""

    def close(self) -> None:
        """Watch nothing any more, and end the threads."""


def open_watches(put: Callable[[Event], None]) -> Watches:
    """Return the system's own way to watch; raises OSError where there is none left to have."""
    if sys.platform == "linux":
        return InotifyWatches(put)
    return ObserverWatches(put)


def identity(path: str) -> tuple[int, int] | None:
    """Return what stays the same while ``path`` is the same file, None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a string
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _Watch:
    """One inotify watch: takes what the kernel says of a place, in the reader's thread."""

    def __init__(self, path: str, interest: Interest, put: Callable[[Event], None]) -> None:
        self.path = path
        self.interest = interest
        self.identity: tuple[int, int] | None = None
        self.descriptor: WatchDescriptor | None = None
        self.callback_id: CallbackId | None = None
        self._put = put

    def on_event(self, event: InotifyEvent) -> None:
        now = time.monotonic()
        if not event.name:
            gone = event.is_delete_self or event.is_move_self
            kind = Kind.GONE if gone else _kind(event)
            self._put(Event(kind, self.path, now, is_folder=gone or self._is_folder()))
            return
        name = os.fsdecode(event.name)
        if self.interest.admits(name, is_folder=event.is_directory):
            path = f"{self.path.rstrip('/')}/{name}"
            self._put(Event(_kind(event), path, now, event.is_directory))

    def _is_folder(self) -> bool:
        return os.path.isdir(self.path)  # noqa: PTH112 - a string

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        if self.descriptor == wd:
            self.descriptor = None
            self._put(Event(Kind.GONE, self.path, time.monotonic(), is_folder=True))

    def on_queue_overflow(self) -> None:
        self._put(Event(Kind.LOST, "", time.monotonic()))


def _kind(event: InotifyEvent) -> Kind:
    if event.is_close_write:
        return Kind.SAVED
    if event.is_moved_to:
        return Kind.MOVED_IN
    if event.is_create:
        return Kind.CREATED
    if event.is_delete or event.is_moved_from:
        return Kind.GONE
    return Kind.CHANGED


class InotifyWatches:
    """Any number of folders with one inotify instance and one thread."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        """Start the thread; raises OSError where the user has no inotify instance left."""
        from watchdog.observers.inotify_c import InotifyConstants, InotifyFD  # noqa: PLC0415 - Linux

        self._put = put
        self._watches: dict[str, _Watch] = {}
        self._ids = itertools.count()
        self._reader = InotifyFD()
        self._reader.start()
        listing = (
            InotifyConstants.IN_CREATE
            | InotifyConstants.IN_DELETE
            | InotifyConstants.IN_MOVED_FROM
            | InotifyConstants.IN_MOVED_TO
            | InotifyConstants.IN_DELETE_SELF
            | InotifyConstants.IN_MOVE_SELF
        )
        # Not opened, read, closed without writing: we would wake ourselves.
        self._listing = cast("Mask", listing | InotifyConstants.IN_MASK_ADD)
        self._content = cast(
            "Mask",
            self._listing
            | InotifyConstants.IN_MODIFY
            | InotifyConstants.IN_ATTRIB
            | InotifyConstants.IN_CLOSE_WRITE,
        )

    def want(self, places: Mapping[str, Interest]) -> Outcome:
        """See :class:`Watches`; what matters most gets a watch first."""
        for path in self._watches.keys() - places.keys():
            self._remove(path)
        order = sorted(places, key=lambda path: (not places[path].in_content, path))
        outcome = Outcome([], {})
        for path in order:
            watch = self._watches.get(path)
            if watch is not None and not self._has_to_be_renewed(watch, places[path]):
                watch.interest = places[path]
                continue
            if watch is not None:
                self._remove(path)
            try:
                self._add(path, places[path])
            except OSError as error:
                outcome.failed[path] = error
            else:
                outcome.added.append(path)
        return outcome

    def is_alive(self) -> bool:
        """See :class:`Watches`."""
        return self._reader.is_alive()

    def close(self) -> None:
        """See :class:`Watches`."""
        for path in list(self._watches):
            self._remove(path)
        self._reader.stop()
        self._reader.join()

    def _has_to_be_renewed(self, watch: _Watch, interest: Interest) -> bool:
        return (
            watch.descriptor is None
            or watch.identity != identity(watch.path)
            or (interest.in_content and not watch.interest.in_content)
        )

    def _add(self, path: str, interest: Interest) -> None:
        watch = _Watch(path, interest, self._put)
        watch.callback_id = cast("CallbackId", next(self._ids))
        mask = self._content if interest.in_content else self._listing
        before = identity(path)
        descriptor = self._reader.add_callback(
            os.fsencode(path), mask, cast("Any", watch), watch.callback_id
        )
        self._watches[path] = watch
        watch.descriptor, watch.identity = descriptor, before
        if descriptor < 0:  # watchdog says nothing where permission is what is missing
            self._remove(path)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        if before is None or before != identity(path):  # replaced while we looked
            self._remove(path)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _remove(self, path: str) -> None:
        watch = self._watches.pop(path)
        if watch.descriptor is not None and watch.callback_id is not None:
            descriptor, watch.descriptor = watch.descriptor, None
            self._reader.remove_callbacks([(descriptor, watch.callback_id)])


_KINDS = {
    "attrib": Kind.CHANGED,
    "closed": Kind.SAVED,
    "created": Kind.CREATED,
    "deleted": Kind.GONE,
    "modified": Kind.CHANGED,
}


class _Handler(FileSystemEventHandler):
    """Puts what watchdog's observer tells into the queue, in the observer's thread."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        self._put = put
        self.places: Mapping[str, Interest] = {}

    def dispatch(self, event: FileSystemEvent) -> None:
        now = time.monotonic()
        source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
        if event.event_type == "moved":
            self._tell(Kind.GONE, source, now, event.is_directory)
            self._tell(Kind.MOVED_IN, target, now, event.is_directory)
        elif event.event_type in _KINDS:
            self._tell(_KINDS[event.event_type], source, now, event.is_directory)

    def _tell(self, kind: Kind, path: str, now: float, is_folder: bool) -> None:
        folder, name = os.path.split(path)
        interest = self.places.get(folder)
        admitted = interest is not None and interest.admits(name, is_folder=is_folder)
        if admitted or (path in self.places and kind is Kind.GONE):
            self._put(Event(kind, path, now, is_folder))


class ObserverWatches:
    """Folders watched by watchdog's ``Observer``: FSEvents, kqueue and the like."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        """Start the observer; raises OSError where that can't be."""
        from watchdog.observers import Observer  # noqa: PLC0415 - not on Linux

        self._handler = _Handler(put)
        self._watches: dict[str, tuple[tuple[int, int] | None, Any]] = {}
        self._observer: BaseObserver = Observer()
        self._observer.start()

    def want(self, places: Mapping[str, Interest]) -> Outcome:
        """See :class:`Watches`."""
        self._handler.places = dict(places)
        outcome = Outcome([], {})
        for path, (before, watch) in list(self._watches.items()):
            if path not in places or before != identity(path):
                del self._watches[path]
                self._observer.unschedule(watch)
        for path in places.keys() - self._watches.keys():
            before = identity(path)
            try:
                watch = self._observer.schedule(self._handler, path, recursive=False)
            except OSError as error:
                outcome.failed[path] = error
            else:
                self._watches[path] = (before, watch)
                outcome.added.append(path)
        return outcome

    def is_alive(self) -> bool:
        """See :class:`Watches`."""
        threads = [self._observer, *self._observer.emitters]
        return all(thread.is_alive() for thread in threads)

    def close(self) -> None:
        """See :class:`Watches`."""
        self._observer.stop()
        self._observer.join()
