"""Brings every entry of a work tree up to date: what git hooks and the watcher do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hooks_compile.entries.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, Interpreter, Optimize
    from hooks_compile.project.record import Project


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync found and did.

    ``results`` are those of the hooks, ``modules`` those of their local modules. ``pruned`` are the
    files that were removed. ``refused`` are the errors of those that could not be.
    """

    results: tuple[CompileResult, ...]
    modules: tuple[CompileResult, ...]
    pruned: tuple[Path, ...]
    refused: tuple[OSError, ...] = ()

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
    """Compile what changed in ``project`` and, with ``prune``, remove what no launch needs.

    ``optimize`` takes the place of the configured level, ``progress`` is the compiler's. Safe at
    the same time as launches and other syncs. A file that can't be written or removed does not
    stop the rest. Raises RuntimeDirectoryError or InterpreterError if nothing can be compiled.
    """
    from hooks_compile.entries.compiler import Compiler  # noqa: PLC0415 - see broken
    from hooks_compile.install import runtime_directory  # noqa: PLC0415 - see broken

    runtime_directory.ensure(project.runtime)
    key = runtime_directory.read_key(project.runtime)
    level = project.config.optimize if optimize is None else optimize
    with Compiler(interpreters, key, level, progress) as compiler:
        results = compiler.compile(project.sources)
        modules = compile_modules(compiler, project.importable())
    if not prune:
        return Synced(tuple(results), tuple(modules), ())
    needed = {result.entry.name for result in results if result.entry}
    pruned, refused = _prune(project, needed)
    return Synced(tuple(results), tuple(modules), tuple(pruned), tuple(refused))


def compile_modules(compiler: Compiler, modules: Sequence[HookSource]) -> list[CompileResult]:
    """Compile local modules into their ``__pycache__``, and return the results.

    A file that git tracks is never written: that would be a change for the next commit.
    """
    from hooks_compile.entries import cache  # noqa: PLC0415 - see broken
    from hooks_compile.model import State  # noqa: PLC0415 - see broken

    found = compiler.modules(modules, write=False)
    missing = {result.source for result in found if result.state is State.MISSING}
    for directory in {module.path.parent for module in missing}:
        names = cache.tracked_modules(cache.module_directory_in(directory))
        stems = {name.partition(".")[0] for name in names}
        missing = {m for m in missing if m.path.parent != directory or m.path.stem not in stems}
    written = compiler.modules(sorted(missing), write=True)
    now = {(result.source, result.interpreter): result for result in written}
    return [now.get((result.source, result.interpreter), result) for result in found]


def _prune(project: Project, needed: set[str]) -> tuple[list[Path], list[OSError]]:
    """Return what was removed, and the errors of what could not be."""
    from hooks_compile.entries import cache, fallbacks  # noqa: PLC0415 - see broken
    from hooks_compile.interpreters.launch_records import forget_left_to_uv  # noqa: PLC0415 - same

    def prune_hooks(directory: Path) -> list[Path]:
        return cache.prune(directory, keep=project.config.keep, needed=needed)

    def prune_abandoned(directory: Path) -> list[Path]:
        pruned = cache.prune(directory, keep=project.config.keep)
        return pruned + cache.remove_unused(directory)

    def prune_records(runtime: Path) -> list[Path]:
        fallbacks.shorten_log(runtime)
        forget_left_to_uv(runtime, [source.path for source in project.sources])
        return []

    abandoned = project.abandoned() if not project.given else ()
    tasks = [
        *((prune_hooks, cache.directory_in(directory)) for directory in project.directories()),
        *((prune_abandoned, cache.directory_in(directory)) for directory in abandoned),
        (prune_records, project.runtime),
    ]
    removed: list[Path] = []
    refused: list[OSError] = []
    for task, directory in tasks:
        try:
            removed += task(directory)
        except OSError as error:
            refused.append(error)
    return removed, refused


def examine(
    project: Project,
    interpreters: Sequence[Interpreter],
    optimize: Optimize | None = None,
    progress: Callable[[int], None] = lambda _: None,
    *,
    modules: bool = True,
    explain: bool = False,
) -> Synced:
    """Return the state of every source, and with ``modules`` of their local modules.

    With ``explain`` the level of each entry has its reason. Nothing is written. Without a runtime
    directory that can be trusted no source counts as compiled. Raises InterpreterError if an
    interpreter can't be run.
    """
    from hooks_compile.entries.compiler import Compiler  # noqa: PLC0415 - see broken
    from hooks_compile.errors import RuntimeDirectoryError  # noqa: PLC0415 - see broken
    from hooks_compile.install import runtime_directory  # noqa: PLC0415 - see broken

    try:
        key = runtime_directory.read_key(project.runtime)
    except RuntimeDirectoryError:
        key = os.urandom(16)  # no entry verifies under it
    level = project.config.optimize if optimize is None else optimize
    with Compiler(interpreters, key, level, progress) as compiler:
        results = compiler.check(project.sources, explain=explain)
        local = compiler.modules(project.modules(), write=False) if modules else []
    return Synced(tuple(results), tuple(local), ())
