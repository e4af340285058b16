"""Runs a script by ``PYTHON SCRIPT`` and by the launcher, and tells what differs.

Each process runs in a fresh copy of the case's folder at one and the same path, so that nothing
has to be masked but addresses. A launch is made in three states:

``cold``     no entry: the launcher must report ``miss``
``primed``   launched before with the same content: the launcher must report ``hit``
``damaged``  an entry with lost or foreign bytes: the launcher must not report ``hit``

What is known to differ, and is asserted in ``test_known_differences.py`` and not masked here: one
more frame at the very bottom of the stack, and the command line that ``ps`` shows.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.interpreters_found import Found

Text = str | bytes
State = Literal["cold", "primed", "damaged"]
Stdout = Literal["pipe", "closed", "full", "append", "gone", "head", "stalled", "pty"]
Trace = Literal["entry", "source", "any"]

FOLDER = b"__pycache_opt__"
TIMEOUT = 60
ENVIRONMENTS: tuple[Mapping[str, str], ...] = (
    {},
    {"PYTHONDONTWRITEBYTECODE": "1"},
    {"PYTHONUNBUFFERED": "1"},
    {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
)
"""Some machines export these; each case meets all of them on one interpreter or another."""

_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a case's folder."""

    target: Text


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe in a case's folder."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A file with permission bits of its own."""

    content: Text
    bits: int


Content = Text | Link | Fifo | Mode | None
"""A file's content; None is an empty folder."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: ``PYTHON flags argv`` in ``cwd`` below the case's folder.

    ``argv`` starts with the script as typed; ``{dir}`` in it, in the flags and in the environment
    stands for the case's folder. ``stdin`` None is closed. ``shell`` is a command for ``sh`` that
    runs the process as ``"$@"``. ``signal`` is sent to the process group once stdout has shown
    ``ready``. ``status`` (negative: a signal) and ``shows`` (in stdout or stderr) tell what the
    source does, so that a script that fails for another reason proves nothing; None: whatever.
    """

    argv: tuple[Text, ...] = ("hook.py",)
    flags: tuple[str, ...] = ()
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: Text = "."
    stdin: Text | None = b""
    stdout: Stdout = "pipe"
    shell: str = ""
    signal: signal.Signals | None = None
    status: int | None = 0
    shows: Text = b""
    trace: Trace = "entry"
    minimum: tuple[int, int] = (3, 8)
    maximum: tuple[int, int] = (3, 99)
    pypy: bool = True

    def fits(self, interpreter: Found) -> bool:
        """Whether this interpreter can run it."""
        version = interpreter.version[:2]
        return self.minimum <= version <= self.maximum and (self.pypy or interpreter.is_cpython)


@dataclass(frozen=True, slots=True)
class Case:
    """A folder of files and the runs made in it. ``setup`` is a script that plain Python runs in
    the fresh folder first, for files that only the interpreter itself can make."""

    name: str
    files: Mapping[Text, Content]
    runs: tuple[Run, ...] = (Run(),)
    setup: str = ""

    def fits(self, interpreter: Found) -> bool:
        """Whether there is anything in it for this interpreter."""
        return any(run.fits(interpreter) for run in self.runs)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a process showed: what the two sides must have in common."""

    status: int
    stdout: bytes
    stderr: bytes
    files: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch's outcome and what ``HOOKS_COMPILE_TRACE`` said: ``hit``, ``miss``, ``source``."""

    outcome: Outcome
    trace: tuple[str, ...]


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
        """``PYTHON flags SCRIPT ARGS`` in a fresh folder."""
        with self._fresh(case):
            return self._process(run, [str(self.interpreter.executable), *run.flags])

    def launch(
        self, case: Case, run: Run, launch: Sequence[str], entries: Path | None = None
    ) -> Launched:
        """The same through ``launch`` (what stands between flags and script), in a fresh folder
        into which the ``__pycache_opt__`` folders kept in ``entries`` are laid; whatever such
        folders there are afterwards are kept in ``stash``."""
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
        lines = []
        if self.trace_file.exists():
            text = self.trace_file.read_text(encoding="utf-8", errors="surrogateescape")
            lines = [line.partition("\t")[0] for line in text.splitlines() if "\t" in line]
        return Launched(outcome, tuple(lines))

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
        argv = [os.fsencode(self._place(part)) for part in command]
        folder = os.fsencode(str(self.work))
        argv += [os.fsencode(part).replace(b"{dir}", folder) for part in run.argv]
        closed = (" <&-" if run.stdin is None else "") + (" >&-" if run.stdout == "closed" else "")
        if run.shell or closed:
            script = run.shell or f'exec "$@"{closed}'
            argv = [b"sh", b"-c", script.encode(), b"sh", *argv]
        status, stdout, stderr = run_process(
            argv,
            os.path.join(folder, os.fsencode(run.cwd)),  # noqa: PTH118 - bytes
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
    argv: Sequence[bytes], cwd: bytes, env: Mapping[str, str], run: Run
) -> tuple[int, bytes, bytes]:
    """Start it with the streams that ``run`` asks for; returns status, stdout and stderr."""
    with _Descriptors() as owned:
        stdin = stdout = stderr = subprocess.PIPE
        reader = -1
        if run.stdout == "full":
            stdout = os.open("/dev/full", os.O_WRONLY)
        elif run.stdout == "append":
            stdout = os.open(os.path.join(cwd, b"out.txt"), os.O_WRONLY | os.O_APPEND)  # noqa: PTH118
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
            start_new_session=True,
        )
        owned.close(stdout)
        deadline = threading.Timer(TIMEOUT, _kill_group, [process.pid])
        deadline.daemon = True
        deadline.start()
        try:
            return _talk(process, run, reader, owned)
        finally:
            deadline.cancel()
            deadline.join()
            _kill_group(process.pid)


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
        time.sleep(0.1)  # until it waits
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, run.signal)
    with contextlib.suppress(BrokenPipeError):
        stdout, stderr = process.communicate(given)
    if run.stdout == "stalled":
        shown = b"".join(_until_hang_up(reader))
    return process.returncode, shown + (stdout or b""), stderr or b""


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


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _mask(output: bytes) -> bytes:
    return _ADDRESS.sub(b"0xADDRESS", output)


