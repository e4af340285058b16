"""Which files are hook sources.

A clone is hostile input: what is found by a search lies inside the work tree (for the user's own
hooks: inside the home directory) after all symlinks are resolved. Only an argument leads anywhere
else. A file that can't be read is left out, because it can't be run either.
"""
# 10,000 paths are strings until the end: Path objects would double the time.
# ruff: noqa: PTH113, PTH116, PTH118, PTH120

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError, pasted
from hooks_compile.files import LARGEST_SOURCE, read_bytes
from hooks_compile.model import HookSource
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import (
    LEFTOVER,
    NEVER,
    PACKAGE,
    VENV,
    Search,
    entries,
    file_names,
    is_inside,
    repository_above,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hooks_compile.git import Repository
    from hooks_compile.project.config import Config

USER_DIRECTORIES = (".claude/hooks", ".codex/hooks", ".cursor/hooks", ".gemini/hooks")
"""Where an agent's hooks are, in a project and in the home directory."""

PROJECT_DIRECTORIES = (*USER_DIRECTORIES, ".github/hooks", ".githooks", ".husky")
"""Where the hooks of a project are, without being named anywhere."""

GIT_ORIGINS = frozenset(
    {
        "in .githooks",
        "in .husky",
        "in .git/hooks",
        "in core.hooksPath",
        "linked from .git/hooks",
    }
)
"""The origins of hooks that git runs, without any agent."""

_PLUGIN = "hooks/hooks.json"


class Agents(Protocol):
    """What the agents' configuration files say; the package :mod:`hooks_compile.agents` does it."""

    @property
    def PATHSPECS(self) -> tuple[str, ...]:  # noqa: N802 - a module's constant
        """The pathspecs by which git lists configuration files below the root."""

    def named_scripts(
        self, root: Path, *, home: Path | None, cwd: Path | None, listed: Iterable[str] | None
    ) -> Iterable[tuple[Path, str]]:
        """Return the scripts that commands name, each with the file that does."""


class Found(NamedTuple):
    """The hook sources of a work tree, sorted by path, and the names of files that were listed.

    ``listed`` has files of the work tree that git does not ignore, all of the agents' among them.
    """

    sources: list[HookSource]
    listed: tuple[str, ...]


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
    wild = [glob for glob in include if glob.literal is None]
    listed = _listed(tree, wild, agents.PATHSPECS) if repository else tuple(file_names(tree))

    search = Search(tree)
    _search_usual_places(search, listed, wild)
    if repository:
        for path in _ignored(tree, search.found, frozenset(listed)):
            del search.found[path]
        _search_git_hooks(search, repository)
    searches = [search] if home is None else [search, Search(os.path.realpath(home))]
    for script, origin in agents.named_scripts(Path(tree), home=home, cwd=start, listed=listed):
        for each in searches:
            each.file(str(script), origin, any_name=True)
    for glob in include:
        if glob.literal is not None:
            search.named(os.path.join(tree, glob.literal), f"matches {glob.text}")
    for user in searches[1:]:
        _search_user_directories(user)
        search.found = user.found | search.found
    return Found(_sources(_without(search.found, tree, config.exclude)), listed)


def from_arguments(paths: Sequence[Path]) -> list[HookSource]:
    """Return the files in ``paths`` and in the directories in ``paths``, sorted, each once.

    A file is taken with any name and anywhere. A directory is searched as a hook directory, without
    git's rules; symlinks that lead out of its work tree are not followed. Raises HooksCompileError
    for a path that does not exist or can't be read, and for a file that is no Python source.
    """
    found: dict[str, str] = {}
    for path in paths:
        real = os.path.realpath(path)
        try:
            mode = os.stat(real).st_mode
            if stat.S_ISDIR(mode):
                os.scandir(real).close()
                search = Search(repository_above(real) or real)
                search.named(real, "given")
                found |= search.found
            else:
                _require_python(path, mode)
                found[real] = "given"
        except OSError as error:
            raise HooksCompileError(
                f"can't be read: {error.strerror}", path=path, remedy=f"ls -ld {pasted(path)}"
            ) from error
    return _sources(found)


def local_modules(sources: Sequence[HookSource]) -> list[Path]:
    """Return the Python files that hooks may import from their own directories, sorted.

    They are the ``*.py`` beside the hooks whose names an import can spell, hooks included (one may
    import another), and the packages there with their subpackages. Symlinks are left to Python:
    nothing outside is read.
    """
    found: set[str] = set()
    pending = [(directory, True) for directory in {str(s.path.parent) for s in sources}]
    while pending:
        directory, is_top = pending.pop()
        inside = entries(directory)
        names = {entry.name for entry in inside}
        if not is_top and (VENV in names or PACKAGE not in names):
            continue
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in NEVER:
                    pending.append((entry.path, False))
            elif (
                entry.name.endswith(".py")
                and entry.name[:-3].isidentifier()
                and not LEFTOVER.fullmatch(entry.name)
                and entry.is_file(follow_symlinks=False)
            ):
                found.add(entry.path)
    return [Path(path) for path in sorted(found)]


def _sources(found: Mapping[str, str]) -> list[HookSource]:
    return [HookSource(Path(path), found[path]) for path in sorted(found)]


def _require_python(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise HooksCompileError("is neither a file nor a directory", path=path)
    if b"\0" in read_bytes(path, LARGEST_SOURCE):
        raise HooksCompileError("is no Python source: it has NUL bytes", path=path)


def _listed(tree: str, wild: Iterable[Glob], pathspecs: Iterable[str]) -> tuple[str, ...]:
    """Return the names that git does not ignore, of all files that may be needed."""
    wanted = [":(glob)**/hooks/**", *(f":(literal){name}" for name in PROJECT_DIRECTORIES)]
    wanted += [*pathspecs, *(f":(literal){glob.prefix or '.'}" for glob in wild)]
    return tuple(git.tracked_matching(Path(tree), wanted, untracked=True))


def _search_usual_places(search: Search, listed: Sequence[str], wild: Iterable[Glob]) -> None:
    """Find what is a hook by its place, whether git ignores it or not."""
    for name in PROJECT_DIRECTORIES:
        search.directory(os.path.join(search.boundary, name), f"in {name}")
    _search_plugins(search, search.boundary, listed)
    for glob in wild:
        for name in filter(glob.matches, listed):
            search.file(os.path.join(search.boundary, name), f"matches {glob.text}")


def _search_plugins(search: Search, top: str, names: Iterable[str], label: str = "") -> None:
    for name in names:
        if name != _PLUGIN and not name.endswith(f"/{_PLUGIN}"):
            continue
        path = os.path.join(top, name)
        if os.path.isfile(path):  # git also lists tracked files that were deleted
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
            search.file(entry.path, "linked from .git/hooks")
    else:
        # With core.hooksPath = . every script of the work tree would be a hook.
        recursive = not is_inside(search.boundary, hooks)
        search.directory(hooks, "in core.hooksPath", recursive=recursive)


def _search_user_directories(user: Search) -> None:
    for name in USER_DIRECTORIES:
        user.directory(os.path.join(user.boundary, name), f"in ~/{name}")
    plugins = os.path.join(user.boundary, ".claude/plugins")
    _search_plugins(user, plugins, file_names(plugins), "~/.claude/plugins/")


def _without(found: Mapping[str, str], tree: str, exclude: Iterable[str]) -> dict[str, str]:
    globs = [Glob.parse(text) for text in exclude]
    return {
        path: origin
        for path, origin in found.items()
        if not (is_inside(path, tree) and any(glob.covers(_relative(path, tree)) for glob in globs))
    }


def _ignored(tree: str, found: Iterable[str], listed: frozenset[str]) -> set[str]:
    """Return those of ``found`` that git ignores; it does not ignore the names in ``listed``."""
    groups: dict[str, list[str]] = {}
    for path in found:
        if _relative(path, tree) not in listed:
            owner = repository_above(os.path.dirname(path), top=tree) or tree
            groups.setdefault(owner, []).append(path)
    result: set[str] = set()
    for repository, paths in groups.items():
        result.update(_ignored_by(repository, paths))
        inner = repository
        while inner != tree:  # a repository in the repository: the outer one may ignore it whole
            outer = repository_above(os.path.dirname(inner), top=tree) or tree
            if _ignored_by(outer, [inner]):
                result.update(paths)
            inner = outer
    return result


def _ignored_by(repository: str, paths: Iterable[str]) -> list[str]:
    try:
        return [str(path) for path in git.ignored(Path(repository), map(Path, paths))]
    except GitError:
        # The files are in a submodule or repository that is incomplete: git has no rules for
        # them, and to compile one too many harms nobody.
        return []


def _relative(path: str, top: str) -> str:
    return path[len(top) :].strip(os.sep).replace(os.sep, "/")
