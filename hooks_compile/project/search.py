"""Finding Python files in directories, without leaving a boundary.

Paths are strings here: for 10,000 files ``Path`` objects would cost more than everything else.
"""
# ruff: noqa: PTH112, PTH113, PTH114, PTH118, PTH119, PTH120, PTH122, PTH123

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hooks_compile.project.shebang import HEAD, is_python

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = "__pycache_opt__"
NEVER = frozenset({".git", "__pycache__", CACHE, "node_modules"})
"""Directories that are not entered; nor is a virtual environment, which has ``pyvenv.cfg``."""

LEFTOVER = re.compile(
    r"[.#].*|.*\.sync-conflict-.*|.*conflicted copy.*|.*_(?:BACKUP|BASE|LOCAL|REMOTE)_\d+\.py",
    re.DOTALL,
)
"""Names of hidden files, and of copies that a synchronizer, a merge or an editor leaves."""

VENV = "pyvenv.cfg"
PACKAGE = "__init__.py"

# pre-commit renames the hook that it finds to this, and goes on running it.
_CHAINED = ".legacy"
# The file may become a pipe or a symlink between the look at its directory and the opening.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(slots=True)
class Search:
    """What was found below ``boundary``, a real path: real paths, each with the first reason."""

    boundary: str
    found: dict[str, str] = field(default_factory=dict)
    _admitted: dict[str, bool] = field(default_factory=dict)
    _real: dict[str, str] = field(default_factory=dict)

    def directory(self, directory: str, origin: str, *, recursive: bool = True) -> None:
        """Take the Python files in ``directory``, but no packages below it."""
        top = os.path.realpath(directory)
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
        """Take ``entry`` if it is a Python file; return the directory that it is or leads to."""
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
        """Take a file of any name, or the files in a directory that searches do not enter."""
        target = os.path.realpath(path)
        if not is_inside(target, self.boundary):
            return
        inner = Search(self.boundary)
        if os.path.isdir(target):
            inner._admitted[target] = True
            inner.directory(target, origin)
        else:
            inner._admitted[os.path.dirname(target)] = True
            inner.file(target, origin, any_name=True)
        self.found = inner.found | self.found

    def _admits(self, directory: str) -> bool:
        """Return whether the real ``directory`` is inside, and in none that is never searched."""
        if directory == self.boundary:
            return True
        if directory not in self._admitted:
            self._admitted[directory] = (
                is_inside(directory, self.boundary)
                and os.path.basename(directory) not in NEVER
                and not os.path.lexists(os.path.join(directory, VENV))
                and self._admits(os.path.dirname(directory))
            )
        return self._admitted[directory]


def entries(directory: str) -> list[os.DirEntry[str]]:
    """Return what is in ``directory``; nothing if it is missing or can't be read."""
    try:
        with os.scandir(directory) as found:
            return list(found)
    except OSError:
        return []


def file_names(top: str) -> Iterator[str]:
    """Yield the names of all files below ``top``, with ``/`` between.

    Other repositories are not entered, as git does it, nor are virtual environments.
    """
    pending = [(top, "")]
    while pending:
        directory, prefix = pending.pop()
        inside = entries(directory)
        names = {entry.name for entry in inside}
        if directory != top and (VENV in names or ".git" in names):
            continue
        for entry in inside:
            if not entry.is_dir(follow_symlinks=False):
                yield prefix + entry.name
            elif entry.name not in NEVER:
                pending.append((entry.path, f"{prefix}{entry.name}/"))


def directories_with_cache(top: str) -> Iterator[str]:
    """Yield the directories at and below ``top`` that hold entries.

    Symlinks, other repositories and virtual environments are not entered.
    """
    pending = [top]
    while pending:
        directory = pending.pop()
        inside = [entry for entry in entries(directory) if entry.is_dir(follow_symlinks=False)]
        names = {entry.name for entry in inside}
        is_venv = os.path.lexists(os.path.join(directory, VENV))
        if directory != top and (".git" in names or is_venv):
            continue
        if CACHE in names:
            yield directory
        pending += [entry.path for entry in inside if entry.name not in NEVER]


def repository_above(directory: str, *, top: str = os.sep) -> str | None:
    """Return the nearest directory with a ``.git``, from ``directory`` up to ``top``."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        if directory in (top, os.path.dirname(directory)):
            return None
        directory = os.path.dirname(directory)
    return directory


def is_inside(path: str, directory: str) -> bool:
    """Return whether the real ``path`` is ``directory`` or below it."""
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def is_source(path: str, name: str) -> bool:
    """Return whether the file ``path`` is Python by ``name``, or by its shebang."""
    if LEFTOVER.fullmatch(name):
        return False
    if name.endswith(".py") or path.endswith(".py"):
        return True
    if os.path.splitext(name)[1] not in ("", _CHAINED):
        return False
    try:
        handle = os.open(path, _OPEN)
    except OSError:  # unreadable, or changed since: nobody can run it as a script
        return False
    try:
        return is_python(os.read(handle, HEAD))
    finally:
        os.close(handle)


def is_run_as_whole(path: str) -> bool:
    """Return whether Python runs the file ``path`` but not as source, whatever its name is.

    These are zip archives, also with a shebang in front (zipapp, shiv, pex), and compiled code.
    """
    import zipfile  # noqa: PLC0415 - slow, and only for what does not compile

    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    # A magic number ends in these two bytes, and the flags behind it have bytes that are zero.
    return (head[2:4] == b"\r\n" and b"\0" in head[4:8]) or zipfile.is_zipfile(path)
