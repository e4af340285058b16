"""The sources of one tree: which are due, the state of each, and what is worth reporting."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH116

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.entries.report import describe_refusal
from hooks_compile.model import State
from watcher import lines
from watcher.debounce import QUIET_S, Debounce, Due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hooks_compile.entries.compiler import Compiler
    from hooks_compile.model import CompileResult, HookSource, SourceError
    from watcher.lines import Message


class _Last(NamedTuple):
    """The last results of a source: states, and what was reported of it."""

    states: Sequence[State] = ()
    entries: Sequence[str] = ()  # their names
    errors: Sequence[SourceError | None] = ()
    trouble: str = ""


class Sources:
    """Hooks and local modules by path; a hook that others import is both."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing is known yet. ``clock`` returns the time of the monotonic clock."""
        self.hooks: Mapping[str, HookSource] = {}
        self.modules: Mapping[str, HookSource] = {}
        self.due = Debounce()
        self.broken: dict[str, Message] = {}
        self._clock = clock
        self._last: dict[str, _Last] = {}

    @property
    def counts(self) -> dict[State, int]:
        """How many results, one for each source and interpreter, have each state."""
        return Counter(state for each in self._last.values() for state in each.states)

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self.broken and not any(each.trouble for each in self._last.values())

    @property
    def entries(self) -> set[str]:
        """The names of all entries that are in use."""
        return {name for each in self._last.values() for name in each.entries}

    def compare_all(self) -> None:
        """Have all contents compared with their entries, although no event named them."""
        for path in {**self.hooks, **self.modules}:
            self.due.note(path, self._clock())

    def replace(
        self, hooks: Mapping[str, HookSource], modules: Mapping[str, HookSource]
    ) -> list[Message]:
        """Take what a survey found; what is new is due. Return what is removed."""
        before, now = {**self.modules, **self.hooks}, {**modules, **hooks}
        messages = []
        for path in sorted((before.keys() - now.keys()) | (self.hooks.keys() - hooks.keys())):
            messages.append(lines.removed(Path(path), self._kind(path)))
            self.broken.pop(path, None)
            self._last.pop(path, None)
        self.hooks, self.modules = hooks, modules
        for path, source in now.items():
            if before.get(path) != source:
                self.due.note(path, self._clock())
        return messages

    def compile_due(self, compiler: Compiler, most: int) -> list[Message]:
        """Compile ``most`` of what is due; return what is worth reporting."""
        dues = self.due.take(self._clock(), most)
        hooks = [self.hooks[due.key] for due in dues if due.key in self.hooks]
        modules = [self.modules[due.key] for due in dues if due.key in self.modules]
        results = compiler.compile(hooks) if hooks else []
        if modules:
            made = compiler.modules(modules, write=True)
            results += [each for each in made if os.fspath(each.source.path) not in self.hooks]
        by_path: dict[str, list[CompileResult]] = {}
        for result in results:
            by_path.setdefault(os.fspath(result.source.path), []).append(result)
        found = ((due, by_path.get(due.key)) for due in dues)
        messages = [each for due, results in found if results for each in self._take(due, results)]
        changed = [message for message in messages if message.event == "changed"]
        return lines.shortened(changed) + [each for each in messages if each.event != "changed"]

    def _take(self, due: Due, results: Sequence[CompileResult]) -> Iterator[Message]:
        """Take the results of one source; yield what is worth reporting.

        That is what differs from the last results, and what an event named. A file that is empty or
        does not compile counts only when nobody has written it for QUIET_S.
        """
        before = self._last.get(due.key, _Last())
        kind, path = self._kind(due.key), results[0].source.path
        try:
            is_empty = kind == "hook" and os.stat(due.key).st_size == 0
        except OSError:  # it vanished, and the next survey finds that out
            return
        broken = [result for result in results if result.state is State.BROKEN]
        good = [result for result in results if result.ok]
        now = _Last(
            [result.state for result in results],
            [result.entry.name for result in good if result.entry] or before.entries,
            [result.error for result in broken],
            next(filter(None, map(describe_refusal, results)), ""),
        )
        has_new_entry, has_new_error = now.entries != before.entries, now.errors != before.errors
        is_news = has_new_entry or has_new_error or due.since is not None
        if is_news and (broken or is_empty) and not due.quiet:
            self._last[due.key] = before._replace(states=now.states)
            self.due.note(due.key, due.since or self._clock(), QUIET_S, since=due.since)
            return
        self._last[due.key] = now
        if broken and is_news:
            self.broken[due.key] = lines.broken(path, kind, broken)
            yield self.broken[due.key]
        is_fixed = not broken and self.broken.pop(due.key, None) is not None
        if good and (has_new_entry or is_fixed or State.COMPILED in now.states):
            ms = None if due.since is None else (self._clock() - due.since) * 1000
            yield lines.changed(path, kind, good, ms, fixed=is_fixed, empty=is_empty)
        if now.trouble and now.trouble != before.trouble:
            yield lines.notice(f"is not compiled: {now.trouble}", path, trouble=True)

    def _kind(self, path: str) -> str:
        return "hook" if path in self.hooks else "module"
