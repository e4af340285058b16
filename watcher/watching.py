"""Has folders watched, or looked at where watching does not work, and says so once."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING

from watcher import filesystems
from watcher.model import Notice
from watcher.polling import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from watcher.model import Event
    from watcher.observer import Watches
    from watcher.places import Places

POLL_S = 2.0
_LIMITS = Path("/proc/sys/fs/inotify")
_VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Lookout:
    """Tells of changes in some places by events where there are any, by looking where not."""

    def __init__(
        self,
        put: Callable[[Event], None],
        open_watches: Callable[[Callable[[Event], None]], Watches] | None,
        poll_s: float = POLL_S,
        mounted: Callable[[], Mapping[str, str]] = filesystems.mounted,
    ) -> None:
        """Events go to ``put``; ``open_watches`` is None where there is to be looking only.

        ``mounted`` returns the types of the file systems at their mount points.
        """
        self.due: float | None = None
        self._put = put
        self._open_watches = open_watches
        self._poll_s = poll_s
        self._mounted = mounted
        self._watches: Watches | None = None
        self._poller = Poller()
        self._polled: Places = {}
        self._reasons: dict[str, str] = {}
        self._said: set[str] = set()
        self._no_watches = "asked for" if open_watches is None else ""
        self.open()

    @property
    def how(self) -> str:
        """``events``, or how many folders are looked at, and why."""
        if not self._polled:
            return "events"
        reasons = "; ".join(dict.fromkeys(self._reasons.values()))
        return f"{len(self._polled)} folders looked at every {self._poll_s:g} s ({reasons})"

    def open(self) -> None:
        """Start to take events, anew if the thread that did has died."""
        self.close()
        if self._open_watches is None:
            return
        self._no_watches = ""
        try:
            self._watches = self._open_watches(self._put)
        except OSError as error:
            self._no_watches = _why(error)

    def close(self) -> None:
        """Watch nothing any more."""
        watches, self._watches = self._watches, None
        if watches is not None:
            watches.close()

    def is_alive(self) -> bool:
        """Tell whether events still come, as far as there are to be any."""
        return self._watches is None or self._watches.is_alive()

    def want(self, places: Places) -> tuple[list[str], list[Notice]]:
        """Tell of changes in exactly ``places`` from now on.

        Returns those that are new, whose changes went unseen until now, and what is to be said.
        """
        reasons = dict.fromkeys(places, self._no_watches) if self._no_watches else {}
        added: list[str] = []
        if self._watches is not None:
            outcome = self._watches.want(places)
            added = outcome.added
            for path, error in outcome.failed.items():
                if error.errno in _VANISHED:
                    added.append(path)
                else:
                    reasons[path] = _why(error)
        types = self._mounted()
        for path in places:
            kind = filesystems.type_of(path, types)
            if filesystems.is_remote(kind):
                reasons.setdefault(path, f"{kind} does not tell what other machines change")
        self._reasons = reasons
        self._polled = {path: places[path] for path in reasons}
        added += self._poller.want(self._polled)
        if not self._polled:
            self.due = None
        elif self.due is None:
            self.due = time.monotonic() + self._poll_s
        return added, list(self._notices())

    def poll(self, now: float) -> None:
        """Look at the places without events, when it is time."""
        if self.due is None or now < self.due:
            return
        for event in self._poller.events(self._polled, now):
            self._put(event)
        self.due = time.monotonic() + self._poll_s

    def _notices(self) -> Iterator[Notice]:
        counts: dict[str, int] = {}
        for reason in self._reasons.values():
            counts[reason] = counts.get(reason, 0) + 1
        self._said &= counts.keys()
        for reason, count in counts.items():
            if reason not in self._said:
                self._said.add(reason)
                folders = "1 folder is" if count == 1 else f"{count} folders are"
                text = f"{folders} looked at every {self._poll_s:g} s: {reason}"
                yield Notice(text, trouble=self._open_watches is not None)


def _why(error: OSError) -> str:
    """Return what keeps a folder from being watched, and the command that mends it."""
    limits = {
        errno.ENOSPC: ("max_user_watches", "no inotify watch is left"),
        errno.EMFILE: ("max_user_instances", "no inotify instance is left"),
    }
    if error.errno not in limits:
        return f"can't be watched: {error.strerror}"
    name, text = limits[error.errno]
    try:
        limit = int((_LIMITS / name).read_text())
    except (OSError, ValueError):
        return text
    more = max(limit * 2, 524288 if "watches" in name else 512)
    return f"{text} (the limit is {limit}); to raise it: sudo sysctl fs.inotify.{name}={more}"
