"""One tree: what its events mean, and what has to be done next.

Events name sources, and these are compiled. Which sources there are, a *survey* finds out. It is
made because of an event that may mean other hooks, and by the *scan*, which comes periodically and
compares all contents as well.
"""

from __future__ import annotations

import math
import os
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import HooksCompileError
from watcher import lines, survey
from watcher.debounce import POLL_S, QUIET_S, SETTLE_S
from watcher.observer import Monitor
from watcher.sources import Sources
from watcher.survey import Places, Survey, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watcher.lines import Message
    from watcher.observer import Event
    from watcher.survey import Options
    from watcher.watch_status import Station

# After a survey that took T seconds there is none for _REST * T seconds.
_REST = 4
# So many sources are compiled before the loop looks for events again.
_SLICE = 200


class Tree:
    """The hooks and modules of ``given``: a whole project, or a path with hooks."""

    def __init__(
        self,
        given: Path,
        options: Options,
        say: Callable[[Tree, Message], None],
        *,
        whole: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet. ``given`` is absolute; ``say`` gets what is worth reporting."""
        self.given = given
        self.sources = Sources(clock)
        self.found = Survey(given, {}, {}, Target((), b"", 0), Places(""))  # by the last survey
        self.scan_s = options.scan_s
        self.is_synced = False  # all contents have been compared once
        self._options = options
        self._say = say
        self._whole = whole
        self._clock = clock
        self._compiler = Compiler((), b"")
        self._monitor: Monitor | None = None
        self._station: Station | None = None
        self._trouble = ""  # why the last step failed
        self._said: set[str] = set()  # what is not said twice
        self._start = clock()
        # The next survey is made by the scan or because of an event, but not before the rest ends.
        self._scan_due = self._look_due = self._rest_until = self._start
        self._is_news = False  # the state has to be written
        self._last_change: dict[str, Any] | None = None

    def watch(self, put: Callable[[Callable[[], None]], None], station: Station) -> None:
        """Become the tree's watcher; ``put`` has a function called in the thread of :meth:`step`.

        Raises HooksCompileError if there is another one, and OSError.
        """
        station.acquire()
        self._station = station
        self._monitor = Monitor(
            lambda event: put(partial(self.take, event)),
            partial(put, self.lost),
            self._options.most_watches,
        )

    def close(self) -> None:
        """End all threads and processes, and watch no more."""
        self._compiler.close()
        if self._monitor is not None and self._station is not None:
            self._monitor.close()
            self._station.release()

    def take(self, event: Event) -> None:
        """Note what has to be done because of an event that matters."""
        is_known = event.path in self.found.hooks or event.path in self.found.modules
        if is_known and os.path.isfile(event.path):  # noqa: PTH113 - a string, as in discovery
            wait_s = 0.0 if event.is_saved else QUIET_S
            self.sources.due.note(event.path, event.time, wait_s, since=event.time)
        else:
            self._look_soon(event.time)

    def lost(self) -> None:
        """Note that the system dropped events, so that anything may have changed."""
        self._report_once(lines.notice("the system dropped events: comparing all contents"))
        self._compare_all()

    def next_due(self) -> float:
        """Return when there is something to do."""
        return min(self.sources.due.next_due(), self._survey_due())

    def step(self) -> None:
        """Do what is due. What goes wrong is reported, and ends nothing."""
        try:
            if has_survey := self._clock() >= self._survey_due():
                self._make_survey()
            self._compile()
            if self._is_news and self._station is not None:
                self._is_news = False
                self._station.write(self._state())
        except HooksCompileError as error:
            self._retry(str(error))
        except Exception:  # a bug of ours
            self._retry(f"an error in hooks-watch; it goes on\n{traceback.format_exc()}")
        else:
            if has_survey and self._trouble:
                self._trouble = ""
                self.report(lines.notice("can be used again", self.given))

    def sync(self) -> bool:
        """Compile what is not compiled; return whether nothing has to be fixed.

        Raises HooksCompileError.
        """
        self._make_survey()
        while (due := self.sources.due.next_due()) < math.inf:
            time.sleep(max(due - self._clock(), 0.0))  # what does not compile may be half written
            self._compile()
        return self.sources.is_good

    def report(self, message: Message) -> None:
        """Report something; the next step writes the state."""
        self._say(self, message)
        self._is_news = True
        if message.event in ("changed", "broken", "removed"):
            path = message.value["path"]
            self._last_change = {"time": time.time(), "event": message.event, "path": path}

    def _report_once(self, message: Message) -> None:
        if message.text not in self._said:
            self._said.add(message.text)
            self.report(message)

    def _compile(self) -> None:
        """Compile what is due, or some of it."""
        if not self.found.target.key:
            return  # no survey has succeeded
        for message in self.sources.compile_due(self._compiler, _SLICE):
            if self.is_synced or message.event != "changed":
                self.report(message)
        if not self.is_synced and self.sources.due.next_due() > self._clock():
            self.is_synced = True
            seconds = self._clock() - self._start
            event = "synced" if self._monitor is None else "watching"
            self.report(lines.synced(event, self.found, self.sources.counts, seconds))

    def _retry(self, trouble: str) -> None:
        """Report why a step failed, and compare all contents soon, with new processes."""
        self._renew_compiler()
        self._scan_due = min(self._scan_due, self._clock() + POLL_S)
        if trouble != self._trouble:
            self._trouble = trouble
            self.report(lines.notice(trouble, trouble=True))

    def _renew_compiler(self) -> None:
        self._compiler.close()
        self._compiler = Compiler(*self.found.target)

    def _survey_due(self) -> float:
        return max(min(self._scan_due, self._look_due), self._rest_until)

    def _look_soon(self, since: float) -> None:
        """Have a survey made because of something that happened at the time ``since``."""
        self._look_due = min(self._look_due, since + SETTLE_S)

    def _compare_all(self) -> None:
        """Compare all contents now, and look for new hooks soon: events may have been missed."""
        self.sources.compare_all()
        self._look_soon(self._clock())

    def _make_survey(self) -> None:
        """Find out which sources there are, and watch their directories."""
        start = self._clock()
        self._look_due = math.inf
        if is_scan := start >= self._scan_due:
            self._scan_due = start + self.scan_s
        needed = self.sources.entries if is_scan and self.is_synced else None
        try:
            found = survey.find(self.given, self._options, needed, whole=self._whole)
        finally:
            now = self._clock()
            self._rest_until = now + _REST * (now - start)
        last, self.found = self.found, found
        for message in self.sources.replace(found.hooks, found.modules):
            self.report(message)
        if found.target != last.target:
            self._renew_compiler()
        if found.target != last.target or is_scan:
            self.sources.compare_all()
        if self._monitor is not None:
            self._watch_places(self._monitor)
        self._is_news = True

    def _watch_places(self, monitor: Monitor) -> None:
        """Watch the places that the last survey found."""
        if monitor.want(self.found.places):
            self._compare_all()
        if monitor.trouble:
            self.scan_s = min(self.scan_s, POLL_S)
            self._scan_due = min(self._scan_due, self._clock() + self.scan_s)
            text = f"all contents are compared every {self.scan_s:g} s: {monitor.trouble}"
            self._report_once(lines.notice(text, trouble=True))
        if monitor.left_out:
            text = "too many directories to watch: the scan finds what changes in some of them"
            self._report_once(lines.notice(text))

    def _state(self) -> dict[str, Any]:
        """Return what ``--status`` shows."""
        watched = len(self._monitor.watched) if self._monitor else 0
        return {
            "tree": os.fspath(self.given),
            "root": os.fspath(self.found.root),
            "hooks": len(self.found.hooks),
            "modules": len(self.found.modules.keys() - self.found.hooks.keys()),
            "interpreters": [each.label for each in self.found.target.interpreters],
            "how": f"events in {watched} directories and a scan every {self.scan_s:g} s",
            "last_change": self._last_change,
            "errors": [{"event": "broken"} | m.value for m in self.sources.broken.values()],
        }
