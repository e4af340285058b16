"""Which folders have to be watched, so that no change to the set of hooks goes unseen.

Folders are watched one by one, never a whole tree with all that is in it: a build or an agent's
log would keep the watcher busy for nothing. Paths are strings, as in discovery.
"""
# ruff: noqa: PTH110, PTH112, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import GitError
from hooks_compile.project import config
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import NEVER, VENV, entries, is_inside
from watcher.filters import ALWAYS, SOURCES, Interest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.git import Repository
    from hooks_compile.project.config import Config
    from hooks_compile.project.record import Project

Places = dict[str, Interest]

# A tree is only looked through for new folders, which the scan finds too: it may be cut short.
_MOST_FOLDERS = 2000
_DEEPEST = 6
_MOST_LINKED = 1000
_ROOT_NAMES = frozenset({".git", ".gitignore", config.DOTFILE, config.PYPROJECT})


def of_project(project: Project, modules: Iterable[str], structure: Iterable[str]) -> Places:
    """Return the places that tell of every change to a whole work tree and its hooks.

    ``structure`` are the tree's folders, see :func:`structure_of`. The places may not exist: see
    :func:`that_exist`.
    """
    from hooks_compile.agents.clients.places import config_files  # noqa: PLC0415 - not for given paths

    root = str(project.root)
    places: Places = {root: Interest(_ROOT_NAMES, folders=True)}
    _add_sources(places, project, modules)
    for name in PROJECT_DIRECTORIES:
        for folder in _folders_below(os.path.join(root, name)):
            _add(places, folder, ALWAYS)
    for file in config_files(project.root):
        _add_name(places, str(file.path))
    _add(places, os.path.join(root, ".github/hooks"), Interest(suffixes=frozenset({".json"})))
    try:
        repository = git.repository(project.root)
    except GitError:
        repository = None  # discovery has said so
    for folder in structure:
        is_hooks = os.path.basename(folder) == "hooks"
        names = frozenset({"hooks.json"} if is_hooks else ())
        _add(places, folder, Interest(names, folders=True))
    _add_included(places, root, project.config)
    if repository is not None:
        _add_repository(places, root, repository)
    return places


def of_given(project: Project, given: Path, modules: Iterable[str]) -> Places:
    """Return the places that tell of every change to one folder or file of hooks."""
    root = str(project.root)
    places: Places = {root: Interest(_ROOT_NAMES)}
    _add_sources(places, project, modules)
    if given.is_dir():
        for folder in _folders_below(os.path.realpath(given)):
            _add(places, folder, ALWAYS)
    return places


def of_names(paths: Iterable[Path]) -> Places:
    """Return the places that tell when one of ``paths`` comes, goes or is replaced."""
    places: Places = {}
    for path in paths:
        _add_name(places, str(path))
    return places


def of_runtime(runtime: Path) -> Places:
    """Return the places that tell of a new key, and of a Python that ran a hook."""
    seen = Interest(suffixes=SOURCES)
    return {str(runtime): Interest(frozenset({"key", "seen"})), str(runtime / "seen"): seen}


def structure_of(root: Path) -> list[str]:
    """Return the folders of a tree in which hooks could turn up some day.

    Those near the root come first; what git ignores, and repositories inside of it, are left out.
    """
    found: list[str] = []
    top = str(root)
    in_git = os.path.lexists(os.path.join(top, ".git"))
    level = _inner(top)
    for _ in range(_DEEPEST):
        level = [folder for folder in level if not os.path.lexists(os.path.join(folder, ".git"))]
        if in_git and level:
            level = _not_ignored(root, level)
        found += level
        if not level or len(found) >= _MOST_FOLDERS:
            break
        level = [inner for folder in level for inner in _inner(folder)]
    return found[:_MOST_FOLDERS]


def merged(*several: Places) -> Places:
    """Return all places, each with all that matters in it."""
    result: Places = {}
    for places in several:
        for path, interest in places.items():
            _add(result, path, interest)
    return result


def that_exist(places: Places) -> Places:
    """Return ``places`` with, for each that is missing, the nearest folder above that is there."""
    result: Places = {}
    for path, interest in places.items():
        missing = ""
        current = path
        while not os.path.exists(current) and current != os.path.dirname(current):
            current, missing = os.path.split(current)
        _add(result, current, Interest(frozenset({missing})) if missing else interest)
    return result


def with_folders_above(places: Places, root: str) -> Places:
    """Return ``places`` and what tells when a folder between them and ``root`` is renamed."""
    result = dict(places)
    for path in places:
        current = path
        while current != root and is_inside(current, root):
            current, name = os.path.split(current)
            _add(result, current, Interest(frozenset({name})))
    return result


def _add(places: Places, path: str, interest: Interest) -> None:
    known = places.get(path)
    places[path] = interest if known is None else known | interest


def _add_name(places: Places, path: str) -> None:
    folder, name = os.path.split(path)
    _add(places, folder, Interest(frozenset({name})))


def _add_sources(places: Places, project: Project, modules: Iterable[str]) -> None:
    for folder in project.directories():
        _add(places, str(folder), ALWAYS)
    for beside in {os.path.dirname(module) for module in modules}:
        _add(places, beside, ALWAYS)
    # What a hard link's other name does to the file is told to nobody but a watch on the file.
    linked = [str(source.path) for source in project.sources if _has_names(str(source.path))]
    for path in linked[:_MOST_LINKED]:
        _add(places, path, Interest(suffixes=SOURCES))


def _has_names(path: str) -> bool:
    try:
        return os.stat(path).st_nlink > 1
    except OSError:
        return False


def _add_included(places: Places, root: str, settings: Config) -> None:
    for glob in map(Glob.parse, settings.include):
        if glob.literal is None:
            below = os.path.join(root, glob.prefix).rstrip(os.sep)
            _add(places, below, ALWAYS)
            for folder in list(places):
                if is_inside(folder, below):
                    _add(places, folder, ALWAYS)
            continue
        path = os.path.join(root, glob.literal)
        _add_name(places, path)
        for folder in _folders_below(path):
            _add(places, folder, ALWAYS)


def _add_repository(places: Places, root: str, repository: Repository) -> None:
    _add(places, str(repository.git_dir), Interest(frozenset({"index"})))
    _add(places, str(repository.common_dir), Interest(frozenset({"config"})))
    _add(places, str(repository.common_dir / "info"), Interest(frozenset({"exclude"})))
    hooks = os.path.realpath(repository.hooks_path)
    _add(places, hooks, ALWAYS)
    if not is_inside(root, hooks):
        for folder in _folders_below(hooks):
            _add(places, folder, ALWAYS)


def _folders_below(top: str) -> Iterator[str]:
    """Go through ``top``, if it is a folder, and the folders below it that may hold sources."""
    pending, seen = [os.path.realpath(top)], set[str]()
    while pending and len(seen) < _MOST_FOLDERS:
        folder = pending.pop()
        if folder in seen or not os.path.isdir(folder):
            continue
        seen.add(folder)
        yield folder
        pending += _inner(folder)


def _inner(folder: str) -> list[str]:
    inside = entries(folder)
    if any(entry.name == VENV for entry in inside):
        return []
    return [
        entry.path
        for entry in inside
        if entry.name not in NEVER and entry.is_dir(follow_symlinks=False)
    ]


def _not_ignored(root: Path, folders: list[str]) -> list[str]:
    try:
        ignored = {str(path) for path in git.ignored(root, map(Path, folders))}
    except GitError:
        return folders  # to watch one too many harms nobody
    return [folder for folder in folders if folder not in ignored]
