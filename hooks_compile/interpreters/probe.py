"""What a Python says of itself: one short process, and a memory of the answers."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from hooks_compile.errors import InterpreterError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

_MARK = "hooks-compile-probe"
_LIMIT = 1 << 16

# Also for Pythons too old for anything else, so that they can say so.
_PROBE = f"""
import sys
version = ".".join(str(part) for part in sys.version_info[:3])
try:
    import _imp
    from _frozen_importlib_external import MAGIC_NUMBER
    words = [sys.implementation.name, version, sys.implementation.cache_tag, MAGIC_NUMBER.hex(),
             _imp.source_hash(0, b"hooks-compile").hex(),
             sys.executable.encode("utf-8", "surrogatepass").hex()]
except (ImportError, AttributeError):
    words = ["Python", version]
sys.stdout.write("\\n{_MARK} " + " ".join(str(word) for word in words) + "\\n")
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a Python says; only the first two are there for one that is too old for hooks."""

    implementation: str
    version: tuple[int, int, int]
    cache_tag: str = ""
    magic: str = ""
    hash_check: str = ""
    executable: str = ""

    @classmethod
    def parse(cls, line: str) -> Answer | None:
        """Read the line that the probe printed; None where it is none."""
        words = line.split()
        if words[:1] != [_MARK] or len(words) not in (3, 7):
            return None
        try:
            major, minor, micro = map(int, words[2].split("."))
            executable = bytes.fromhex("".join(words[6:])).decode("utf-8", "surrogatepass")
        except ValueError:
            return None
        version = (major, minor, micro)
        if len(words) == 3:
            return cls(words[1], version)
        return cls(words[1], version, words[3], words[4], words[5], executable)


def ask(path: Path, *, cwd: Path, env: Mapping[str, str], timeout: float) -> Answer:
    """Start ``path`` in ``cwd`` and return what it says of itself.

    What else it prints is ignored. Raises InterpreterError where it does not start, does not
    answer within ``timeout`` seconds, or is no Python.
    """
    import subprocess  # noqa: PLC0415 - not needed where the memory knows the answer

    # -S: site takes long and changes nothing that is asked; -E -s instead of -I, for Python 2.
    command = [str(path), "-E", "-s", "-S", "-c", _PROBE]
    remedy = f"{path} -c 'import sys; print(sys.version)'"
    deadline = time.monotonic() + timeout
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that a shim and all that it started can be ended
        )
    except OSError as error:
        cause = f"does not start: {error.strerror or error}"
        raise InterpreterError(cause, path=path, remedy=remedy) from error
    try:
        answer, said = _listen(process, deadline)
    except BaseException:
        deadline = 0  # ^C: nobody waits any more
        raise
    finally:
        _end(process, deadline)
    if answer is not None:
        return answer
    if time.monotonic() >= deadline:
        raise InterpreterError(f"does not answer in {timeout:g} s", path=path, remedy=remedy)
    raise InterpreterError(
        f"is no Python that can run hooks; it said: {said or 'nothing'}", path=path, remedy=remedy
    )


def _listen(process: subprocess.Popen[bytes], deadline: float) -> tuple[Answer | None, str]:
    """Read until the answer is there, and return it; else None and the last line that was said."""
    import select  # noqa: PLC0415 - see ask

    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    heard = b""
    while len(heard) < _LIMIT:
        ready, _, _ = select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))
        more = os.read(process.stdout.fileno(), _LIMIT) if ready else b""
        if not more:
            break
        heard += more
        complete, _, _ = heard.rpartition(b"\n")
        for line in complete.decode("utf-8", "replace").split("\n"):
            answer = Answer.parse(line)
            if answer is not None:
                return answer, ""
    lines = heard[-_LIMIT:].decode("utf-8", "replace").split("\n")
    return None, next((line.strip() for line in reversed(lines) if line.strip()), "")[:200]


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for the process, and end it and those that it started where that takes too long."""
    import signal  # noqa: PLC0415 - see ask
    import subprocess  # noqa: PLC0415

    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    process.stdout.close()
    try:
        process.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Memory:
    """What Pythons said, in a file: ``{path: [stamp, name, version...]}``. Only ever a short cut.

    A file that is damaged, or that others could have written, counts as empty. An answer is kept
    under the path of the binary and counts as long as that is the same file.
    """

    def __init__(self, path: Path | None) -> None:
        """Use the file ``path``; None remembers nothing."""
        self._path = path

    def recall(self, binary: Path) -> Answer | None:
        """Return what ``binary`` said when it was asked last, if it is still the same file."""
        known = self._read().get(str(binary), ())
        try:
            stamp, name, (major, minor, micro), *words = known
            tag, magic, hash_check, executable = map(str, words)
            if stamp != _stamp(str(binary)):
                return None
            version = (int(major), int(minor), int(micro))
        except (OSError, TypeError, ValueError):
            return None
        return Answer(str(name), version, tag, magic, hash_check, executable)

    def keep(self, binary: Path, answer: Answer) -> None:
        """Remember an answer; where the file can't be written, the next command asks again."""
        import json  # noqa: PLC0415 - see _read

        if self._path is None:
            return
        known = {name: value for name, value in self._read().items() if os.path.exists(name)}  # noqa: PTH110 - strings
        known[str(binary)] = [_stamp(str(binary)), *astuple(answer)]
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            try:
                with open(draft, "x", opener=_open_private, encoding="ascii") as file:
                    json.dump(known, file)
                draft.replace(self._path)
            finally:
                draft.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        import json  # noqa: PLC0415 - 3 ms

        if self._path is None:
            return {}
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, encoding="ascii") as file:  # noqa: PTH123 - a descriptor
                status = os.fstat(descriptor)
                private = status.st_uid == os.geteuid() and not status.st_mode & 0o22
                value = json.load(file) if private and stat.S_ISREG(status.st_mode) else {}
        except (OSError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _stamp(binary: str) -> list[str | int]:
    """Return what changes when the binary, or what its link names, does."""
    real = os.path.realpath(binary)
    status = os.stat(real)  # noqa: PTH116 - a string
    return [real, status.st_size, status.st_mtime_ns, status.st_ino]
