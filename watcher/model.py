"""What the watcher's parts hand to each other: events in, messages out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter, State


class Kind(Enum):
    """What happened to a name in a watched folder."""

    CREATED = auto()  # it is there; its content may still come
    CHANGED = auto()  # something about it changed, and more may follow
    SAVED = auto()  # a writer closed it
    MOVED_IN = auto()  # renamed to this name: whole from the first moment
    GONE = auto()  # deleted, or renamed to another name
    LOST = auto()  # the system dropped events: nothing is known any more


@dataclass(frozen=True, slots=True)
class Event:
    """``path`` is absolute ("" for LOST), ``time`` a monotonic clock's seconds."""

    kind: Kind
    path: str
    time: float
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The request to end, and the signal that made it."""

    signal: int


@dataclass(frozen=True, slots=True)
class Synced:
    """A whole tree was looked at for the first time.

    ``counts`` tells how many looks (one for each source and interpreter) ended in which state,
    ``watching`` whether the tree is watched from now on.
    """

    root: Path
    hooks: int
    modules: int
    interpreters: tuple[Interpreter, ...]
    counts: Mapping[State, int]
    seconds: float
    watching: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A source that is ready for its next launch, in the form that it has now.

    ``results`` has one for each interpreter under which it compiles; ``ms`` is the time from save
    to compiled, None where no event told of the save; ``mended`` says that it did not compile
    before, ``empty`` that there is nothing in the file.
    """

    path: Path
    noun: str
    results: tuple[CompileResult, ...]
    ms: float | None
    mended: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What was made ready in one go."""

    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A source that does not compile under the interpreters of ``results``."""

    path: Path
    noun: str
    results: tuple[CompileResult, ...]


@dataclass(frozen=True, slots=True)
class StillBroken:
    """All that does not compile at the moment."""

    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """A source that is no longer there, or no longer a hook."""

    path: Path
    noun: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know; ``trouble`` says that it should be mended."""

    text: str
    path: Path | None = None
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The watcher ends."""

    signal: int


Message = Synced | Changes | Broken | StillBroken | Removed | Notice | Stopped
