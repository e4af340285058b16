"""Making a snapshot may end at any moment, and launches may run meanwhile: none is wrong."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots.snapshot_file import Part
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters
from tests.support.tiers import scaled, soak_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = NEEDS_LOADER

HOOK = "import sys\nimport json\nprint(json.dumps(sys.argv[1:]))\nsys.exit(2)\n"
# What the background maker does: makes, tests and publishes.
MAKE = """\
import os, sys
from pathlib import Path
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.snapshots import making, snapshot_store
runtime, python = sys.argv[1:]
interpreter = resolve(python, cwd=Path("/"), env=os.environ)
print("begun", flush=True)
made = making.make_all(snapshot_store.Store(Path(runtime)), [interpreter], os.environ)
sys.exit(any(each.error for each in made))
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with a hook and without a snapshot."""
    machine = Machine.create(tmp_path, interpreters()[-1])
    machine.write(HOOK)
    return machine


def hook_of(machine: Machine) -> Path:
    """Its hook."""
    return machine.directory / "hooks" / "hook.py"


def command(machine: Machine) -> list[str]:
    """The command of a maker."""
    return [sys.executable, "-c", MAKE, str(machine.user.runtime), machine.user.python]


def leftovers(machine: Machine) -> Iterator[Path]:
    """What no maker leaves behind."""
    directory = machine.snapshots.directory
    yield from directory.glob("test-*")
    yield from directory.glob("*/.*")


def require_right(machine: Machine) -> None:
    """A launch shows what the source shows, resumed or cold."""
    hook = hook_of(machine)
    assert machine.launch(hook, "a").shown == (2, b'["a"]\n', b"")


def require_made(machine: Machine) -> None:
    """The next maker makes all, and removes what others have left."""
    done = subprocess.run(
        command(machine), env=machine.user.environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(leftovers(machine)) == []
    assert machine.launch(hook_of(machine)).resumed
    require_right(machine)


@pytest.mark.timeout(900)
def test_killed_at_any_moment(machine: Machine) -> None:
    dice = random.Random(1)  # noqa: S311 - the same moments in each run, about
    for _ in range(scaled(1, 3, 100)):
        with subprocess.Popen(
            command(machine),
            env=machine.user.environment(),
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            time.sleep(dice.uniform(0, 1.5))
            process.kill()
        require_right(machine)
    require_made(machine)


@soak_only
@pytest.mark.timeout(3600)
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("call", ["rename", "link,linkat", "unlink,unlinkat", "fsync", "mkdir"])
def test_killed_at_each_change_of_a_directory(machine: Machine, call: str) -> None:
    for number in range(1, 100):
        inject = f"inject={call}:signal=KILL:when={number}"
        words = ["strace", "-o", os.devnull, "-e", inject, *command(machine)]
        done = subprocess.run(
            words, env=machine.user.environment(), capture_output=True, check=False
        )
        require_right(machine)
        if done.returncode == 0:
            assert number > 1
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    require_made(machine)


def test_replaced_and_removed_while_launches_run(machine: Machine) -> None:
    hook = hook_of(machine)
    launcher = str(machine.user.runtime / "launch.py")
    words = [str(machine.snapshots.loader), machine.user.python, launcher, str(hook), "a"]
    path = machine.make(hook)
    content = path.read_bytes()
    place = machine.snapshots.place(machine.user.python, machine.user.environment())
    for _ in range(scaled(2, 6, 100)):
        running = []
        for change in range(8):
            running.append(
                subprocess.Popen(
                    words,
                    env=machine.user.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            )
            if change % 4 == 1:
                draft = machine.snapshots.draft(place, [Part(0, content)])
                machine.snapshots.publish(place, path.name, draft)
            elif change % 4 == 3:
                path.unlink()
        for process in running:
            shown = process.communicate()
            assert (process.returncode, *shown) == (2, b'["a"]\n', b"")
    machine.snapshots.publish(place, path.name, machine.snapshots.draft(place, [Part(0, content)]))
    assert machine.launch(hook, "a").resumed
    waiting = subprocess.Popen(words, env=machine.user.environment(), stdout=subprocess.PIPE)
    shutil.rmtree(place.directory)
    assert waiting.communicate()[0] == b'["a"]\n'
    assert not machine.launch(hook, "a").resumed


def test_truncated_while_a_hook_runs(machine: Machine) -> None:
    """Only this user can do it. The hook dies, or it is right; the next launch is cold."""
    hook = machine.write(
        "import sys, json\nprint('began', flush=True)\nsys.stdin.readline()\n"
        "import traceback, email.message\nprint(json.dumps(sys.argv[1:]))\n",
        "waiting.py",
    )
    path = machine.make(hook)
    launcher = str(machine.user.runtime / "launch.py")
    words = [str(machine.snapshots.loader), machine.user.python, launcher, str(hook)]
    with subprocess.Popen(
        words,
        env=machine.user.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"began\n"
        os.truncate(path, 4096)
        out, _ = process.communicate(b"\n")
    # all its memory is gone, also what the kernel itself writes to: rseq(2)
    assert (process.returncode, out) in [
        (0, b"[]\n"),
        (-signal.SIGBUS, b""),
        (-signal.SIGSEGV, b""),
    ]
    assert machine.launch(hook, stdin=b"\n").shown == (0, b"began\n[]\n", b"")
