"""Where a command runs, as far as it is known before, and which files its words then name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.shell_words import (
    Literal,
    Parameter,
    Tilde,
    Unknown,
    Word,
    expand,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hooks_compile.agents.shell.launches import Launch, WiredLaunch


@dataclass(frozen=True, slots=True)
class Script:
    """What is at a path: the first bytes of a file, or a directory that Python runs.

    ``outside`` is where the file really is if that is outside of the project, else "";
    ``passing`` the directory around it, if any, that tools delete and make anew (a virtual
    environment).
    """

    head: bytes
    outside: str = ""
    passing: str = ""
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a command runs.

    ``look`` returns what is at a path, None if that is nothing that Python could run. ``starts``
    are the directories that the command may start in (none if nobody knows), ``variables`` what the
    agent and the user's environment set, ``pastes`` the variables that the agent replaces itself,
    ``blocked`` the directories that can't have the wrapper, with the reason.
    """

    look: Callable[[Path], Script | None]
    starts: tuple[Path, ...]
    variables: Mapping[str, str]
    pastes: frozenset[str]
    blocked: Mapping[Path, str]

    def variables_at(self, launch: Launch | WiredLaunch) -> dict[str, str]:
        """Return the variables that are known at a launch."""
        variables = dict(self.variables)
        if not launch.state.directories and len(self.starts) == 1:
            variables["PWD"] = str(self.starts[0])
        return {n: value for n, value in variables.items() if n not in launch.state.changed}

    def paths(self, name: str, launch: Launch | WiredLaunch) -> list[Path]:
        """Return where a file ``name`` may be that a launch names; none if nobody knows."""
        if name.startswith("/"):
            return [Path(name)]
        variables = self.variables_at(launch)
        directories = list(self.starts)
        for word in launch.state.directories:
            entered = expand(word, variables) if word is not None else None
            if word is None or entered is None or doubtful_default(word, variables):
                return []
            starts = [Path("/")] if entered.startswith("/") else directories
            # As `cd` does it: `link/..` is the directory that holds the link.
            directories = [Path(os.path.normpath(start / entered)) for start in starts]
        return [directory / name for directory in directories]


def doubtful_default(word: Word, variables: Mapping[str, str]) -> str:
    """Return the first ``${NAME:-default}`` that may have another value when it runs, "" if none.

    Somebody may set a variable that is not set here; and the default is quoted in the new command.
    """
    for part in word.parts:
        if isinstance(part, Parameter) and part.operator:
            plain = all(
                re.fullmatch(r"[\w./@%+,:=-]*", it.text)
                if isinstance(it, Literal)
                else isinstance(it, Parameter) and not it.operator
                for it in part.argument
            )
            if part.name not in variables or not plain:
                return part.text
    return ""


def unknown_reason(word: Word, variables: Mapping[str, str]) -> str:
    """Return what keeps a word's value from being known, "" if nothing does."""
    doubtful = doubtful_default(word, variables)
    if doubtful or expand(word, variables) is not None:
        return f"`{doubtful}` is known only when it runs" if doubtful else ""
    for part in word.parts:
        if isinstance(part, Unknown) and part.is_pattern:
            return f"`{word.text}` is a pattern"
        if isinstance(part, Unknown | Parameter) and value_of(part, variables) is None:
            return f"`{part.text}` is known only when it runs"
    return f"`{word.text}` is known only when it runs"


def directory_parts(word: Word) -> list[Literal | Parameter | Tilde] | None:
    """Return a word's parts up to the last slash; None if that slash is in a variable's value."""
    parts = list(word.parts)
    while parts:
        part = parts.pop()
        if not isinstance(part, Literal):
            return None
        directory, slash, _ = part.text.rpartition("/")
        if slash:
            known = [part for part in parts if isinstance(part, Literal | Parameter | Tilde)]
            return [*known, Literal(directory + slash)]
    return []
