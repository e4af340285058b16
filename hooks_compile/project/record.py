"""What a command works on: the work tree, its configuration, its hooks, the runtime directory.

The record is made once by :func:`open_project` and handed down.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.files import LARGEST_SOURCE, read_bytes
from hooks_compile.install import runtime_directory
from hooks_compile.model import HookSource
from hooks_compile.project import discovery
from hooks_compile.project.config import Config, load_config
from hooks_compile.project.discovery import Found
from hooks_compile.project.search import local_modules, repository_above

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.git import Repository
    from hooks_compile.project.discovery import Agents

_IMPORT = re.compile(rb"\n[ \t]*(?:import|from)[ \t]+(\w[\w, \t]*)")


class Project(NamedTuple):
    """A work tree and what was found in it."""

    root: Path  # of the work tree; outside of git the current directory
    config: Config
    sources: tuple[HookSource, ...]
    runtime: Path
    repository: Repository | None = None
    listed: tuple[str, ...] = ()  # as in Found, as is ``pythons``; empty if nothing was searched
    pythons: tuple[str, ...] = ()

    def directories(self) -> list[Path]:
        """Return the directories of the hook sources."""
        return sorted({source.path.parent for source in self.sources})

    def wrapper_directories(self) -> list[Path]:
        """Return the directories of hooks that agents run; git needs no wrapper."""
        by_agents = (s for s in self.sources if s.origin not in discovery.GIT_ORIGINS)
        return sorted({source.path.parent for source in by_agents})

    def modules(self) -> list[HookSource]:
        """Return the local modules beside the hooks that are not hooks themselves."""
        hooks = {source.path for source in self.sources}
        paths = (path for path in local_modules(self.sources) if path not in hooks)
        return [HookSource(path, "local module") for path in paths]

    def importable(self) -> list[HookSource]:
        """Return everything that is compiled as a module, for ``__pycache__``.

        A hook that a hook beside it seems to import is a module as well. An import in an unusual
        form is missed, and its ``__pycache__`` left to Python.
        """
        named: set[tuple[Path, str]] = set()
        for source in self.sources:
            try:
                text = b"\n" + read_bytes(source.path, LARGEST_SOURCE)
            except OSError:
                continue  # reported when it is compiled
            words = re.findall(rb"\w+", b" ".join(_IMPORT.findall(text)))
            named.update((source.path.parent, f"{word.decode()}.py") for word in words)
        imported = (s.path for s in self.sources if (s.path.parent, s.path.name) in named)
        return [*self.modules(), *(HookSource(path, "local module") for path in imported)]


def open_project(
    cwd: Path,
    env: Mapping[str, str],
    paths: Sequence[Path] = (),
    *,
    agents: Agents,
    home: Path | None = None,
    start: Path | None = None,
    repository: Repository | None = None,
) -> Project:
    """Return the project around ``cwd`` with its hooks; with ``paths`` only the hooks there.

    ``agents`` says which scripts agents run; ``home`` and ``start`` are as for
    :func:`~.discovery.discover`; ``repository`` is that of ``cwd`` if it is open already.
    Raises HooksCompileError for a configuration or a path that can't be used, GitError if git
    refuses the repository.
    """
    # Without a .git above there is nothing to ask, and git need not be installed.
    here = Path(os.path.realpath(cwd))
    if repository is None and repository_above(str(here)):
        repository = git.open_repository(here)
    root = repository.work_tree if repository else here
    config = load_config(root)
    if paths:
        found = Found(discovery.from_arguments([cwd / path for path in paths]))
    else:
        found = discovery.discover(root, config, repository, agents, home=home, start=start)
    sources = tuple(
        source._replace(imports=config.imports_of(source.path.relative_to(root).as_posix()))
        if config.imports and source.path.is_relative_to(root)
        else source
        for source in found.sources
    )
    runtime = runtime_directory.location(env)
    return Project(root, config, sources, runtime, repository, found.listed, found.pythons)
