"""What the pre-commit hooks do: compile what a commit changes, and check that all compiles."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.entries import cache
from hooks_compile.entries.compiler import Compiler
from hooks_compile.entries.sync import compile_modules
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.model import CompileResult, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hooks_compile.model import HookSource, Interpreter, Optimize
    from hooks_compile.project.record import Project


@dataclass(frozen=True, slots=True)
class Checked:
    """The sources that do not compile, and the cache files that git tracks."""

    broken: tuple[CompileResult, ...]
    tracked: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is nothing to fix."""
        return not self.broken and not self.tracked


def compile_changed(
    project: Project,
    paths: Sequence[Path],
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
) -> Checked:
    """Compile those of ``paths`` that are hooks, or modules beside hooks, and store the entries.

    ``project`` is the whole one. A cache that can't be written stops no commit: the result has only
    what does not compile. Raises InterpreterError if an interpreter can't be run.
    """
    wanted = {os.path.realpath(path) for path in paths}
    sources = [source for source in project.sources if str(source.path) in wanted]
    modules = [module for module in project.modules() if str(module.path) in wanted]
    try:
        runtime_directory.ensure(project.runtime)
        key = runtime_directory.read_key(project.runtime)
    except RuntimeDirectoryError:  # a launch runs the source then, and says why
        return Checked(_broken(sources, modules, interpreters, optimize))
    with Compiler(interpreters, key, optimize) as compiler:
        results = compiler.compile(sources) + compile_modules(compiler, modules)
    return Checked(_only_broken(results))


def check_sources(
    project: Project, interpreters: Sequence[Interpreter], optimize: Optimize
) -> Checked:
    """Return which hooks and modules do not compile, and which cache files git tracks.

    Reads nothing but the work tree and writes nothing at all. Raises InterpreterError as above.
    """
    broken = _broken(project.sources, project.modules(), interpreters, optimize)
    return Checked(broken, tuple(tracked_cache_files(project)))


def tracked_cache_files(project: Project) -> list[Path]:
    """Return the compiled files of hooks and of the modules beside them that git tracks."""
    root = project.root
    if git.open_repository(root) is None:
        return []
    directories = [each for each in project.directories() if each.is_relative_to(root)]
    beside = [cache.module_directory_in(each).relative_to(root).as_posix() for each in directories]
    pathspecs = [f":(glob)**/{CACHE_DIRECTORY}/**", *(f":(literal){name}" for name in beside)]
    return [root / name for name in git.tracked_matching(root, pathspecs)]


def _broken(
    sources: Sequence[HookSource],
    modules: Sequence[HookSource],
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
) -> tuple[CompileResult, ...]:
    key = os.urandom(16)  # no entry verifies, so everything is compiled
    with Compiler(interpreters, key, optimize) as compiler:
        results = compiler.check(sources) + compiler.modules(modules, write=False)
    return _only_broken(results)


def _only_broken(results: Iterable[CompileResult]) -> tuple[CompileResult, ...]:
    return tuple(result for result in results if result.state is State.BROKEN)
