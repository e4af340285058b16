"""Where a command runs, as far as it is known before, and which files its words then name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.launches import RefusedError
from hooks_compile.agents.shell.shell_words import Literal, Parameter, expand, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hooks_compile.agents.shell.launches import Launch, WiredLaunch
    from hooks_compile.agents.shell.shell_words import Part, Word

_PLAIN = re.compile(r"[\w./@%+,:=-]*")


class Script(NamedTuple):
    """What is at a path: the first bytes of a file, and why the wrapper can't launch it, or ""."""

    head: bytes
    obstacle: str = ""


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

    def paths(self, word: Word, launch: Launch | WiredLaunch) -> list[Path]:
        """Return where the file may be that a word of a launch names.

        Raises RefusedError if that is known only when it runs.
        """
        variables = self.variables_at(launch)
        name = certain_value(word, variables)
        if name.startswith("/"):
            return [Path(name)]
        directories = list(self.starts)
        for entered in launch.state.directories:
            if entered is None:
                directories = []
                continue
            directory = certain_value(entered, variables)
            starts = [Path("/")] if directory.startswith("/") else directories
            # As `cd` does it: `link/..` is the directory that holds the link.
            directories = [Path(os.path.normpath(start / directory)) for start in starts]
        if not directories:
            raise RefusedError(f"`{name}` depends on the directory that the command starts in")
        return [directory / name for directory in directories]


def certain_value(word: Word, variables: Mapping[str, str]) -> str:
    """Return a word's value. Raises RefusedError if it may have another one when it runs."""
    for part in word.parts:
        if value_of(part, variables) is None or _has_doubtful_default(part, variables):
            raise RefusedError(f"`{part.text}` is known only when it runs")
    return expand(word, variables) or ""


def _has_doubtful_default(part: Part, variables: Mapping[str, str]) -> bool:
    """Return whether a part is a ``${NAME:-default}`` that may have another value when it runs.

    Somebody may set a variable that is not set here; and the default is quoted in the new command.
    """
    if not isinstance(part, Parameter) or not part.operator:
        return False
    plain = all(
        _PLAIN.fullmatch(inner.text)
        if isinstance(inner, Literal)
        else isinstance(inner, Parameter) and not inner.operator
        for inner in part.argument
    )
    return part.name not in variables or not plain
