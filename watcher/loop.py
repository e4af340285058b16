"""The loop: calls from other threads and the clock in, a step of each tree out."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

from watcher import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watcher.tree import Tree


class Loop:
    """Waits for something to do; everything but watchdog's threads runs in its thread."""

    def __init__(self) -> None:
        """Nothing is waited for yet."""
        self._queue: queue.SimpleQueue[Callable[[], None] | int] = queue.SimpleQueue()

    def put(self, item: Callable[[], None] | int) -> None:
        """Take a function to call or the signal to end with, from any thread or signal handler."""
        self._queue.put(item)

    def run(self, trees: Sequence[Tree]) -> int:
        """Do what is due in the trees until a signal says to stop, and return that signal."""
        while True:
            due = min(tree.next_due() for tree in trees)
            timeout = min(max(due - time.monotonic(), 0.0), threading.TIMEOUT_MAX)
            with contextlib.suppress(queue.Empty):
                while True:  # all that has come, before the trees take a step
                    item = self._queue.get(timeout=timeout)
                    if isinstance(item, int):
                        trees[0].report(lines.stopped(item))
                        return item
                    item()
                    timeout = 0.0
            for tree in trees:
                tree.step()
