"""A thread for what takes long, so that a save never waits for it."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_S = 2.0


class Helper:
    """Does one job after the other; a job is a function that says itself what came of it."""

    def __init__(self) -> None:
        """Start the thread."""
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="hooks-watch helper", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Have ``job`` done when those before it are; it must not raise."""
        self._jobs.put(job)

    def close(self) -> None:
        """Take no more jobs; one that takes long ends with the process."""
        self._jobs.put(None)
        self._thread.join(_PATIENCE_S)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
