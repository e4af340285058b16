"""When something is to be done. Pure: the clock comes in as an argument, nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

QUIET_S = 0.3
"""So long nobody has touched a file before what is in it is held against its author."""

SETTLE_S = 0.05
"""So long new and vanished names are left to settle: editors make and remove files as they save."""

LONGEST_S = 2.0
"""After so long something is done about a change that goes on and on."""

JUMP_S = 5.0
"""Two clocks that part by more: the machine slept, or somebody set the time."""


@dataclass(slots=True)
class _Waiting:
    first: float
    last: float
    due: float
    told: bool = True
    quiet: bool = False


class Due(NamedTuple):
    """A file to look at; ``since`` is when its last event came, None where none did.

    ``quiet`` says that nobody has touched it for QUIET_S.
    """

    path: str
    since: float | None
    quiet: bool


class Pending:
    """The files that wait to be looked at, each with the time when it is due."""

    def __init__(self, partial_s: float = QUIET_S) -> None:
        """``partial_s`` is how long a file that may be half-written is left alone."""
        self._partial_s = partial_s
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        """Return how many files wait."""
        return len(self._waiting)

    def note(self, path: str, now: float, *, whole: bool) -> None:
        """An event came: ``whole`` if the writer is done, else more may be written."""
        waiting = self._waiting.get(path)
        if waiting is None or waiting.quiet:
            waiting = self._waiting[path] = _Waiting(now, now, now + self._partial_s)
        waiting.last = now
        if whole or waiting.due <= now:
            waiting.due = now
        else:
            waiting.due = min(now + self._partial_s, waiting.first + LONGEST_S)

    def again(self, path: str, now: float, since: float | None = None) -> None:
        """Look again when nobody has touched the file for a while; ``since`` is its last event."""
        if path in self._waiting:
            return
        last = now if since is None else since
        due = max(last + QUIET_S, now)
        self._waiting[path] = _Waiting(last, last, due, told=since is not None, quiet=True)

    def ask(self, path: str, now: float) -> None:
        """Look at the file at once, though no event told of it."""
        if path not in self._waiting:
            self._waiting[path] = _Waiting(now, now, now, told=False)

    def drop(self, path: str) -> None:
        """Forget a file that has gone."""
        self._waiting.pop(path, None)

    def take(self, now: float) -> list[Due]:
        """Return what is due, in the order of the events, and forget it."""
        ready = [path for path, waiting in self._waiting.items() if waiting.due <= now]
        found = []
        for path in ready:
            waiting = self._waiting.pop(path)
            quiet = waiting.quiet or now - waiting.last >= QUIET_S
            found.append(Due(path, waiting.last if waiting.told else None, quiet))
        return found

    def next_due(self) -> float | None:
        """Return when the next file is due, None where none waits."""
        return min((waiting.due for waiting in self._waiting.values()), default=None)


class Settling:
    """One thing to be done when the changes that ask for it have settled."""

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        """``settle_s`` is how long no further change may come."""
        self._settle_s = settle_s
        self._first: float | None = None
        self.due: float | None = None

    def note(self, now: float) -> None:
        """A change came."""
        if self._first is None:
            self._first = now
        self.due = min(now + self._settle_s, self._first + LONGEST_S)

    def take(self, now: float) -> bool:
        """Tell whether it is time, and if so forget the changes."""
        if self.due is None or self.due > now:
            return False
        self._first = self.due = None
        return True


class Clocks(NamedTuple):
    """Two clocks read at once: seconds since the epoch, and of a clock that nobody sets."""

    wall: float
    monotonic: float

    def jumped(self, later: Clocks) -> bool:
        """Tell whether between here and ``later`` the machine slept or the time was set."""
        apart = (later.wall - self.wall) - (later.monotonic - self.monotonic)
        return abs(apart) > JUMP_S
