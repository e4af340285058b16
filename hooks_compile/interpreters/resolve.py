"""Which Python runs a hook: the binary behind a command, as the agent would find it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hooks_compile.errors import InterpreterError, pasted
from hooks_compile.model import Interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 20
_LIMIT: Final = 1 << 16  # bytes of an answer
_SUPPORTED: Final = {"cpython": (3, 8), "pypy": (3, 8)}
_MANAGERS: Final = frozenset({"asdf", "mise", "pyenv", "rtx", "rye"})
_MARK: Final = "hooks-compile-probe"
_PROBE: Final = f"""
import _imp, sys
from _frozen_importlib_external import MAGIC_NUMBER
path = sys.executable.encode(sys.getfilesystemencoding(), "surrogateescape").hex()
check = _imp.source_hash(0, b"hooks-compile").hex()
words = [sys.implementation.name, path, sys.implementation.cache_tag, MAGIC_NUMBER.hex(), check]
sys.stdout.write("\\n" + " ".join(["{_MARK}", *words, *map(str, sys.version_info[:3])]) + "\\n")
"""


def find(command: str, *, cwd: Path, env: Mapping[str, str]) -> Path:
    """Return the file that a shell in ``cwd`` would start for ``command``: a binary or a shim.

    The path is absolute; links in it are kept. Raises InterpreterError if there is none.
    """
    if os.sep in command:
        candidates = [cwd / command]
    else:
        # an empty entry of PATH is the current directory
        directories = env.get("PATH", os.defpath).split(os.pathsep)
        candidates = [cwd / each / command for each in directories if command]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise InterpreterError(
        f"there is no {command!r} to run hooks with",
        remedy="hooks-compile compile --python /usr/bin/python3, or another that is there",
    )


def is_shim(path: Path) -> bool:
    """Return whether ``path`` only looks for a Python at each start (pyenv, asdf, mise, rye).

    A shim is a script, or a link to the manager's binary, which acts by the name that it was
    started by. A file that can't be read is taken for a binary.
    """
    real = Path(os.path.realpath(path))
    try:
        with real.open("rb") as file:
            return real.name in _MANAGERS or file.read(2) == b"#!"
    except OSError:
        return False


def resolve(
    command: str, *, cwd: Path, env: Mapping[str, str], timeout: float = TIMEOUT_S
) -> Interpreter:
    """Return the interpreter that ``command`` would run in ``cwd`` with the environment ``env``.

    It is started, unless it is the very binary that we run in, and says what it is; a shim starts
    the binary that it chooses now. The Python of a virtual environment is returned as it is, with
    its link. Raises InterpreterError for a command that is not there, that does not answer in
    ``timeout`` seconds, or that is no Python we support.
    """
    path = find(command, cwd=cwd, env=env)
    if _is_running(path):
        return own_interpreter(command, path)
    said, is_late = _ask(path, cwd, env, timeout)
    lines = said.decode("utf-8", "replace").split("\n")
    answer = next(filter(None, (_parse(line, command, path) for line in lines)), None)
    if answer is None:
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")[:200]
        cause = f"is no Python that can run hooks (3.8 or later); it said: {last}"
        if is_late:
            cause = f"does not answer in {timeout:g} s"
        raise InterpreterError(cause, path=path, remedy=_remedy(path))
    if answer.version < _SUPPORTED.get(answer.implementation, (99,)):
        raise InterpreterError(
            f"{answer.label} is not supported: hooks run from their sources",
            path=path,
            remedy="use CPython 3.8 or later, or PyPy 3.8 or later",
        )
    return answer


def _is_running(path: Path) -> bool:
    """Return whether ``path`` leads to the binary of this process; False if that is not known."""
    try:
        return path.samefile("/proc/self/exe")
    except OSError:  # not Linux
        return False


def own_interpreter(command: str, path: Path) -> Interpreter:
    """Return the interpreter that we run in, as ``command``, which leads to its binary ``path``."""
    import _imp  # noqa: PLC0415 - only here, and private
    from _frozen_importlib_external import MAGIC_NUMBER  # noqa: PLC0415 - importlib.util is slow

    name, tag = sys.implementation.name, str(sys.implementation.cache_tag)
    check = _imp.source_hash(0, b"hooks-compile").hex()
    return Interpreter(command, path, name, sys.version_info[:3], tag, MAGIC_NUMBER.hex(), check)


def _ask(path: Path, cwd: Path, env: Mapping[str, str], timeout: float) -> tuple[bytes, bool]:
    """Return what a Python prints to ``_PROBE``, and whether it had to be ended."""
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
        raise InterpreterError(cause, path=path, remedy=_remedy(path)) from error
    is_late = False
    with process:
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            is_late = True  # it may have answered before
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        os.set_blocking(process.stdout.fileno(), False)  # a process may still hold the other end
        return process.stdout.read(_LIMIT) or b"", is_late


def _parse(line: str, command: str, path: Path) -> Interpreter | None:
    """Return the interpreter whose answer a line is; None if it is none.

    ``path`` was started for ``command``. It stays if it is a link to the binary that answers, or if
    that is not to be seen here.
    """
    try:
        mark, name, executable, tag, magic, check, major, minor, micro = line.split(" ")
        version = (int(major), int(minor), int(micro))
        binary = Path(os.fsdecode(bytes.fromhex(executable)))
    except ValueError:
        return None
    is_other = binary.is_absolute() and binary.is_file() and not path.samefile(binary)
    found = Interpreter(command, binary if is_other else path, name, version, tag, magic, check)
    return found if mark == _MARK else None


def _remedy(path: Path) -> str:
    return f"{pasted(path)} -c 'import sys; print(sys.version)'"
