"""The sources of one tree: which are due, how they stand, which of their entries may go."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH116, PTH120

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.entries import cache
from watcher.batching import Due, Pending
from watcher.ledger import Ledger
from watcher.model import Changes, Removed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from hooks_compile.entries.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, State
    from watcher.model import Broken, Message

# So many sources are looked at between two looks at what else there is to do.
_SLICE = 50
_FIRST_SLICE = 500
_PRUNE_AFTER_S = 2.0


class Sources:
    """Hooks and local modules by path, as they were found last; a hook may be a module too."""

    def __init__(self, compiler: Callable[[], Compiler], clock: Callable[[], float]) -> None:
        """``compiler`` gives the compiler of the moment, and is only asked when it is needed."""
        self.hooks: Mapping[str, HookSource] = {}
        self.modules: Mapping[str, HookSource] = {}
        self.pending = Pending()
        self.counts: dict[State, int] = {}
        self.is_scanned = False
        self._compiler = compiler
        self._clock = clock
        self._missing = False
        self._to_prune: dict[str, float] = {}
        self._hook_ledger = Ledger("hook")
        self._module_ledger = Ledger("module")

    @property
    def broken(self) -> list[Broken]:
        """What does not compile at the moment."""
        return [*self._hook_ledger.broken.values(), *self._module_ledger.broken.values()]

    @property
    def paths(self) -> set[str]:
        """All of them."""
        return self.hooks.keys() | self.modules.keys()

    def next_due(self) -> float | None:
        """Return when there is something to do, None if nothing waits."""
        times = [self.pending.next_due(), min(self._to_prune.values(), default=None)]
        return min((due for due in times if due is not None), default=None)

    def replace(
        self, hooks: Mapping[str, HookSource], modules: Mapping[str, HookSource]
    ) -> tuple[list[str], list[Path], list[Message]]:
        """Take what was found; returns what is new, what has gone, and what is said of that.

        A hook whose project says something else about its imports is new, too.
        """
        imports = {path: hook.imports for path, hook in self.hooks.items()}
        new = [path for path, hook in hooks.items() if imports.get(path) != hook.imports]
        new += [path for path in modules if path not in self.modules]
        lost_hooks = sorted(self.hooks.keys() - hooks.keys())
        lost_modules = sorted(self.modules.keys() - modules.keys())
        messages: list[Message] = []
        messages += [Removed(self.hooks[path].path, "hook") for path in lost_hooks]
        only = (path for path in lost_modules if path not in self.hooks)
        messages += [Removed(self.modules[path].path, "module") for path in only]
        for path in lost_hooks:
            self._hook_ledger.remove(path)
        for path in lost_modules:
            self._module_ledger.remove(path)
        gone = sorted(self.paths - hooks.keys() - modules.keys())
        for path in gone:
            self.pending.drop(path)
            self._plan_prune(path)
        known = {**self.modules, **self.hooks}
        self.hooks, self.modules = hooks, modules
        return new, [known[path].path for path in gone], messages

    def ask_for(self, paths: Iterable[str]) -> None:
        """Look at these soon, though no event told of them."""
        now = self._clock()
        for path in paths:
            self.pending.ask(path, now)

    def ask_for_those_in(self, folders: Container[str]) -> None:
        """Look at all sources that are directly in one of these folders."""
        self.ask_for(path for path in self.paths if os.path.dirname(path) in folders)

    def take_missing(self) -> bool:
        """Tell whether a source was not there when it was looked at, and forget it."""
        missing, self._missing = self._missing, False
        return missing

    def compile_due(self) -> list[Message]:
        """Compile what is due, and give what is to be said about it."""
        dues = self.pending.take(self._clock())
        return self._look(dues) if dues else []

    def scan(self) -> Iterator[list[Message]]:
        """Compare everything with its entries by content; pauses between the slices."""
        self.counts = {}
        paths = sorted(self.paths)
        size = _SLICE if self.is_scanned else _FIRST_SLICE
        for start in range(0, len(paths), size):
            dues = [Due(path, None, quiet=False) for path in paths[start : start + size]]
            messages = self._look(dues)
            yield [m for m in messages if self.is_scanned or not isinstance(m, Changes)]
        if not self.is_scanned:  # later, each change has its folder pruned
            self._to_prune |= dict.fromkeys(map(os.path.dirname, self.hooks), self._clock())
        self.is_scanned = True

    def prune_due(self, keep: int) -> Iterator[Callable[[], list[Path]]]:
        """Give functions that remove old entries, each to be called in whatever thread.

        What they return goes to :meth:`pruned`.
        """
        now = self._clock()
        for folder in [folder for folder, due in self._to_prune.items() if due <= now]:
            del self._to_prune[folder]
            needed = list(self._hook_ledger.entry_names(folder))
            place = cache.directory_in(Path(folder))
            yield partial(cache.prune, place, keep=keep, needed=needed)

    def pruned(self, removed: Iterable[Path]) -> None:
        """Take note of entries that were removed: one may have come back into use meanwhile."""
        names: dict[str, set[str]] = {}
        for path in removed:
            names.setdefault(os.fspath(path.parent.parent), set()).add(path.name)
        for folder, gone in names.items():
            if not gone.isdisjoint(self._hook_ledger.entry_names(folder)):
                self.ask_for_those_in({folder})

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
        """Leave out what has gone, and empty hooks that may be about to be written."""
        kept: list[Due] = []
        empty: set[str] = set()
        now = self._clock()
        for due in dues:
            try:
                is_empty = os.stat(due.path).st_size == 0 and due.path in self.hooks
            except OSError:
                self._missing = True
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
