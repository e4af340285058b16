"""Finding which hooks are in a tree, and where something may happen to them."""
# Paths are strings, as in discovery.
# ruff: noqa: PTH112, PTH116, PTH118, PTH120, PTH122

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import agents, git
from hooks_compile.agents.clients.places import config_files
from hooks_compile.entries.sync import prune_all
from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.install import runtime_directory
from hooks_compile.project.config import DOTFILE, PYPROJECT
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.globs import Glob
from hooks_compile.project.record import open_project
from hooks_compile.project.search import LEFTOVER, NEVER, VENV, is_inside, walk
from hooks_compile.project.selection import find_interpreters, for_unattended
from watcher.debounce import SCAN_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import HookSource, Interpreter, Optimize
    from hooks_compile.project.record import Project

    # what stays the same as long as a path is the same directory, with the same permissions
    Identity = tuple[int, int, int]

MOST_WATCHES = 64
"""So many directories of a tree are watched; for the others the periodic scan has to do."""

_PROJECT_MARKS = {name.split("/")[0] for name in (*PROJECT_DIRECTORIES, DOTFILE, PYPROJECT)}
_SUFFIXES = (".py", ".legacy", "")  # "" for directories, too
_NAMES = (VENV, "hooks.json")


class Options(NamedTuple):
    """What the user asked for; ``commands`` are interpreters, ``scan_s`` is between scans."""

    env: Mapping[str, str]
    commands: Sequence[str] = ()
    optimize: Optimize | None = None  # None: as configured
    scan_s: float = SCAN_S
    most_watches: int = MOST_WATCHES


class Target(NamedTuple):
    """What the sources are compiled for; if it changes, all of them are compiled anew."""

    interpreters: tuple[Interpreter, ...]
    key: bytes
    level: Optimize


class Places:
    """Directories of hooks, in which each Python file matters, and other paths that matter.

    The parents of both matter up to the root: they show when one appears or is renamed.
    """

    def __init__(self, root: str) -> None:
        """Nothing is wanted yet."""
        self.hooks: dict[str, None] = {}  # directories, in the order of importance
        self.paths: dict[str, None] = {}
        self._root = root

    def add(self, path: str) -> None:
        """Add what reports that the file or directory ``path`` appears, vanishes or changes."""
        while path not in self.paths and path != os.path.dirname(path):
            self.paths[path] = None
            path = os.path.dirname(path)
            # Inside the root all parents are added; outside of it those up to one that exists.
            is_below = path != self._root and is_inside(path, self._root)
            if os.path.isdir(path) and not is_below:
                break

    def add_hooks(self, directory: str) -> None:
        """Add a directory of hooks."""
        self.hooks[directory] = None
        self.add(directory)

    def add_below(self, top: str, boundary: str) -> None:
        """Add the directory ``top`` and those below it that may hold hooks.

        A symlink that leads out of ``boundary`` is not followed: it may come with a clone.
        """
        self.add(top)
        real = os.path.realpath(top)
        if is_inside(real, boundary) and os.path.isdir(real):
            self.add_hooks(real)
            for entry in walk(real, lambda names: VENV not in names):
                if entry.is_dir(follow_symlinks=False) and entry.name not in NEVER:
                    self.add_hooks(entry.path)

    def directories(self) -> dict[str, Identity]:
        """Return the directories to watch, the most important ones first."""
        found = {}
        for path in dict.fromkeys([*self.hooks, *map(os.path.dirname, self.paths)]):
            with contextlib.suppress(OSError):
                status = os.stat(path)
                if stat.S_ISDIR(status.st_mode):
                    found[path] = (status.st_dev, status.st_ino, status.st_mode)
        return found

    def has(self, path: str) -> bool:
        """Return whether a change of ``path`` may matter; the disk is not read."""
        if path in self.paths:
            return True
        parent, name = os.path.split(path)
        if parent not in self.hooks or name in NEVER or LEFTOVER.fullmatch(name):
            return False
        return os.path.splitext(name)[1] in _SUFFIXES or name in _NAMES


class Survey(NamedTuple):
    """Hooks and modules by path, and what has to be watched."""

    root: Path
    hooks: Mapping[str, HookSource]
    modules: Mapping[str, HookSource]
    target: Target
    places: Places


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
        _places_of(project, given, modules, whole=whole),
    )


def _places_of(project: Project, given: Path, modules: Iterable[str], *, whole: bool) -> Places:
    """Return the places that report every change to the hooks of a tree."""
    root = str(project.root)
    places = Places(root)
    for path in [*map(str, project.directories()), *sorted(set(map(os.path.dirname, modules)))]:
        places.add_hooks(path)
    for name in (".git", ".gitignore", DOTFILE, PYPROJECT):
        places.add(os.path.join(root, name))
    for path in (root, str(given), str(project.runtime / "key")):
        places.add(path)
    if not whole:
        if given.is_dir():
            places.add_below(str(given), boundary=os.path.realpath(given))
        return places
    for file in config_files(project.root, listed=project.listed):
        places.add(str(file.path))
    included = (glob.literal or glob.prefix for glob in map(Glob.parse, project.config.include))
    for name in (*PROJECT_DIRECTORIES, *filter(None, included)):
        places.add_below(os.path.join(root, name).rstrip(os.sep), root)
    if repository := project.repository:
        # The index changes when a checkout brings hooks to a directory that nobody watches.
        places.add(str(repository.git_dir / "index"))
        places.add(str(repository.common_dir / "config"))
        hooks = os.path.realpath(repository.hooks_path)
        places.add_below(hooks, boundary=hooks)
    return places
