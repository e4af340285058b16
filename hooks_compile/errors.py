"""The errors that a user can mend. Anything else that escapes is a bug of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile import printable

if TYPE_CHECKING:
    from pathlib import Path


class HooksCompileError(Exception):
    """Something that the user can mend: which file, why, and with which command.

    ``path`` is the file or folder it is about (None where there is none), ``cause`` one line
    that says what is wrong, ``remedy`` the command or edit that mends it ("" where none is known).
    """

    def __init__(self, cause: str, *, path: Path | None = None, remedy: str = "") -> None:
        """Keep the three parts; ``str()`` of the error joins them for a person."""
        super().__init__(cause)
        self.path = path
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        """``FILE: CAUSE`` and, on a second line, the remedy."""
        where = f"{printable.one_line(str(self.path))}: " if self.path is not None else ""
        mend = f"\n  to mend it: {self.remedy}" if self.remedy else ""
        return f"{where}{self.cause}{mend}"


class ConfigError(HooksCompileError):
    """``[tool.hooks-compile]`` or ``.hooks-compile.toml`` can't be used as it is."""


class InterpreterError(HooksCompileError):
    """A Python that was asked for does not exist or does not answer."""


class GitError(HooksCompileError):
    """git refused, or is missing."""


class RuntimeFolderError(HooksCompileError):
    """The runtime folder can't be made, or is not ours alone."""


class AgentConfigError(HooksCompileError):
    """An agent's configuration file can't be read or rewritten safely."""


def pasted(path: Path) -> str:
    """Return ``path`` as a remedy names it: one word for a shell."""
    from shlex import quote  # noqa: PLC0415 - only for messages

    return quote(str(path))
