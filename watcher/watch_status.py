"""A watcher's lock and state in the runtime directory, and what ``--status`` shows of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile import files
from hooks_compile.entries.report import plural
from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from filelock import FileLock

BEAT_S = 10.0
"""A watcher touches its state so often: it lives."""

# The lock of a killed process is free at once; a reader of the state holds it for a moment.
_LOCK_TIMEOUT_S = 1.0
# A watcher that compiles a whole project for the first time writes nothing meanwhile.
_LATE_S = 6 * BEAT_S


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
        """Become the tree's watcher; the runtime directory exists. Raises HooksCompileError."""
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            self._lock = self._take_lock(_LOCK_TIMEOUT_S)
        except OSError as error:
            text = f"can't be written: {error.strerror}"
            remedy = f"rm -r {pasted(self.directory)}"
            raise HooksCompileError(text, path=self.directory, remedy=remedy) from error
        if self._lock is None:
            state = self._read() or {}
            pid = state.get("pid")
            by = f", by process {pid} since {shown_time(state['since'])}" if pid else ""
            status = f"hooks-watch --status {pasted(self.tree)}"
            remedy = f"kill {pid}; or see what it does: {status}" if pid else status
            raise HooksCompileError(f"is watched already{by}", path=self.tree, remedy=remedy)

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
        draft.write_text(json.dumps(state))
        draft.replace(self.state_path)

    def beat(self) -> None:
        """Record that the watcher lives. Raises OSError."""
        os.utime(self.state_path)

    def status(self) -> Status:
        """Return how the tree is watched."""
        lock = self._take_lock(0) if self._lock_path.exists() else None
        is_watched = lock is None and self._lock_path.exists()
        if lock is not None:
            lock.release()
        try:
            silence_s = max(time.time() - self.state_path.stat().st_mtime, 0.0)
        except OSError:
            silence_s = None
        return Status(self.tree, is_watched, silence_s, self._read())

    def _read(self) -> dict[str, Any] | None:
        try:
            state = json.loads(files.read_bytes(self.state_path))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def _take_lock(self, timeout: float) -> FileLock | None:
        """Return the lock, None if another process has it."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - --service and --help need none

        lock = FileLock(self._lock_path, timeout=timeout)
        try:
            lock.acquire(poll_interval=0.02)
        except Timeout:
            return None
        return lock


class Status(NamedTuple):
    """How a tree is watched."""

    tree: Path
    is_watched: bool
    silence_s: float | None  # since the last watcher wrote
    state: dict[str, Any] | None  # what it wrote

    def as_json(self) -> dict[str, Any]:
        """Return the JSON value."""
        silence_s = None if self.silence_s is None else round(self.silence_s, 1)
        value = {"tree": os.fspath(self.tree), "watched": self.is_watched}
        return value | {"seconds_since_heard": silence_s, "watcher": self.state}

    def as_text(self, now: float) -> str:
        """Return some lines for a person; ``now`` is in seconds since the epoch."""
        state, silence_s = self.state, self.silence_s
        if not self.is_watched:
            text = f"{self.tree}: not watched"
            if state is not None and silence_s is not None:
                last = shown_time(now - silence_s)
                text += f"; process {state.get('pid')} was, and was last heard of at {last}"
            return f"{text}\n  to watch it: hooks-watch {pasted(self.tree)}"
        if state is None:
            return f"{self.tree}: watched, by a process that is just starting"
        root, pid, change = Path(state["root"]), state["pid"], state["last_change"]
        found = f"{plural(state['hooks'], 'hook')} and {plural(state['modules'], 'local module')}"
        last = "none yet"
        if change:
            when = shown_time(change["time"])
            last = f"{shown(Path(change['path']), root)} {change['event']} at {when}"
        under = ", ".join(state["interpreters"]) or "no Python"
        lines = [
            f"{self.tree}: watched by process {pid} since {shown_time(state['since'])}",
            f"  {found}, for {under}; watched by {state['how']}",
            f"  last change: {last}",
        ]
        if silence_s is not None and silence_s > _LATE_S:
            lines.append(f"  not heard of for {silence_s:.0f} s: to end it, kill {pid}")
        broken = [f"  broken: {_describe(each, root)}" for each in state["errors"]]
        return "\n".join([*lines, *(broken or ["  everything compiles"])])


def _describe(broken: dict[str, Any], root: Path) -> str:
    error = broken["results"][0]["error"]
    line = f":{error['line']}" if error["line"] else ""
    where = shown(Path(broken["path"]), root)
    return f"{where}{line}: {error['kind']}: {one_line(error['message'])}"


def shown_time(epoch: float) -> str:
    """Return a time as a person reads it: without the date if that is today's."""
    then = time.localtime(epoch)
    today = time.localtime()[:3] == then[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then)
