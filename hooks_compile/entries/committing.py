"""What the pre-commit hooks do: compile what a commit changes, and check that all compiles."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.model import CompileResult, HookSource, State
from hooks_compile.runtime.entry import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hooks_compile.model import Interpreter, Optimize
    from hooks_compile.project.record import Project


@dataclass(frozen=True, slots=True)
class Checked:
    """The sources that do not compile, and the cache files that git tracks."""

    broken: tuple[CompileResult, ...]
    tracked: tuple[Path, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.broken and not self.tracked


def compile_changed(
    project: Project,
    paths: Sequence[Path],
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
) -> Checked:
    """Compile those of ``paths`` that are hooks, or modules beside hooks, and store the entries.

    ``project`` is the whole one. A cache that can't be written keeps nobody from committing: only
    what does not compile is told. Raises InterpreterError where an interpreter can't be run.
    """
    wanted = {os.path.realpath(path) for path in paths}
    sources = [source for source in project.sources if str(source.path) in wanted]
    modules = [module for module in project.modules() if str(module.path) in wanted]
    key, write = os.urandom(16), False
    try:
        runtime_folder.ensure(project.runtime)
        key, write = runtime_folder.read_key(project.runtime), True
    except RuntimeDirectoryError:
        pass  # a launch says why, and runs the source
    return Checked(_broken(sources, modules, interpreters, optimize, key, write=write))


def check_sources(
    project: Project, interpreters: Sequence[Interpreter], optimize: Optimize
) -> Checked:
    """Tell which hooks and modules do not compile, and which cache files git tracks.

    Reads nothing but the work tree and writes nothing at all. Raises InterpreterError as above.
    """
    key = os.urandom(16)  # nothing verifies, so everything is compiled
    broken = _broken(project.sources, project.modules(), interpreters, optimize, key, write=False)
    return Checked(broken, tuple(tracked_cache_files(project)))


def tracked_cache_files(project: Project) -> list[Path]:
    """Return the compiled files of hooks and of the modules beside them that git tracks."""
    root = project.root
    if git.repository(root) is None:
        return []
    folders = [folder for folder in project.folders() if folder.is_relative_to(root)]
    beside = [(folder / "__pycache__").relative_to(root).as_posix() for folder in folders]
    pathspecs = [f":(glob)**/{FOLDER}/**", *(f":(literal){name}" for name in beside)]
    return [root / name for name in git.tracked_matching(root, pathspecs)]


def _broken(
    sources: Sequence[HookSource],
    modules: Sequence[HookSource],
    interpreters: Sequence[Interpreter],
    optimize: Optimize,
    key: bytes,
    *,
    write: bool,
) -> tuple[CompileResult, ...]:
    with Compiler(interpreters, key, optimize) as compiler:
        results = compiler.compile(sources) if write else compiler.check(sources)
        results += compiler.modules(modules, write=write)
    return tuple(result for result in results if result.state is State.BROKEN)
