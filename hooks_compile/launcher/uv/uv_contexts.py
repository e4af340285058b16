"""The records of what uv did for a script: ``RUNTIME/uv/PATH/OF/HOOK.py.uv``.

The wrapper reads the first two lines: an interpreter and its note. Each line behind is a context.
"""

import marshal
import posix
import sys
from typing import List, Tuple

from hooks_compile.launcher.annotations import Environment
from hooks_compile.launcher.entry import keyed_hash
from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path
from hooks_compile.launcher.uv.uv_inputs import as_text

# In place of an interpreter: this is left to uv.
LEFT = "-"
MOST_CONTEXTS = 8


class UvContext:
    """What uv did for a script with certain inputs and a certain environment on disk.

    ``inputs`` and ``state`` are digests of these. ``note`` is the limit of open files that uv sets
    ("0" if none), or why the script is left to uv. ``venv`` is VIRTUAL_ENV ("" if uv sets none),
    ``first_path`` the directory that comes first on PATH, and ``packages`` the site-packages
    ("" if uv reads none).
    """

    __slots__ = ("first_path", "inputs", "note", "packages", "python", "state", "uv", "venv")

    def __init__(self, *fields: str) -> None:
        """Take the fields in the order of a record's line."""
        self.inputs, self.state, self.note, self.python, *environment = fields
        self.uv, self.venv, self.first_path, self.packages = environment

    def environment(self) -> Tuple[str, ...]:
        """Return the fields that describe an environment."""
        return self.python, self.uv, self.venv, self.first_path, self.packages

    def line(self) -> str:
        """Return the line of a record."""
        return "\t".join((self.inputs, self.state, self.note, *self.environment()))


def left_to_uv(reason: str) -> UvContext:
    """Return the context of a script that is left to uv because of ``reason``, without inputs."""
    return UvContext("", "", " ".join(reason.split()), LEFT, *[""] * 4)


def read_contexts(record: str) -> List[UvContext]:
    """Return what is recorded for a script, newest first. Raises OSError, ValueError."""
    lines = as_text(read(record, True)).split("\n")
    rows = [line.split("\t") for line in lines[2:]]
    return [UvContext(*row) for row in rows if len(row) == len(UvContext.__slots__)]


def digest(key: bytes, parts: List[object]) -> str:
    """Return a keyed digest of bytes, text, numbers, tuples and lists."""
    return keyed_hash(key, marshal.dumps(parts, 2)).hex()  # version 2 has no references


def environment_state(context: UvContext, environ: Environment) -> List[object]:
    """Return what uv finds in the environment that it chose, or where it looks for a Python.

    Raises OSError if a part of it is missing, ValueError if uv would not find its interpreter.
    """
    parts: List[object] = [*context.environment(), sys.version]
    if context.venv:
        parts += [read(f"{context.venv}/pyvenv.cfg"), real_path(f"{context.venv}/bin/python")]
        parts.append(sorted(posix.listdir(context.packages)))
        return parts
    data = environ.get(b"XDG_DATA_HOME") or environ.get(b"HOME", b"") + b"/.local/share"
    managed = as_text(environ.get(b"UV_PYTHON_INSTALL_DIR") or data + b"/uv/python")
    parts.append(sorted(posix.listdir(managed)) if posix.access(managed, posix.F_OK) else None)
    python = context.python
    found = python.startswith(f"{managed}/")
    for directory in as_text(environ.get(b"PATH", b"")).split(":"):
        try:
            names = posix.listdir(directory or ".")
        except (FileNotFoundError, NotADirectoryError):
            continue
        parts.append((directory, sorted(name for name in names if name.startswith("py"))))
        if python == (directory or ".") + python[python.rfind("/") :]:
            found = True
            break
    if not found:
        raise ValueError("its interpreter is neither on PATH nor one that uv manages")
    return [*parts, real_path(python)]


def uv_environment(context: UvContext, environ: Environment) -> Environment:
    """Return the environment variables that uv gives if it gets ``environ``, in its order."""
    result = {**environ, b"UV": as_bytes(context.uv)}
    result[b"PATH"] = as_bytes(context.first_path) + b":" + environ[b"PATH"]
    depth = int(environ.get(b"UV_RUN_RECURSION_DEPTH", b"0")) + 1
    result[b"UV_RUN_RECURSION_DEPTH"] = str(depth).encode()
    if context.venv:
        result[b"VIRTUAL_ENV"] = as_bytes(context.venv)
    return {name: result[name] for name in sorted(result)}


def recording_environment(environ: Environment, uvsite: str, record: str) -> Environment:
    """Return ``environ`` with what makes ``uv_recorder.py``, in ``uvsite``, write ``record``."""
    path = [as_bytes(uvsite)] + [environ[name] for name in (b"PYTHONPATH",) if name in environ]
    return {**environ, b"HOOKS_COMPILE_UV": as_bytes(record), b"PYTHONPATH": b":".join(path)}


def as_bytes(path: str) -> bytes:
    """Return the bytes of a path."""
    return path.encode("utf-8", "surrogateescape")
