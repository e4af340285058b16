"""Which files are hook sources.

A clone is hostile input: what is found without being asked for lies inside the work tree (for
the user's own hooks: inside the home folder) after all symlinks are resolved. Only an argument
leads anywhere else. What can't be read is left out: it can't be run either.
"""
# 10,000 paths are strings until the end: Path objects would double the time.
# ruff: noqa: PTH113, PTH116, PTH118, PTH120

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.model import HookSource
from hooks_compile.project.globs import Glob
from hooks_compile.project.search import (
    NEVER,
    PACKAGE,
    VENV,
    Search,
    entries,
    file_names,
    is_inside,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hooks_compile.git import Repository
    from hooks_compile.project.config import Config

USER_FOLDERS = (".claude/hooks", ".codex/hooks", ".cursor/hooks", ".gemini/hooks")
"""Where an agent's hooks are, in a project and in the home folder."""

PROJECT_FOLDERS = (*USER_FOLDERS, ".github/hooks", ".githooks", ".husky")
"""Where hooks are in a project without anybody naming them."""

GIT_ORIGINS = frozenset(
    {
        "in .githooks",
        "in .husky",
        "in .git/hooks",
        "in core.hooksPath",
        "linked from .git/hooks",
    }
)
"""The origins of the hooks that git runs, without any agent."""

_PLUGIN = "hooks/hooks.json"


def discover(root: Path, config: Config, *, home: Path | None = None) -> list[HookSource]:
    """The hook sources of the work tree ``root``, sorted by path; with ``home`` the user's too.

    Python files (``*.py``, or no suffix and a Python shebang) that are in a hook folder, in a
    ``hooks`` folder beside its ``hooks.json``, that match ``config.include``, that git takes its
    hooks from, or that an agent's command names; less what matches ``config.exclude``. In hook
    folders a package (a folder with ``__init__.py``) holds modules, not hooks.

    Left out is what is in ``__pycache__``, ``__pycache_opt__``, ``node_modules`` or a virtual
    environment, and what git ignores, unless it is named: a literal ``include`` (no wildcard in
    it) overrides both, a command or ``core.hooksPath`` git's rules only.

    ``root`` may be any folder: without git nothing is ignored. Each file is there once, with the
    first reason found. Raises GitError where git refuses the repository.
    """
    from hooks_compile.agents import named_scripts  # noqa: PLC0415 - not needed for arguments

    tree = os.path.realpath(root)
    # Without a .git above there is nothing to ask, and git need not be installed.
    repository = git.repository(Path(tree)) if _repository_of(tree, top=os.sep) else None
    include = [Glob.parse(text) for text in config.include]
    wild = [glob for glob in include if glob.literal is None]
    listed = _listed(tree, wild) if repository else list(file_names(tree))

    search = Search(tree)
    _search_unnamed(search, listed, wild)
    if repository:
        for path in _ignored(tree, search.found, frozenset(listed)):
            del search.found[path]
        _search_git_hooks(search, repository)
    searches = [search] if home is None else [search, Search(os.path.realpath(home))]
    for script, origin in named_scripts(Path(tree), home=home, listed=listed):
        for each in searches:
            each.file(str(script), origin, any_name=True)
    for glob in include:
        if glob.literal is not None:
            search.named(os.path.join(tree, glob.literal), f"matches {glob.text}")
    for user in searches[1:]:
        _search_user_folders(user)
        search.found = user.found | search.found
    return _sources(_without(search.found, tree, config.exclude))


def from_arguments(paths: Sequence[Path]) -> list[HookSource]:
    """Exactly the files and folders of ``paths``, sorted, each file once.

    A file is taken whatever its name and wherever it is. In a folder ``*.py`` files are taken, and
    files without a suffix that have a Python shebang, whatever git ignores; packages below it,
    caches, virtual environments, ``node_modules`` and symlinks that lead out of the work tree
    are not. Raises HooksCompileError for a path that does not exist or can't be read, and for a
    file that is no Python source.
    """
    found: dict[str, str] = {}
    for path in paths:
        real = os.path.realpath(path)
        try:
            mode = os.stat(real).st_mode
            if stat.S_ISDIR(mode):
                os.scandir(real).close()
                search = Search(_repository_of(real, top=os.sep) or real)
                search.named(real, "given")
                found |= search.found
            else:
                _require_python(path, mode)
                found[real] = "given"
        except OSError as error:
            raise HooksCompileError(
                f"can't be read: {error.strerror}", path=path, remedy=f"ls -ld '{path}'"
            ) from error
    return _sources(found)


def local_modules(sources: Sequence[HookSource]) -> list[Path]:
    """The Python files that the hooks may import from their own folders, sorted.

    All ``*.py`` beside the hooks, hooks included (one may import the other), and the packages
    there with their subpackages. Symlinks are left to Python: nothing outside is read.
    """
    found: set[str] = set()
    pending = [(folder, True) for folder in {str(source.path.parent) for source in sources}]
    while pending:
        folder, is_top = pending.pop()
        inside = entries(folder)
        names = {entry.name for entry in inside}
        if not is_top and (VENV in names or PACKAGE not in names):
            continue
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in NEVER:
                    pending.append((entry.path, False))
            elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                found.add(entry.path)
    return [Path(path) for path in sorted(found)]


def _sources(found: Mapping[str, str]) -> list[HookSource]:
    return [HookSource(Path(path), found[path]) for path in sorted(found)]


def _require_python(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise HooksCompileError("is neither a file nor a folder", path=path)
    if b"\0" in path.read_bytes():
        raise HooksCompileError("is no Python source: it holds NUL bytes", path=path)


def _listed(tree: str, wild: Iterable[Glob]) -> list[str]:
    """The names that git does not ignore, of all files that may be asked for."""
    from hooks_compile.agents.clients.places import PATHSPECS  # noqa: PLC0415 - as above

    pathspecs = [":(glob)**/hooks/**", *(f":(literal){name}" for name in PROJECT_FOLDERS)]
    pathspecs += PATHSPECS
    pathspecs += [f":(literal){glob.prefix or '.'}" for glob in wild]
    return git.tracked_matching(Path(tree), pathspecs, untracked=True)


def _search_unnamed(search: Search, listed: Sequence[str], wild: Iterable[Glob]) -> None:
    """What is a hook by the place it is in, whether git ignores it or not."""
    for name in PROJECT_FOLDERS:
        search.folder(os.path.join(search.boundary, name), f"in {name}")
    _search_plugins(search, search.boundary, listed)
    for glob in wild:
        for name in filter(glob.matches, listed):
            search.file(os.path.join(search.boundary, name), f"matches {glob.text}")


def _search_plugins(search: Search, top: str, names: Iterable[str], label: str = "") -> None:
    for name in names:
        if name != _PLUGIN and not name.endswith(f"/{_PLUGIN}"):
            continue
        path = os.path.join(top, name)
        if os.path.isfile(path):  # git also lists what it tracks and somebody has deleted
            search.folder(os.path.dirname(path), f"beside {label}{name}")


def _search_git_hooks(search: Search, repository: Repository) -> None:
    """The folder that git takes hooks from, if it is the repository's own or in the work tree."""
    hooks = os.path.realpath(repository.hooks_path)
    if is_inside(hooks, os.path.realpath(repository.common_dir)) or repository.own_hooks:
        own = Search(hooks)
        own.folder(hooks, "in .git/hooks")
        search.found = own.found | search.found
        # A hook is often a link to a script in the work tree.
        for entry in entries(hooks):
            search.file(entry.path, "linked from .git/hooks")
    else:
        # With core.hooksPath = . every script of the work tree would be a hook.
        search.folder(hooks, "in core.hooksPath", recursive=not is_inside(search.boundary, hooks))


def _search_user_folders(user: Search) -> None:
    for name in USER_FOLDERS:
        user.folder(os.path.join(user.boundary, name), f"in ~/{name}")
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
    """Those of ``found`` that git ignores; ``listed`` are names that it is known not to."""
    groups: dict[str, list[str]] = {}
    for path in found:
        if _relative(path, tree) not in listed:
            groups.setdefault(_repository_of(os.path.dirname(path), top=tree) or tree, []).append(
                path
            )
    result: set[str] = set()
    for repository, paths in groups.items():
        result.update(_ignored_by(repository, paths))
        inner = repository
        while inner != tree:  # a repository in the repository: the outer one may ignore it whole
            outer = _repository_of(os.path.dirname(inner), top=tree) or tree
            if _ignored_by(outer, [inner]):
                result.update(paths)
            inner = outer
    return result


def _ignored_by(repository: str, paths: Iterable[str]) -> list[str]:
    try:
        return [str(path) for path in git.ignored(Path(repository), map(Path, paths))]
    except GitError:
        # The files are in a submodule or repository that is not there in full: git has no rules
        # for them, and to compile one too many harms nobody.
        return []


def _repository_of(folder: str, *, top: str) -> str | None:
    """The nearest folder, from ``folder`` up to ``top``, that has a ``.git``."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == top or folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return folder


def _relative(path: str, top: str) -> str:
    return path[len(top) :].strip(os.sep).replace(os.sep, "/")
