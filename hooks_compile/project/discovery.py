"""Which files are hook sources.

A clone is hostile input: what is found by a search lies inside the work tree (for the user's own
hooks: inside the home directory) after all symlinks are resolved. Only an argument leads anywhere
else. A file that can't be read is left out, because it can't be run either.
"""
# 10,000 paths are strings until the end: Path objects would double the time.
# ruff: noqa: PTH112, PTH113, PTH116, PTH118, PTH120

from __future__ import annotations

import os
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError, pasted
from hooks_compile.model import HookSource
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import Search, entries, is_inside, repository_above, walk_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hooks_compile.git import Repository
    from hooks_compile.project.config import Config

USER_DIRECTORIES = (".claude/hooks", ".codex/hooks", ".cursor/hooks", ".gemini/hooks")
"""Where an agent's hooks are, in a project and in the home directory."""

PROJECT_DIRECTORIES = (*USER_DIRECTORIES, ".github/hooks", ".githooks", ".husky")
"""Where the hooks of a project are, without being named anywhere."""

GIT_ORIGINS = frozenset(
    f"in {place}" for place in (".githooks", ".husky", ".git/hooks", "core.hooksPath")
)
"""The origins of hooks that git runs, without any agent."""


class Agents(Protocol):
    """What the agents' configuration files say; the package :mod:`hooks_compile.agents` does it."""

    @property
    def PATHSPECS(self) -> tuple[str, ...]:  # noqa: N802 - a module's constant
        """The pathspecs by which git lists configuration files below the root."""

    def named_scripts(
        self, root: Path, *, home: Path | None, cwd: Path | None, listed: Iterable[str] | None
    ) -> Iterable[tuple[Path, str, tuple[str, ...]]]:
        """Return the scripts that commands name, the files that do, and the interpreters there."""


class Found(NamedTuple):
    """What was found in a work tree."""

    sources: list[HookSource]  # sorted by path
    listed: tuple[str, ...] = ()  # files that git does not ignore, all of the agents' among them
    pythons: tuple[str, ...] = ()  # the interpreters that the agents' commands name, as written


def discover(
    root: Path,
    config: Config,
    repository: Repository | None,
    agents: Agents,
    *,
    home: Path | None = None,
    start: Path | None = None,
) -> Found:
    """Find the hook sources of the directory ``root``; with ``home`` the user's own, too.

    ``start`` adds what is configured in the directories from there up to the root.

    They are the Python files (``*.py``, or no suffix and a Python shebang) in a hook directory, in
    a ``hooks`` directory beside its ``hooks.json``, that match ``config.include``, in the directory
    that git takes its hooks from, or that an agent's command names; without those that match
    ``config.exclude``. In hook directories a package (with ``__init__.py``) has modules, not hooks.

    Left out are hidden files, files in ``__pycache__``, ``__pycache_opt__``, ``node_modules`` or a
    virtual environment, and files that git ignores. A literal ``include`` (without a wildcard)
    overrides all of this, a command or ``core.hooksPath`` git's rules only.

    Without a ``repository`` nothing is ignored. Each file is found once, with the first reason.
    """
    tree = os.path.realpath(root)
    include = [Glob.parse(text) for text in config.include]
    listed = _listed(tree, include, agents.PATHSPECS) if repository else _names_below(tree)

    search = Search(tree)
    _search_usual_places(search, listed, include)
    if repository:
        for path in _ignored(tree, search.found, listed):
            del search.found[path]
        _search_git_hooks(search, repository)
    user = None if home is None else Search(os.path.realpath(home))
    pythons: dict[str, None] = {}
    named = agents.named_scripts(Path(tree), home=home, cwd=start, listed=listed)
    for script, origin, commands in named:
        pythons |= dict.fromkeys(commands)
        for each in filter(None, (search, user)):
            each.file(str(script), origin, any_name=True)
    for glob in include:
        if glob.literal is not None:
            search.named(os.path.join(tree, glob.literal), f"matches {glob.text}")
    if user is not None:
        _search_user_directories(user)
        search.found = user.found | search.found
    exclude = [Glob.parse(text) for text in config.exclude]
    found = {p: why for p, why in search.found.items() if not _is_excluded(p, tree, exclude)}
    return Found(_sources(found), listed, tuple(pythons))


