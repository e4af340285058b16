"""Finding Python files in folders, without leaving a boundary.

Paths are strings here: for 10,000 files ``Path`` objects would cost more than all the rest.
"""
# ruff: noqa: PTH112, PTH113, PTH114, PTH118, PTH119, PTH120, PTH122

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hooks_compile.project.shebang import HEAD, is_python

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = "__pycache_opt__"
NEVER = frozenset({".git", "__pycache__", CACHE, "node_modules"})
"""Folders that are not entered; nor is a virtual environment, which has ``pyvenv.cfg``."""

VENV = "pyvenv.cfg"
PACKAGE = "__init__.py"

# pre-commit renames the hook that it finds to this, and goes on running it.
_CHAINED = ".legacy"
# The file may become a pipe or a symlink between the look at its folder and the opening.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(slots=True)
class Search:
    """What was found below ``boundary``, a real path: real paths, each with the first reason."""

    boundary: str
    found: dict[str, str] = field(default_factory=dict)
    _admitted: dict[str, bool] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)

    def folder(self, folder: str, origin: str, *, recursive: bool = True) -> None:
        """Take the Python files in ``folder``, but no packages below it."""
        top = os.path.realpath(folder)
        pending, seen = [top] if self._admits(top) else [], set()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            inside = entries(current)
            names = {entry.name for entry in inside}
            if current == top or names.isdisjoint((VENV, PACKAGE)):
                below = filter(None, [self._entry(entry, origin) for entry in inside])
                pending += below if recursive else ()

    def _entry(self, entry: os.DirEntry[str], origin: str) -> str | None:
        """Take ``entry`` if it is a Python file; where it leads to a folder, give that back."""
        if entry.is_dir(follow_symlinks=False):
            return None if entry.name in NEVER else entry.path
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            if os.path.isdir(target):
                return target if self._admits(target) else None
            self.file(entry.path, origin)
        elif (
            entry.name != PACKAGE
            and entry.is_file(follow_symlinks=False)
            and is_source(entry.path, entry.name)
        ):
            self.found.setdefault(entry.path, origin)
        return None

    def file(self, path: str, origin: str, *, any_name: bool = False) -> None:
        """Take ``path``, resolved, if it is a file inside, and Python by its name or shebang.

        ``any_name`` is for a file that is known to be Python.
        """
        parent, name = os.path.split(path)
        if parent not in self._real:
            self._real[parent] = os.path.realpath(parent)
        target = os.path.join(self._real[parent], name)
        if os.path.islink(target):
            target = os.path.realpath(target)
        if (
            self._admits(os.path.dirname(target))
            and os.path.isfile(target)
            and (any_name or is_source(target, name))
        ):
            self.found.setdefault(target, origin)

    def named(self, path: str, origin: str) -> None:
        """Take a file of any name, or what is in a folder, even where searches don't go."""
        target = os.path.realpath(path)
        if not is_inside(target, self.boundary):
            return
        inner = Search(self.boundary)
        if os.path.isdir(target):
            inner._admitted[target] = True
            inner.folder(target, origin)
        else:
            inner._admitted[os.path.dirname(target)] = True
            inner.file(target, origin, any_name=True)
        self.found = inner.found | self.found

    def _admits(self, folder: str) -> bool:
        """Whether the real ``folder`` is inside, and not in one that is never searched."""
        if folder == self.boundary:
            return True
        if folder not in self._admitted:
            self._admitted[folder] = (
                is_inside(folder, self.boundary)
                and os.path.basename(folder) not in NEVER
                and not os.path.lexists(os.path.join(folder, VENV))
                and self._admits(os.path.dirname(folder))
            )
        return self._admitted[folder]


def entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in ``folder``; nothing where it can't be read or is not there."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def file_names(top: str) -> Iterator[str]:
    """The names of all files below ``top``, with ``/`` between; other repositories are not
    entered, as git does it."""
    pending = [(top, "")]
    while pending:
        folder, prefix = pending.pop()
        inside = entries(folder)
        names = {entry.name for entry in inside}
        if folder != top and (VENV in names or ".git" in names):
            continue
        for entry in inside:
            if not entry.is_dir(follow_symlinks=False):
                yield prefix + entry.name
            elif entry.name not in NEVER:
                pending.append((entry.path, f"{prefix}{entry.name}/"))


def folders_with_cache(top: str) -> Iterator[str]:
    """The folders at and below ``top`` that hold entries; links and other repositories are not
    entered."""
    pending = [top]
    while pending:
        folder = pending.pop()
        inside = [entry for entry in entries(folder) if entry.is_dir(follow_symlinks=False)]
        names = {entry.name for entry in inside}
        if folder != top and (".git" in names or os.path.lexists(os.path.join(folder, VENV))):
            continue
        if CACHE in names:
            yield folder
        pending += [entry.path for entry in inside if entry.name not in NEVER]


def is_inside(path: str, folder: str) -> bool:
    """Whether the real ``path`` is ``folder`` or below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def is_source(path: str, name: str) -> bool:
    """Return whether the file ``path`` is Python by ``name``, or by its shebang."""
    if name.endswith(".py") or path.endswith(".py"):
        return True
    if os.path.splitext(name)[1] not in ("", _CHAINED):
        return False
    try:
        handle = os.open(path, _OPEN)
    except OSError:  # unreadable, or changed under our eyes: nobody can run it as a script
        return False
    try:
        return is_python(os.read(handle, HEAD))
    finally:
        os.close(handle)
