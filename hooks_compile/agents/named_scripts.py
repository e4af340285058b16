"""The scripts that the agents' configuration files name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.shell.launches import find_launches
from hooks_compile.agents.shell.mentions import mentioned_words
from hooks_compile.agents.shell.shell_words import expand
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.errors import AgentConfigError
from hooks_compile.files import read_bytes
from hooks_compile.project import shebang

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hooks_compile.agents.clients.base import ConfigFile, Found
    from hooks_compile.agents.shell.launches import Launch, WiredLaunch


class NamedScript(NamedTuple):
    """A script, absolute and without symlinks, and why it counts: ``named by FILE``."""

    path: Path
    origin: str


class HookEvent(NamedTuple):
    """A script and one event on which an agent runs it; ``matcher`` is as in the configuration."""

    script: Path
    event: str
    matcher: str


def hook_events(root: Path, *, listed: Iterable[str] | None = None) -> list[HookEvent]:
    """Return the events on which agents run the scripts of :func:`named_scripts`."""
    return [
        HookEvent(script, found.event, found.matcher)
        for config in config_files(root, None, None, listed)
        for found in _commands(config)
        for script in _scripts(found, config, None)
    ]


def named_scripts(
    root: Path,
    *,
    home: Path | None = None,
    cwd: Path | None = None,
    listed: Iterable[str] | None = None,
) -> list[NamedScript]:
    """Return the existing Python scripts that hook and status line commands name, each once.

    ``root`` is a project; ``home`` adds the user's own configuration; ``cwd`` and ``listed`` are
    as for :func:`~hooks_compile.agents.clients.places.config_files`. Only scripts in the project
    count (for the user's files: inside the home directory), after all symlinks are resolved. A
    configuration file that can't be read names nothing: ``init`` and ``doctor`` report it.
    """
    origins: dict[Path, str] = {}
    for config in config_files(root, home, cwd, listed):
        for found in _commands(config):
            for script in _scripts(found, config, home):
                origins.setdefault(script, f"named by {config.origin}")
    return [NamedScript(path, origin) for path, origin in origins.items()]


def _commands(config: ConfigFile) -> list[Found]:
    try:
        text = read_bytes(config.path).decode()
        if config.path.suffix == ".toml" and "hooks" not in text:  # reading it is slow
            return []
        settings = read_settings(text, config.path)
    except (OSError, ValueError, AgentConfigError):  # missing, not UTF-8, does not parse
        return []
    return list(config.agent.commands(settings))


def _scripts(found: Found, config: ConfigFile, home: Path | None) -> Iterator[Path]:
    variables = dict(config.variables)
    if home is not None:
        variables["HOME"] = str(home)
    directories = [start / (found.cwd or "") for start in config.starts] or [config.root]
    launched = _launched(found, variables) if found.arguments is None else []
    named = list(_existing(launched, directories, config.root))
    if not named:  # the launch is not understood: whatever looks like a Python file is named
        texts = (found.command, *(found.arguments or ()))
        words = [w for text in texts for w in mentioned_words(text, variables, config.root)]
        named = list(_existing(words, directories, config.root))
    yield from named


def _existing(names: Iterable[str], directories: list[Path], root: Path) -> Iterator[Path]:
    names = list(dict.fromkeys(names))
    below = [d / name for name in names for d in directories if (d / name).is_dir()]
    inside = root.resolve()
    for name in names:
        for directory in [*directories, *below]:
            path = Path(os.path.normpath(directory / name))
            if _is_python(path) and (real := path.resolve()).is_relative_to(inside):
                yield real


def _launched(found: Found, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the scripts of the command's launches, and the directories that it enters before."""
    reading = find_launches(found.command)
    launches: list[Launch | WiredLaunch] = [*reading.launches, *reading.wired]
    words = [w for each in launches for w in (each.script, *each.state.directories)]
    yield from filter(None, (expand(word, variables) for word in words if word is not None))


def _is_python(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        if path.suffix in (".py", ".pyw"):
            return True
        with path.open("rb") as stream:
            return shebang.is_python(stream.read(shebang.HEAD))
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return False