def from_arguments(paths: Sequence[Path]) -> list[HookSource]:
    """Return the files in ``paths`` and in the directories in ``paths``, sorted, each once.

    A file is taken with any name and anywhere. A directory is searched as a hook directory, without
    git's rules; symlinks that lead out of its work tree are not followed. Raises HooksCompileError
    for a path that does not exist, and for a directory that can't be read.
    """
    found: dict[str, str] = {}
    for path in paths:
        real = os.path.realpath(path)
        try:
            if not os.path.isdir(real):
                os.stat(real)
                found[real] = "given"
                continue
            os.scandir(real).close()
            search = Search(repository_above(real) or real)
            search.named(real, "given")
            found |= search.found
        except OSError as error:
            raise HooksCompileError(
                f"can't be read: {error.strerror}", path=path, remedy=f"ls -ld {pasted(path)}"
            ) from error
    return _sources(found)


def _sources(found: Mapping[str, str]) -> list[HookSource]:
    return [HookSource(Path(path), found[path]) for path in sorted(found)]


def _listed(tree: str, include: Iterable[Glob], pathspecs: Iterable[str]) -> tuple[str, ...]:
    """Return the names that git does not ignore, of all files that may be needed."""
    tops = [glob.prefix or "." for glob in include if glob.literal is None]
    wanted = [":(glob)**/hooks/**", *pathspecs]
    wanted += [f":(literal){name}" for name in (*PROJECT_DIRECTORIES, *tops)]
    return tuple(git.tracked_matching(Path(tree), wanted, untracked=True))


def _names_below(top: str) -> tuple[str, ...]:
    files = (entry for entry in walk_tree(top) if not entry.is_dir(follow_symlinks=False))
    return tuple(_relative(entry.path, top) for entry in files)


def _search_usual_places(search: Search, listed: Sequence[str], include: Iterable[Glob]) -> None:
    """Find what is a hook by its place, whether git ignores it or not."""
    for name in PROJECT_DIRECTORIES:
        search.directory(os.path.join(search.boundary, name), f"in {name}")
    _search_plugins(search, search.boundary, listed)
    for glob in include:
        for name in filter(glob.matches, listed) if glob.literal is None else ():
            search.file(os.path.join(search.boundary, name), f"matches {glob.text}")


def _search_plugins(search: Search, top: str, names: Iterable[str], label: str = "") -> None:
    for name in names:
        path = os.path.join(top, name)
        # git also lists tracked files that were deleted
        if f"/{name}".endswith("/hooks/hooks.json") and os.path.isfile(path):
            search.directory(os.path.dirname(path), f"beside {label}{name}")


def _search_git_hooks(search: Search, repository: Repository) -> None:
    """Search the directory of git's hooks if it is the repository's own or in the work tree."""
    hooks = os.path.realpath(repository.hooks_path)
    is_usual = repository.hooks_path == repository.common_dir / "hooks"  # perhaps a link
    if is_usual or is_inside(hooks, os.path.realpath(repository.common_dir)):
        own = Search(hooks)
        own.directory(hooks, "in .git/hooks")
        search.found = own.found | search.found
        # A hook is often a link to a script in the work tree.
        for entry in entries(hooks):
            search.file(entry.path, "in .git/hooks")
    elif not is_inside(search.boundary, hooks):  # or every script of the work tree would be a hook
        search.directory(hooks, "in core.hooksPath")


def _search_user_directories(user: Search) -> None:
    for name in USER_DIRECTORIES:
        user.directory(os.path.join(user.boundary, name), f"in ~/{name}")
    plugins = os.path.join(user.boundary, ".claude/plugins")
    _search_plugins(user, plugins, _names_below(plugins), "~/.claude/plugins/")


def _is_excluded(path: str, tree: str, exclude: Iterable[Glob]) -> bool:
    name = _relative(path, tree)
    return is_inside(path, tree) and any(glob.covers(name) for glob in exclude)


def _ignored(tree: str, found: Iterable[str], listed: Iterable[str]) -> list[str]:
    """Return those of ``found`` that git ignores; it does not ignore the names in ``listed``.

    Nor is ignored what is in a repository that is listed: a submodule has rules of its own.
    """
    known = {name.rstrip("/") for name in listed}

    def is_known(path: str) -> bool:
        return not known.isdisjoint(accumulate(_relative(path, tree).split("/"), "{}/{}".format))

    try:
        unknown = [Path(path) for path in found if not is_known(path)]
        return [str(path) for path in git.ignored(Path(tree), unknown)]
    except GitError:  # to compile one too many harms nobody
        return []


def _relative(path: str, top: str) -> str:
    return path[len(top) :].strip(os.sep).replace(os.sep, "/")
