"""Looking at folders in place of being told: by what ``stat`` says of the files in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from watcher.model import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watcher.filters import Interest

# Whether it is a folder; then what no change leaves as it was. ctime cannot be set by anybody.
Signature = tuple[bool, int, int, int, int]
Snapshot = dict[str, Signature]


def look(path: str, interest: Interest) -> Snapshot:
    """Return how what matters in the folder ``path`` is now; nothing where it can't be read."""
    found: Snapshot = {}
    try:
        with os.scandir(path) as listing:
            for entry in listing:
                is_folder = entry.is_dir(follow_symlinks=False)
                if interest.admits(entry.name, is_folder=is_folder):
                    found[entry.name] = _signature(entry.stat(follow_symlinks=False), is_folder)
    except OSError:
        return found  # a part of it may have gone meanwhile: the next look tells
    return found


def _signature(status: os.stat_result, is_folder: bool) -> Signature:
    if is_folder:  # what is in it is looked at where it is watched
        return True, status.st_ino, 0, 0, 0
    return False, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def differences(before: Snapshot, after: Snapshot, folder: str, now: float) -> Iterator[Event]:
    """Go through the events that would have led from ``before`` to ``after``."""
    for name in before.keys() - after.keys():
        yield Event(Kind.GONE, f"{folder}/{name}", now, before[name][0])
    for name, signature in after.items():
        if name not in before:
            yield Event(Kind.CREATED, f"{folder}/{name}", now, signature[0])
        elif before[name] != signature:
            yield Event(Kind.CHANGED, f"{folder}/{name}", now, signature[0])


class Poller:
    """Remembers how some places looked the last time."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._before: dict[str, Snapshot] = {}

    def __len__(self) -> int:
        """Return how many places are looked at."""
        return len(self._before)

    def want(self, places: Mapping[str, Interest]) -> list[str]:
        """Look at exactly these places from now on; returns those that are new."""
        added = [path for path in places if path not in self._before]
        self._before = {
            path: self._before.get(path) or look(path, interest)
            for path, interest in places.items()
        }
        return added

    def events(self, places: Mapping[str, Interest], now: float) -> Iterator[Event]:
        """Look again, and go through what happened since the last time."""
        for path, before in list(self._before.items()):
            after = look(path, places[path])
            yield from differences(before, after, path, now)
            self._before[path] = after
