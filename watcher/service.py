"""The loop: events in, messages out. It ends when it is asked to, and for no other reason."""

from __future__ import annotations

import os
import queue
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hooks_compile.errors import HooksCompileError
from watcher import lines, survey
from watcher.batching import QUIET_S, Clocks
from watcher.helper import Helper
from watcher.model import Broken, Changes, Kind, Notice, Removed, StillBroken, Stop, Stopped, Synced
from watcher.places import merged
from watcher.state import BEAT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from watcher.compilers import Compilers
    from watcher.model import Event, Message
    from watcher.state import Station
    from watcher.survey import Survey
    from watcher.tree import Tree
    from watcher.watching import Lookout

SCAN_S = 60.0
REMIND_S = 300.0
_LONGEST_WAIT_S = 10.0
_RETRY_S = 2.0


@dataclass(slots=True)
class _Watched:
    """A tree with its lock, the scan under way, and when the next one is due."""

    tree: Tree
    station: Station | None
    slices: Iterator[list[Message]] | None = None
    wants_scan: bool = False
    scan_due: float = 0.0
    scan_start: float = 0.0
    failures: int = 0
    is_announced: bool = False
    last_change: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a job that was done beside the loop: a survey, removed entries, or an error."""

    watched: _Watched
    value: Survey | list[Path] | Exception


def sync(tree: Tree, report: Callable[[Message], None]) -> bool:
    """Compile what is not compiled, once, and report; tells whether all is well.

    Raises HooksCompileError where the tree can't be looked at.
    """
    start = time.monotonic()
    messages = tree.take(survey.find(tree.request(thorough=True)))
    messages += [message for part in tree.sources.scan() for message in part]
    if len(tree.sources.pending):
        time.sleep(QUIET_S)  # what does not compile may have been in the middle of a save
        messages += tree.compile_due()
    for job in tree.prune_due():
        job()
    report(_synced(tree, start, watching=False))
    for message in messages:
        report(message)
    troubles = [m for m in messages if isinstance(m, Notice) and m.trouble]
    return not troubles and not tree.sources.broken


class Service:
    """Watches some trees until it is told to stop."""

    def __init__(
        self,
        trees: Iterable[tuple[Tree, Station | None]],
        compilers: Compilers,
        report: Callable[[Tree, Message], None],
        *,
        open_lookout: Callable[[Callable[[Event], None]], Lookout],
        scan_s: float = SCAN_S,
        read_clocks: Callable[[], Clocks] = lambda: Clocks(time.time(), time.monotonic()),
    ) -> None:
        """``report`` is told all there is to say; ``scan_s`` is the time between two comparisons
        of all contents."""
        self._watched = [_Watched(tree, station) for tree, station in trees]
        self._compilers = compilers
        self._report = report
        self._open_lookout = open_lookout
        self._scan_s = scan_s
        self._queue: queue.SimpleQueue[Event | Stop | _Answer] = queue.SimpleQueue()
        self._answers: list[_Answer] = []
        self._said: set[str] = set()
        self._beat_due = 0.0
        self._is_beat_urgent = True
        self._is_state_lost = False
        self._remind_due = 0.0
        self._since = time.time()
        self._read_clocks = read_clocks
        self._clocks = read_clocks()

    def stop(self, signal: int) -> None:
        """End :meth:`run` soon; may be called from a signal handler and any thread."""
        self._queue.put(Stop(signal))

    def run(self) -> int:
        """Watch until :meth:`stop`, and return its signal."""
        lookout = self._open_lookout(self._queue.put)
        helper = Helper()
        try:
            while True:
                signal = self._take_events(lookout)
                if signal is not None:
                    self._say(self._watched[0], [Stopped(signal)])
                    return signal
                self._look_after(lookout)
                answers, self._answers = self._answers, []
                for answer in answers:
                    self._guard(answer.watched, partial(self._take_answer, answer, lookout))
                for watched in self._watched:
                    self._guard(watched, partial(self._step, watched, helper))
                self._beat(lookout)
        finally:
            lookout.close()
            helper.close()
            self._compilers.close()

    def _take_events(self, lookout: Lookout) -> int | None:
        """Wait until there is something to do, and hand out the events; returns the signal to
        stop at, if it came."""
        timeout = self._time_left(lookout)
        while True:
            try:
                item = self._queue.get(timeout=timeout) if timeout else self._queue.get_nowait()
            except queue.Empty:
                return None
            timeout = 0.0
            if isinstance(item, Stop):
                return item.signal
            if isinstance(item, _Answer):
                self._answers.append(item)
            elif item.kind is Kind.LOST:
                self._scan_all("the system dropped events: comparing all contents")
            else:
                for watched in self._watched:
                    watched.tree.route(item)

    def _time_left(self, lookout: Lookout) -> float:
        if any(watched.slices is not None for watched in self._watched):
            return 0.0
        due = [self._beat_due]
        due += [each.scan_due for each in self._watched if not each.tree.is_surveying]
        more = [lookout.due, *(watched.tree.next_due() for watched in self._watched)]
        due += [each for each in more if each is not None]
        return max(min(min(due) - time.monotonic(), _LONGEST_WAIT_S), 0.0)

    def _look_after(self, lookout: Lookout) -> None:
        clocks = self._read_clocks()
        if self._clocks.jumped(clocks):
            self._scan_all("the clock jumped, as after a sleep: comparing all contents")
        self._clocks = clocks
        if not lookout.is_alive():
            lookout.open()
            for watched in self._watched:
                watched.tree.is_replanned = True
            self._scan_all("no more events came: watching anew, and comparing all contents")
        lookout.poll(time.monotonic())

    def _scan_all(self, why: str) -> None:
        is_news = False
        for watched in self._watched:
            is_news = is_news or (watched.is_announced and watched.scan_due > 0)
            watched.scan_due, watched.slices = 0.0, None
        if is_news:
            self._say(self._watched[0], [Notice(why)])

    def _guard(self, watched: _Watched, step: Callable[[], None]) -> None:
        """Take a step; whatever goes wrong in it is said, and made good by a scan."""
        try:
            step()
        except HooksCompileError as error:
            self._fail(watched, str(error))
        except Exception:  # nothing that goes wrong may end the watcher
            self._fail(watched, f"an error in hooks-watch; it goes on\n{traceback.format_exc()}")

    def _fail(self, watched: _Watched, text: str) -> None:
        watched.failures += 1
        watched.slices, watched.wants_scan = None, False
        wait = min(_RETRY_S * 2 ** min(watched.failures - 1, 8), self._scan_s)
        watched.scan_due = time.monotonic() + wait
        self._compilers.close()  # one of its processes may be what failed
        if text not in self._said:
            self._said.add(text)
            self._say(watched, [Notice(text, trouble=True)])

    def _step(self, watched: _Watched, helper: Helper) -> None:
        tree = watched.tree
        self._say(watched, tree.compile_due())
        for job in tree.prune_due():
            helper.do(partial(self._do, watched, job))
        now = time.monotonic()
        if watched.slices is not None:
            self._scan_on(watched)
        elif now >= watched.scan_due and not tree.is_surveying:
            watched.scan_due, watched.scan_start, watched.wants_scan = now + self._scan_s, now, True
            helper.do(partial(self._do, watched, partial(survey.find, tree.request(thorough=True))))
        if request := tree.survey_due():
            helper.do(partial(self._do, watched, partial(survey.find, request)))

    def _do(self, watched: _Watched, job: Callable[[], Survey | list[Path]]) -> None:
        """Do a job, in the helper's thread."""
        try:
            value: Survey | list[Path] | Exception = job()
        except Exception as error:  # it is raised again in the loop
            value = error
        self._queue.put(_Answer(watched, value))

    def _take_answer(self, answer: _Answer, lookout: Lookout) -> None:
        watched, value = answer.watched, answer.value
        if isinstance(value, list):
            watched.tree.sources.pruned(value)
            return
        if isinstance(value, Exception):
            watched.wants_scan = False
            messages = watched.tree.fail(value)
        else:
            messages = watched.tree.take(value)
        self._say(watched, messages)
        self._watch(lookout)
        if watched.wants_scan:
            watched.wants_scan = False
            watched.slices = watched.tree.sources.scan()

    def _scan_on(self, watched: _Watched) -> None:
        """Compare the next slice of the tree; behind the last one, say how it stands."""
        assert watched.slices is not None  # noqa: S101 - see _step
        tree = watched.tree
        found = next(watched.slices, None)
        if found is not None:
            self._say(watched, found)
            return
        watched.slices = None
        watched.failures = 0
        self._said.clear()
        if not watched.is_announced:
            watched.is_announced = True
            self._say(watched, [_synced(tree, watched.scan_start, watching=True)])
        if tree.sources.broken and time.monotonic() >= self._remind_due:
            self._say(watched, [StillBroken(tuple(tree.sources.broken))])

    def _watch(self, lookout: Lookout) -> None:
        """Have what the trees want to be watched watched."""
        if not any(watched.tree.is_replanned for watched in self._watched):
            return
        for watched in self._watched:
            watched.tree.is_replanned = False
        wanted = merged(*(watched.tree.places for watched in self._watched))
        added, notices = lookout.want(wanted)
        for watched in self._watched:
            here = {path for path in added if path in watched.tree.places}
            if here:
                watched.tree.watched(here)
        self._say(self._watched[0], notices)

    def _say(self, watched: _Watched, messages: Sequence[Message]) -> None:
        tree = watched.tree
        for message in messages:
            self._report(tree, message)
            if isinstance(message, Changes | Broken | Removed):
                last = lines.as_json(message, time.time(), tree.root)[-1]
                watched.last_change = {key: last[key] for key in ("time", "event", "path")}
            if isinstance(message, Broken | StillBroken):
                self._remind_due = time.monotonic() + REMIND_S
        is_about_others = any(isinstance(message, Changes | Removed) for message in messages)
        says_so = any(isinstance(message, Broken) for message in messages)
        if is_about_others and not says_so and tree.sources.broken and watched.is_announced:
            self._say(watched, [StillBroken(tuple(tree.sources.broken))])
        self._is_beat_urgent = self._is_beat_urgent or bool(messages)

    def _beat(self, lookout: Lookout) -> None:
        """Say in the runtime folder that we live, and what changed since we last said so."""
        now = time.monotonic()
        if now < self._beat_due and not self._is_beat_urgent:
            return
        is_full, self._is_beat_urgent = self._is_beat_urgent or self._is_state_lost, False
        self._is_state_lost = False
        self._beat_due = now + BEAT_S
        for watched in self._watched:
            if watched.station is None:
                continue
            try:
                if is_full:
                    watched.station.write(self._state(watched, lookout))
                else:
                    watched.station.beat()
            except OSError as error:
                self._is_state_lost = True
                watched.scan_due = min(watched.scan_due, now + _RETRY_S)  # it makes the folder
                text = f"can't say in the runtime folder that it lives: {error}"
                if text not in self._said:
                    self._said.add(text)
                    self._say(watched, [Notice(text, trouble=True)])

    def _state(self, watched: _Watched, lookout: Lookout) -> dict[str, Any]:
        tree = watched.tree
        return {
            "pid": os.getpid(),
            "since": self._since,
            "tree": os.fspath(tree.given),
            "root": os.fspath(tree.root),
            "hooks": len(tree.sources.hooks),
            "modules": len(tree.sources.modules),
            "interpreters": [interpreter.label for interpreter in tree.interpreters],
            "how": lookout.how,
            "last_change": watched.last_change or None,
            "errors": [lines.broken_json(broken) for broken in tree.sources.broken],
        }


def _synced(tree: Tree, start: float, *, watching: bool) -> Synced:
    return Synced(
        tree.root,
        len(tree.sources.hooks),
        len(tree.sources.modules),
        tree.interpreters,
        tree.sources.counts,
        time.monotonic() - start,
        watching,
    )
