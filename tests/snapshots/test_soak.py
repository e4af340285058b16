"""Many launches from a few snapshots: none wrong, none cold, nothing grows.

``HOOKS_COMPILE_SNAPSHOT_LAUNCHES`` sets their number, for all interpreters together.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.interpreters_found import Found

pytestmark = NEEDS_LOADER

# 20,000 take a minute on two cores, which is more than the whole of CI can give.
LAUNCHES = int(os.environ.get("HOOKS_COMPILE_SNAPSHOT_LAUNCHES", scaled(200, 8_000, 100_000)))
AT_ONCE = 8

GUARD = """\
import json, re, sys
event = json.load(sys.stdin)
if re.search(r"rm\\s+-rf", event["command"]):
    print("blocked:", event["command"], file=sys.stderr)
    sys.exit(2)
print(json.dumps(event), len(__import__("os").listdir("/proc/self/fd")))
"""
MANY = """\
import os, json, re, subprocess, datetime, random, logging, tempfile, threading, hashlib
import signal, sys
child = os.fork()
if not child:
    os._exit(5)
seen = [os.waitpid(child, 0)[1] >> 8]
worker = threading.Thread(target=seen.append, args=(1,))
worker.start()
worker.join()
logging.warning("seen %s", seen)
print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest(), len(sys.modules), flush=True)
os.kill(os.getpid(), signal.SIGTERM)
"""
SMALL = "import sys\nsys.stdout.write('x' * 70)\nif sys.stdin.read(): 1 / 0\nsys.exit(3)\n"


class Event(NamedTuple):
    """A launch, its input, and what its source shows."""

    words: list[str]
    stdin: Path
    status: int
    shown: bytes


class Ended(NamedTuple):
    """How a launch ended: wait status, and both streams."""

    status: int
    shown: bytes


class Soak:
    """Hooks with snapshots, and launches of them in turn."""

    def __init__(self, directory: Path, found: Found) -> None:
        self.machine = Machine.create(directory, found)
        self.trace = directory / "trace"
        self.env = {**self.machine.user.environment(), "HOOKS_COMPILE_TRACE": str(self.trace)}
        guard = self.machine.write(GUARD, "guard.py")
        many = self.machine.write(MANY, "many.py")
        small = self.machine.write(SMALL, "small.py")
        self.machine.make()
        self.machine.make(guard)
        passes = self._event(guard, '{"command": "ls"}')
        blocks = self._event(guard, '{"command": "rm -rf x"}')
        fails = self._event(small, "")
        # Python takes longest to print a traceback, so that is rare
        often = [passes, blocks, fails, self._event(many, "text"), passes, fails, blocks] * 9
        self.events = [*often, self._event(small, "x"), self._event(guard, "no json")]

    def _event(self, hook: Path, text: str) -> Event:
        stdin = hook.with_name(f"{len(list(hook.parent.iterdir()))}.input")
        stdin.write_text(text, encoding="utf-8")
        ended = self._wait(*self._start([self.machine.user.python, str(hook)], stdin))
        loader, launcher = self.machine.snapshots.loader, self.machine.user.runtime / "launch.py"
        words = [str(loader), self.machine.user.python, str(launcher), str(hook)]
        return Event(words, stdin, ended.status, ended.shown)

    def _start(self, words: list[str], stdin: Path) -> tuple[int, int]:
        reader, writer = os.pipe()
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, str(stdin), os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writer, 1),
            (os.POSIX_SPAWN_DUP2, writer, 2),
        ]
        child = os.posix_spawn(words[0], words, self.env, file_actions=actions)
        os.close(writer)
        return child, reader

    def _wait(self, child: int, reader: int) -> Ended:
        _, status = os.waitpid(child, 0)
        shown = os.read(reader, 1 << 16)  # all of it: less than a pipe holds
        os.close(reader)
        return Ended(status, shown)

    def launch(self, count: int) -> None:
        """Launch at least ``count`` events, and require that each is resumed and right."""
        for start in range(0, count, AT_ONCE):
            events = [self.events[n % len(self.events)] for n in range(start, start + AT_ONCE)]
            started = [self._start(event.words, event.stdin) for event in events]
            for event, one in zip(events, started, strict=True):
                ended = self._wait(*one)
                assert ended == (event.status, event.shown), event
        lines = self.trace.read_text("utf-8").splitlines()
        self.trace.unlink()
        cold = [line for line in lines if not line.startswith("resumed\thit\t")]
        assert cold == [], cold[:3]
        assert count <= len(lines) < count + AT_ONCE, len(lines)

    def left(self) -> Iterator[str]:
        """Everything that launches could leave: files, descriptors of ours, and processes."""
        yield from map(str, sorted(self.machine.directory.rglob("*")))
        yield from sorted(path.name for path in Path("/proc/self/fd").iterdir())
        marker = str(self.machine.user.runtime).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended
                if marker in process.joinpath("cmdline").read_bytes():
                    yield process.name


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("interpreter", interpreters(), ids=lambda found: found.name)
def test_many_launches(interpreter: Found, tmp_path: Path) -> None:
    soak = Soak(tmp_path, interpreter)
    soak.launch(40)
    before = list(soak.left())
    soak.launch(LAUNCHES // len(interpreters()))
    assert list(soak.left()) == before
    assert soak.machine.snapshots.crashes() == []
