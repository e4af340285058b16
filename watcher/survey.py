"""Finding what is in a tree: it reads, and returns a record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import agents, git
from hooks_compile.entries.sync import prune_all
from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.install import runtime_directory
from hooks_compile.project.config import DOTFILE, PYPROJECT
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.record import open_project
from hooks_compile.project.selection import find_interpreters, for_unattended
from watcher import watch_places
from watcher.debounce import SCAN_S
from watcher.watch_places import MOST_WATCHES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import HookSource, Interpreter, Optimize
    from watcher.watch_places import Places

_PROJECT_MARKS = {name.split("/")[0] for name in (*PROJECT_DIRECTORIES, DOTFILE, PYPROJECT)}


class Options(NamedTuple):
    """What the user asked for.

    ``commands`` are interpreters, ``optimize`` is None for the configured level. ``scan_s`` is the
    time between scans; at most ``most_watches`` directories are watched.
    """

    env: Mapping[str, str]
    commands: Sequence[str] = ()
    optimize: Optimize | None = None
    scan_s: float = SCAN_S
    most_watches: int = MOST_WATCHES


class Target(NamedTuple):
    """What the sources are compiled for; if it changes, all of them are compiled anew."""

    interpreters: tuple[Interpreter, ...]
    key: bytes
    level: Optimize


class Survey(NamedTuple):
    """Hooks and modules by path, and what has to be watched."""

    root: Path
    hooks: Mapping[str, HookSource]
    modules: Mapping[str, HookSource]
    target: Target
    places: Places

    @property
    def module_count(self) -> int:
        """How many local modules there are, besides hooks."""
        return len(self.modules.keys() - self.hooks.keys())


def is_project(path: Path) -> bool:
    """Return whether ``path`` is a work tree, or a directory outside of git that has marks of one.

    It stands for a whole project then, and not just for the files in it.
    """
    if root := git.work_tree(path):
        return root == path.resolve()
    return any((path / name).exists() for name in _PROJECT_MARKS)


def find(given: Path, options: Options, needed: set[str] | None, *, whole: bool) -> Survey:
    """Return what is in ``given``, a whole project or a path. Raises HooksCompileError.

    Old entries are removed, but for those named in ``needed``; if it is None, none is.
    """
    if not given.exists():
        raise HooksCompileError("does not exist any more", path=given)
    directory = (given if given.is_dir() else given.parent).resolve()
    project = open_project(directory, options.env, () if whole else (given,), agents=agents)
    if whole and project.root != directory:
        text = f"is no work tree of its own any more, but a part of {project.root}"
        raise HooksCompileError(text, path=given, remedy=f"hooks-watch {pasted(project.root)}")
    runtime_directory.ensure(project.runtime)
    modules = {os.fspath(module.path): module for module in project.importable()}
    # Beside a single file there may be hooks that are not known here.
    if needed is not None and given.is_dir():
        prune_all(project, needed)
    rules = for_unattended(project, options.env)
    interpreters = find_interpreters(project, rules, options.commands)
    level = project.config.optimize if options.optimize is None else options.optimize
    return Survey(
        project.root,
        {os.fspath(source.path): source for source in project.sources},
        modules,
        Target(tuple(interpreters), runtime_directory.read_key(project.runtime), level),
        watch_places.of_tree(project, given, modules, whole=whole),
    )
