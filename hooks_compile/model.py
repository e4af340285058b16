"""The immutable records that the modules hand to each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Level = Literal[0, 1, 2]
"""An optimization level, as ``python -O`` counts."""

Optimize = Literal["auto", 0, 1, 2]
"""What a user asks for: a level, or the highest one that changes nothing."""

Imports = Literal["as-written", "deferred"]
"""When a hook's imports are made: where they are written, or those that can wait at first use."""


@dataclass(frozen=True, order=True, slots=True)
class HookSource:
    """A Python script that an agent or git runs once per event.

    ``path`` is absolute and free of symlinks; ``origin`` says in a few words why the file counts
    as a hook, for example ``in .claude/hooks`` or ``named by .claude/settings.json``; ``imports``
    is what its project says about them.
    """

    path: Path
    origin: str = "given"
    imports: Imports = "as-written"


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """The level a source is compiled at, and why: one line for ``status``."""

    level: Level
    reason: str


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A real Python binary, no shim, that runs hooks.

    ``command`` is what was asked for (``python3``, ``python3.12``, a path), ``executable`` the
    binary, ``version`` its ``sys.version_info[:3]``, ``magic`` its ``.pyc`` magic number as hex and
    ``hash_check`` its ``_imp.source_hash(0, b"hooks-compile")`` as hex: two interpreters whose
    ``cache_tag``, ``magic`` and ``hash_check`` agree read and write the same entries.
    """

    command: str
    executable: Path
    implementation: str
    version: tuple[int, int, int]
    cache_tag: str
    magic: str
    hash_check: str

    @property
    def abi(self) -> tuple[str, str, str]:
        """What entries depend on: equal for interpreters that share them."""
        return (self.cache_tag, self.magic, self.hash_check)

    @property
    def label(self) -> str:
        """``CPython 3.11.7``: what a table shows."""
        names = {"cpython": "CPython", "pypy": "PyPy"}
        name = names.get(self.implementation, self.implementation)
        return f"{name} {'.'.join(map(str, self.version))}"


class State(StrEnum):
    """How a source stands for one interpreter."""

    FRESH = "fresh"  # the entry for the source as it is now is there and verifies
    COMPILED = "compiled"  # written just now
    MISSING = "missing"  # no entry for this content
    DAMAGED = "damaged"  # an entry that does not verify: foreign key, lost bits
    BROKEN = "broken"  # the source does not compile under this interpreter
    UNREADABLE = "unreadable"  # the source can't be read
    UNWRITABLE = "unwritable"  # the entry can't be written


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why a source does not compile, as Python says it; lines and columns count from 1."""

    kind: str
    message: str
    line: int | None = None
    column: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CompileResult:
    """What became of one source for one interpreter. ``error`` is set for BROKEN, ``detail``
    says why for UNREADABLE and UNWRITABLE; ``entry`` is the entry's path where one is there."""

    source: HookSource
    interpreter: Interpreter
    choice: LevelChoice
    state: State
    entry: Path | None = None
    error: SourceError | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the next launch under this interpreter hits."""
        return self.state in (State.FRESH, State.COMPILED)
