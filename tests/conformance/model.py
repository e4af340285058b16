"""Cases: directories of files, and the processes that are run in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from signal import Signals

    from tests.support.interpreters_found import Found

Text = str | bytes
State = Literal["cold", "primed", "damaged", "compiled"]
Stdout = Literal["pipe", "closed", "full", "append", "gone", "head", "stalled", "pty"]
Trace = Literal["entry", "warns", "source", "any"]


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a case's directory."""

    target: str


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe in a case's directory."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A file with permission bits of its own."""

    content: Text
    bits: int


Content = Text | Link | Fifo | Mode | None
"""A file's content; None is an empty directory."""

Files = Mapping[str, Content]
"""Contents by path; what is not UTF-8 in a path is a surrogate."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: ``PYTHON flags argv`` in ``cwd`` below the case's directory.

    ``argv`` starts with the script as typed; ``{dir}`` in it, in the flags and in the environment
    stands for the case's directory. ``stdin`` None is closed. ``by_sh`` is a command for ``sh``
    that runs the process as ``"$@"``. ``signal`` is sent to the process group once stdout has shown
    ``ready``. ``status`` (negative: a signal) and ``shows`` (in stdout or stderr) tell what the
    source does, so that a script that fails for another reason proves nothing; None: whatever.

    ``trace`` says what the launcher is to do with it: run its entry; run an entry that only the
    tool makes, because of compile-time warnings; leave it to plain Python; or any of these.
    """

    argv: tuple[str, ...] = ("hook.py",)
    flags: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: str = "."
    stdin: Text | None = b""
    stdout: Stdout = "pipe"
    by_sh: str = ""
    signal: Signals | None = None
    status: int | None = 0
    shows: Text = b""
    trace: Trace = "entry"
    minimum: tuple[int, int] = (3, 8)
    pypy: bool = True

    def fits(self, interpreter: Found) -> bool:
        """Whether this interpreter can run it."""
        return self.minimum <= interpreter.version and (self.pypy or interpreter.is_cpython)


@dataclass(frozen=True, slots=True)
class Case:
    """A directory of files and the runs made in it. ``setup`` is a script that plain Python runs in
    the fresh directory first, for files that only the interpreter itself can make."""

    name: str
    files: Files
    runs: tuple[Run, ...] = (Run(),)
    setup: str = ""

    def fits(self, interpreter: Found) -> bool:
        """Whether there is anything in it for this interpreter."""
        return any(run.fits(interpreter) for run in self.runs)
