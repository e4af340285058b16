"""The hooks of a configuration file: command lines, and where they run.

A hook that no shell reads is a program and a list of arguments. It is written as a command line and
back: agents put their own variables in the place of ``${NAME}``; all else is as it is written.
"""

from __future__ import annotations

import os
import re
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.agents.shell.launches import PYTHON_NAME
from hooks_compile.agents.shell.syntax import TOPLEVEL
from hooks_compile.agents.wiring.command import Surroundings, launches_of
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.errors import AgentConfigError
from hooks_compile.project.search import repository_above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile, Found
    from hooks_compile.agents.wiring.command import Script

    Look = Callable[[Path], Script | None]

_NOTHING: Mapping[Any, str] = MappingProxyType({})


class Hook(NamedTuple):
    """A command of a configuration file, the line that a shell would read, and where that runs."""

    config: ConfigFile
    found: Found
    line: str
    around: Surroundings

    @property
    def scripts(self) -> list[Path]:
        """Where the scripts that it launches may be, on the wrapper or not."""
        launches = launches_of(self.line)
        return [path for it in launches for path in self.around.possible_paths(it.script, it)]

    @property
    def pythons(self) -> list[str]:
        """The interpreters that it names, as written: names, and plain paths."""
        words = (launch.python for launch in launches_of(self.line))
        names = (word.literal for word in words if word is not None)
        return [name for name in names if name and PYTHON_NAME.fullmatch(name.rpartition("/")[2])]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What its script gets, without what is known only when the command runs."""
        words = (word for launch in launches_of(self.line)[:1] for word in launch.arguments)
        return tuple(word.literal for word in words if word.literal is not None)


def hooks_in(
    text: str,
    config: ConfigFile,
    look: Look = lambda _: None,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOTHING,
) -> Iterator[Hook]:
    """Yield the hooks in a file's text. Raises AgentConfigError if it does not parse.

    ``look`` is as in Surroundings, ``environment`` holds HOME, ``blocked`` names directories that
    can't have the wrapper, with the reason.
    """
    for found in config.agent.commands(read_settings(text, config.path)):
        starts = tuple(start / (found.cwd or "") for start in config.starts)
        variables: dict[str, str | None] = dict.fromkeys(environment)  # the agent's may differ
        toplevels = {repository_above(os.path.realpath(start)) for start in starts}
        variables["HOME"] = environment.get("HOME") or None
        variables[TOPLEVEL] = toplevels.pop() if len(toplevels) == 1 else None
        variables.update(config.variables)
        around = Surroundings(look, starts, variables, config.agent.pastes, blocked)
        yield Hook(config, found, _command_line(found, config.variables), around)


def readable_hooks(
    config: ConfigFile, content: bytes, environment: Mapping[str, str] = _NOTHING
) -> list[Hook]:
    """Return the hooks in a file's content; none if it can't be read: who wires it says so."""
    if config.path.suffix == ".toml" and b"hooks" not in content:  # reading it is slow
        return []
    try:
        return list(hooks_in(content.decode(), config, environment=environment))
    except (AgentConfigError, UnicodeDecodeError):
        return []


def _command_line(found: Found, names: Iterable[str]) -> str:
    """Return the line that does what a command does; ``names`` are the agent's variables."""
    if found.arguments is None:
        return found.command
    pattern = "|".join(map(re.escape, names)) or r"\b\B"
    return " ".join(_quoted(re.split(rf"(\$\{{(?:{pattern})\}})", it)) for it in found.texts)


def _quoted(pieces: list[str]) -> str:
    """Return a word for pieces of text, each second of which is a variable."""
    words = [f'"{it}"' if n % 2 else it and shlex.quote(it) for n, it in enumerate(pieces)]
    return "".join(words) or "''"
