"""One watched tree: what its events mean, and what has to be done next.

The loop compiles what events name (:mod:`watcher.sources`). Which hooks there are, a *survey* finds
out, in a thread of its own. It is started by an event that may mean other hooks, or by the *scan*,
which comes periodically and compares all contents as well. After each survey there is a rest.
"""
# Paths are strings here, as in discovery.
# ruff: noqa: PTH112, PTH113, PTH122

from __future__ import annotations

import math
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import HooksCompileError
from hooks_compile.project.search import is_source
from watcher import lines, survey
from watcher.debounce import QUIET_S, SCAN_S, SETTLE_S
from watcher.sources import Sources
from watcher.survey import Survey, Target
from watcher.watch_places import Kind, Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watcher.lines import Message
    from watcher.survey import Options
    from watcher.watch_places import Event

# The time from a failure to the next look at everything, even if no event comes.
_RETRY_S = 5.0
# After a survey that took T seconds there is none for _REST * T seconds.
_REST = 4
# So many sources are compiled before the loop looks for events again; at the start more.
_SLICE = 50
_FIRST_SLICE = 500


class Tree:
    """The hooks and modules of ``given``: a whole project, or a path with hooks."""

    def __init__(
        self,
        given: Path,
        options: Options,
        scan_s: float = SCAN_S,
        *,
        whole: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet. ``given`` is absolute; ``scan_s`` is the time between scans."""
        self.given = given
        self.sources = Sources(clock)
        self.survey = Survey(given, {}, {}, Target((), b"", 0), Places())  # the last one
        self.is_synced = False  # all contents have been compared once
        self._whole = whole
        self._options = options
        self._clock = clock
        self._compiler: Compiler | None = None
        self._trouble = ""  # why the last survey failed
        # When the next survey starts: because of the scan or an event, but not before the rest ends
        self._start = clock()
        self.scan_s = scan_s
        self.scan_due = self._start
        self._look_due = math.inf
        self._rest_until = self._start
        # The survey that runs now
        self._is_surveying = self._is_scan = False
        self._survey_start = self._start

    @property
    def _survey_due(self) -> float:
        return max(min(self.scan_due, self._look_due), self._rest_until)

    def close(self) -> None:
        """End the compiler's processes; they start again when they are needed."""
        compiler, self._compiler = self._compiler, None
        if compiler is not None:
            compiler.close()

    def scan_within(self, seconds: float) -> None:
        """Compare all contents in so many seconds, or earlier if that is planned."""
        self.scan_due = min(self.scan_due, self._clock() + seconds)

    def compare_all(self) -> None:
        """Compare all contents now, and look for new hooks soon: events may have been missed."""
        self.sources.ask_all()
        self._look_soon(self._clock())

    def retry(self) -> None:
        """Compare all contents soon, with new processes: something failed."""
        self.close()
        self.scan_within(_RETRY_S)

    def route(self, event: Event) -> None:
        """Note what has to be done because of an event."""
        is_known = event.path in self.sources.hooks or event.path in self.sources.modules
        if is_known and event.kind is not Kind.GONE and not event.is_directory:
            wait_s = 0.0 if event.kind is Kind.SAVED else QUIET_S
            self.sources.due.note(event.path, event.time, wait_s, since=event.time)
        elif is_known or self._may_change_the_set(event):
            self._look_soon(event.time)

    def next_due(self) -> float:
        """Return when there is something to do."""
        return min(self.sources.next_due(), math.inf if self._is_surveying else self._survey_due)

    def step(self) -> list[Message]:
        """Compile what is due; return what to report."""
        if not self.survey.target.key:
            return []  # nothing is known yet
        if self._compiler is None:
            self._compiler = Compiler(*self.survey.target)
        messages = self.sources.compile_due(
            self._compiler, _SLICE if self.is_synced else _FIRST_SLICE
        )
        if self.sources.has_missing:
            self.sources.has_missing = False
            self._look_soon(self._clock())
        if not self.is_synced:
            messages = [message for message in messages if message.event != "changed"]
            self.is_synced = not self.sources.asked
        return messages

    def start_survey(self) -> Callable[[], Survey] | None:
        """Return what finds the state of the tree, None if it is not time to.

        It may run in any thread; its result goes to :meth:`take`, its error to :meth:`fail`.
        """
        now = self._clock()
        if self._is_surveying or now < self._survey_due:
            return None
        self._look_due = math.inf
        if now >= self.scan_due:
            self.scan_due, self._is_scan = now + self.scan_s, True
        self._is_surveying, self._survey_start = True, now
        needed = self.sources.entries if self._is_scan and self.is_synced else None
        return partial(survey.find, self.given, self._options, needed, whole=self._whole)

    def take(self, found: Survey) -> list[Message]:
        """Take what a survey found; return what to report."""
        last, self.survey = self.survey, found
        # What looks like a new module may be a hook that appeared meanwhile: the next survey tells.
        known = (last if last.target.key else found).modules.keys() | found.hooks.keys()
        modules = {path: source for path, source in found.modules.items() if path in known}
        if len(modules) < len(found.modules):
            self._look_soon(self._clock())
        messages = self.sources.replace(found.hooks, modules)
        if found.target != last.target:
            self.close()
        if self._is_scan or found.target != last.target:
            self.sources.ask_all()
        if self._trouble:
            messages.append(lines.notice("can be used again", self.given))
        self._trouble = ""
        self._end_survey()
        return messages

    def fail(self, error: Exception) -> list[Message]:
        """Take the error of a survey; return what to report. Raises ``error`` if it is a bug."""
        self._end_survey()
        if not isinstance(error, HooksCompileError):
            raise error
        self.retry()
        is_news, self._trouble = str(error) != self._trouble, str(error)
        return [lines.notice(self._trouble, trouble=True)] if is_news else []

    def synced(self, *, watching: bool) -> Message:
        """Return the message that the first scan is over."""
        sources, found = self.sources, self.survey
        counts = (len(sources.hooks), sources.module_count, sources.counts)
        seconds = self._clock() - self._start
        return lines.synced(
            found.root, found.target.interpreters, *counts, seconds, watching=watching
        )

    def _may_change_the_set(self, event: Event) -> bool:
        """Return whether there may be other hooks than before because of this event."""
        if event.path in self.survey.places.paths:
            return True
        if not self.survey.places.matter(event):
            return False
        stem, suffix = os.path.splitext(event.path)
        if event.is_directory or suffix:
            return True
        # A hook's log may have no suffix either, and is written at each event.
        path = os.path.realpath(stem)
        return os.path.isdir(path) or (os.path.isfile(path) and is_source(path, stem))

    def _look_soon(self, since: float) -> None:
        """Have a survey made because of something that happened at the time ``since``."""
        self._look_due = min(self._look_due, since + SETTLE_S)

    def _end_survey(self) -> None:
        """Rest after a survey: surveys may not take all of the time."""
        self._is_surveying = self._is_scan = False
        now = self._clock()
        self._rest_until = now + _REST * (now - self._survey_start)


def sync(tree: Tree, report: Callable[[Message], None]) -> bool:
    """Compile what is not compiled, and report; return whether nothing has to be fixed."""
    find = tree.start_survey()
    assert find is not None  # noqa: S101 - it is the first
    messages = tree.take(find())
    while not tree.is_synced:
        messages += tree.step()
    if tree.sources.due.next_due() < math.inf:  # what does not compile may be half written
        time.sleep(QUIET_S)
        messages += tree.step()
    report(tree.synced(watching=False))
    for message in messages:
        report(message)
    has_trouble = any(message.event == "trouble" for message in messages)
    return not has_trouble and not tree.sources.broken
