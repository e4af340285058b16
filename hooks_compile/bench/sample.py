"""One launch of a hook: what it took, what it showed, and an end to what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.bench.signals import signals_wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

LARGEST_OUTPUT = 1 << 20
# A new process counts the memory of the one that it was forked from: a small one has to fork it.
_MEMORY_PROGRAM = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
usage = os.wait4(pid, 0)[2]
with open(sys.argv[1], "w") as file:
    file.write(str(usage.ru_maxrss))
"""


class Launch(NamedTuple):
    """How a hook is launched: its words, its environment, and what it reads from stdin."""

    words: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stdin: Path


class Sample(NamedTuple):
    """What one launch took and showed.

    ``wall`` and ``cpu`` are seconds, ``cpu`` with the children that it waited for. ``status`` is
    negative if a signal ended it. ``output`` is the first MiB of stdout and of stderr.
    ``leaves_processes`` says that a process of it went on. ``began`` is its start on the clock of
    time.monotonic.
    """

    wall: float
    cpu: float
    status: int
    output: tuple[bytes, bytes]
    leaves_processes: bool
    timed_out: bool
    began: float


def launch(how: Launch, timeout: float) -> Sample:
    """Launch a process in a session of its own, wait for it, and kill what is left of it.

    A process that takes longer than ``timeout`` seconds is killed. Its output goes to files: a pipe
    would have to be read until the last process that holds it has ended.
    """
    with (
        how.stdin.open("rb") as stdin,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        expired = threading.Event()
        process: subprocess.Popen[bytes] | None = None

        def expire() -> None:
            expired.set()
            if process is not None:
                _kill_group(process.pid)

        timer = threading.Timer(timeout, expire)
        try:
            timer.start()
            with signals_wait():
                began = time.monotonic()
                process = subprocess.Popen(
                    how.words,
                    cwd=how.cwd,
                    env=how.env,
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            _, wait_status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
        except BaseException:
            if process is not None:
                _kill_group(process.pid)
                process.wait()
                _kill_escaped(how.stdin.parent)
            raise
        finally:
            timer.cancel()
            timer.join()
        status = os.waitstatus_to_exitcode(wait_status)
        process.returncode = status  # subprocess would wait for it again
        return Sample(
            wall,
            usage.ru_utime + usage.ru_stime,
            status,
            (_head(out), _head(err)),
            any([_kill_group(process.pid), _kill_escaped(how.stdin.parent)]),
            expired.is_set(),
            began,
        )


def peak_memory(how: Launch, timeout: float) -> int:
    """Launch a process once more, and return its largest resident size in bytes, 0 if unknown."""
    found = how.stdin.with_name("memory")
    words = [sys.executable, "-I", "-S", "-c", _MEMORY_PROGRAM, str(found), *how.words]
    launch(how._replace(words=words), timeout)
    try:
        largest = int(found.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return largest if sys.platform == "darwin" else largest * 1024  # getrusage(2): KiB elsewhere


def _kill_group(group: int) -> bool:
    """Kill the processes of a group; return whether there were any."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
        return True
    return False


def _kill_escaped(top: Path) -> bool:
    """Kill the processes that left the group, by /proc; return whether there were any.

    They are known by the temporary directory of the copy in ``top``, which their environment names.
    """
    mark = os.fsencode(f"TMPDIR={top / 'tmp'}")
    found = False
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or it has ended
            if mark in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)
                found = True
    return found


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(LARGEST_OUTPUT)
