"""Reports changes in directories, by events or by polling: the only importer of watchdog.

What runs in watchdog's threads only puts events into a queue: an exception would end a thread.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from watcher import lines
from watcher.directories import matches
from watcher.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from watchdog.observers.api import BaseObserver, ObservedWatch

    from watcher.directories import Directories
    from watcher.lines import Message

POLL_S = 2.0
MOST_WATCHES = 64
"""So many directories of a tree are watched; the others are polled."""

# Each takes a thread; the periodic comparison of contents has to do for more.
_MOST_POLLED = 256
_LIMITS = {
    errno.ENOSPC: ("watch", "max_user_watches", 524288),
    errno.EMFILE: ("instance", "max_user_instances", 512),
}
_ASKED_FOR = "asked for"

# WSL's /mnt/c is 9p; directories of Docker Desktop are fakeowner, grpcfuse, osxfs or virtiofs.
# On these file systems no event reports what another machine changes.
_REMOTE = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "fakeowner", "fuse", "gfs2", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "osxfs", "prl_fs", "smb3", "smbfs"),
        *("vboxsf", "virtiofs", "vmhgfs"),
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")

# Not opened, read, closed without writing: we would wake ourselves.
_KINDS: dict[type[events.FileSystemEvent], Kind] = {
    events.FileCreatedEvent: Kind.CREATED,
    events.FileModifiedEvent: Kind.CHANGED,
    events.FileAttribEvent: Kind.CHANGED,
    events.FileClosedEvent: Kind.SAVED,
    events.FileDeletedEvent: Kind.GONE,
    events.FileMovedEvent: Kind.MOVED_IN,
    events.DirCreatedEvent: Kind.CREATED,
    events.DirAttribEvent: Kind.CHANGED,
    events.DirDeletedEvent: Kind.GONE,
    events.DirMovedEvent: Kind.MOVED_IN,
}


def mounted() -> dict[str, str]:
    """Return the type of the file system at each mount point; nothing on other systems."""
    path = Path("/proc/self/mountinfo")
    return parse_mounts(path.read_text(errors="surrogateescape")) if path.exists() else {}


def parse_mounts(mountinfo: str) -> dict[str, str]:
    """Return :func:`mounted` for the text of a file that proc_pid_mountinfo(5) describes."""
    types: dict[str, str] = {}
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) > 4:
            point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
            types[point] = after.split(" ", 1)[0]
    return types


def reason_to_poll(path: str, types: Mapping[str, str]) -> str:
    """Return why events do not suffice for ``path``, "" if they do; ``types`` as of mounted()."""
    while path not in types and path != os.path.dirname(path):  # noqa: PTH120 - a string
        path = os.path.dirname(path)  # noqa: PTH120
    kind = types.get(path, "")
    is_remote = kind in _REMOTE or kind.startswith("fuse.")
    return f"{kind} does not report what other machines change" if is_remote else ""


class _Watch(NamedTuple):
    """A watch, and the identity of its directory when it began."""

    observer: BaseObserver
    identity: tuple[int, int] | None
    observed: ObservedWatch


class Monitor:
    """Puts an event into a queue for each change in some directories."""

    def __init__(
        self, put: Callable[[Event], None], poll_s: float | None, most_watches: int = MOST_WATCHES
    ) -> None:
        """Start the threads. With ``poll_s`` all directories are polled, so often."""
        self.notices: dict[str, Message] = {}  # what is polled, by the reason
        self._poll_s = poll_s or POLL_S
        self._is_polling_wanted = poll_s is not None
        self._most_watches = most_watches
        self._handler = _Handler(put)
        self._losses = _Losses(put)
        self._too_many = f"at most {most_watches} directories are watched"
        self._open()

    def is_alive(self) -> bool:
        """Return whether all threads run that nobody stopped."""
        threads = [*self._observers, *(each for o in self._observers for each in o.emitters)]
        return all(each.is_alive() or not each.should_keep_running() for each in threads)

    def reopen(self) -> None:
        """Watch with new threads; :meth:`want` has to follow."""
        self.close()
        self._open()

    def close(self) -> None:
        """Watch nothing any more, and end the threads."""
        logging.getLogger("watchdog").removeHandler(self._losses)
        for observer in self._observers:
            observer.stop()
            observer.join()

    def want(self, directories: Directories) -> list[str]:
        """Report changes in exactly ``directories``; return those where some were missed."""
        self._handler.directories = dict(directories)
        first = set(islice(directories, self._most_watches))
        types = mounted()
        self._reasons: dict[str, str] = {}
        for path in directories:
            limit = "" if path in first else self._too_many
            reason = self._no_events or self._failed.get(path) or limit
            if reason := reason or reason_to_poll(path, types):
                self._reasons[path] = reason
        for path, watch in list(self._watches.items()):
            is_right = path in directories and self._is_valid(path, watch)
            if not is_right and self._watches.pop(path, None) is not None:
                watch.observer.unschedule(watch.observed)
        added = [path for path in directories if path not in self._watches and self._add(path)]
        counts = Counter(self._reasons.values())
        self.notices = {reason: self._describe(reason, count) for reason, count in counts.items()}
        return added

    def _open(self) -> None:
        self._watches: dict[str, _Watch] = {}
        self._failed: dict[str, str] = {}
        self._polling: BaseObserver = PollingObserver(timeout=self._poll_s)
        self._watching: BaseObserver = self._polling
        self._no_events = _ASKED_FOR if self._is_polling_wanted else ""
        if not self._is_polling_wanted:
            try:
                self._watching = Observer()
            except OSError as error:
                self._no_events = _describe_failure(error)
        self._observers = {self._polling, self._watching}
        for observer in self._observers:
            observer.start()
        logging.getLogger("watchdog").addHandler(self._losses)

    def _observer_of(self, path: str) -> BaseObserver:
        return self._polling if path in self._reasons else self._watching

    def _is_valid(self, path: str, watch: _Watch) -> bool:
        """Return whether ``watch`` still reports the directory that is there now."""
        is_running = any(
            emitter.watch == watch.observed and emitter.is_alive() and emitter.should_keep_running()
            for emitter in watch.observer.emitters
        )
        is_same = watch.identity == _identity(path)
        return is_running and is_same and watch.observer is self._observer_of(path)

    def _add(self, path: str) -> bool:
        """Watch or poll ``path``; return whether changes may have been missed."""
        observer = self._observer_of(path)
        if observer is self._polling and len(observer.emitters) >= _MOST_POLLED:
            return False
        identity = _identity(path)  # a directory that replaces it meanwhile is new next time
        try:
            observed = observer.schedule(
                self._handler, path, event_filter=list(_KINDS), follow_symlink=True
            )
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            if observer is self._polling:
                return False
            self._failed[path] = self._reasons[path] = _describe_failure(error)
            return self._add(path)
        self._watches[path] = _Watch(observer, identity, observed)
        return True

    def _describe(self, reason: str, count: int) -> Message:
        polled = "1 directory is" if count == 1 else f"{count} directories are"
        text = f"{polled} polled every {self._poll_s:g} s: {reason}"
        return lines.notice(text, trouble=reason not in (_ASKED_FOR, self._too_many))


class _Handler(events.FileSystemEventHandler):
    """Puts the events that may matter into the queue."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        self.directories: Directories = {}
        self._put = put

    def dispatch(self, event: events.FileSystemEvent) -> None:
        """Take an event, in an observer's thread."""
        now = time.monotonic()
        kind = _KINDS.get(type(event))
        source, target = os.fsdecode(event.src_path), os.fsdecode(event.dest_path)
        if kind is Kind.MOVED_IN:
            self._pass_on(Event(Kind.GONE, source, now, event.is_directory))
            self._pass_on(Event(Kind.MOVED_IN, target, now, event.is_directory))
        elif kind is not None:
            self._pass_on(Event(kind, source, now, event.is_directory))

    def _pass_on(self, event: Event) -> None:
        parent, name = os.path.split(event.path)
        interest = self.directories.get(parent, frozenset())
        is_watched = event.is_directory and event.path in self.directories
        if is_watched or matches(interest, name, is_directory=event.is_directory):
            self._put(event)


class _Losses(logging.Handler):
    """Turns watchdog's warnings into events: it warns of dropped events, and errors are usual."""

    def __init__(self, put: Callable[[Event], None]) -> None:
        super().__init__(logging.WARNING)
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        """Take a log record, in a thread of watchdog's."""
        if record.levelno == logging.WARNING:
            self._put(Event(Kind.LOST, "", time.monotonic()))


def _identity(path: str) -> tuple[int, int] | None:
    """Return what stays the same as long as ``path`` is the same directory."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a string
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _describe_failure(error: OSError) -> str:
    """Return why a directory can't be watched, with the command that raises a limit."""
    if error.errno not in _LIMITS:
        return f"can't be watched: {error.strerror}"
    what, name, least = _LIMITS[error.errno]
    try:
        limit = int(Path("/proc/sys/fs/inotify", name).read_text())
    except (OSError, ValueError):
        return f"no inotify {what} is left"
    command = f"sudo sysctl fs.inotify.{name}={max(limit * 2, least)}, and start hooks-watch again"
    return f"no inotify {what} is left (the limit is {limit}); to raise it: {command}"
