"""The immutable records that modules pass to each other."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

Level = Literal[0, 1, 2]
"""An optimization level, as ``python -O`` counts."""

Optimize = Literal["auto", 0, 1, 2]
"""What a user asks for: a level, or the highest one that changes nothing."""

Imports = Literal["as-written", "deferred"]
"""When a hook's imports are made: as written, or those that can be deferred at first use."""


class HookSource(NamedTuple):
    """A Python script that an agent or git runs once per event.

    ``path`` is absolute and has no symlinks in it. ``origin`` says in a few words why the file is
    a hook, for example ``in .claude/hooks`` or ``named by .claude/settings.json``. ``imports`` is
    the project's setting for this hook.
    """

    path: Path
    origin: str = "given"
    imports: Imports = "as-written"


class LevelChoice(NamedTuple):
    """The level at which a source is compiled, and the reason: one line for ``status``."""

    level: Level
    reason: str


class Interpreter(NamedTuple):
    """A Python binary, not a shim, that runs hooks.

    ``command`` is what was asked for (``python3``, ``python3.12``, a path), ``executable`` the
    binary, ``version`` its ``sys.version_info[:3]``, ``magic`` its ``.pyc`` magic number as hex,
    ``hash_check`` its ``_imp.source_hash(0, b"hooks-compile")`` as hex.
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
        """What entries depend on: interpreters with an equal ``abi`` read and write the same."""
        return (self.cache_tag, self.magic, self.hash_check)

    @property
    def label(self) -> str:
        """The name for a person: ``CPython 3.11.7``."""
        names = {"cpython": "CPython", "pypy": "PyPy"}
        name = names.get(self.implementation, self.implementation)
        return f"{name} {'.'.join(map(str, self.version))}"


class State(StrEnum):
    """The state of a source for one interpreter."""

    FRESH = "fresh"  # there is an entry for this content, and it verifies
    COMPILED = "compiled"  # written just now
    MISSING = "missing"  # no entry for this content
    DAMAGED = "damaged"  # an entry that does not verify: foreign key, lost bits
    BROKEN = "broken"  # the source does not compile under this interpreter
    UNREADABLE = "unreadable"  # the source can't be read
    UNWRITABLE = "unwritable"  # the entry can't be written


class SourceError(NamedTuple):
    """Why a source does not compile, in Python's words; lines and columns count from 1."""

    kind: str
    message: str
    line: int | None = None
    column: int | None = None
    text: str | None = None


class CompileResult(NamedTuple):
    """The result for one source and one interpreter.

    ``error`` is set for BROKEN, ``detail`` gives the reason for DAMAGED, UNREADABLE and
    UNWRITABLE. ``entry`` is the entry's path, None if there is no entry.
    """

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
