"""When something is due. Pure: the caller passes the time in, in seconds of the monotonic clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

QUIET_S = 0.3
"""A file that nobody has written for so long is complete."""

SETTLE_S = 0.05
"""So long after an event a survey begins: editors create and remove files as they save."""

LONGEST_S = 2.0
"""A key is due after this time at the latest, even if notes go on."""

SCAN_S = 60.0
POLL_S = 2.0  # if events do not suffice
"""The time between two comparisons of all contents with their entries."""


@dataclass(slots=True)
class _Waiting:
    first: float
    due: float
    quiet_from: float  # infinity if the last note did not ask to wait
    since: float | None


class Due(NamedTuple):
    """A key that is due."""

    key: str
    since: float | None  # the time of its last event, None if no event named it
    quiet: bool  # its last note asked to wait, and is at least QUIET_S old


@dataclass(slots=True)
class Debounce:
    """Keys that wait; each is due when no further note came for the time that the notes name."""

    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def note(self, key: str, now: float, wait_s: float = 0.0, since: float | None = None) -> None:
        """Make ``key`` due in ``wait_s`` seconds; ``since`` is the time of an event."""
        waiting = self._waiting.setdefault(key, _Waiting(now, math.inf, math.inf, since))
        waiting.quiet_from = now + QUIET_S if wait_s else math.inf
        waiting.since = waiting.since if since is None else since
        if waiting.due > now:
            waiting.due = min(now + wait_s, waiting.first + LONGEST_S)

    def take(self, now: float, most: int) -> list[Due]:
        """Return ``most`` of what is due, first what events named; forget it."""
        keys = [key for key, waiting in self._waiting.items() if waiting.due <= now]
        keys.sort(key=lambda key: self._waiting[key].since is None)
        taken = [(key, self._waiting.pop(key)) for key in keys[:most]]
        return [Due(key, each.since, now >= each.quiet_from) for key, each in taken]

    def next_due(self) -> float:
        """Return when the next key is due, infinity if none waits."""
        return min((waiting.due for waiting in self._waiting.values()), default=math.inf)
