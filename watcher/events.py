"""Records that the watcher's parts pass on: events come in, messages go out."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter


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


class Synced(NamedTuple):
    """A whole tree was compared with its entries for the first time.

    ``counts`` has the number of results, one for each source and interpreter, in each state.
    """

    root: Path
    hooks: int
    modules: int
    interpreters: tuple[Interpreter, ...]
    counts: Mapping[str, int]
    seconds: float
    watching: bool


class Changed(NamedTuple):
    """A source that is compiled as it is now, under the interpreters of ``results``.

    ``ms`` is the time from the save to the entry, None if no event reported the save; ``fixed`` is
    True if the source did not compile before, ``empty`` if the file has no content.
    """

    path: Path
    kind: str  # hook or module
    results: tuple[CompileResult, ...]
    ms: float | None
    fixed: bool = False
    empty: bool = False


class Changes(NamedTuple):
    """All that one step compiled."""

    changed: tuple[Changed, ...]


class Broken(NamedTuple):
    """A source that does not compile under the interpreters of ``results``."""

    path: Path
    kind: str
    results: tuple[CompileResult, ...]


class StillBroken(NamedTuple):
    """All sources that do not compile at the moment."""

    broken: tuple[Broken, ...]


class Removed(NamedTuple):
    """A source that does not exist any more, or is no hook any more."""

    path: Path
    kind: str


class Notice(NamedTuple):
    """Something that a person should know, and fix if ``trouble`` is True."""

    text: str
    path: Path | None = None
    trouble: bool = False


class Stopped(NamedTuple):
    """The watcher ends because of a signal."""

    signal: int


Message = Synced | Changes | Broken | StillBroken | Removed | Notice | Stopped
