"""What a Python says of itself: one short process, and a file that remembers the answers."""

from __future__ import annotations

import ast
import contextlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.errors import InterpreterError
from hooks_compile.files import read_own, replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MARK = "hooks-compile-probe"
_LIMIT = 1 << 16
_PROBE = f"""
import _imp, sys
from _frozen_importlib_external import MAGIC_NUMBER
words = (sys.implementation.name, sys.version_info[:3], sys.implementation.cache_tag,
         MAGIC_NUMBER.hex(), _imp.source_hash(0, b"hooks-compile").hex(), sys.executable)
sys.stdout.write("\\n{_MARK} " + ascii(words) + "\\n")
"""


class Answer(NamedTuple):
    """What a Python says of itself."""

    implementation: str
    version: tuple[int, int, int]
    cache_tag: str
    magic: str
    hash_check: str
    executable: str

    @classmethod
    def parse(cls, line: str) -> Answer | None:
        """Parse the line that the probe printed; None if it is another line."""
        mark, _, words = line.partition(" ")
        try:
            name, (major, minor, micro), *others = ast.literal_eval(words)
            version = (int(major), int(minor), int(micro))
            return cls(str(name), version, *map(str, others)) if mark == _MARK else None
        except (RecursionError, SyntaxError, TypeError, ValueError):
            return None


def ask(path: Path, *, cwd: Path, env: Mapping[str, str], timeout: float) -> Answer:
    """Start ``path`` in ``cwd`` and return what it says of itself.

    Other output is ignored. Raises InterpreterError if it does not start, does not answer within
    ``timeout`` seconds, or is no Python.
    """
    import signal  # noqa: PLC0415 - not needed for an answer that is remembered
    import subprocess  # noqa: PLC0415 - as above

    remedy = f"{path} -c 'import sys; print(sys.version)'"
    try:
        process = subprocess.Popen(
            # -S: site takes long and changes nothing that is asked; -E -s is -I, also for Python 2
            [str(path), "-E", "-s", "-S", "-c", _PROBE],
            bufsize=0,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # to end a shim with all that it started
        )
    except OSError as error:
        cause = f"does not start: {error.strerror or error}"
        raise InterpreterError(cause, path=path, remedy=remedy) from error
    with process:
        said = f"does not answer in {timeout:g} s"
        try:
            process.wait(timeout)
            said = ""
        except subprocess.TimeoutExpired:
            pass  # it may have answered before
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        os.set_blocking(process.stdout.fileno(), False)  # a process may still hold the other end
        lines = (process.stdout.read(_LIMIT) or b"").decode("utf-8", "replace").split("\n")
    answer = next(filter(None, map(Answer.parse, lines)), None)
    if answer is not None:
        return answer
    last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")[:200]
    said = said or f"is no Python that can run hooks (3.8 or later); it said: {last}"
    raise InterpreterError(said, path=path, remedy=remedy)


def recall(memory: Path | None, binary: Path) -> Answer | None:
    """Return what ``binary`` said when it was asked last, None if it is another file now.

    ``memory`` is a JSON file, ``{path: [stamp, line of the probe]}``. It only saves work: one that
    is damaged, or that others could have written, counts as empty.
    """
    try:
        stamp, line = _read(memory)[str(binary)]
        return Answer.parse(line) if stamp == _stamp(str(binary)) else None
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        return None


def remember(memory: Path | None, binary: Path, answer: Answer) -> None:
    """Add an answer to ``memory``. If that can't be written, the next command asks again."""
    import json  # noqa: PLC0415 - see _read

    if memory is None:
        return
    with contextlib.suppress(OSError):
        known = {name: value for name, value in _read(memory).items() if os.path.exists(name)}  # noqa: PTH110 - strings
        known[str(binary)] = [_stamp(str(binary)), f"{_MARK} {tuple(answer)!a}"]
        replace(memory, json.dumps(known).encode("ascii"))


def _read(memory: Path | None) -> dict[str, Any]:
    import json  # noqa: PLC0415 - 3 ms

    if memory is None:
        return {}
    try:
        value = json.loads(read_own(memory).decode("ascii"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _stamp(binary: str) -> list[str | int]:
    """Return what changes when the binary, or the target of its link, does."""
    real = os.path.realpath(binary)
    status = os.stat(real)  # noqa: PTH116 - a string
    return [real, status.st_size, status.st_mtime_ns, status.st_ino]
