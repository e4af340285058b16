"""Which Python runs a hook: the binary behind a command, as the agent would find it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters import probe
from hooks_compile.model import Interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 20
_SUPPORTED: Final = {"cpython": (3, 8), "pypy": (3, 8)}
_MANAGERS: Final = frozenset({"asdf", "mise", "pyenv", "rtx", "rye"})


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
    command: str,
    *,
    cwd: Path,
    env: Mapping[str, str],
    memory: Path | None = None,
    timeout: float = TIMEOUT_S,
) -> Interpreter:
    """Return the interpreter that ``command`` would run in ``cwd`` with the environment ``env``.

    A shim is asked each time, so the result is the binary that it chooses now. The Python of a
    virtual environment is returned as it is, with its link. ``memory`` is the file of
    :func:`~.probe.recall`. Raises InterpreterError for a command that is not there, that does not
    answer in ``timeout`` seconds, or that is no Python we support.
    """
    path = find(command, cwd=cwd, env=env)
    answer = probe.recall(memory, path)
    if answer is None:
        answer = probe.ask(path, cwd=cwd, env=env, timeout=timeout)
        binary = cwd / answer.executable
        if binary.is_file():
            if path.samefile(binary):
                probe.remember(memory, path, answer)
            else:
                path = binary  # a shim, whose choice is not remembered
    interpreter = Interpreter(command, path, *answer[:5])
    minimum = _SUPPORTED.get(answer.implementation)
    if minimum is None or answer.version < minimum:
        raise InterpreterError(
            f"{interpreter.label} is not supported: hooks run from their sources",
            path=path,
            remedy="use CPython 3.8 or later, or PyPy 3.8 or later",
        )
    return interpreter
