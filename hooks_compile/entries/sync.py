"""Bringing every entry of a work tree up to date: what git hooks and the watcher do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter, Optimize
    from hooks_compile.project.record import Project


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync found and did: results of the hooks, of their local modules, what was pruned."""

    results: tuple[CompileResult, ...]
    modules: tuple[CompileResult, ...]
    pruned: tuple[Path, ...]

    @property
    def broken(self) -> list[CompileResult]:
        """Return the sources that do not compile, each once, hooks first."""
        from hooks_compile.model import State  # noqa: PLC0415 - the compiler has loaded it by now

        found = {
            result.source.path: result
            for result in reversed((*self.results, *self.modules))
            if result.state is State.BROKEN
        }
        return list(found.values())[::-1]


def synchronize(
    project: Project,
    interpreters: Sequence[Interpreter],
    optimize: Optimize | None = None,
    progress: Callable[[int], None] = lambda _: None,
    *,
    prune: bool = True,
) -> Synced:
    """Compile what changed in ``project`` and, with ``prune``, remove what is gone.

    ``optimize`` takes the place of the configured level, ``progress`` is the compiler's. Safe at
    the same time as launches and other syncs. Raises RuntimeDirectoryError or InterpreterError if
    nothing can be compiled at all.
    """
    from hooks_compile.entries import cache, fallbacks  # noqa: PLC0415 - see broken
    from hooks_compile.entries.compiler import Compiler  # noqa: PLC0415
    from hooks_compile.install import runtime_directory as runtime_folder  # noqa: PLC0415 - see broken
    from hooks_compile.interpreters import uv_records as uv  # noqa: PLC0415 - see broken

    runtime_folder.ensure(project.runtime)
    key = runtime_folder.read_key(project.runtime)
    level = project.config.optimize if optimize is None else optimize
    with Compiler(interpreters, key, level, progress) as compiler:
        results = compiler.compile(project.sources)
        modules = compiler.modules([*project.modules(), *project.imported_hooks()], write=True)
    pruned: list[Path] = []
    if prune:
        needed = {result.entry.name for result in results if result.entry}
        for folder in map(cache.folder_in, project.folders()):
            pruned += cache.prune(folder, keep=project.config.keep, needed=needed)
        for folder in map(cache.folder_in, project.abandoned() if not project.given else ()):
            pruned += cache.prune(folder, keep=project.config.keep) + cache.remove_unused(folder)
        fallbacks.shorten_log(project.runtime)
        uv.forget_left(project.runtime, [source.path for source in project.sources])
    return Synced(tuple(results), tuple(modules), tuple(pruned))


def examine(
    project: Project,
    interpreters: Sequence[Interpreter],
    optimize: Optimize | None = None,
    progress: Callable[[int], None] = lambda _: None,
    *,
    modules: bool = True,
) -> Synced:
    """Tell how every source stands, and with ``modules`` their local modules; write nothing.

    Without a runtime folder that can be trusted nothing is compiled, and that is what it tells.
    Raises InterpreterError where an interpreter can't be run.
    """
    from hooks_compile.entries.compiler import Compiler  # noqa: PLC0415
    from hooks_compile.errors import RuntimeDirectoryError  # noqa: PLC0415
    from hooks_compile.install import runtime_directory as runtime_folder  # noqa: PLC0415 - see broken

    try:
        key = runtime_folder.read_key(project.runtime)
    except RuntimeDirectoryError:
        key = os.urandom(16)  # no entry verifies under it
    level = project.config.optimize if optimize is None else optimize
    with Compiler(interpreters, key, level, progress) as compiler:
        results = compiler.check(project.sources)
        local = compiler.modules(project.modules(), write=False) if modules else []
    return Synced(tuple(results), tuple(local), ())
