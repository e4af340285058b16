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
from watcher.debounce import QUIET_S
from watcher.directories import merged
from watcher.events import Event, Kind
from watcher.watch_status import BEAT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watcher.lines import Message
    from watcher.observer import Monitor
    from watcher.survey import Survey
    from watcher.tree import Tree
    from watcher.watch_status import Station

    # an event, the signal to stop at, or what to do when a survey is over
    _Item = Event | int | Callable[[Monitor], None]

_RETRY_S = 2.0
_WRITE_AFTER_S = 0.5  # not at each save: a busy disk would delay the next


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
    messages += tree.prune(math.inf)
    report(tree.synced(watching=False))
    for message in messages:
        report(message)
    has_trouble = any(message.event == "trouble" for message in messages)
    return not has_trouble and not tree.sources.broken


class Loop:
    """Watches some trees until it is told to stop."""

    def __init__(
        self,
        stations: Mapping[Tree, Station],
        report: Callable[[Tree, Message], None],
        open_monitor: Callable[[Callable[[Event], None]], Monitor],
    ) -> None:
        """Each tree has the station that says that it is watched; ``report`` takes the messages."""
        self._stations = stations
        self._trees = list(stations)
        self._report = report
        self._open_monitor = open_monitor
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._said: set[str] = set()
        self._last_changes: dict[Tree, dict[str, Any]] = {}
        self._beat_due = -math.inf
        self._has_news = True
        self._since = time.time()

    def stop(self, signal: int) -> None:
        """End :meth:`run` soon; any thread and any signal handler may call it."""
        self._queue.put(signal)

    def run(self) -> int:
        """Watch until :meth:`stop`, and return its signal."""
        with contextlib.ExitStack() as stack:
            monitor = self._open_monitor(self._queue.put)
            stack.callback(monitor.close)
            for tree in self._trees:
                stack.enter_context(contextlib.closing(tree))
            while True:
                for item in self._wait():
                    if isinstance(item, int):
                        self._say(self._trees[0], [lines.stopped(item)])
                        return item
                    if isinstance(item, Event):
                        self._route(item)
                    else:
                        item(monitor)
                if not monitor.is_alive():
                    monitor.reopen()
                    self._watch(monitor)
                    self._scan_all("no more events came: watching anew, comparing all contents")
                for tree in self._trees:
                    self._guard(tree, partial(self._step, tree))
                self._beat(monitor)

    def _wait(self) -> list[_Item]:
        """Return what is in the queue, as soon as there is something or something is due."""
        due = min(self._beat_due, *(tree.next_due() for tree in self._trees))
        items: list[_Item] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=max(due - time.monotonic(), 0.0)))
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _route(self, event: Event) -> None:
        if event.kind is Kind.LOST:
            self._scan_all("the system dropped events: comparing all contents")
        for tree in self._trees:
            tree.route(event)

    def _scan_all(self, why: str) -> None:
        is_news = any(tree.scan_due > time.monotonic() for tree in self._trees)
        for tree in self._trees:
            tree.scan_due = time.monotonic()
        if is_news:
            self._say(self._trees[0], [lines.notice(why)])

    def _guard(self, tree: Tree, step: Callable[[], None]) -> None:
        """Take a step; report what goes wrong in it, and compare all contents afterwards."""
        try:
            step()
        except HooksCompileError as error:
            self._fail(tree, str(error))
        except Exception:  # nothing that goes wrong may end the watcher
            self._fail(tree, f"an error in hooks-watch; it goes on\n{traceback.format_exc()}")

    def _fail(self, tree: Tree, text: str) -> None:
        tree.scan_due = min(tree.scan_due, time.monotonic() + _RETRY_S)
        tree.close()  # one of the compiler's processes may be what failed
        self._say_once(tree, text, lines.notice(text, trouble=True))

    def _say_once(self, tree: Tree, key: str, message: Message) -> None:
        if key not in self._said:
            self._said.add(key)
            self._say(tree, [message])

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
        self._queue.put(partial(self._end_survey, tree, take))

    def _end_survey(self, tree: Tree, take: Callable[[], list[Message]], monitor: Monitor) -> None:
        self._guard(tree, lambda: self._say(tree, take()))
        self._watch(monitor)

    def _watch(self, monitor: Monitor) -> None:
        """Have the trees' directories watched."""
        added = monitor.want(merged(tree.directories for tree in self._trees))
        for tree in self._trees:
            if here := tree.directories.keys() & added:
                tree.watched(here)
        for reason, notice in monitor.notices.items():
            self._say_once(self._trees[0], reason, notice)

    def _say(self, tree: Tree, messages: Sequence[Message]) -> None:
        for message in messages:
            self._report(tree, message)
            if message.event in ("changed", "broken", "removed"):
                path = message.values[-1]["path"]
                last = {"time": time.time(), "event": message.event, "path": path}
                self._last_changes[tree] = last
        said = {message.event for message in messages}
        if said & {"changed", "removed"} and "broken" not in said and tree.sources.broken:
            self._report(tree, lines.still_broken(list(tree.sources.broken.values())))
        if messages:
            self._has_news = True
            self._beat_due = min(self._beat_due, time.monotonic() + _WRITE_AFTER_S)

    def _beat(self, monitor: Monitor) -> None:
        """Write into the runtime directory that we live, and what changed since the last time."""
        if time.monotonic() < self._beat_due:
            return
        has_news, self._has_news = self._has_news, False
        self._beat_due = time.monotonic() + BEAT_S
        for tree, station in self._stations.items():
            try:
                if has_news:
                    station.write(self._state(tree, monitor))
                else:
                    station.beat()
            except OSError as error:
                self._fail(tree, f"can't write its state into the runtime directory: {error}")
                self._has_news = True

    def _state(self, tree: Tree, monitor: Monitor) -> dict[str, Any]:
        hooks, modules = tree.sources.hooks.keys(), tree.sources.modules.keys()
        return {
            "pid": os.getpid(),
            "since": self._since,
            "tree": os.fspath(tree.given),
            "root": os.fspath(tree.root),
            "hooks": len(hooks),
            "modules": len(modules - hooks),
            "interpreters": [interpreter.label for interpreter in tree.interpreters],
            "how": "; ".join(m.values[0]["text"] for m in monitor.notices.values()) or "events",
            "last_change": self._last_changes.get(tree),
            "errors": [{"event": "broken"} | m.values[0] for m in tree.sources.broken.values()],
        }
