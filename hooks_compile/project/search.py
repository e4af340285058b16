"""Finding Python files in directories, without leaving a boundary.

Paths are strings here: for 10,000 files ``Path`` objects would cost more than everything else.
"""
# ruff: noqa: PTH112, PTH113, PTH118, PTH119, PTH120, PTH122

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.project.shebang import HEAD, is_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hooks_compile.model import HookSource

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


class Search:
    """What was found below ``boundary``, a real path: real paths, each with the first reason."""

    def __init__(self, boundary: str) -> None:
        """Nothing is found yet."""
        self.boundary = boundary
        self.found: dict[str, str] = {}
        self._admitted: dict[str, bool] = {}

    def directory(self, directory: str, origin: str) -> None:
        """Take the Python files in ``directory``, but no packages below it."""
        pending, seen = [os.path.realpath(directory)], set[str]()
        while pending:
            top = pending.pop()
            is_package = bool(seen) and os.path.lexists(os.path.join(top, PACKAGE))
            if top in seen or is_package or not self._admits(top):
                continue
            seen.add(top)
            for entry in walk(top, {VENV, PACKAGE}.isdisjoint):
                if entry.is_symlink() and os.path.isdir(entry.path):
                    pending.append(os.path.realpath(entry.path))
                elif entry.is_symlink():
                    self.file(entry.path, origin)
                elif (
                    entry.name != PACKAGE
                    and entry.is_file(follow_symlinks=False)
                    and is_source(entry.path, entry.name)
                ):
                    self.found.setdefault(entry.path, origin)

    def file(self, path: str, origin: str, *, any_name: bool = False) -> None:
        """Take ``path``, resolved, if it is a file inside, and Python by its name or shebang.

        ``any_name`` is for a file that is known to be Python.
        """
        target = os.path.realpath(path)
        if (
            self._admits(os.path.dirname(target))
            and os.path.isfile(target)
            and (any_name or is_source(target, os.path.basename(path)))
        ):
            self.found.setdefault(target, origin)

    def named(self, path: str, origin: str) -> None:
        """Take a file of any name, or the files in a directory that searches do not enter."""
        target = os.path.realpath(path)
        is_directory = os.path.isdir(target)
        if is_inside(target, self.boundary):
            self._admitted[target if is_directory else os.path.dirname(target)] = True
            if is_directory:
                self.directory(target, origin)
            else:
                self.file(target, origin, any_name=True)

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


def walk(top: str, enters: Callable[[set[str]], bool]) -> Iterator[os.DirEntry[str]]:
    """Yield what is in ``top`` and in directories below it; no symlink is followed.

    ``enters`` says for the names in a directory below whether it is entered.
    """
    pending = [top]
    while pending:
        directory = pending.pop()
        inside = entries(directory)
        if directory == top or enters({entry.name for entry in inside}):
            yield from inside
            pending += [
                entry.path
                for entry in inside
                if entry.is_dir(follow_symlinks=False) and entry.name not in NEVER
            ]


def walk_tree(top: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is below ``top``, but not in other repositories and virtual environments."""
    return walk(top, {VENV, ".git"}.isdisjoint)


def local_modules(sources: Sequence[HookSource]) -> list[Path]:
    """Return the Python files that hooks may import from their own directories, sorted.

    They are the ``*.py`` beside the hooks whose names an import can spell, hooks included (one may
    import another), and the packages there with their subpackages. Symlinks are left to Python:
    nothing outside is read.
    """
    return sorted(
        Path(entry.path)
        for directory in {str(source.path.parent) for source in sources}
        for entry in walk(directory, lambda names: PACKAGE in names and VENV not in names)
        if entry.name.endswith(".py")
        and entry.name[:-3].isidentifier()
        and not LEFTOVER.fullmatch(entry.name)
        and entry.is_file(follow_symlinks=False)
    )


def directories_with_cache(top: Path) -> list[Path]:
    """Return the directories at and below ``top`` that hold entries."""
    found = walk_tree(os.path.realpath(top))
    caches = (e for e in found if e.name == CACHE and e.is_dir(follow_symlinks=False))
    return [Path(entry.path).parent for entry in caches]


def repository_above(directory: str) -> str | None:
    """Return the nearest directory with a ``.git``, from ``directory`` up."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        if directory == os.path.dirname(directory):
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
