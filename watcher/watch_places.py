"""Where something may happen to the hooks of a tree, and which events matter there."""
# Paths are strings, as in discovery.
# ruff: noqa: PTH112, PTH116, PTH118, PTH120, PTH122

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.places import config_files
from hooks_compile.project.config import DOTFILE, PYPROJECT
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import LEFTOVER, NEVER, VENV, is_inside, walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hooks_compile.project.record import Project

_SUFFIXES = (".py", ".legacy", "")
_NAMES = (VENV, "hooks.json")

MOST_WATCHES = 64
"""So many directories of a tree are watched; for the others the periodic scan has to do."""

Identity = tuple[int, int, int]
"""What stays the same as long as a path is the same directory, with the same permissions."""


class Event(NamedTuple):
    """Something happened to a name in a watched directory.

    ``path`` is absolute, ``time`` is in seconds of the monotonic clock. A file ``is_saved`` if its
    writer closed it, or if it was renamed to this name: its content is complete.
    """

    path: str
    time: float
    is_saved: bool = False
    is_directory: bool = False


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

    def matter(self, event: Event) -> bool:
        """Return whether ``event`` may matter; the disk is not read."""
        if event.path in self.paths:
            return True
        parent, name = os.path.split(event.path)
        if parent not in self.hooks:
            return False
        if event.is_directory:
            return name not in NEVER
        is_source = os.path.splitext(name)[1] in _SUFFIXES and not LEFTOVER.fullmatch(name)
        return is_source or name in _NAMES


def of_tree(project: Project, given: Path, modules: Iterable[str], *, whole: bool) -> Places:
    """Return the places that report every change to the hooks of a tree."""
    root = str(project.root)
    places = Places(root)
    for path in [*map(str, project.directories()), *sorted(set(map(os.path.dirname, modules)))]:
        places.add_hooks(path)
    for name in (".git", ".gitignore", DOTFILE, PYPROJECT):
        places.add(os.path.join(root, name))
    for path in (root, str(given), str(project.runtime / "key")):
        places.add(path)
    if whole:
        _add_project(places, project)
    elif given.is_dir():
        places.add_below(str(given), boundary=os.path.realpath(given))
    return places


def _add_project(places: Places, project: Project) -> None:
    root = str(project.root)
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
