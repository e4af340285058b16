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
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from filelock import FileLock

# The lock of a killed process is free at once; a reader of the state holds it for a moment.
_LOCK_TIMEOUT_S = 1.0


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
        self._since = time.time()

    def acquire(self) -> None:
        """Become the tree's watcher. Raises HooksCompileError if there is another one, OSError."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._lock = self._take_lock(_LOCK_TIMEOUT_S)
        if self._lock is None:
            state = self._read()
            way = f"hooks-watch --status {pasted(self.tree)}"
            way = f"kill {state['pid']}; or see what it does: {way}" if state else way
            text = f"is watched already, by {_process(state)}"
            raise HooksCompileError(text, path=self.tree, remedy=way)

    def release(self) -> None:
        """Remove the state, and free the lock. Its empty file has to stay."""
        if self._lock is not None:
            self.state_path.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def write(self, state: dict[str, Any]) -> None:
        """Write what this process, the watcher, does. Raises HooksCompileError."""
        draft = self.state_path.with_suffix(f".{os.getpid()}")
        head = {"pid": os.getpid(), "since": self._since, "written": time.time()}
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            draft.write_text(json.dumps(head | state))
            draft.replace(self.state_path)
        except OSError as error:
            raise files.refusal(files.named(error, self.directory)) from error

    def status(self) -> Status:
        """Return how the tree is watched."""
        lock = self._take_lock(0) if self._lock_path.exists() else None
        is_watched = lock is None and self._lock_path.exists()
        if lock is not None:
            lock.release()
        return Status(self.tree, is_watched, self._read())

    def _read(self) -> dict[str, Any] | None:
        try:
            state = json.loads(files.read_bytes(self.state_path))
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) and "written" in state else None

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
    state: dict[str, Any] | None  # what the watcher wrote

    def as_json(self, now: float) -> dict[str, Any]:
        """Return the JSON value; ``now`` is in seconds since the epoch."""
        silence_s = round(max(now - self.state["written"], 0.0), 1) if self.state else None
        value = {"tree": os.fspath(self.tree), "watched": self.is_watched}
        return value | {"seconds_since_heard": silence_s, "watcher": self.state}

    def as_text(self) -> str:
        """Return some lines for a person."""
        state, by = self.state, _process(self.state)
        if not self.is_watched:
            last = f"; the last watcher was {by}" if state else ""
            return f"{self.tree}: not watched{last}\n  to watch it: hooks-watch {pasted(self.tree)}"
        lines = [f"{self.tree}: watched by {by}"]
        if state is not None:
            found = f"{plural(state['hooks'], 'hook')}, {plural(state['modules'], 'local module')}"
            under = ", ".join(dict.fromkeys(state["interpreters"])) or "no Python"
            lines.append(f"  {found}, for {under}; watched by {state['how']}")
            if change := state["last_change"]:
                path, when = shown(Path(change["path"])), shown_time(change["time"])
                lines.append(f"  last change: {path} {change['event']} at {when}")
            # a watcher of an older version, which still runs, writes no "error"
            broken = [f"  broken: {each.get('error') or each['path']}" for each in state["errors"]]
            lines += broken or ["  everything compiles"]
        return "\n".join(lines)


def _process(state: dict[str, Any] | None) -> str:
    if state is None:
        return "a process that is just starting"
    since, written = shown_time(state["since"]), shown_time(state["written"])
    return f"process {state['pid']} since {since}, last sign of life at {written}"


def shown_time(epoch: float) -> str:
    """Return a time as a person reads it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))
