"""``hooks-watch`` as a process of its own, and what it says and does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.launches import User

PATIENCE_S = 100.0
HOOK = "import sys\n\nprint({!r}, *sys.argv[1:])\n"


def wait_until(
    test: Callable[[], object], what: Callable[[], object], seconds: float = PATIENCE_S
) -> None:
    """Return as soon as ``test`` is true; fail with ``what`` where it does not get so."""
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what()}")
        time.sleep(0.01)


def is_warm(user: User, hook: Path) -> bool:
    """Whether there is an entry for the hook as it is now."""
    try:
        return any(user.entry_path(hook, level).exists() for level in (2, 1, 0))
    except OSError:  # it is being replaced
        return False


def wait_warm(user: User, *hooks: Path, seconds: float = PATIENCE_S) -> None:
    """Wait for the entries of all hooks as they are now."""
    cold = list(hooks)

    def none_is_cold() -> bool:
        cold[:] = [hook for hook in cold if not is_warm(user, hook)]
        return not cold

    wait_until(none_is_cold, lambda: f"warm: {cold[:3]} and {len(cold)} in all", seconds)


@dataclass(frozen=True, slots=True)
class Watcher:
    """A running ``hooks-watch --json``."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def messages(self, event: str = "") -> list[dict[str, Any]]:
        """What it said so far; only messages of one kind where ``event`` is given."""
        said = [json.loads(line) for line in self.out.read_bytes().split(b"\n")[:-1]]
        return [message for message in said if event in ("", message["event"])]

    def wait_for(
        self, event: str, test: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """Wait for a message of one kind of which ``test`` is true, and return the first."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [message for message in self.messages(event) if test(message)]
            return bool(found) or self.process.poll() is not None

        wait_until(is_there, lambda: f"message {event!r}; said was {self.messages()}")
        assert found, f"ended without message {event!r}: {self.err.read_text()}"
        return found[0]

    def wait_started(self) -> None:
        """Wait until everything was looked at and is watched."""
        self.wait_for("watching")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def proc(self, name: str) -> str:
        """What Linux says of the process, or of all its threads."""
        paths = sorted(Path("/proc", str(self.process.pid)).glob(name))
        return "".join(path.read_text() for path in paths)


def command(user: User, *words: str | Path) -> list[str]:
    """The command line of a watcher for the user's interpreter."""
    return [sys.executable, "-m", "watcher", "--python", user.python, *map(str, words)]


def environment(user: User) -> dict[str, str]:
    """What the user's watcher sees; the tests' own settings of git and coverage are kept."""
    ours = ("GIT_CONFIG_", "COVERAGE_")
    kept = {name: value for name, value in os.environ.items() if name.startswith(ours)}
    return {**kept, **user.environment()}


@contextlib.contextmanager
def watching(
    user: User,
    directory: Path,
    *words: str | Path,
    prefix: Sequence[str] = (),
    json_too: bool = True,
    stdout: int | BinaryIO | None = None,
    new_session: bool = False,
) -> Iterator[Watcher]:
    """Run ``hooks-watch --json WORDS`` in ``directory``; it has to end in order unless it was ended
    before."""
    out, err = user.runtime.parent / "out.jsonl", user.runtime.parent / "err.txt"
    options = ["--json"] if json_too else []
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            [*prefix, *command(user, *options, *words)],
            cwd=directory,
            env=environment(user),
            stdout=to_out if stdout is None else stdout,
            stderr=to_err,
            start_new_session=new_session,
        )
    watcher = Watcher(process, out, err)
    try:
        yield watcher
        if process.poll() is None:
            assert watcher.end() == 143, err.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run(user: User, directory: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``hooks-watch WORDS`` to its end."""
    return subprocess.run(
        command(user, *words),
        cwd=directory,
        env=environment(user),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
