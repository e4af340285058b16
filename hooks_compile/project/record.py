"""What a command works on: the work tree, its hooks, its interpreters, the runtime folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import trust as outside
from hooks_compile.errors import InterpreterError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.interpreters.resolve import recorded, records, resolve, user_environment
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config, load_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.interpreters.shims import Passing
    from hooks_compile.model import Interpreter

_IMPORT = re.compile(rb"[ \t]*(?:from[ \t]+(\w+)[ \t]|import[ \t]+(\w[\w, \t]*))")
_NAME = re.compile(rb"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Project:
    """``root`` is the work tree's root, or the current folder outside of git; ``given`` tells
    whether the sources were named one by one instead of being searched for."""

    root: Path
    config: Config
    sources: tuple[HookSource, ...]
    runtime: Path
    given: bool

    def folders(self) -> list[Path]:
        """Return the folders that hold hook sources."""
        return sorted({source.path.parent for source in self.sources})

    def abandoned(self, tops: Sequence[Path] = ()) -> list[Path]:
        """Return the folders that hold entries and no hook any more.

        They are looked for below ``tops``, by default where hooks are usual or included, and in
        the folders where launches compiled some.
        """
        from hooks_compile.project.discovery import PROJECT_FOLDERS  # noqa: PLC0415 - see modules
        from hooks_compile.project.globs import Glob  # noqa: PLC0415
        from hooks_compile.project.search import CACHE, folders_with_cache  # noqa: PLC0415

        found: set[Path] = set()
        if not tops:
            included = [glob.prefix for glob in map(Glob.parse, self.config.include) if glob.prefix]
            tops = [self.root / name for name in (*PROJECT_FOLDERS, *included)]
            launched = {Path(os.path.realpath(record.folder)) for record in records(self.runtime)}
            inside = {folder for folder in launched if folder.is_relative_to(self.root)}
            found = {folder for folder in inside if os.path.lexists(folder / CACHE)}
        for top in tops:
            found.update(map(Path, folders_with_cache(os.path.realpath(top))))
        return sorted(found - set(self.folders()))

    def modules(self) -> list[HookSource]:
        """Return the local modules beside the hooks that are no hooks themselves."""
        from hooks_compile.project.discovery import local_modules  # noqa: PLC0415 - status needs none

        hooks = {source.path for source in self.sources}
        paths = (path for path in local_modules(self.sources) if path not in hooks)
        return [HookSource(path, "local module") for path in paths]

    def imported_hooks(self) -> list[HookSource]:
        """Return the hooks that a hook beside them seems to import: they are modules as well.

        An import in an unusual form is missed, and its ``__pycache__`` left to Python.
        """
        from hooks_compile.runtime import worker  # noqa: PLC0415 - see modules

        # Strings: for 10,000 hooks paths would double the time.
        named: set[str] = set()
        for source in self.sources:
            path = os.fspath(source.path)
            try:
                text = worker.read(path)
            except (OSError, ValueError):
                continue  # reported where it is compiled
            folder = path.rpartition("/")[0]
            named.update(f"{folder}/{name}.py" for name in _imported(text))
        imported = (source for source in self.sources if os.fspath(source.path) in named)
        return [HookSource(source.path, "local module") for source in imported]


def _imported(text: bytes) -> Iterator[str]:
    """Yield the top-level modules that the lines of a source name which look like an import."""
    position = text.find(b"import")
    while position >= 0:
        match = _IMPORT.match(text, text.rfind(b"\n", 0, position) + 1)
        if match is not None:
            yield from (name.decode() for name in _NAME.findall(match[1] or match[2]))
        position = text.find(b"import", position + 1)


def open_project(
    cwd: Path, env: Mapping[str, str], paths: Sequence[Path] = (), *, home: Path | None = None
) -> Project:
    """Find the project around ``cwd``, and its hooks: those in ``paths`` where any are given.

    With ``home`` the hooks in that home folder count as well.
    Raises HooksCompileError for a configuration or a path that can't be used.
    """
    from hooks_compile import git  # noqa: PLC0415 - git's process, not every command's
    from hooks_compile.project import discovery  # noqa: PLC0415 - git's process, not every command's

    root = git.work_tree(cwd) or cwd.resolve()
    config = load_config(root)
    if paths:
        sources = discovery.from_arguments([cwd / path for path in paths])
    else:
        sources = discovery.discover(root, config, home=home)
    if config.imports:
        sources = [_with_imports(source, root, config) for source in sources]
    return Project(root, config, tuple(sources), runtime_folder.location(env), bool(paths))


def _with_imports(source: HookSource, root: Path, config: Config) -> HookSource:
    """Return the source with what its project says about its imports; it says nothing of others."""
    if not source.path.is_relative_to(root):
        return source
    return replace(source, imports=config.imports_of(source.path.relative_to(root).as_posix()))


def wrapper_folders(project: Project) -> list[Path]:
    """Return the folders of hooks that agents run; git runs its hooks itself, without a wrapper."""
    from hooks_compile.project.discovery import GIT_ORIGINS  # noqa: PLC0415 - see open_project

    return sorted({s.path.parent for s in project.sources if s.origin not in GIT_ORIGINS})


def find_interpreters(
    project: Project, cwd: Path, env: Mapping[str, str], commands: Sequence[str] = ()
) -> list[Interpreter]:
    """Return the interpreters to compile for, without repetition.

    They are those of ``commands``, else those of the configuration and those that launches in the
    hooks' folders recorded. A name stands for nothing that the work tree brings (see
    :mod:`hooks_compile.trust`); a shim outside of it is asked in ``cwd``, as a hook there would.
    Raises InterpreterError for one that was asked for and is not there; a recorded one that is
    gone is left out.
    """
    users = user_environment(env)
    environment = outside.environment(users, project.root)
    # What others could have written there names no binary that we start.
    trusted = project.runtime.is_dir() and runtime_folder.is_private(project.runtime)
    cache = project.runtime / "interpreters.json" if trusted else None
    found = [
        resolve(command, cwd=cwd, env=environment, cache=cache)
        for command in (
            outside.command(name, users, project.root) for name in commands or project.config.python
        )
    ]
    if trusted and not commands:
        seen = recorded(project.runtime, project.folders())
        for path in filter(None, (outside.python(path, project.root, users) for path in seen)):
            try:
                found.append(resolve(path, cwd=cwd, env=environment, cache=cache))
            except InterpreterError:
                continue  # removed or broken since: nothing runs under it
    unique = {interpreter.executable: interpreter for interpreter in reversed(found)}
    return list(unique.values())[::-1]


def refresh_shims(
    project: Project, cwd: Path, env: Mapping[str, str], commands: Sequence[str] = ()
) -> list[Passing]:
    """Record what the shims among the commands choose in ``cwd``, so that launches go past them.

    The commands are those of :func:`find_interpreters`. Returns how launches meet each shim. In a
    runtime folder that is not this user's alone nothing is recorded.
    """
    from hooks_compile.interpreters import shims  # noqa: PLC0415 - most commands need none

    if not (project.runtime.is_dir() and runtime_folder.is_private(project.runtime)):
        return []
    users = user_environment(env)
    environment = outside.environment(users, project.root)
    found = [
        shims.refresh(project.runtime, command, cwd=cwd, env=environment)
        for command in (
            outside.command(name, users, project.root) for name in commands or project.config.python
        )
    ]
    return [passing for passing in found if passing is not None]
