"""Where the agents' configuration is in a project: at its root, and in directories below it.

An agent that is started in a directory of a large repository reads the configuration there. Such a
directory counts if somebody works in it, or if its hooks are on the wrapper already: configuration
in templates and tests belongs to nobody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.agents.clients.table import AGENTS, FRONT_MATTER
from hooks_compile.agents.shell.launches import WRAPPER_NAME
from hooks_compile.errors import GitError
from hooks_compile.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import ConfigFile

NAMES_BELOW = tuple(name for agent in AGENTS if agent.below for name in agent.names)
PATHSPECS = tuple(f":(glob)*/**/{name}" for name in NAMES_BELOW)
"""What git lists these files by."""


def config_files(
    root: Path,
    home: Path | None = None,
    cwd: Path | None = None,
    listed: Iterable[str] | None = None,
) -> list[ConfigFile]:
    """Return the configuration files of a project that may exist, in the order to show them.

    ``root`` is the work tree's root; ``home`` adds the user's own files, ``cwd`` (inside of
    ``root``) the directories from there up to the root. ``listed`` are the names in ``root``, as
    git lists them, to look for those below in; without it git is asked.
    """
    agents = (*AGENTS, FRONT_MATTER)
    found = [config for agent in agents for config in agent.files(root, home)]
    start = Path(os.path.realpath(cwd or root))
    upwards = [each for each in (start, *start.parents) if root in each.parents]
    for directory in dict.fromkeys([*upwards, *_wired_below(root, listed)]):
        for config in (each for agent in agents for each in agent.files(directory, None)):
            # Its scripts may be anywhere in the project; a plugin's are in the plugin.
            inside = root if config.root == directory else config.root
            origin = config.path.relative_to(root).as_posix()
            found.append(config._replace(origin=origin, root=inside))
    return found


def _wired_below(root: Path, listed: Iterable[str] | None) -> Iterator[Path]:
    if listed is None:
        listed = []
        with suppress(GitError):  # reported by those who need git
            listed = git.tracked_matching(root, PATHSPECS, untracked=True)
    endings = tuple(f"/{name}" for name in NAMES_BELOW)
    for path in sorted({root / name for name in listed if name.endswith(endings)}):
        with suppress(OSError):  # git also lists files that somebody has deleted
            if WRAPPER_NAME.encode() in read_bytes(path):
                yield path.parent.parent
