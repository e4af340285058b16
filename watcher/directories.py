"""Which directories have to be watched, and what matters in each of them.

They are those with hooks or configuration, those where hooks are usual, and the parents that show
when one appears or is renamed. The most important ones come first: only some get a watch.
"""
# Paths are strings, as in discovery.
# ruff: noqa: PTH112, PTH118, PTH120, PTH122

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.places import config_files
from hooks_compile.project.config import DOTFILE, PYPROJECT
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import CACHE, NEVER, PACKAGE, VENV, entries, is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hooks_compile.git import Repository
    from hooks_compile.project.record import Project

# What matters in a directory: names; ``*.py`` stands for a suffix, ``*`` for the lack of one, and
# ``*/`` for all directories.
Interest = frozenset[str]
Directories = dict[str, Interest]

CACHES = frozenset({CACHE, "__pycache__"})
HOOKS = frozenset({"*.py", "*.legacy", "*", "*/", VENV, PACKAGE, "hooks.json"})
"""The interest in a directory of hooks or modules."""

_ROOT = frozenset({".git", ".gitignore", DOTFILE, PYPROJECT})
_MOST_BELOW = 1000


def matches(interest: Interest, name: str, *, is_directory: bool) -> bool:
    """Return whether an event about ``name`` may matter; the disk is not read."""
    if is_directory and (name not in NEVER or name in CACHES):
        return name in interest or "*/" in interest
    # Emacs locks a file that somebody edits with a symlink that leads nowhere.
    is_source = f"*{os.path.splitext(name)[1]}" in interest and not name.startswith(".#")
    return name in interest or (is_source and not is_directory)


def of_tree(project: Project, given: Path, modules: Iterable[str], *, whole: bool) -> Directories:
    """Return the directories that report every change to the hooks of a tree."""
    root, builder = str(project.root), _Builder(str(project.root))
    for path in [*map(str, project.directories()), *sorted(set(map(os.path.dirname, modules)))]:
        builder.add(path, HOOKS)
    builder.add(root, _ROOT | {"*/"} if whole else _ROOT)
    if whole:
        _add_project(builder, project)
    elif given.is_dir():
        builder.add_below(os.path.realpath(given), boundary=os.path.realpath(given))
    builder.add_name(str(given))
    builder.add_name(root)
    builder.add(str(project.runtime), frozenset({"key", "seen"}))
    builder.add(str(project.runtime / "seen"), frozenset({"*"}))
    return builder.found


def of_names(paths: Iterable[Path]) -> Directories:
    """Return the directories that report when one of ``paths`` appears, vanishes or changes."""
    builder = _Builder()
    for path in paths:
        builder.add_name(str(path))
    return builder.found


def merged(several: Iterable[Directories]) -> Directories:
    """Return all directories, each with all that matters in it."""
    builder = _Builder()
    for directories in several:
        for path, interest in directories.items():
            builder.add(path, interest)
    return builder.found


class _Builder:
    """Collects directories, and their parents below ``root``."""

    def __init__(self, root: str = "") -> None:
        self.found: Directories = {}
        self._root = root

    def add(self, path: str, interest: Interest) -> None:
        """Add the directory ``path``, and what reports that it appears or that it is renamed."""
        while not os.path.isdir(path) and path != os.path.dirname(path):
            path, missing = os.path.split(path)
            interest = frozenset({missing})
        self.found[path] = self.found.get(path, frozenset()) | interest
        if self._root and path != self._root and is_inside(path, self._root):
            self.add_name(path)

    def add_name(self, path: str) -> None:
        """Add what reports that the file or directory ``path`` appears, vanishes or changes."""
        parent, name = os.path.split(path)
        self.add(parent, frozenset({name}))

    def add_below(self, top: str, *, boundary: str) -> None:
        """Add the directory ``top`` and those below it that may hold hooks.

        A symlink that leads out of ``boundary`` is not followed: it may come with a clone.
        """
        real = os.path.realpath(top)
        if real != top:
            self.add_name(top)
        if is_inside(real, boundary):
            for path in _directories_below(real):
                self.add(path, HOOKS)


def _add_project(builder: _Builder, project: Project) -> None:
    root = str(project.root)
    for file in config_files(project.root, listed=project.listed):
        builder.add_name(str(file.path))
    for name in PROJECT_DIRECTORIES:
        builder.add_below(os.path.join(root, name), boundary=root)
    builder.add(os.path.join(root, ".github/hooks"), frozenset({"*.json"}))
    if project.repository is not None:
        _add_git(builder, project.repository)
    for glob in map(Glob.parse, project.config.include):
        if below := glob.literal or glob.prefix:
            builder.add_below(os.path.join(root, below).rstrip(os.sep), boundary=root)
        else:  # the whole tree: the periodic comparison finds new hooks in it
            builder.add(root, HOOKS)


def _add_git(builder: _Builder, repository: Repository) -> None:
    # The index changes when a checkout brings hooks to a directory that nobody watches.
    builder.add_name(str(repository.git_dir / "index"))
    builder.add_name(str(repository.common_dir / "config"))
    builder.add_name(str(repository.common_dir / "info/exclude"))
    hooks = os.path.realpath(repository.hooks_path)
    builder.add(hooks, HOOKS)
    if not is_inside(str(repository.work_tree), hooks):
        builder.add_below(hooks, boundary=hooks)


def _directories_below(top: str) -> Iterator[str]:
    """Yield ``top`` and the directories below it, but for virtual environments and caches."""
    pending = [top]
    for _ in range(_MOST_BELOW):
        if not pending:
            return
        path = pending.pop(0)
        yield path
        inside = [entry for entry in entries(path) if entry.name not in NEVER]
        if all(entry.name != VENV for entry in inside):
            pending += [entry.path for entry in inside if entry.is_dir(follow_symlinks=False)]
