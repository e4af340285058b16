"""What happens in watched directories."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    """What happened to a name in a watched directory."""

    CREATED = auto()  # it is new; its content may still come
    CHANGED = auto()  # something about it changed, and more may follow
    SAVED = auto()  # a writer closed it
    MOVED_IN = auto()  # renamed to this name: complete from the first moment
    GONE = auto()  # deleted, or renamed to another name
    LOST = auto()  # the system dropped events, so anything may have changed


class Event(NamedTuple):
    """``path`` is absolute ("" for LOST), ``time`` is in seconds of the monotonic clock."""

    kind: Kind
    path: str
    time: float
    is_directory: bool = False
