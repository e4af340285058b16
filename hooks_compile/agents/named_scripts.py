"""The scripts that the agents' configuration files name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.shell.launches import Reading, find_launches
from hooks_compile.agents.shell.mentions import mentioned_words
from hooks_compile.agents.wiring.command import launched_paths
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.rewrite import surroundings
from hooks_compile.errors import AgentConfigError
from hooks_compile.files import read_bytes
from hooks_compile.project import shebang

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile, Found
    from hooks_compile.agents.shell.launches import Launch, WiredLaunch


class NamedScript(NamedTuple):
    """A script, absolute and without symlinks, and why it counts: ``named by FILE``."""

    path: Path
    origin: str


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
    environment = {} if home is None else {"HOME": str(home)}
    around = surroundings(found, config, lambda _: None, environment)
    reading = find_launches(found.command) if found.arguments is None else Reading()
    launches: list[Launch | WiredLaunch] = [*reading.launches, *reading.wired]
    paths = [path for launch in launches for path in launched_paths(launch, around)]
    if not any(map(_is_python, paths)):
        # The launch is not understood: whatever looks like a Python file is named.
        texts = (found.command, *(found.arguments or ()))
        words = [w for text in texts for w in mentioned_words(text, around.variables, config.root)]
        starts = around.starts or (config.root,)
        entered = [start / word for start in starts for word in words if (start / word).is_dir()]
        paths = [start / word for word in words for start in (*starts, *entered)]
    inside = config.root.resolve()
    for path in map(Path, dict.fromkeys(map(os.path.normpath, paths))):
        if _is_python(path) and (real := path.resolve()).is_relative_to(inside):
            yield real


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