def lay(root: Path, files: Mapping[Text, Content]) -> None:
    """Make ``root`` and the files of a case in it."""
    root.mkdir(parents=True)
    for name, content in files.items():
        path = Path(os.fsdecode(os.fsencode(str(root)) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, Link):
            path.symlink_to(os.fsdecode(content.target).replace("{dir}", str(root)))
        elif isinstance(content, Fifo):
            os.mkfifo(path)
        else:
            text = content.content if isinstance(content, Mode) else content
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            if isinstance(content, Mode):
                path.chmod(content.bits)


def wipe(root: Path) -> None:
    """Remove ``root`` and all in it, folders without permissions too."""
    if root.is_dir():
        for folder, _, _ in os.walk(root):
            Path(folder).chmod(0o700)
        shutil.rmtree(root)


def snapshot(root: Path) -> dict[bytes, bytes]:
    """What is below ``root``: path -> kind, permissions and content, without our entries; of a
    ``__pycache__`` only the names, because its files hold times."""
    found: dict[bytes, bytes] = {}
    top = os.fsencode(str(root))
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != FOLDER]
        for name in [*folders, *names]:
            path = os.path.join(folder, name)  # noqa: PTH118 - bytes
            status = os.lstat(path)
            relative = path[len(top) + 1 :]
            kind = f"{stat.filemode(status.st_mode)} ".encode()
            if stat.S_ISLNK(status.st_mode):
                kind += os.readlink(path)
            elif stat.S_ISREG(status.st_mode) and b"__pycache__" not in relative.split(b"/"):
                kind += Path(os.fsdecode(path)).read_bytes()
            found[relative] = kind
    return found


def keep_entries(root: Path, kept: Path) -> None:
    """Copy every ``__pycache_opt__`` below ``root`` to the same place below ``kept``."""
    kept.mkdir(parents=True)
    for folder, folders, _ in os.walk(root):
        name = os.fsdecode(FOLDER)
        if name in folders:
            folders.remove(name)
            place = Path(folder, name)
            if not place.is_symlink():
                shutil.copytree(place, kept / place.relative_to(root), symlinks=True)


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data[: len(data) // 2],
    lambda data: bytes([data[0] ^ 1]) + data[1:],
    lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
    lambda data: data + b"\0",
    lambda data: data[: len(data) // 2] + b"\xff" + data[len(data) // 2 + 1 :],
    lambda _: b"",
    lambda data: data[:-1],
    lambda data: data[: len(data) // 3] + data[len(data) // 3 :].swapcase(),
)


def damage(kept: Path, how: Callable[[bytes], bytes]) -> None:
    """Damage every entry below ``kept``."""
    for path in kept.rglob("*.pyc"):
        data = path.read_bytes()
        damaged = how(data)
        path.write_bytes(damaged if damaged != data else data[:-2])


def differences(expected: Outcome, got: Outcome) -> list[str]:
    """Each thing that differs, for a person to read."""
    found = []
    if expected.status != got.status:
        found.append(f"status: {got.status} instead of {expected.status}")
    for name, old, new in (
        ("stdout", expected.stdout, got.stdout),
        ("stderr", expected.stderr, got.stderr),
    ):
        if old != new:
            found.append(f"{name}:\n{_diff(old, new)}")
    for path in sorted({*expected.files, *got.files}):
        was, now = expected.files.get(path), got.files.get(path)
        if was != now:
            found.append(f"file {os.fsdecode(path)!r}:\n{_diff(was or b'none', now or b'none')}")
    return found


def _diff(old: bytes, new: bytes) -> str:
    def lines(text: bytes) -> list[str]:
        return [
            ascii(line)[2:-1] for line in text[:200_000].replace(b"\r\n", b"\r\\n\n").split(b"\n")
        ]

    return "\n".join(difflib.unified_diff(lines(old), lines(new), "source", "launched", "", "", 2))


def not_as_told(run: Run, outcome: Outcome) -> list[str]:
    """In what the source did not do what the case says it does."""
    wrong = []
    if run.status is not None and outcome.status != run.status:
        wrong.append(f"the source ended with {outcome.status}, not {run.status}")
    shows = run.shows.encode() if isinstance(run.shows, str) else run.shows
    if shows not in outcome.stdout + outcome.stderr:
        wrong.append(f"the source did not show {shows!r}")
    if wrong:
        output = (
            f"{outcome.stdout.decode(errors='replace')}{outcome.stderr.decode(errors='replace')}"
        )
        wrong.append(output[-2000:])
    return wrong


def trace_expected(run: Run, state: State) -> tuple[tuple[str, ...], ...]:
    """What the trace may say: exactly one line for each launch."""
    if run.trace == "source":
        return (("source",),)
    if run.trace == "any":
        return (("hit",), ("miss",), ("source",)) if state == "primed" else (("miss",), ("source",))
    return {"cold": (("miss",),), "primed": (("hit",),), "damaged": (("miss",),)}[state]
