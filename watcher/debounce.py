"""When something is due. Pure: the caller passes the time in, in seconds of the monotonic clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

# A file that nobody has written for so long is complete.
QUIET_S = 0.3
# After an event for a name that is no known source, the tree is looked at when this time is over:
# editors create and remove files as they save.
SETTLE_S = 0.05
# A key is due after this time at the latest (or its own wait, if longer), even if notes go on.
LONGEST_S = 2.0
# The time between two comparisons of all contents with their entries.
SCAN_S = 60.0
POLL_S = 2.0  # if events do not suffice


@dataclass(slots=True)
class _Waiting:
    first: float
    last: float
    due: float
    since: float | None


class Due(NamedTuple):
    """A key that is due."""

    key: str
    since: float | None  # the time of its last event
    quiet: bool  # its last note is at least QUIET_S old


@dataclass(slots=True)
class Debounce:
    """Keys that wait; each is due when no further note came for the time that the notes name."""

    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def note(self, key: str, now: float, wait_s: float, since: float | None = None) -> None:
        """Make ``key`` due in ``wait_s`` seconds; ``since`` is the time of an event."""
        waiting = self._waiting.setdefault(key, _Waiting(now, now, now + wait_s, since))
        waiting.last = now
        waiting.since = waiting.since if since is None else since
        if waiting.due > now:
            waiting.due = min(now + wait_s, waiting.first + max(wait_s, LONGEST_S))

    def take(self, now: float) -> list[Due]:
        """Return what is due, in the order of the first notes; forget it."""
        keys = [key for key, waiting in self._waiting.items() if waiting.due <= now]
        taken = [(key, self._waiting.pop(key)) for key in keys]
        return [Due(key, each.since, now - each.last >= QUIET_S) for key, each in taken]

    def next_due(self) -> float:
        """Return when the next key is due, infinity if none waits."""
        return min((waiting.due for waiting in self._waiting.values()), default=math.inf)
