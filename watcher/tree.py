"""One watched tree: what is in it, and what to do about its events."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH112, PTH116, PTH120

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import cache, git, runtime_folder, shebang
from hooks_compile.errors import HooksCompileError
from hooks_compile.project import find_interpreters, open_project
from watcher import filters, places
from watcher.batching import Due, Pending, Settling
from watcher.filters import Meaning
from watcher.ledger import Ledger
from watcher.model import Changes, Kind, Notice, Removed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, Interpreter, Optimize, State
    from hooks_compile.project import Project
    from watcher.compilers import Compilers
    from watcher.model import Broken, Event, Message
    from watcher.places import Places

# So many sources are looked at between two looks at what else there is to do.
_SLICE = 200
_FIRST_SLICE = 2000
_MOST_REMEMBERED = 1000
_ROBBED_S = 1.0
_GONE = "is gone: waiting for it to come back"
PRUNE_AFTER_S = 2.0
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


class Tree:
    """The hooks and modules below ``given``: a whole project, or the files of a folder."""

    def __init__(
        self,
        given: Path,
        options: Options,
        compilers: Compilers,
        *,
        whole: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at nothing yet; ``given`` is absolute, and may be a symlink."""
        self.given = given
        self.whole = whole
        self.hooks: dict[str, HookSource] = {}
        self.modules: dict[str, HookSource] = {}
        self.interpreters: tuple[Interpreter, ...] = ()
        self.places: Places = {}
        self.pending = Pending()
        self.shape = Settling()
        self.scanned = False
        self.counts: dict[State, int] = {}
        self.is_replanned = False
        self._options = options
        self._compilers = compilers
        self._clock = clock
        self._project: Project | None = None
        self._key = b""
        self._structure: list[str] = []
        self._is_certain = False
        self._doubtful: set[str] = set()
        # Who removes a whole folder begins with what is in it: to put entries back at once would
        # be in their way.
        self._cache_lost = Settling(_ROBBED_S)
        self._robbed: set[str] = set()
        self._remembered: dict[str, None] = {}
        self._to_prune: dict[str, float] = {}
        self._hook_ledger = Ledger("hook")
        self._module_ledger = Ledger("module")
        self._stale = True
        self._trouble = ""

    @property
    def root(self) -> Path:
        """The root of the work tree, as far as it is known."""
        return self._project.root if self._project else self.given

    @property
    def broken(self) -> list[Broken]:
        """What does not compile at the moment."""
        return [*self._hook_ledger.broken.values(), *self._module_ledger.broken.values()]

    def route(self, event: Event) -> None:
        """Note what has to be done about an event."""
        known = filters.Known(self.hooks, self.modules, self.places)
        match filters.meaning(event, known):
            case Meaning.HOOK | Meaning.MODULE:
                whole = event.kind in (Kind.SAVED, Kind.MOVED_IN)
                self.pending.note(event.path, event.time, whole=whole)
            case Meaning.CACHE:
                self._robbed.add(os.path.dirname(event.path))
                self._cache_lost.note(event.time)
            case Meaning.SHAPE:
                self._is_certain = True
                self._note_shape(event)
            case Meaning.MAYBE:
                self._doubtful.add(event.path)
                self._note_shape(event)
            case Meaning.NOTHING:
                pass
        if event.kind is Kind.GONE and self._robbed:
            self._cache_lost.note(event.time)

    def _note_shape(self, event: Event) -> None:
        self.shape.note(event.time)
        if event.kind is Kind.GONE:
            self.pending.drop(event.path)
        if event.is_folder:
            self._structure.clear()
        runtime = str(self._project.runtime) if self._project else ""
        if event.path.startswith(f"{runtime}/") or event.path.endswith("/.python-version"):
            self._stale = True

    def next_due(self) -> float | None:
        """Return when there is something to do, None if nothing waits."""
        prune = min(self._to_prune.values(), default=None)
        times = [self.pending.next_due(), self.shape.due, self._cache_lost.due, prune]
        return min((due for due in times if due is not None), default=None)

    def step(self) -> Iterator[list[Message]]:
        """Do what is due by now, and give what is to be said about it."""
        now = self._clock()
        if self._cache_lost.take(now):
            self._ask_for_those_in(self._robbed)
            self._robbed.clear()
        if dues := self.pending.take(now):
            yield self._look(dues)
        if self.shape.take(now):
            doubtful, self._doubtful = self._doubtful, set()
            if self._is_certain or any(map(_may_be_hook, doubtful)):
                self._is_certain = False
                yield self.refresh()
                yield self._look(self.pending.take(self._clock()))
        for folder, due in list(self._to_prune.items()):
            if due <= now:
                del self._to_prune[folder]
                self._prune(folder)

    def scan(self) -> Iterator[list[Message]]:
        """Compare everything with its entries by content; pauses between the slices."""
        self._structure.clear()
        self._stale = True
        self.counts = {}
        yield self.refresh(thorough=True)
        paths = [*self.hooks, *self.modules]
        size = _SLICE if self.scanned else _FIRST_SLICE
        for start in range(0, len(paths), size):
            messages = self._look([Due(path, None, False) for path in paths[start : start + size]])
            yield [m for m in messages if self.scanned or not isinstance(m, Changes)]
        for folder in {os.path.dirname(path) for path in self.hooks}:
            self._prune(folder)
            yield []
        self.scanned = True

    def refresh(self, *, thorough: bool = False) -> list[Message]:
        """Find out which hooks there are now, and what has to be watched to know it.

        ``thorough`` also finds hooks that turned into modules of others, and other interpreters.
        What is new waits to be compiled afterwards.
        """
        thorough = thorough or self._project is None
        messages: list[Message] = []
        try:
            project = self._open()
            if self._stale or self._project is None or project.config != self._project.config:
                self._find_compiler(project)
        except HooksCompileError as error:
            return self._note_trouble(error)
        if self._trouble:
            messages.append(Notice("can be used again", self.given))
        self._trouble = ""
        is_first, self._project = self._project is None, project
        new = self._take_hooks(project, messages, thorough=thorough)
        for path in () if is_first else new:  # the first scan comes by them all
            self.pending.note(path, self.shape.last or self._clock(), whole=True)
        self._find_places(project)
        return messages

    def _open(self) -> Project:
        if not self.given.exists():
            raise HooksCompileError(_GONE, path=self.given)
        folder = (self.given if self.given.is_dir() else self.given.parent).resolve()
        project = open_project(folder, self._options.env, () if self.whole else (self.given,))
        if self.whole and project.root != folder:
            raise HooksCompileError(
                f"is no work tree of its own any more, but a part of {project.root}",
                path=self.given,
                remedy=f"hooks-watch '{project.root}'",
            )
        return project

    def _find_compiler(self, project: Project) -> None:
        runtime_folder.ensure(project.runtime)
        found = tuple(
            find_interpreters(project, project.root, self._options.env, self._options.commands)
        )
        key = runtime_folder.read_key(project.runtime)
        before = (self.interpreters, self._key, self._level(self._project))
        self._stale = False
        if before != (found, key, self._level(project)):
            self.interpreters, self._key = found, key
            if self._project is not None:
                self._ask_for([*self.hooks, *self.modules])

    def _level(self, project: Project | None) -> Optimize:
        if self._options.optimize is not None:
            return self._options.optimize
        return project.config.optimize if project else "auto"

    def _compiler(self) -> Compiler:
        return self._compilers.get(self.interpreters, self._key, self._level(self._project))

    def _note_trouble(self, error: HooksCompileError) -> list[Message]:
        """Say what is wrong, once; what is known stays as it is, unless it has all gone."""
        is_gone = not self.given.exists()
        text = _GONE if is_gone else str(error)
        if is_gone:
            for path in [*self.hooks, *self.modules]:
                self._forget(path)
        names = [self.given] if is_gone else [self.given, self.root]
        kept = {} if is_gone else self.places
        here = {} if is_gone else places.of_names([self.root / "pyproject.toml"])
        self._watch(places.merged(kept, here, places.of_names(names)))
        if text == self._trouble:
            return []
        self._trouble = text
        return [Notice(text, self.given if is_gone else None, trouble=True)]

    def watched(self, added: Iterable[str]) -> None:
        """Take note that watches on these places are live: what happened before went unseen."""
        added = set(added)
        if not added:
            return
        self._is_certain = True
        self.shape.note(self._clock())
        if self.scanned:
            self._ask_for_those_in(added)

    def _ask_for_those_in(self, folders: Container[str]) -> None:
        sources = [*self.hooks, *self.modules]
        self._ask_for(path for path in sources if os.path.dirname(path) in folders)

    def _ask_for(self, paths: Iterable[str]) -> None:
        now = self._clock()
        for path in paths:
            self.pending.ask(path, now)

    def _take_hooks(
        self, project: Project, messages: list[Message], *, thorough: bool
    ) -> list[str]:
        """Note which sources there are; says what has gone, and returns what is new."""
        hooks = {os.fspath(source.path): source for source in project.sources}
        modules = {os.fspath(source.path): source for source in project.modules()}
        if thorough:
            imported = project.imported_hooks()
        else:
            imported = [self.modules[path] for path in self.modules.keys() & hooks.keys()]
        modules |= {os.fspath(source.path): source for source in imported}
        new = [path for path in hooks if path not in self.hooks]
        new += [path for path in modules if path not in self.modules]
        lost = self.hooks.keys() - hooks.keys()
        messages += [Removed(self.hooks[path].path, "hook") for path in sorted(lost)]
        lost = self.modules.keys() - modules.keys() - self.hooks.keys()
        messages += [Removed(self.modules[path].path, "module") for path in sorted(lost)]
        for path in (self.hooks | self.modules).keys() - hooks.keys() - modules.keys():
            self._forget(path)
        for path in self.hooks.keys() - hooks.keys():
            self._hook_ledger.remove(path)
        self.hooks, self.modules = hooks, modules
        return new

    def _forget(self, path: str) -> None:
        self.hooks.pop(path, None)
        self.modules.pop(path, None)
        self.pending.drop(path)
        self._hook_ledger.remove(path)
        self._module_ledger.remove(path)
        self._remembered[path] = None
        while len(self._remembered) > _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._plan_prune(path)

    def _find_places(self, project: Project) -> None:
        if self.whole:
            self._structure = self._structure or places.structure_of(project.root)
            own = places.of_project(project, self.modules, self._structure)
        else:
            own = places.of_given(project, self.given, self.modules)
        # A hook that an editor removes and writes anew may be the only one of its folder.
        lost = places.of_names(project.root / path for path in self._remembered)
        own = places.with_folders_above(places.merged(own, lost), str(project.root))
        rest = places.of_names([self.given, project.root])
        self._watch(places.merged(own, rest, places.of_runtime(project.runtime)))

    def _watch(self, wanted: Places) -> None:
        self.places = places.that_exist(wanted)
        self.is_replanned = True

    def _look(self, dues: Sequence[Due]) -> list[Message]:
        """Compile what is not compiled of the sources of ``dues``."""
        dues, empty = self._without_unfinished(dues)
        hooks = [due for due in dues if due.path in self.hooks]
        modules = [due for due in dues if due.path in self.modules]
        messages: list[Message] = []
        if hooks:
            results = self._compiler().compile([self.hooks[due.path] for due in hooks])
            messages += self._enter(self._hook_ledger, results, hooks, empty)
        if modules:
            sources = [self.modules[due.path] for due in modules]
            results = self._compiler().modules(sources, write=True)
            messages += self._enter(self._module_ledger, results, modules, empty)
        return messages

    def _without_unfinished(self, dues: Sequence[Due]) -> tuple[list[Due], set[str]]:
        """Leave out what has gone, and what is empty but may be about to be written."""
        kept: list[Due] = []
        empty: set[str] = set()
        now = self._clock()
        for due in dues:
            try:
                size = os.stat(due.path).st_size
            except OSError:
                self._is_certain = True
                self.shape.note(now)
                continue
            if size == 0 and not due.quiet and due.since is not None:
                self.pending.again(due.path, now, due.since)
                continue
            if size == 0:
                empty.add(due.path)
            kept.append(due)
        return kept, empty

    def _enter(
        self,
        ledger: Ledger,
        results: Sequence[CompileResult],
        dues: Sequence[Due],
        empty: set[str],
    ) -> list[Message]:
        now = self._clock()
        news = ledger.enter(results, dues, now, empty)
        for due in news.suspects:
            self.pending.again(due.path, now, due.since)
        for changed in news.changed:
            self._plan_prune(os.fspath(changed.path))
        for result in results:
            self.counts[result.state] = self.counts.get(result.state, 0) + 1
        messages: list[Message] = [Changes(tuple(news.changed))] if news.changed else []
        return messages + news.others

    def _plan_prune(self, path: str) -> None:
        folder = os.path.dirname(path)
        self._to_prune[folder] = self._clock() + PRUNE_AFTER_S

    def _prune(self, folder: str) -> None:
        if self._project is not None and os.path.isdir(folder):
            path = self._project.root / folder
            needed = self._hook_ledger.entry_names(folder)
            cache.prune(cache.folder_in(path), keep=self._project.config.keep, needed=needed)


def _may_be_hook(path: str) -> bool:
    """Tell whether a file without a suffix is Python, or leads to a folder."""
    if os.path.isdir(path):
        return True
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return shebang.is_python(os.read(file, shebang.HEAD))
    except OSError:
        return False
    finally:
        os.close(file)
