"""Finding out what is in a tree: runs beside the loop, so it only reads, and returns a record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import agents, git
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.interpreters.selection import find_interpreters, for_unattended
from hooks_compile.project.record import open_project
from watcher import places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import HookSource, Interpreter, Optimize
    from hooks_compile.project.record import Project
    from watcher.places import Places

_PROJECT_MARKS = (
    *(".claude", ".codex", ".cursor", ".gemini", ".github", ".githooks", ".husky"),
    *(".hooks-compile.toml", "pyproject.toml"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for: interpreters, level (None: as configured), and the environment."""

    env: Mapping[str, str]
    commands: Sequence[str] = ()
    optimize: Optimize | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to find out.

    ``given`` is what is watched, ``whole`` whether it is a whole project. ``thorough`` also looks
    for hooks that others import, and for folders and interpreters that are new; else ``last`` is
    taken to be true of these. ``names`` are to be watched wherever they are.
    """

    given: Path
    whole: bool
    options: Options
    thorough: bool = True
    last: Survey | None = None
    names: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found: hooks and modules by path, who compiles them, what has to be watched."""

    thorough: bool
    project: Project
    hooks: Mapping[str, HookSource]
    modules: Mapping[str, HookSource]
    interpreters: tuple[Interpreter, ...]
    key: bytes
    level: Optimize
    structure: list[str]
    places: Places

    @property
    def compiling(self) -> tuple[tuple[Interpreter, ...], bytes, Optimize]:
        """What all entries depend on."""
        return self.interpreters, self.key, self.level


def is_whole(path: Path) -> bool:
    """Tell whether ``path`` stands for a project, and not just for the files in it.

    It does if it is a work tree's root; outside of git, if there is something of a project in it.
    """
    if not path.is_dir():
        return False
    root = git.work_tree(path)
    if root is not None:
        return root == path.resolve()
    return any((path / name).exists() for name in _PROJECT_MARKS)


def find(request: Request) -> Survey:
    """Look at the tree and return what is there. Raises HooksCompileError."""
    project = _open(request)
    last = request.last
    thorough = request.thorough or last is None or last.project.config != project.config
    hooks = {os.fspath(source.path): source for source in project.sources}
    modules = {os.fspath(source.path): source for source in project.modules()}
    if thorough or last is None:
        imported = project.imported_hooks()
        interpreters, key = _compiling(request, project)
        structure = places.structure_of(project.root) if request.whole else []
    else:
        imported = [last.modules[path] for path in last.modules.keys() & hooks.keys()]
        interpreters, key, structure = last.interpreters, last.key, last.structure
    modules |= {os.fspath(source.path): source for source in imported}
    level = request.options.optimize
    return Survey(
        thorough,
        project,
        hooks,
        modules,
        interpreters,
        key,
        project.config.optimize if level is None else level,
        structure,
        _places(request, project, modules, structure),
    )


def _open(request: Request) -> Project:
    given = request.given
    if not given.exists():
        raise HooksCompileError("is gone", path=given)
    folder = (given if given.is_dir() else given.parent).resolve()
    project = open_project(
        folder, request.options.env, () if request.whole else (given,), agents=agents
    )
    if request.whole and project.root != folder:
        raise HooksCompileError(
            f"is no work tree of its own any more, but a part of {project.root}",
            path=given,
            remedy=f"hooks-watch '{project.root}'",
        )
    return project


def _compiling(request: Request, project: Project) -> tuple[tuple[Interpreter, ...], bytes]:
    runtime_folder.ensure(project.runtime)
    options = request.options
    found = find_interpreters(project, for_unattended(project, options.env), options.commands)
    return tuple(found), runtime_folder.read_key(project.runtime)


def _places(
    request: Request, project: Project, modules: Mapping[str, HookSource], structure: list[str]
) -> Places:
    if request.whole:
        own = places.of_project(project, modules, structure)
    else:
        own = places.of_given(project, request.given, modules)
    # A hook that an editor removes and writes anew may be the only one of its folder.
    lost = places.of_names(path for path in request.names if path.is_relative_to(project.root))
    own = places.with_folders_above(places.merged(own, lost), str(project.root))
    rest = places.of_names([request.given, project.root])
    return places.that_exist(places.merged(own, rest, places.of_runtime(project.runtime)))
