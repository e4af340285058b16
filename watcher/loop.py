"""The loop: events in, messages out. It ends when it is asked to, and for no other reason."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import threading
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

from hooks_compile.errors import HooksCompileError
from watcher import lines
from watcher.debounce import POLL_S
from watcher.observer import Monitor
from watcher.watch_places import Event, Kind, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watcher.lines import Message
    from watcher.survey import Survey
    from watcher.tree import Tree
    from watcher.watch_status import Station

    # an event, the signal to stop at, or what to do when a survey is over
    _Item = Event | int | Callable[[], None]

_WRITE_AFTER_S = 0.5  # not at each save: a busy disk would delay the next


class Loop:
    """Watches some trees until it is told to stop."""

    def __init__(
        self,
        stations: Mapping[Tree, Station],
        report: Callable[[Tree, Message], None],
        most_watches: int,
    ) -> None:
        """``stations`` has the lock and state file of each tree; ``report`` takes the messages.

        At most ``most_watches`` directories are watched.
        """
        self._stations = stations
        self._first = next(iter(stations))
        self._report = report
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self.monitor = Monitor(self.put, most_watches)
        self._reported: set[str] = set()
        self._last_changes: dict[Tree, dict[str, Any]] = {}
        self._write_due = math.inf
        self._since = time.time()

    def put(self, item: _Item) -> None:
        """Take an event, the signal to end :meth:`run` with, or a call to make in its thread.

        Any thread and any signal handler may call this.
        """
        self._queue.put(item)

    def run(self) -> int:
        """Watch until a signal is put, and return it."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.monitor.close)
            for tree in self._stations:
                stack.enter_context(contextlib.closing(tree))
            while True:
                for item in self._wait():
                    if isinstance(item, int):
                        self._say(self._first, [lines.stopped(item)])
                        return item
                    if isinstance(item, Event):
                        self._route(item)
                    else:
                        item()
                for tree in self._stations:
                    self._guard(tree, partial(self._step, tree))
                self._write_states()

    def _wait(self) -> list[_Item]:
        """Return what is in the queue, as soon as there is something or something is due."""
        due = min(self._write_due, *(tree.next_due() for tree in self._stations))
        timeout = min(max(due - time.monotonic(), 0.0), threading.TIMEOUT_MAX)
        items: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=timeout))
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _route(self, event: Event) -> None:
        if event.kind is Kind.LOST and not self._first.sources.asked:
            text = "the system dropped events: comparing all contents"
            self._say(self._first, [lines.notice(text)])
        for tree in self._stations:
            if event.kind is Kind.LOST:
                tree.compare_all()
            else:
                tree.route(event)

    def _guard(self, tree: Tree, step: Callable[[], None]) -> None:
        """Take a step; report what goes wrong in it, and compare all contents afterwards."""
        try:
            step()
        except HooksCompileError as error:
            text = str(error)
        except Exception:  # nothing that goes wrong may end the watcher
            text = f"an error in hooks-watch; it goes on\n{traceback.format_exc()}"
        else:
            return
        tree.retry()
        self._say_once(tree, text, trouble=True)

    def _step(self, tree: Tree) -> None:
        was_synced = tree.is_synced
        self._say(tree, tree.step())
        if tree.is_synced and not was_synced:
            self._say(tree, [tree.synced(watching=True)])
        if find := tree.start_survey():
            threading.Thread(target=self._survey, args=(tree, find), daemon=True).start()

    def _survey(self, tree: Tree, find: Callable[[], Survey]) -> None:
        """Make a survey, in a thread of its own: a save does not wait for it."""
        try:
            take = partial(tree.take, find())
        except Exception as error:  # the loop takes it
            take = partial(tree.fail, error)
        self.put(partial(self._guard, tree, partial(self._end_survey, tree, take)))

    def _end_survey(self, tree: Tree, take: Callable[[], list[Message]]) -> None:
        self._say(tree, take())
        self._plan_write()
        is_new = self.monitor.want(merged(each.survey.places for each in self._stations))
        for each in self._stations if is_new else ():
            each.compare_all()
        if trouble := self.monitor.trouble:
            for each in self._stations:
                each.scan_s = min(each.scan_s, POLL_S)
                each.scan_within(each.scan_s)
            text = f"all contents are compared every {tree.scan_s:g} s: {trouble}"
            self._say_once(self._first, text, trouble=True)
        if self.monitor.left_out:
            text = "too many directories to watch: the scan finds what changes in some of them"
            self._say_once(self._first, text)

    def _say(self, tree: Tree, messages: Sequence[Message]) -> None:
        for message in messages:
            self._report(tree, message)
            if message.event in ("changed", "broken", "removed"):
                path = message.value["path"]
                last = {"time": time.time(), "event": message.event, "path": path}
                self._last_changes[tree] = last
        if messages:
            self._plan_write()

    def _say_once(self, tree: Tree, text: str, *, trouble: bool = False) -> None:
        if text not in self._reported:
            self._reported.add(text)
            self._say(tree, [lines.notice(text, trouble=trouble)])

    def _plan_write(self) -> None:
        self._write_due = min(self._write_due, time.monotonic() + _WRITE_AFTER_S)

    def _write_states(self) -> None:
        """Write the state of each tree into the runtime directory, if that is due."""
        if time.monotonic() >= self._write_due:
            self._write_due = math.inf
            for tree, station in self._stations.items():
                self._guard(tree, partial(station.write, self._state(tree)))

    def _state(self, tree: Tree) -> dict[str, Any]:
        watches = len(self.monitor.watches)
        return {
            "pid": os.getpid(),
            "since": self._since,
            "written": time.time(),
            "tree": os.fspath(tree.given),
            "root": os.fspath(tree.survey.root),
            "hooks": len(tree.sources.hooks),
            "modules": tree.sources.module_count,
            "interpreters": [interpreter.label for interpreter in tree.survey.target.interpreters],
            "how": f"events in {watches} directories and a scan every {tree.scan_s:g} s",
            "last_change": self._last_changes.get(tree),
            "errors": [{"event": "broken"} | m.value for m in tree.sources.broken.values()],
        }
