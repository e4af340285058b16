"""The sources of one tree: which are due, the state of each, and what is worth reporting."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH116, PTH120

from __future__ import annotations

import math
import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.entries import cache
from hooks_compile.files import remedy
from hooks_compile.model import State
from watcher import lines
from watcher.debounce import QUIET_S, Debounce, Due
from watcher.lines import Changed, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hooks_compile.entries.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, SourceError

    _Error = tuple[Path, SourceError | None]

_PRUNE_AFTER_S = 20.0
_TROUBLES = {
    State.UNREADABLE: "can't be read",
    State.UNWRITABLE: "is not compiled: its entry can't be written",
}


class _Standing(NamedTuple):
    """The last results of a source: states, names of its entries, reported errors, trouble."""

    states: Sequence[State] = ()
    entries: Sequence[str] = ()
    errors: Sequence[_Error] = ()
    trouble: str = ""


class Sources:
    """Hooks and local modules by path; a hook that others import is both."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing is known yet. ``clock`` returns the time of the monotonic clock."""
        self.hooks: Mapping[str, HookSource] = {}
        self.modules: Mapping[str, HookSource] = {}
        self.due = Debounce()
        self.asked: dict[str, None] = {}  # due as well, though no event named them
        self.broken: dict[str, Message] = {}
        self.has_missing = False
        self._clock = clock
        self._standings: dict[str, _Standing] = {}
        self._prunes = Debounce()

    @property
    def paths(self) -> set[str]:
        """All paths."""
        return self.hooks.keys() | self.modules.keys()

    @property
    def counts(self) -> dict[State, int]:
        """How many results, one for each source and interpreter, have each state."""
        return Counter(state for each in self._standings.values() for state in each.states)

    def next_due(self) -> float:
        """Return when there is something to do, infinity if nothing waits."""
        return -math.inf if self.asked else min(self.due.next_due(), self._prunes.next_due())

    def replace(
        self, hooks: Mapping[str, HookSource], modules: Mapping[str, HookSource]
    ) -> list[Message]:
        """Take what a survey found; what is new is due."""
        before = {**self.modules, **self.hooks}
        was_hook, self.hooks, self.modules = self.hooks, hooks, modules
        known = {path: hook.imports for path, hook in was_hook.items()}
        new = (path for path, hook in hooks.items() if known.get(path) != hook.imports)
        self.asked |= dict.fromkeys([*new, *(modules.keys() - before.keys())])
        gone = before.keys() - self.paths
        for path in gone:
            self.broken.pop(path, None)
            self._standings.pop(path, None)
            self._plan_prune(path)
        return [
            lines.removed(before[path].path, "hook" if path in was_hook else "module")
            for path in sorted(gone | (was_hook.keys() - hooks.keys()))
        ]

    def paths_in(self, directory: str) -> list[str]:
        """Return the sources that are directly in ``directory``."""
        return [path for path in self.paths if os.path.dirname(path) == directory]

    def compile_due(self, compiler: Compiler, most: int) -> list[Message]:
        """Compile what is due and ``most`` of what is asked for; return what is worth reporting."""
        empty: set[str] = set()
        asked = [Due(path, None, quiet=False) for path in islice(self.asked, most)]
        for due in asked:
            del self.asked[due.key]
        dues = [*self.due.take(self._clock()), *asked]
        dues = [due for due in dues if self._is_ready(due, empty)]
        hooks = [self.hooks[due.key] for due in dues if due.key in self.hooks]
        modules = [self.modules[due.key] for due in dues if due.key in self.modules]
        results = compiler.compile(hooks) if hooks else []
        if modules:
            made = compiler.modules(modules, write=True)
            results += [each for each in made if os.fspath(each.source.path) not in self.hooks]
        by_path: dict[str, list[CompileResult]] = {}
        for result in results:
            by_path.setdefault(os.fspath(result.source.path), []).append(result)
        changed: list[Changed] = []
        messages: list[Message] = []
        for due in dues:
            if found := by_path.get(due.key):
                messages += self._enter(due, found, changed, is_empty=due.key in empty)
        return [lines.changes(changed), *messages] if changed else messages

    def prune_due(self, keep: int, now: float, most: int | None = None) -> Iterator[Message]:
        """Remove old entries from ``most`` directories that changed; those in use stay."""
        for due in self._prunes.take(now, most):
            directory = cache.directory_in(Path(due.key))
            paths = [path for path in self.paths_in(due.key) if path in self._standings]
            needed = [name for path in paths for name in self._standings[path].entries]
            try:
                cache.prune(directory, keep=keep, needed=needed)
            except OSError as error:
                cause = error.strerror or str(error)
                text = f"old entries can't be removed: {cause}"
                yield _trouble(directory, text, remedy(cause, directory))

    def _plan_prune(self, path: str) -> None:
        self._prunes.note(os.path.dirname(path), self._clock(), _PRUNE_AFTER_S)

    def _is_ready(self, due: Due, empty: set[str]) -> bool:
        """Return whether to compile a source now; add it to ``empty`` if it has no content."""
        if due.key not in self.hooks and due.key not in self.modules:
            return False
        try:
            is_empty = os.stat(due.key).st_size == 0 and due.key in self.hooks
        except OSError:
            self.has_missing = True
            return False
        is_news = due.since is not None or due.key not in self._standings
        if is_empty and is_news and not due.quiet:  # it may be about to be written
            self._look_again(due)
            return False
        empty.update([due.key] if is_empty else [])
        return True

    def _look_again(self, due: Due) -> None:
        """Make a source due when nobody has written it for a while."""
        self.due.note(due.key, due.since or self._clock(), QUIET_S, since=due.since)

    def _enter(
        self, due: Due, results: Sequence[CompileResult], changed: list[Changed], *, is_empty: bool
    ) -> Iterator[Message]:
        """Take the results of one source; add to ``changed`` and yield what is worth reporting."""
        before = self._standings.get(due.key, _Standing())
        kind = "hook" if due.key in self.hooks else "module"
        path = results[0].source.path
        broken = [result for result in results if result.state is State.BROKEN]
        good = [result for result in results if result.ok]
        errors: Sequence[_Error] = [(r.interpreter.executable, r.error) for r in broken]
        if broken and (due.since is not None or errors != before.errors):
            if due.quiet:
                self.broken[due.key] = lines.broken(path, kind, broken)
                yield self.broken[due.key]
            else:
                errors = before.errors
                self._look_again(due)
        entries = [result.entry.name for result in good if result.entry] or before.entries
        is_fixed = len(good) == len(results) and self.broken.pop(due.key, None) is not None
        is_written = any(result.state is State.COMPILED for result in good)
        if good and (entries != before.entries or is_fixed or is_written):
            ms = None if due.since is None else (self._clock() - due.since) * 1000
            changed.append(Changed(path, kind, good, ms, is_fixed, is_empty))
            self._plan_prune(due.key)
        blocked = [result for result in results if result.state in _TROUBLES]
        trouble = f"{_TROUBLES[blocked[0].state]}: {blocked[0].detail}" if blocked else ""
        if trouble and trouble != before.trouble:
            way = remedy(blocked[0].detail, cache.directory_in(path.parent))
            yield _trouble(path, trouble, way)
        states = [result.state for result in results]
        self._standings[due.key] = _Standing(states, entries, errors, trouble)


def _trouble(path: Path, text: str, way: str) -> Message:
    """Return the notice with ``way``, the remedy."""
    return lines.notice(f"{text}\n  to fix it: {way}", path, trouble=True)
