"""One watched tree: what its events mean, and when it is to be looked through again."""
# Paths are strings here, as in discovery: there may be 10,000.
# ruff: noqa: PTH112, PTH120

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hooks_compile.errors import HooksCompileError
from hooks_compile.project import shebang
from hooks_compile.project.config import DOTFILE, PYPROJECT
from watcher import filters, places
from watcher.batching import Settling
from watcher.filters import Meaning
from watcher.model import Kind, Notice
from watcher.sources import Sources
from watcher.survey import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

    from hooks_compile.entries.compiler import Compiler
    from hooks_compile.model import Interpreter
    from watcher.compilers import Compilers
    from watcher.model import Event, Message
    from watcher.places import Places
    from watcher.survey import Options, Survey

_MOST_REMEMBERED = 1000
# Who removes a whole folder begins with what is in it: to put entries back at once would be in
# their way.
_ROBBED_S = 1.0
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
        self.places: Places = {}
        self.is_replanned = False
        self.is_surveying = False
        self.sources = Sources(self._compiler, clock)
        self._whole = whole
        self._options = options
        self._compilers = compilers
        self._clock = clock
        self._survey: Survey | None = None
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
        self._trouble = ""

    @property
    def root(self) -> Path:
        """The root of the work tree, as far as it is known."""
        return self._survey.project.root if self._survey else self.given

    @property
    def interpreters(self) -> tuple[Interpreter, ...]:
        """Those that the hooks are compiled for, as far as they are known."""
        return self._survey.interpreters if self._survey else ()

    def _compiler(self) -> Compiler:
        assert self._survey is not None  # noqa: S101 - the sources came with it
        return self._compilers.get(*self._survey.compiling)

    def route(self, event: Event) -> None:
        """Note what has to be done about an event."""
        known = filters.Known(self.sources.hooks, self.sources.modules, self.places)
        match filters.meaning(event, known):
            case Meaning.HOOK | Meaning.MODULE:
                whole = event.kind in (Kind.SAVED, Kind.MOVED_IN)
                self.sources.pending.note(event.path, event.time, whole=whole)
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
            self.sources.pending.drop(event.path)
            self._heard.pop(event.path, None)
        else:
            self._heard[event.path] = event.time
        runtime = str(self._survey.project.runtime) if self._survey else ""
        is_about_python = event.path.startswith(f"{runtime}/")
        self._is_thorough = self._is_thorough or event.is_folder or is_about_python

    def watched(self, added: Container[str]) -> None:
        """Take note that watches on these places are live: what happened before went unseen."""
        self._is_certain = True
        self._shape.note(self._clock())
        if self.sources.is_scanned:
            self.sources.ask_for_those_in(added)

    def next_due(self) -> float | None:
        """Return when there is something to do, None if nothing waits."""
        times = [self.sources.next_due(), self._cache_lost.due]
        if self._shape.due is not None and not self.is_surveying:
            times.append(max(self._shape.due, self._rested))
        return min((due for due in times if due is not None), default=None)

    def compile_due(self) -> list[Message]:
        """Compile what is due, and give what is to be said about it."""
        now = self._clock()
        if self._cache_lost.take(now):
            self.sources.ask_for_those_in(self._robbed)
            self._robbed.clear()
        messages = self.sources.compile_due()
        if self.sources.take_missing():
            self._is_certain = True
            self._shape.note(now)
        return messages

    def prune_due(self) -> Iterator[Callable[[], list[Path]]]:
        """Give functions that remove old entries; see :meth:`Sources.prune_due`.

        Beside a file that was given alone there may be hooks whose entries are not known here.
        """
        if self._survey is not None and self.given.is_dir():
            yield from self.sources.prune_due(self._survey.project.config.keep)

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
        new, gone, said = self.sources.replace(survey.hooks, survey.modules)
        self._remember(gone)
        self._watch(survey.places)
        if last is not None:  # the first scan comes by all of them
            for path in new:
                since = self._heard_of(path)
                if since is not None:
                    self.sources.pending.note(path, since, whole=True)
            self.sources.ask_for(new)
            if last.compiling != survey.compiling:
                self.sources.ask_for(self.sources.paths)
        return messages + said

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
            _, gone, _ = self.sources.replace({}, {})
            self._remember(gone)
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

    def _remember(self, gone: list[Path]) -> None:
        self._remembered |= dict.fromkeys(gone)
        while len(self._remembered) > _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _watch(self, wanted: Places) -> None:
        self.places = places.that_exist(wanted)
        self.is_replanned = True


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
