"""The errors that a user can fix. Anything else that escapes is a bug of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from pathlib import Path


class HooksCompileError(Exception):
    """Something that the user can fix: which file, why, and with which command.

    ``path`` is the file or directory that it is about, or None; ``cause`` is one line that says
    what is wrong; ``remedy`` is the command or edit that fixes it, "" if none is known.
    """

    def __init__(self, cause: str, *, path: Path | None = None, remedy: str = "") -> None:
        """Keep the three parts; ``str()`` of the error joins them for a person."""
        super().__init__(cause)
        self.path = path
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        """``FILE: CAUSE`` and, on a second line, the remedy."""
        where = f"{one_line(str(self.path))}: " if self.path is not None else ""
        fix = f"\n  to fix it: {self.remedy}" if self.remedy else ""
        return f"{where}{self.cause}{fix}"


class InterpreterError(HooksCompileError):
    """A Python that was asked for does not exist or does not answer."""


class GitError(HooksCompileError):
    """git refused, or is missing."""


class RuntimeDirectoryError(HooksCompileError):
    """The runtime directory can't be made, or is not this user's alone."""


class AgentConfigError(HooksCompileError):
    """An agent's configuration file can't be read or rewritten safely."""


def pasted(path: Path) -> str:
    """Return ``path`` as a remedy names it: one word for a shell."""
    from shlex import quote  # noqa: PLC0415 - only for messages

    return quote(str(path))
