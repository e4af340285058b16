"""One watched tree: what is known of it, and what to do about its events."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH112, PTH116, PTH120

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from hooks_compile import cache, shebang
from hooks_compile.config import DOTFILE, PYPROJECT
from hooks_compile.errors import HooksCompileError
from watcher import filters, places
from watcher.batching import Due, Pending, Settling
from watcher.filters import Meaning
from watcher.ledger import Ledger
from watcher.model import Changes, Kind, Notice, Removed
from watcher.survey import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from hooks_compile.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, Interpreter, State
    from watcher.compilers import Compilers
    from watcher.model import Broken, Event, Message
    from watcher.places import Places
    from watcher.survey import Options, Survey

# So many sources are looked at between two looks at what else there is to do.
_SLICE = 50
_FIRST_SLICE = 500
_MOST_REMEMBERED = 1000
# Who removes a whole folder begins with what is in it: to put entries back at once would be in
# their way.
_ROBBED_S = 1.0
_PRUNE_AFTER_S = 2.0
# A survey that took so long is followed by so many times as long without one.
_REST = 4
_GONE = "is gone: waiting for it to come back"


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
        self.hooks: dict[str, HookSource] = {}
        self.modules: dict[str, HookSource] = {}
        self.places: Places = {}
        self.is_replanned = False
        self.counts: dict[State, int] = {}
        self.scanned = False
        self.pending = Pending()
        self._whole = whole
        self._options = options
        self._compilers = compilers
        self._clock = clock
        self._survey: Survey | None = None
        self.is_surveying = False
        self._survey_start = self._rested = 0.0
        self._shape = Settling()
        self._is_certain = False
        self._is_thorough = True
        self._doubtful: set[str] = set()
        self._heard: dict[str, float] = {}
        self._heard_before: dict[str, float] = {}
        self._cache_lost = Settling(_ROBBED_S)
        self._robbed: set[str] = set()
        self._remembered: dict[Path, None] = {}
        self._to_prune: dict[str, float] = {}
        self._hook_ledger = Ledger("hook")
        self._module_ledger = Ledger("module")
        self._trouble = ""

    @property
    def root(self) -> Path:
        """The root of the work tree, as far as it is known."""
        return self._survey.project.root if self._survey else self.given

    @property
    def interpreters(self) -> tuple[Interpreter, ...]:
        """Those that the hooks are compiled for, as far as they are known."""
        return self._survey.interpreters if self._survey else ()

    @property
    def broken(self) -> list[Broken]:
        """What does not compile at the moment."""
        return [*self._hook_ledger.broken.values(), *self._module_ledger.broken.values()]

    # events

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
        self._shape.note(event.time)
        if event.kind is Kind.GONE:
            self.pending.drop(event.path)
            self._heard.pop(event.path, None)
        else:
            self._heard[event.path] = event.time
        runtime = str(self._survey.project.runtime) if self._survey else ""
        is_about_python = event.path.startswith(f"{runtime}/") or event.path.endswith(
            "/.python-version"
        )
        self._is_thorough = self._is_thorough or event.is_folder or is_about_python

    def watched(self, added: Container[str]) -> None:
        """Take note that watches on these places are live: what happened before went unseen."""
        self._is_certain = True
        self._shape.note(self._clock())
        if self.scanned:
            self._ask_for_those_in(added)

    def next_due(self) -> float | None:
        """Return when there is something to do, None if nothing waits."""
        prune = min(self._to_prune.values(), default=None)
        times = [self.pending.next_due(), self._cache_lost.due, prune]
        if self._shape.due is not None and not self.is_surveying:
            times.append(max(self._shape.due, self._rested))
        return min((due for due in times if due is not None), default=None)

    # what there is

    def survey_due(self) -> Request | None:
        """Return what is to be found out now that the changes have settled, if anything."""
        now = self._clock()
        if self.is_surveying or now < self._rested or not self._shape.take(now):
            return None
        doubtful, self._doubtful = self._doubtful, set()
        if not self._is_certain and not any(map(_may_be_hook, doubtful)):
            self._heard.clear()
            return None
        return self.request(thorough=self._is_thorough)

    def request(self, *, thorough: bool) -> Request:
        """Return what is to be found out; the answer goes to :meth:`take` or :meth:`fail`."""
        self.is_surveying = True
        self._survey_start = self._clock()
        self._is_certain = self._is_thorough = False
        self._heard, self._heard_before = {}, self._heard
        names = tuple(self._remembered)
        return Request(self.given, self._whole, self._options, thorough, self._survey, names)

    def take(self, survey: Survey) -> list[Message]:
        """Take what was found; what is new waits to be compiled afterwards."""
        last, self._survey = self._survey, survey
        self._rest()
        messages: list[Message] = []
        if self._trouble:
            messages.append(Notice("can be used again", self.given))
            self._trouble = ""
        new = [path for path in survey.hooks if path not in self.hooks]
        new += [path for path in survey.modules if path not in self.modules]
        messages += self._take_leave(survey)
        self.hooks, self.modules = dict(survey.hooks), dict(survey.modules)
        self._watch(survey.places)
        if last is not None:  # the first scan comes by all of them
            for path in new:
                since = self._heard_of(path)
                if since is not None:
                    self.pending.note(path, since, whole=True)
            self._ask_for(new)
            if last.compiling != survey.compiling:
                self._ask_for([*self.hooks, *self.modules])
        return messages

    def fail(self, error: Exception) -> list[Message]:
        """Take it that nothing was found; what is known stays, unless it has all gone.

        Raises ``error`` where it is none that the user can mend.
        """
        self._rest()
        self._is_thorough = True
        if not isinstance(error, HooksCompileError):
            raise error
        is_gone = not self.given.exists()
        if is_gone:
            for path in self.hooks.keys() | self.modules.keys():
                self._forget(path)
            self._watch(places.of_names([self.given]))
        else:
            files = [self.root / name for name in (PYPROJECT, DOTFILE)]
            here = places.of_names([self.given, self.root, *files])
            self._watch(places.merged(self.places, here))
        text = _GONE if is_gone else str(error)
        if text == self._trouble:
            return []
        self._trouble = text
        return [Notice(text, self.given if is_gone else None, trouble=True)]

    def _rest(self) -> None:
        """The survey is over; the next one may not take all the time there is."""
        self.is_surveying = False
        now = self._clock()
        self._rested = now + _REST * (now - self._survey_start)

    def _heard_of(self, path: str) -> float | None:
        """Return when an event told of a new source, or of a folder that it came with."""
        while path not in self._heard_before:
            if path == os.path.dirname(path):
                return None
            path = os.path.dirname(path)
        return self._heard_before[path]

    def _take_leave(self, survey: Survey) -> list[Message]:
        """Forget what is not there any more, and say so."""
        lost = self.hooks.keys() - survey.hooks.keys()
        messages: list[Message] = []
        messages += [Removed(self.hooks[path].path, "hook") for path in sorted(lost)]
        for path in lost:
            self._hook_ledger.remove(path)
        lost = self.modules.keys() - survey.modules.keys() - self.hooks.keys()
        messages += [Removed(self.modules[path].path, "module") for path in sorted(lost)]
        known = self.hooks.keys() | self.modules.keys()
        for path in known - survey.hooks.keys() - survey.modules.keys():
            self._forget(path)
        return messages

    def _forget(self, path: str) -> None:
        source = self.hooks.pop(path, None) or self.modules[path]
        self.modules.pop(path, None)
        self.pending.drop(path)
        self._hook_ledger.remove(path)
        self._module_ledger.remove(path)
        self._remembered[source.path] = None
        while len(self._remembered) > _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._plan_prune(path)

    def _watch(self, wanted: Places) -> None:
        self.places = places.that_exist(wanted)
        self.is_replanned = True

    def _ask_for_those_in(self, folders: Container[str]) -> None:
        sources = [*self.hooks, *self.modules]
        self._ask_for(path for path in sources if os.path.dirname(path) in folders)

    def _ask_for(self, paths: Iterable[str]) -> None:
        now = self._clock()
        for path in paths:
            self.pending.ask(path, now)

    # compiling

    def compile_due(self) -> list[Message]:
        """Compile what is due, and give what is to be said about it."""
        now = self._clock()
        if self._cache_lost.take(now):
            self._ask_for_those_in(self._robbed)
            self._robbed.clear()
        dues = self.pending.take(now)
        return self._look(dues) if dues else []

    def scan(self) -> Iterator[list[Message]]:
        """Compare everything with its entries by content; pauses between the slices."""
        self.counts = {}
        paths = list(self.hooks | self.modules)
        size = _SLICE if self.scanned else _FIRST_SLICE
        for start in range(0, len(paths), size):
            dues = [Due(path, None, quiet=False) for path in paths[start : start + size]]
            messages = self._look(dues)
            yield [m for m in messages if self.scanned or not isinstance(m, Changes)]
        if not self.scanned:  # later, each change has its folder pruned
            self._to_prune |= dict.fromkeys(map(os.path.dirname, self.hooks), self._clock())
        self.scanned = True

    def prune_due(self) -> Iterator[Callable[[], list[Path]]]:
        """Give functions that remove old entries, each to be called in whatever thread.

        What they return goes to :meth:`pruned`.
        """
        now = self._clock()
        for folder in [folder for folder, due in self._to_prune.items() if due <= now]:
            del self._to_prune[folder]
            if self._survey is not None and os.path.isdir(folder):
                project = self._survey.project
                needed = list(self._hook_ledger.entry_names(folder))
                place = cache.folder_in(project.root / folder)
                yield partial(cache.prune, place, keep=project.config.keep, needed=needed)

    def pruned(self, removed: Iterable[Path]) -> None:
        """Take note of entries that were removed: one may have come back into use meanwhile."""
        names: dict[str, set[str]] = {}
        for path in removed:
            names.setdefault(os.fspath(path.parent.parent), set()).add(path.name)
        for folder, gone in names.items():
            if not gone.isdisjoint(self._hook_ledger.entry_names(folder)):
                self._ask_for_those_in({folder})

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

    def _compiler(self) -> Compiler:
        assert self._survey is not None  # noqa: S101 - hooks and modules came with it
        return self._compilers.get(*self._survey.compiling)

    def _without_unfinished(self, dues: Sequence[Due]) -> tuple[list[Due], set[str]]:
        """Leave out what has gone, and empty hooks that may be about to be written."""
        kept: list[Due] = []
        empty: set[str] = set()
        now = self._clock()
        for due in dues:
            try:
                is_empty = os.stat(due.path).st_size == 0 and due.path in self.hooks
            except OSError:
                self._is_certain = True
                self._shape.note(now)
                continue
            is_news = due.since is not None or not self._hook_ledger.knows(due.path)
            if is_empty and is_news and not due.quiet:
                self.pending.again(due.path, now, due.since)
                continue
            if is_empty:
                empty.add(due.path)
            kept.append(due)
        return kept, empty

    def _enter(
        self,
        ledger: Ledger,
        results: Sequence[CompileResult],
        dues: Sequence[Due],
        empty: Container[str],
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
        self._to_prune[os.path.dirname(path)] = self._clock() + _PRUNE_AFTER_S


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
