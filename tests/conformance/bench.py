"""Runs a script by ``PYTHON SCRIPT`` and by the launcher, and keeps all that it showed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.conformance.files import keep_entries, lay, snapshot, wipe
from tests.conformance.model import Run
from tests.support import processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.conformance.model import Case
    from tests.support.interpreters_found import Found

TIMEOUT = 60
ENVIRONMENTS: tuple[Mapping[str, str], ...] = (
    {},
    {"PYTHONDONTWRITEBYTECODE": "1"},
    {"PYTHONUNBUFFERED": "1"},
    {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
)
"""Some machines export these; each case meets all of them on one interpreter or another."""


# Where things lie in memory, and what CPython dumps of an object when there is no sys.stderr.
_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{6,}|(?<=object refcount : )\d+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a process showed: what the two sides must have in common."""

    status: int
    stdout: bytes
    stderr: bytes
    files: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch's outcome and what ``HOOKS_COMPILE_TRACE`` said: for each line ``hit``, ``miss`` or
    ``source``, and the reason."""

    outcome: Outcome
    trace: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where runs are made: ``work`` is wiped and laid for each, ``runtime`` is the launcher's."""

    interpreter: Found
    work: Path
    runtime: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def trace_file(self) -> Path:
        return self.work.with_name(f"{self.work.name}.trace")

    @property
    def stash(self) -> Path:
        return self.work.with_name(f"{self.work.name}.entries")

    def source(self, case: Case, run: Run) -> Outcome:
        """``PYTHON flags SCRIPT ARGS`` in a fresh directory."""
        with self._fresh(case):
            return self._process(run, [str(self.interpreter.executable), *run.flags])

    def launch(
        self, case: Case, run: Run, launch: Sequence[str], entries: Path | None = None
    ) -> Launched:
        """The same through ``launch`` (what stands between flags and script), in a fresh directory
        into which the ``__pycache_opt__`` directories kept in ``entries`` are laid; whatever such
        directories there are afterwards are kept in ``stash``."""
        command = [str(self.interpreter.executable), *run.flags, *launch]
        return self.launched(case, run, command, entries)

    def launched(
        self, case: Case, run: Run, command: Sequence[str], entries: Path | None = None
    ) -> Launched:
        """Like ``launch`` with everything that stands before the script given as it is."""
        with self._fresh(case):
            if entries is not None:
                shutil.copytree(entries, self.work, dirs_exist_ok=True, symlinks=True)
            self.trace_file.unlink(missing_ok=True)
            outcome = self._process(run, command)
            shutil.rmtree(self.stash, ignore_errors=True)
            keep_entries(self.work, self.stash)
        return Launched(outcome, tuple(self._trace_lines()))

    def _trace_lines(self) -> Iterator[tuple[str, str]]:
        if self.trace_file.exists():
            text = self.trace_file.read_text(encoding="utf-8", errors="surrogateescape")
            # A script's name may hold a newline: only what begins like a line is one.
            yield from re.findall(r"(?m)^(hit|miss|source)\t([^\t\n]*)\t", text)

    @contextlib.contextmanager
    def _fresh(self, case: Case) -> Iterator[None]:
        wipe(self.work)
        lay(self.work, case.files)
        if case.setup:
            subprocess.run(
                [self.interpreter.executable, "-c", case.setup],
                cwd=self.work,
                env=self._environment(Run()),
                check=True,
                timeout=TIMEOUT,
            )
        try:
            yield
        finally:
            wipe(self.work)

    def _environment(self, run: Run) -> dict[str, str]:
        merged: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "HOOKS_COMPILE_HOME": str(self.runtime),
            "HOOKS_COMPILE_TRACE": str(self.trace_file),
            "PARENT": str(os.getpid()),
            **self.environment,
            **run.env,
        }
        return {name: self._place(value) for name, value in merged.items() if value is not None}

    def _place(self, text: str) -> str:
        return text.replace("{dir}", str(self.work))

    def _process(self, run: Run, command: Sequence[str]) -> Outcome:
        argv = [self._place(part) for part in (*command, *run.argv)]
        closed = (" <&-" if run.stdin is None else "") + (" >&-" if run.stdout == "closed" else "")
        if run.by_sh or closed:
            script = run.by_sh or f'exec "$@"{closed}'
            argv = ["sh", "-c", script, "sh", *argv]
        status, stdout, stderr = run_process(
            argv,
            self.work / run.cwd,
            self._environment(run),
            run,
        )
        return Outcome(status, _mask(stdout), _mask(stderr), snapshot(self.work))


class _Descriptors:
    """Open file descriptors, each of which is closed once."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def own(self, *descriptors: int) -> None:
        self._open.update(descriptors)

    def close(self, *descriptors: int) -> None:
        for descriptor in self._open & set(descriptors):
            self._open.remove(descriptor)
            os.close(descriptor)

    def __enter__(self) -> _Descriptors:
        return self

    def __exit__(self, *error: object) -> None:
        self.close(*self._open)


def run_process(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], run: Run
) -> tuple[int, bytes, bytes]:
    """Start it with the streams that ``run`` asks for; returns status, stdout and stderr."""
    with _Descriptors() as owned:
        stdin = stdout = stderr = subprocess.PIPE
        reader = -1
        if run.stdout == "full":
            stdout = os.open("/dev/full", os.O_WRONLY)
        elif run.stdout == "append":
            stdout = os.open(cwd / "out.txt", os.O_WRONLY | os.O_APPEND)
        elif run.stdout == "pty":
            reader, stdout = os.openpty()
            stdin = stderr = stdout
        elif run.stdout in ("gone", "head", "stalled"):
            reader, stdout = os.pipe()
            os.set_blocking(stdout, run.stdout != "stalled")
        owned.own(*(each for each in (stdout, reader) if each >= 0))
        if run.stdout == "gone":
            owned.close(reader)
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
        )
        owned.close(stdout)
        deadline = threading.Timer(TIMEOUT, _kill_group, [process])
        deadline.daemon = True
        deadline.start()
        try:
            return _talk(process, run, reader, owned)
        finally:
            deadline.cancel()
            deadline.join()
            _kill_group(process)


def _talk(
    process: subprocess.Popen[bytes], run: Run, reader: int, owned: _Descriptors
) -> tuple[int, bytes, bytes]:
    given = run.stdin.encode() if isinstance(run.stdin, str) else run.stdin or b""
    shown = b""
    if run.stdout == "pty":
        shown = b"".join(_until_hang_up(reader))
        return process.wait(), shown, b""
    if run.stdout == "head":
        shown = os.read(reader, 10)
        owned.close(reader)
    if run.signal is not None and process.stdout is not None:
        while not shown.endswith(b"ready\n") and (byte := process.stdout.read(1)):
            shown += byte
        _wait_until_it_waits(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, run.signal)
    with contextlib.suppress(BrokenPipeError):
        stdout, stderr = process.communicate(given)
    if run.stdout == "stalled":
        shown = b"".join(_until_hang_up(reader))
    return process.returncode, shown + (stdout or b""), stderr or b""


def _wait_until_it_waits(process: subprocess.Popen[bytes]) -> None:
    time.sleep(0.1)
    while processes.state(process.pid) == "R":
        time.sleep(0.01)


def _until_hang_up(reader: int) -> Iterator[bytes]:
    # Of a terminal, Linux says EIO once the last process has closed its side.
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:
            return
        if not chunk:
            return
        yield chunk


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:  # else its number may already be another's
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _mask(output: bytes) -> bytes:
    return _ADDRESS.sub(b"0xADDRESS", output)
