"""A watcher's lock and state in the runtime directory, and what ``--status`` says of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.printable import one_line
from hooks_compile.report import plural, shown

if TYPE_CHECKING:
    from filelock import FileLock

BEAT_S = 10.0
"""A watcher touches its state so often: it lives."""

# The lock of a killed process is free at once; a reader of the state holds it for a moment.
_LOCK_TIMEOUT_S = 1.0
# A watcher that compiles a whole project for the first time writes nothing meanwhile.
_LATE_S = 6 * BEAT_S


class WatchedError(HooksCompileError):
    """Another watcher watches the tree."""


class Station:
    """The lock and the state of the only watcher of a tree, in ``watch/``."""

    def __init__(self, runtime: Path, tree: Path) -> None:
        """``tree`` is what is watched, ``runtime`` the runtime directory. Nothing is written."""
        digest = hashlib.sha256(os.fsencode(os.path.realpath(tree))).hexdigest()[:16]
        self.tree = tree
        self.directory = runtime / "watch"
        self.state_path = self.directory / f"{digest}.json"
        self._lock_path = self.directory / f"{digest}.lock"
        self._lock: FileLock | None = None

    def acquire(self) -> None:
        """Become the tree's watcher. The runtime directory has to exist.

        Raises WatchedError if the tree has a watcher, HooksCompileError if the lock can't be made.
        """
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            self._lock = self._take_lock(_LOCK_TIMEOUT_S)
        except OSError as error:
            raise HooksCompileError(
                f"can't be written: {error.strerror}",
                path=self.directory,
                remedy=f"rm -r {pasted(self.directory)}",
            ) from error
        if self._lock is None:
            state = self.read() or {}
            pid, since = state.get("pid"), state.get("since")
            by = f", by process {pid}" if pid else ""
            when = f" since {shown_time(since)}" if since else ""
            status = f"hooks-watch --status {pasted(self.tree)}"
            raise WatchedError(
                f"is watched already{by}{when}",
                path=self.tree,
                remedy=f"kill {pid}; or see what it does: {status}" if pid else status,
            )

    def is_watched(self) -> bool:
        """Return whether a living watcher holds the lock."""
        if not self._lock_path.exists():
            return False
        lock = self._take_lock(0)
        if lock is not None:
            lock.release()
        return lock is None

    def release(self) -> None:
        """Remove the state, and free the lock. Its empty file has to stay."""
        if self._lock is not None:
            self.state_path.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def write(self, state: dict[str, Any]) -> None:
        """Write what the watcher does. Raises OSError."""
        draft = self.state_path.with_suffix(f".{os.getpid()}")
        self.directory.mkdir(mode=0o700, exist_ok=True)
        draft.write_text(json.dumps(state, default=str), errors="surrogateescape")
        draft.replace(self.state_path)

    def beat(self) -> None:
        """Record that the watcher lives. Raises OSError."""
        os.utime(self.state_path)

    def read(self) -> dict[str, Any] | None:
        """Return what the last watcher wrote, None if there is nothing."""
        try:
            state = json.loads(self.state_path.read_text(errors="surrogateescape"))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def silence_s(self) -> float | None:
        """Return how long ago the watcher wrote, None if it never did."""
        try:
            return max(time.time() - self.state_path.stat().st_mtime, 0.0)
        except OSError:
            return None

    def _take_lock(self, timeout: float) -> FileLock | None:
        """Return the lock, None if another process has it."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - --service and --help need none

        lock = FileLock(self._lock_path, timeout=timeout)
        try:
            lock.acquire(poll_interval=0.02)
        except Timeout:
            return None
        return lock


def shown_time(epoch: float) -> str:
    """Return a time as a person reads it: without the date if that is today's."""
    then = time.localtime(epoch)
    today = time.localtime()[:3] == then[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then)


def as_text(station: Station, is_watched: bool, now: float) -> str:
    """Return some lines about the watcher of a tree, if there is one."""
    state = station.read()
    if not is_watched:
        text = f"{station.tree}: not watched"
        if state is not None:
            ago = station.silence_s()
            when = f" at {shown_time(now - ago)}" if ago is not None else ""
            text += f"; process {state.get('pid')} was, and was last heard of{when}"
        return f"{text}\n  to watch it: hooks-watch {pasted(station.tree)}"
    if state is None:
        return f"{station.tree}: watched, by a process that is just starting"
    lines = [
        f"{station.tree}: watched by process {state['pid']} since {shown_time(state['since'])}",
        f"  {plural(state['hooks'], 'hook')} and {plural(state['modules'], 'local module')}, "
        f"for {', '.join(state['interpreters']) or 'no Python'}; watched by {state['how']}",
        f"  last change: {_last_change(state, station)}",
    ]
    silence = station.silence_s()
    if silence is not None and silence > _LATE_S:
        lines.append(f"  not heard of for {silence:.0f} s: to end it, kill {state['pid']}")
    lines += [f"  broken: {_broken(broken, Path(state['root']))}" for broken in state["errors"]]
    if not state["errors"]:
        lines.append("  everything compiles")
    return "\n".join(lines)


def _last_change(state: dict[str, Any], station: Station) -> str:
    change = state["last_change"]
    if change is None:
        return "none yet"
    path = shown(Path(change["path"]), Path(state.get("root", station.tree)))
    return f"{path} {change['event']} at {shown_time(change['time'])}"


def _broken(broken: dict[str, Any], root: Path) -> str:
    error = broken["results"][0]["error"]
    line = f":{error['line']}" if error["line"] else ""
    return (
        f"{shown(Path(broken['path']), root)}{line}: {error['kind']}: {one_line(error['message'])}"
    )


def as_json(station: Station, is_watched: bool) -> dict[str, Any]:
    """Return what is known of the watcher of a tree."""
    silence = station.silence_s()
    return {
        "tree": os.fspath(station.tree),
        "watched": is_watched,
        "seconds_since_heard": None if silence is None else round(silence, 1),
        "watcher": station.read(),
    }
