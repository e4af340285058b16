"""Brings the entries of a work tree up to date, for git, the watcher and the commands."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.entries import cache, fallbacks
from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.launch_records import forget_left_to_uv
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hooks_compile.entries.compiler import Progress
    from hooks_compile.model import CompileResult, Interpreter, Optimize
    from hooks_compile.project.record import Project


class Synced(NamedTuple):
    """What a sync found and did.

    ``results`` are those of the hooks, ``modules`` those of their local modules. ``pruned`` are the
    files that were removed. ``refused`` are the errors of those that could not be.
    """

    results: Sequence[CompileResult]
    modules: Sequence[CompileResult]
    pruned: Sequence[Path] = ()
    refused: Sequence[OSError] = ()

    @property
    def broken(self) -> list[CompileResult]:
        """Return the sources that do not compile, each once, hooks first."""
        found: dict[Path, CompileResult] = {}
        for result in (*self.results, *self.modules):
            if result.state is State.BROKEN:
                found.setdefault(result.source.path, result)
        return list(found.values())


def synchronize(
    project: Project,
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
    *,
    prune: bool = True,
    progress: Progress = lambda _interpreter, _share: None,
) -> Synced:
    """Compile what changed in ``project`` and, with ``prune``, remove what no launch needs.

    ``progress`` is as for Compiler. Safe at the same time as launches and other syncs. A file that
    can't be written or removed does not stop the rest. Raises RuntimeDirectoryError or
    InterpreterError if nothing can be compiled.
    """
    runtime_directory.ensure(project.runtime)
    key = runtime_directory.read_key(project.runtime)
    with Compiler(interpreters, key, optimize, progress) as compiler:
        results = compiler.compile(project.sources)
        modules = compiler.modules(project.importable(), write=True)
    if not prune:
        return Synced(results, modules)
    needed = {result.entry.name for result in results if result.entry}
    pruned = prune_all(project, needed)
    return Synced(results, modules, pruned.removed, pruned.errors)


def prune_all(project: Project, needed: set[str]) -> cache.Removals:
    """Remove what no launch of the project needs; the entries named in ``needed`` stay."""
    pruned = cache.Removals([], [])
    for directory in project.directories():
        remove = partial(cache.prune, keep=project.config.keep, needed=needed)
        pruned.run(remove, cache.directory_in(directory))
    try:
        fallbacks.shorten_log(project.runtime)
        forget_left_to_uv(project.runtime, [source.path for source in project.sources])
    except OSError as error:
        pruned.errors.append(error)
    return pruned


def compile_changed(
    project: Project,
    paths: Iterable[Path],
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
) -> Synced:
    """Compile those of ``paths`` that are hooks, or modules beside hooks, and store the entries.

    ``project`` is the whole one. Without a runtime directory nothing is stored, since that stops no
    commit. Raises InterpreterError if an interpreter can't be run.
    """
    wanted = {os.path.realpath(path) for path in paths}
    sources = [source for source in project.sources if str(source.path) in wanted]
    modules = [module for module in project.modules() if str(module.path) in wanted]
    can_write = True
    try:
        runtime_directory.ensure(project.runtime)
        key = runtime_directory.read_key(project.runtime)
    except RuntimeDirectoryError:  # a launch runs the source then, and says why
        key, can_write = os.urandom(16), False
    with Compiler(interpreters, key, optimize) as compiler:
        results = compiler.compile(sources) if can_write else compiler.check(sources)
        return Synced(results, compiler.modules(modules, write=can_write))


def examine(
    project: Project,
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
    *,
    modules: bool = True,
    explain: bool = False,
) -> Synced:
    """Return the state of every source, and with ``modules`` of their local modules.

    With ``explain`` the level of each entry has its reason. Nothing is written. Without a runtime
    directory that can be trusted no source counts as compiled. Raises InterpreterError if an
    interpreter can't be run.
    """
    try:
        key = runtime_directory.read_key(project.runtime)
    except RuntimeDirectoryError:
        key = os.urandom(16)  # no entry verifies under it
    with Compiler(interpreters, key, optimize) as compiler:
        results = compiler.check(project.sources, explain=explain)
        return Synced(results, compiler.modules(project.modules() if modules else (), write=False))


def tracked_cache_files(project: Project) -> list[Path]:
    """Return the compiled files of hooks and of the modules beside them that git tracks."""
    root = project.root
    if project.repository is None:
        return []
    inside = [each for each in project.directories() if each.is_relative_to(root)]
    pathspecs = [f":(glob)**/{CACHE_DIRECTORY}/**"]
    pathspecs += [f":(literal){each.relative_to(root) / cache.MODULE_DIRECTORY}" for each in inside]
    return [root / name for name in git.tracked_matching(root, pathspecs)]
