"""Which Python runs a hook: the real binary behind a command, as the agent would find it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.errors import InterpreterError
from hooks_compile.model import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TIMEOUT_S = 20
_SUPPORTED = {"cpython": (3, 8), "pypy": (3, 8)}
_PROBE = """
import sys, _imp
from _frozen_importlib_external import MAGIC_NUMBER
print(sys.implementation.name, *sys.version_info[:3], sys.implementation.cache_tag,
      MAGIC_NUMBER.hex(), _imp.source_hash(0, b"hooks-compile").hex(), ascii(sys.executable))
"""


def user_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as the user's own shell has it: without the environment that we run in.

    We run in a virtual environment of our own when pipx, uv, pre-commit or prek installed us, and
    its folder may be first on PATH: a ``python3`` from there runs no hook. It is taken off PATH,
    unless the user activated it (VIRTUAL_ENV names it, and no pre-commit did that): then the agent
    finds it too. PYTHONHOME and __PYVENV_LAUNCHER__ go as well, since they would change whatever
    interpreter we start.
    """
    result = {name: value for name, value in env.items() if name not in _OURS}
    if sys.prefix == sys.base_prefix:
        return result
    own = os.path.realpath(sys.prefix)
    named = "VIRTUAL_ENV" in env and os.path.realpath(env["VIRTUAL_ENV"]) == own
    if named and "PRE_COMMIT" not in env:
        return result
    if named:
        del result["VIRTUAL_ENV"]
    folders = result.get("PATH", os.defpath).split(os.pathsep)
    kept = [f for f in folders if os.path.dirname(os.path.realpath(f)) != own]  # noqa: PTH120 - strings
    result["PATH"] = os.pathsep.join(kept)
    return result


_OURS = ("PYTHONHOME", "__PYVENV_LAUNCHER__")


def find(command: str, *, cwd: Path, env: Mapping[str, str]) -> Path:
    """Return the file that a shell in ``cwd`` would start for ``command``: a binary or a shim.

    Raises InterpreterError where there is none.
    """
    if os.sep in command or command.startswith("~"):
        path = cwd / Path(command).expanduser()
        found = str(path) if os.access(path, os.X_OK) and path.is_file() else None
    else:
        found = shutil.which(command, path=env.get("PATH", os.defpath))
    if found is None:
        raise InterpreterError(
            f"there is no {command!r} to run hooks with",
            remedy="hooks-compile compile --python /usr/bin/python3, or another that is there",
        )
    return cwd / found


def is_shim(path: Path) -> bool:
    """Tell whether ``path`` only looks for a Python at each start (pyenv, asdf, mise, rye).

    Such a file is a script, or a link to the binary of the manager instead of a Python's.
    """
    real = Path(os.path.realpath(path))
    with real.open("rb") as file:
        if file.read(2) == b"#!":
            return True
    return not real.name.startswith(("python", "pypy"))


def resolve(
    command: str, *, cwd: Path, env: Mapping[str, str], cache: Path | None = None
) -> Interpreter:
    """Return the interpreter that ``command`` would run in ``cwd`` with the environment ``env``.

    A shim is asked, so the answer is the binary behind it; the Python of a virtual environment
    stays that of the environment. ``cache`` is a file that remembers what binaries said of
    themselves, as long as they are the same files. Raises InterpreterError for a command that is
    not there, that does not answer in TIMEOUT_S, or that is no Python we support.
    """
    path = find(command, cwd=cwd, env=env)
    known = _Cache(cache)
    shim = is_shim(path)
    stamp = "" if shim else _stamp(path)
    answer = known.get(str(path), stamp) if stamp else None
    if answer is None:
        answer = _probe(path, cwd=cwd, env=env)
        if stamp:
            known.put(str(path), stamp, answer)
    return _parse(command, path, answer)


def recorded(runtime: Path, folders: Iterable[Path]) -> list[Path]:
    """Return the interpreters under which launches compiled hooks of these folders.

    Those that are gone are left out.
    """
    wanted = set(folders)
    found = {
        record.executable: None
        for record in records(runtime)
        if record.folder in wanted and os.access(record.executable, os.X_OK)
    }
    return list(found)


class Record(NamedTuple):
    """That a launch compiled a hook of ``folder`` under ``executable``, and the file saying so."""

    note: Path
    executable: Path
    folder: Path


def records(runtime: Path) -> list[Record]:
    """Return what launches noted in ``runtime/seen``, one file each.

    It holds the binary's path, a NUL byte and the folder; what names no absolute path is left out.
    """
    try:
        notes = sorted((runtime / "seen").iterdir())
    except OSError:
        return []
    parts = [(note, *os.fsdecode(note.read_bytes()).partition("\0")) for note in notes]
    found = [Record(note, Path(binary), Path(folder)) for note, binary, _, folder in parts]
    return [record for record in found if record.executable.is_absolute()]


def _probe(path: Path, *, cwd: Path, env: Mapping[str, str]) -> list[str]:
    import subprocess  # noqa: PLC0415 - not needed where the cache knows the answer

    remedy = f"{path} -I -S -c 'import sys; print(sys.version)'"
    try:
        # -S does not change what is asked for, and site can take long
        done = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterpreterError(f"does not answer: {error}", path=path, remedy=remedy) from error
    answer = done.stdout.decode("ascii", "replace").split(None, 7)
    if done.returncode != 0 or len(answer) != 8:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise InterpreterError(
            f"is no Python that can run hooks; it said: {said[0]}", path=path, remedy=remedy
        )
    return answer


def _parse(command: str, path: Path, answer: Sequence[str]) -> Interpreter:
    import ast  # noqa: PLC0415 - slow to import

    name, major, minor, micro, tag, magic, hash_check, executable = answer
    version = (int(major), int(minor), int(micro))
    if name not in _SUPPORTED or version < (*_SUPPORTED[name], 0):
        raise InterpreterError(
            f"{name} {major}.{minor} is not supported: hooks run from their sources there",
            path=path,
            remedy="use CPython 3.8 or later, or PyPy 3.8 or later",
        )
    real = ast.literal_eval(executable)
    return Interpreter(command, Path(real), name, version, tag, magic, hash_check)


def _stamp(path: Path) -> str:
    """Return what changes when the binary, or the virtual environment around it, does."""
    real = os.path.realpath(path)
    status = os.stat(real)  # noqa: PTH116 - a string
    return f"{real} {status.st_size} {status.st_mtime_ns} {status.st_ino}"


class _Cache:
    """What binaries said of themselves: ``{path: [stamp, answer]}``, only ever a short cut."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def get(self, path: str, stamp: str) -> list[str] | None:
        known = self._read().get(path)
        if not isinstance(known, list) or len(known) != 9 or known[0] != stamp:
            return None
        return [str(value) for value in known[1:]]

    def put(self, path: str, stamp: str, answer: Sequence[str]) -> None:
        import json  # noqa: PLC0415 - see _read

        if self._path is None or not self._path.parent.is_dir():
            return
        value = self._read() | {path: [stamp, *answer]}
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(value))
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)  # the next command asks again

    def _read(self) -> dict[str, Any]:
        import json  # noqa: PLC0415 - 3 ms

        try:
            if self._path is None or self._path.stat().st_uid != os.geteuid():
                return {}
            value = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}
