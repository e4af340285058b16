"""One watched tree: what its events mean, and what has to be done next."""
# Paths are strings here, as in discovery.
# ruff: noqa: PTH112, PTH113, PTH122

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import HooksCompileError
from hooks_compile.project.config import DOTFILE, PYPROJECT
from hooks_compile.project.search import is_source
from watcher import directories, lines, survey
from watcher.debounce import QUIET_S, Debounce
from watcher.directories import CACHES, HOOKS, matches
from watcher.events import Kind
from watcher.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooks_compile.model import Interpreter
    from watcher.directories import Directories
    from watcher.events import Event
    from watcher.lines import Message
    from watcher.survey import Options, Survey

SETTLE_S = 0.05
"""Names are left to settle for so long: editors create and remove files as they save."""

# Who removes a directory begins with its contents: entries written back at once would disturb.
_CACHE_REMOVED_S = 1.0
# After a survey there is none for so many times as long as it took.
_REST = 4
# The loop looks for events after so many sources.
_SLICE = 50
_FIRST_SLICE = 500


class Tree:
    """The hooks and modules of ``given``: a whole project, or a path with hooks."""

    def __init__(
        self,
        given: Path,
        options: Options,
        *,
        whole: bool,
        scan_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet. ``given`` is absolute; ``scan_s`` is the time between scans."""
        self.given = given
        self.directories: Directories = {}
        self.sources = Sources(clock)
        self.is_synced = False
        self.scan_due = clock()
        self._scan_s = scan_s
        self._whole = whole
        self._options = options
        self._clock = clock
        self._survey: Survey | None = None
        self._compiler: Compiler | None = None
        self._changes = Debounce()
        self._is_surveying = self._wants_scan = False
        self._survey_start = self._rest_until = self._start = clock()
        self._trouble = ""

    @property
    def root(self) -> Path:
        """The root of the work tree, as far as it is known."""
        return self._survey.project.root if self._survey else self.given

    @property
    def interpreters(self) -> tuple[Interpreter, ...]:
        """Those that the hooks are compiled for, as far as they are known."""
        return self._survey.interpreters if self._survey else ()

    def close(self) -> None:
        """End the compiler's processes; they start again when they are needed."""
        compiler, self._compiler = self._compiler, None
        if compiler is not None:
            compiler.close()

    def route(self, event: Event) -> None:
        """Note what has to be done because of an event."""
        parent, name = os.path.split(event.path)
        is_source = event.path in self.sources.hooks or event.path in self.sources.modules
        if is_source and event.kind is not Kind.GONE and not event.is_directory:
            wait_s = 0.0 if event.kind in (Kind.SAVED, Kind.MOVED_IN) else QUIET_S
            self.sources.due.note(event.path, event.time, wait_s, since=event.time)
        elif name in CACHES:
            for path in self.sources.paths_in(parent) if event.kind is Kind.GONE else ():
                self.sources.due.note(path, event.time, _CACHE_REMOVED_S)
        elif is_source or self._may_change_the_set(event):
            self._changes.note("", event.time, SETTLE_S)

    def watched(self, added: set[str]) -> None:
        """Look again at directories whose changes until now were not reported."""
        self._changes.note("", self._clock(), SETTLE_S)
        for directory in added:
            self.sources.asked |= dict.fromkeys(self.sources.paths_in(directory))

    def next_due(self) -> float:
        """Return when there is something to do."""
        due = self.sources.next_due()
        if self._is_surveying:
            return due
        return min(due, self.scan_due, max(self._changes.next_due(), self._rest_until))

    def step(self) -> list[Message]:
        """Compile what is due, prune; return what to report."""
        if self._survey is None:
            return []
        if self._compiler is None:
            found = self._survey
            self._compiler = Compiler(found.interpreters, found.key, found.level)
        slice_size = _SLICE if self.is_synced else _FIRST_SLICE
        messages = self.sources.compile_due(self._compiler, slice_size)
        if self.sources.has_missing:
            self.sources.has_missing = False
            self._changes.note("", self._clock(), SETTLE_S)
        if not self.is_synced:
            messages = [message for message in messages if message.event != "changed"]
            self.is_synced = not self.sources.asked
        return messages + self.prune(self._clock(), most=1)

    def prune(self, now: float, most: int | None = None) -> list[Message]:
        """Remove the old entries that are due at ``now``; return what to report."""
        if self._survey is None or not self.given.is_dir():
            return []  # beside a single file there may be hooks that are not known here
        return list(self.sources.prune_due(self._survey.project.config.keep, now, most))

    def start_survey(self) -> Callable[[], Survey] | None:
        """Return what finds the state of the tree, None if it is not time to.

        It may run in any thread; its result goes to :meth:`take`, its error to :meth:`fail`.
        """
        now = self._clock()
        is_change_due = now >= max(self._changes.next_due(), self._rest_until)
        if self._is_surveying or not (now >= self.scan_due or is_change_due):
            return None
        self._changes.take(now)
        if now >= self.scan_due:
            self.scan_due, self._wants_scan = now + self._scan_s, True
        self._is_surveying, self._survey_start = True, now
        return partial(survey.find, self.given, self._options, whole=self._whole)

    def take(self, found: Survey) -> list[Message]:
        """Take what a survey found; return what to report."""
        last, self._survey = self._survey, found
        messages: list[Message] = []
        if self._trouble:
            messages.append(lines.notice("can be used again", self.given))
            self._trouble = ""
        removed = self.sources.replace(found.hooks, found.modules)
        # A file that an editor removes and writes anew may be the only hook of its directory.
        lost = directories.of_names(Path(message.values[0]["path"]) for message in removed)
        self.directories = directories.merged([found.directories, lost])
        target = (found.interpreters, found.key, found.level)
        if last is None or target != (last.interpreters, last.key, last.level):
            self.close()
            self._wants_scan = True
        if self._wants_scan:
            self.sources.asked |= dict.fromkeys(self.sources.paths)
        self._end_survey()
        return messages + removed

    def fail(self, error: Exception) -> list[Message]:
        """Take that a survey failed; return what to report. Raises ``error`` if it is a bug."""
        self._end_survey()
        if not isinstance(error, HooksCompileError):
            raise error
        messages: list[Message] = []
        named = [self.given, self.root, self.root / PYPROJECT, self.root / DOTFILE]
        self.directories = directories.merged([self.directories, directories.of_names(named)])
        text, path = str(error), None
        if not self.given.exists():
            text, path = f"{error.cause}: waiting for it to come back", self.given
            messages += self.sources.replace({}, {})
        if text != self._trouble:
            messages.append(lines.notice(text, path, trouble=True))
        self._trouble = text
        return messages

    def synced(self, *, watching: bool) -> Message:
        """Return the message that the first scan is over."""
        hooks, modules = self.sources.hooks.keys(), self.sources.modules.keys()
        found = (len(hooks), len(modules - hooks), self.interpreters, self.sources.counts)
        return lines.synced(self.root, *found, self._clock() - self._start, watching=watching)

    def _may_change_the_set(self, event: Event) -> bool:
        """Return whether there may be other hooks than before, because of this event."""
        if event.is_directory and event.path in self.directories:
            return True
        parent, name = os.path.split(event.path)
        interest = self.directories.get(parent, frozenset())
        if not matches(interest, name, is_directory=event.is_directory):
            return False
        suffix = os.path.splitext(name)[1]
        if name in interest or f"*{suffix}" not in HOOKS:
            return True
        if event.is_directory or suffix == ".py":
            # Content makes no hook of such a file; a new name is reported otherwise.
            return event.kind not in (Kind.CHANGED, Kind.SAVED)
        path = os.path.realpath(event.path)
        return os.path.isdir(path) or (os.path.isfile(path) and is_source(path, name))

    def _end_survey(self) -> None:
        """A survey is over: surveys may not take all of the time."""
        self._is_surveying = self._wants_scan = False
        now = self._clock()
        self._rest_until = now + _REST * (now - self._survey_start)
