"""What a command works on: the work tree, its configuration, its hooks, the runtime directory.

The record is made once by :func:`open_project` and handed down.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.files import LARGEST_SOURCE, read_bytes
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.launch_records import launch_records
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config, load_config
from hooks_compile.project.search import CACHE, directories_with_cache, repository_above

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.git import Repository
    from hooks_compile.project.discovery import Agents

_IMPORT = re.compile(rb"[ \t]*(?:from[ \t]+(\w+)[ \t]|import[ \t]+(\w[\w, \t]*))")
_NAME = re.compile(rb"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Project:
    """A work tree and what was found in it.

    ``root`` is the work tree's root, or the current directory outside of git. ``given`` says that
    the sources were named one by one, not searched for. ``repository`` is None outside of git.
    ``listed`` are names of files of the work tree, as :class:`~.discovery.Found` has them; empty
    if nothing was searched for.
    """

    root: Path
    config: Config
    sources: tuple[HookSource, ...]
    runtime: Path
    given: bool
    repository: Repository | None = None
    listed: tuple[str, ...] = ()

    def directories(self) -> list[Path]:
        """Return the directories of the hook sources."""
        return sorted({source.path.parent for source in self.sources})

    def wrapper_directories(self) -> list[Path]:
        """Return the directories of hooks that agents run; git needs no wrapper."""
        from hooks_compile.project.discovery import GIT_ORIGINS  # noqa: PLC0415 - see open_project

        return sorted({s.path.parent for s in self.sources if s.origin not in GIT_ORIGINS})

    def abandoned(self, tops: Sequence[Path] = ()) -> list[Path]:
        """Return the directories that hold entries and no hook any more.

        They are searched for below ``tops``; without it in the usual and the included places, and
        in the directories where launches compiled something.
        """
        from hooks_compile.project.discovery import PROJECT_DIRECTORIES  # noqa: PLC0415 - as above
        from hooks_compile.project.globs import Glob  # noqa: PLC0415 - as above

        found: set[Path] = set()
        if not tops:
            included = [glob.prefix for glob in map(Glob.parse, self.config.include) if glob.prefix]
            tops = [self.root / name for name in (*PROJECT_DIRECTORIES, *included)]
            records = launch_records(self.runtime)
            launched = {Path(os.path.realpath(record.directory)) for record in records}
            inside = {each for each in launched if each.is_relative_to(self.root)}
            found = {each for each in inside if os.path.lexists(each / CACHE)}
        for top in tops:
            found.update(map(Path, directories_with_cache(os.path.realpath(top))))
        return sorted(found - set(self.directories()))

    def modules(self) -> list[HookSource]:
        """Return the local modules beside the hooks that are not hooks themselves."""
        from hooks_compile.project.discovery import local_modules  # noqa: PLC0415 - as above

        hooks = {source.path for source in self.sources}
        paths = (path for path in local_modules(self.sources) if path not in hooks)
        return [HookSource(path, "local module") for path in paths]

    def imported_hooks(self) -> list[HookSource]:
        """Return the hooks that a hook beside them seems to import: they are modules as well.

        An import in an unusual form is missed, and its ``__pycache__`` left to Python.
        """
        # Strings: for 10,000 hooks paths would double the time.
        named: set[str] = set()
        for source in self.sources:
            try:
                text = read_bytes(source.path, LARGEST_SOURCE)
            except OSError:
                continue  # reported when it is compiled
            directory = os.fspath(source.path).rpartition("/")[0]
            named.update(f"{directory}/{name}.py" for name in _imported(text))
        imported = (source for source in self.sources if os.fspath(source.path) in named)
        return [HookSource(source.path, "local module") for source in imported]

    def importable(self) -> list[HookSource]:
        """Return everything that is compiled as a module: for ``__pycache__``."""
        return [*self.modules(), *self.imported_hooks()]


def _imported(text: bytes) -> Iterator[str]:
    """Yield the top-level modules that are named by lines which look like an import."""
    position = text.find(b"import")
    while position >= 0:
        match = _IMPORT.match(text, text.rfind(b"\n", 0, position) + 1)
        if match is not None:
            yield from (name.decode() for name in _NAME.findall(match[1] or match[2]))
        position = text.find(b"import", position + 1)


def open_project(
    cwd: Path,
    env: Mapping[str, str],
    paths: Sequence[Path] = (),
    *,
    agents: Agents,
    home: Path | None = None,
    start: Path | None = None,
    repository: Repository | None = None,
) -> Project:
    """Return the project around ``cwd`` with its hooks; with ``paths`` only the hooks there.

    ``agents`` says which scripts agents run; ``home`` and ``start`` are as for
    :func:`~.discovery.discover`; ``repository`` is that of ``cwd`` if it is open already.
    Raises HooksCompileError for a configuration or a path that can't be used, GitError if git
    refuses the repository.
    """
    from hooks_compile import git  # noqa: PLC0415 - not every command needs a project
    from hooks_compile.project import discovery  # noqa: PLC0415 - as above

    # Without a .git above there is nothing to ask, and git need not be installed.
    here = Path(os.path.realpath(cwd))
    if repository is None and repository_above(str(here)):
        repository = git.open_repository(here)
    root = repository.work_tree if repository else here
    config = load_config(root)
    listed: tuple[str, ...] = ()
    if paths:
        sources = discovery.from_arguments([cwd / path for path in paths])
    else:
        sources, listed = discovery.discover(
            root, config, repository, agents, home=home, start=start
        )
    if config.imports:
        sources = [_with_imports(source, root, config) for source in sources]
    runtime = runtime_directory.location(env)
    return Project(root, config, tuple(sources), runtime, bool(paths), repository, listed)


def _with_imports(source: HookSource, root: Path, config: Config) -> HookSource:
    """Return the source with its project's setting for imports; others keep the default."""
    if not source.path.is_relative_to(root):
        return source
    return source._replace(imports=config.imports_of(source.path.relative_to(root).as_posix()))
