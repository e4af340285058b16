"""What a watcher leaves in the runtime folder: that it runs, and what it does."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import FileLock

BEAT_S = 10.0
"""So often a watcher says that it lives."""

# A holder of the lock that was killed is gone at once, a reader of the state holds it for a moment.
_LOCK_TIMEOUT_S = 1.0


class WatchedError(HooksCompileError):
    """Another watcher is at work on the tree."""


class Station:
    """The lock and the state of the one watcher of a tree, in the folder ``watch``."""

    def __init__(self, runtime: Path, tree: Path) -> None:
        """``tree`` is what is watched, ``runtime`` the runtime folder; nothing is written yet."""
        digest = hashlib.sha256(os.fsencode(os.path.realpath(tree))).hexdigest()[:16]
        self.tree = tree
        self._folder = runtime / "watch"
        self._state = self._folder / f"{digest}.json"
        self._lock_path = self._folder / f"{digest}.lock"
        self._lock: FileLock | None = None

    def acquire(self) -> None:
        """Become the tree's watcher. Raises WatchedError where there is one, saying who it is.

        The runtime folder has to be there.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        lock = self._file_lock(_LOCK_TIMEOUT_S)
        if lock is None:
            holder = self.read() or {}
            pid = holder.get("pid")
            since = holder.get("since")
            when = f" since {shown_time(since)}" if since else ""
            raise WatchedError(
                f"is watched already, by process {pid}{when}" if pid else "is watched already",
                path=self.tree,
                remedy=f"kill {pid}; or see what it does: hooks-watch --status '{self.tree}'"
                if pid
                else f"hooks-watch --status '{self.tree}'",
            )
        self._lock = lock

    def is_watched(self) -> bool:
        """Tell whether a living watcher holds the tree."""
        if not self._lock_path.exists():
            return False
        lock = self._file_lock(0)
        if lock is None:
            return True
        lock.release()
        return False

    def release(self) -> None:
        """Leave, without a trace but the lock's empty file, which has to stay."""
        if self._lock is not None:
            self._state.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def write(self, state: dict[str, Any]) -> None:
        """Say what the watcher does; raises OSError."""
        draft = self._state.with_suffix(f".{os.getpid()}")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft.write_text(json.dumps(state, default=str), errors="surrogateescape")
        draft.replace(self._state)

    def beat(self) -> None:
        """Say that the watcher lives; raises OSError."""
        os.utime(self._state)

    def read(self) -> dict[str, Any] | None:
        """Return what the last watcher said, None where there was none or it left in order."""
        try:
            state = json.loads(self._state.read_text(errors="surrogateescape"))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def silence_s(self) -> float | None:
        """Return how long ago the watcher said that it lives."""
        try:
            return max(time.time() - self._state.stat().st_mtime, 0.0)
        except OSError:
            return None

    def _file_lock(self, timeout: float) -> FileLock | None:
        """Take the lock; None where another process has it."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - --service and --help need none

        lock = FileLock(self._lock_path, timeout=timeout)
        try:
            lock.acquire(poll_interval=0.02)
        except Timeout:
            return None
        return lock


def shown_time(epoch: float) -> str:
    """Return a time as a person reads it: without the date where that is today's."""
    then = time.localtime(epoch)
    today = time.localtime()[:3] == then[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then)
