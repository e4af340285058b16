"""Which Python runs a hook: the real binary behind a command, as the agent would find it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.probe import Memory, ask
from hooks_compile.model import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TIMEOUT_S: Final = 20
_SUPPORTED: Final = {"cpython": (3, 8), "pypy": (3, 8)}


# --- the environment that the agent has ----------------------------------------------------------

_TOOLS_MARKS: Final = (
    ".install_state_v1",  # pre-commit
    ".install_state_v2",
    ".prek-hook.json",
    "pipx_metadata.json",
    "uv-receipt.toml",  # uv tool
)
_STARTERS: Final = ("PYTHONHOME", "__PYVENV_LAUNCHER__")


def user_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as the user's own shell has it: without the environment that we run in.

    - We run in a virtual environment that a tool made for us (pre-commit, prek, pipx, uv tool): its
      ``bin`` goes from PATH, and VIRTUAL_ENV where it names it. No hook runs from there.
    - We run in one that VIRTUAL_ENV names: a person activated it. It stays, because an agent that
      is started from that shell finds it as well; so does any other that the user activated.
    - We run in one that nothing names: its ``bin`` goes from PATH.
    - We run in no virtual environment, but in a Python of pyenv, asdf or mise, whose shim put that
      Python's ``bin`` before its shims on PATH: it goes, so that the shims decide again.

    PYTHONHOME and __PYVENV_LAUNCHER__ always go: they would change whatever Python we start.
    """
    result = {name: value for name, value in env.items() if name not in _STARTERS}
    folders = result.get("PATH", os.defpath).split(os.pathsep)
    if sys.prefix == sys.base_prefix:
        kept = _without_a_shims_choice(folders)
    else:
        named = "VIRTUAL_ENV" in env and _same(env["VIRTUAL_ENV"], sys.prefix)
        if named and not _is_a_tools_own(Path(sys.prefix)):
            return result
        if named:
            del result["VIRTUAL_ENV"]
        kept = [folder for folder in folders if not _is_our_bin(folder)]
    if kept != folders:
        result["PATH"] = os.pathsep.join(kept)
    return result


def _is_a_tools_own(prefix: Path) -> bool:
    return any((prefix / mark).exists() for mark in _TOOLS_MARKS)


def _is_our_bin(folder: str) -> bool:
    # The folder itself may be reached through links, but what is in it are links out of it.
    return folder != "" and _same(folder, os.path.dirname(sys.executable))  # noqa: PTH120 - strings


def _without_a_shims_choice(folders: list[str]) -> list[str]:
    ours = os.path.realpath(sys.prefix)
    for position, folder in enumerate(folders):
        root, _, name = os.path.realpath(folder).rpartition(os.sep)
        if name == "shims" and ours.startswith(root + os.sep):
            before = [each for each in folders[:position] if not _is_our_bin(each)]
            return before + folders[position:]
    return folders


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


# --- the command ---------------------------------------------------------------------------------


def find(command: str, *, cwd: Path, env: Mapping[str, str]) -> Path:
    """Return the file that a shell in ``cwd`` would start for ``command``: a binary or a shim.

    The path is absolute; links in it are left. Raises InterpreterError where there is none.
    """
    if os.sep in command:
        candidates = [cwd / _expand_home(command, env)]
    else:
        folders = env.get("PATH", os.defpath).split(os.pathsep)  # an empty one is the current one
        candidates = [cwd / folder / command for folder in folders if command]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise InterpreterError(
        f"there is no {command!r} to run hooks with",
        remedy="hooks-compile compile --python /usr/bin/python3, or another that is there",
    )


def _expand_home(command: str, env: Mapping[str, str]) -> str:
    if command.startswith("~/") and env.get("HOME"):
        return env["HOME"] + command[1:]
    return os.path.expanduser(command)  # noqa: PTH111 - a string


_MANAGERS: Final = frozenset({"asdf", "mise", "pyenv", "rtx", "rye"})


def is_shim(path: Path) -> bool:
    """Tell whether ``path`` only looks for a Python at each start (pyenv, asdf, mise, rye).

    Such a file is a script, or a link to the binary of the manager, which looks at the name that
    it was started by. A file that can't be read is taken for a binary.
    """
    real = Path(os.path.realpath(path))
    if real.name in _MANAGERS or path.parent.name == "shims":
        return True
    try:
        with real.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def resolve(
    command: str,
    *,
    cwd: Path,
    env: Mapping[str, str],
    cache: Path | None = None,
    timeout: float = TIMEOUT_S,
) -> Interpreter:
    """Return the interpreter that ``command`` would run in ``cwd`` with the environment ``env``.

    A shim is asked each time, so the answer is the binary behind it as it is now; the Python of a
    virtual environment stays that of the environment. ``cache`` is a file that remembers what
    binaries said of themselves, as long as they are the same files.

    Raises InterpreterError for a command that is not there, that does not answer in ``timeout``
    seconds, or that is no Python we support.
    """
    path = find(command, cwd=cwd, env=env)
    memory = Memory(cache)
    answer = memory.recall(path)
    if answer is None:
        answer = ask(path, cwd=cwd, env=env, timeout=timeout)
        binary = cwd / answer.executable
        if binary.is_file():
            if path.samefile(binary):
                memory.keep(path, answer)
            else:
                path = binary  # a shim: what it chose is not remembered
    minimum = _SUPPORTED.get(answer.implementation)
    if minimum is None or answer.version < minimum:
        version = ".".join(map(str, answer.version))
        raise InterpreterError(
            f"{answer.implementation} {version} is not supported: hooks run from their sources",
            path=path,
            remedy="use CPython 3.8 or later, or PyPy 3.8 or later",
        )
    return Interpreter(
        command,
        path,
        answer.implementation,
        answer.version,
        answer.cache_tag,
        answer.magic,
        answer.hash_check,
    )


# --- what launches recorded ----------------------------------------------------------------------

_NOTE_LIMIT: Final = 1 << 16


class Record(NamedTuple):
    """That a launch compiled a hook of ``folder`` under ``executable``, and the file saying so."""

    note: Path
    executable: Path
    folder: Path


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


def records(runtime: Path) -> list[Record]:
    """Return what launches noted in ``runtime/seen``, one file each.

    It holds the binary's path, a NUL byte and the folder; what names no absolute path, or can't be
    read, is left out.
    """
    return list(_read_records(runtime / "seen"))


def _read_records(seen: Path) -> Iterator[Record]:
    try:
        notes = sorted(seen.iterdir())
    except OSError:
        return
    for note in notes:
        try:
            with note.open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    continue  # put there while the folder was open to others
                words = os.fsdecode(file.read(_NOTE_LIMIT)).split("\0")
        except OSError:
            continue  # gone since, or no file of ours
        if len(words) == 2 and os.path.isabs(words[0]):  # noqa: PTH117 - a string
            yield Record(note, Path(words[0]), Path(words[1]))
