"""Commands that no shell reads: a program and a list of arguments, as a command line and back.

Agents put their own variables in the place of ``${NAME}`` in them; all else is as it is written.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hooks_compile.agents.clients.base import Found


def command_line(found: Found, names: Iterable[str]) -> str:
    """Return the command line that does what a command does; ``names`` are the agent's variables.

    It is the command itself if a shell reads it.
    """
    if found.arguments is None:
        return found.command
    names = "|".join(map(re.escape, names)) or r"\b\B"
    return " ".join(_quoted(text, names) for text in found.texts)


def words_of(line: str) -> list[str]:
    """Return the program and the arguments that a line of :func:`command_line` came from."""
    return [word.unquoted for command in parse(line) for word in command.words]


def _quoted(text: str, names: str) -> str:
    pieces = re.split(rf"(\$\{{(?:{names})\}})", text)
    quoted = [
        f'"{piece}"' if n % 2 else piece and shlex.quote(piece) for n, piece in enumerate(pieces)
    ]
    return "".join(quoted) or "''"
