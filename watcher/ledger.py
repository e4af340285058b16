"""How every source of a tree stands: results go in, what is worth saying comes out. Pure."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.model import State
from watcher.model import Broken, Changed, Notice

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from hooks_compile.model import CompileResult
    from watcher.batching import Due


class News(NamedTuple):
    """What a look at some sources brought.

    ``suspects`` seem to be broken, and are to be looked at again when nobody has touched them for
    a while: they may be half-written.
    """

    changed: list[Changed]
    others: list[Broken | Notice]
    suspects: list[Due]


class Ledger:
    """The standing of hooks, or of local modules, as ``noun`` says."""

    def __init__(self, noun: str) -> None:
        """Know nothing yet."""
        self.noun = noun
        self.broken: dict[str, Broken] = {}
        self._entries: dict[str, tuple[str, ...]] = {}
        self._blocked: dict[str, str] = {}

    def knows(self, path: str) -> bool:
        """Tell whether the source has compiled before."""
        return path in self._entries

    def entry_names(self, folder: str) -> Iterator[str]:
        """Go through the names of the entries that the sources in ``folder`` need now."""
        for path, names in self._entries.items():
            if os.path.dirname(path) == folder:  # noqa: PTH120 - 10,000 strings
                yield from names

    def enter(
        self,
        results: Iterable[CompileResult],
        dues: Iterable[Due],
        now: float,
        empty: Container[str] = (),
    ) -> News:
        """Take the results of a look at the sources of ``dues``, all interpreters of each.

        ``empty`` are the sources in which there is nothing.
        """
        news = News([], [], [])
        by_path: dict[str, list[CompileResult]] = {}
        for result in results:
            by_path.setdefault(os.fspath(result.source.path), []).append(result)
        for due in dues:
            found = by_path.get(due.path)
            if found:
                self._enter_broken(found, due, news)
                self._enter_fine(found, due, now, news, is_empty=due.path in empty)
                self._enter_blocked(found, due, news)
        return news

    def remove(self, path: str) -> None:
        """Forget a source that is gone."""
        self.broken.pop(path, None)
        self._blocked.pop(path, None)
        self._entries.pop(path, None)

    def _enter_broken(self, results: Sequence[CompileResult], due: Due, news: News) -> None:
        broken = tuple(result for result in results if result.state is State.BROKEN)
        if not broken:
            return
        known = self.broken.get(due.path)
        if known and due.since is None and _errors(known.results) == _errors(broken):
            return
        if not due.quiet:
            news.suspects.append(due)
            return
        self.broken[due.path] = Broken(broken[0].source.path, self.noun, broken)
        news.others.append(self.broken[due.path])

    def _enter_fine(
        self, results: Sequence[CompileResult], due: Due, now: float, news: News, *, is_empty: bool
    ) -> None:
        fine = tuple(result for result in results if result.ok)
        if not fine:
            return
        names = tuple(result.entry.name for result in fine if result.entry)
        is_new = names != self._entries.get(due.path)
        self._entries[due.path] = names
        mended = len(fine) == len(results) and self.broken.pop(due.path, None) is not None
        if is_new or mended or any(result.state is State.COMPILED for result in fine):
            ms = None if due.since is None else (now - due.since) * 1000
            path = fine[0].source.path
            news.changed.append(Changed(path, self.noun, fine, ms, mended, is_empty))

    def _enter_blocked(self, results: Iterable[CompileResult], due: Due, news: News) -> None:
        words = {
            State.UNREADABLE: "can't be read",
            State.UNWRITABLE: "is not compiled: its entry can't be written",
        }
        blocked = [result for result in results if result.state in words]
        if not blocked:
            self._blocked.pop(due.path, None)
            return
        text = f"{words[blocked[0].state]}: {blocked[0].detail}"
        if self._blocked.get(due.path) != text:
            self._blocked[due.path] = text
            news.others.append(Notice(text, blocked[0].source.path, trouble=True))


def _errors(results: Iterable[CompileResult]) -> list[tuple[object, object]]:
    return [(result.interpreter.executable, result.error) for result in results]
