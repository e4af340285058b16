"""The environment that uv chose for a script: on disk, and as variables."""

import posix
import sys

from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path
from hooks_compile.launcher.uv.uv_command import is_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from hooks_compile.launcher.uv.uv_command import Environment
    from hooks_compile.launcher.uv.uv_contexts import UvContext


def environment_state(context: "UvContext", environ: "Environment") -> "List[object]":
    """Return what uv finds in the environment that it chose, or where it looks for a Python.

    Raises OSError if a part of it is missing, ValueError if uv would not find its interpreter.
    """
    parts: "List[object]" = [*context.environment(), sys.version]
    if context.venv:
        parts += [read(f"{context.venv}/pyvenv.cfg"), real_path(f"{context.venv}/bin/python")]
        parts.append(sorted(posix.listdir(context.packages)))
        return parts
    data = environ.get(b"XDG_DATA_HOME") or environ.get(b"HOME", b"") + b"/.local/share"
    managed = environ.get(b"UV_PYTHON_INSTALL_DIR") or data + b"/uv/python"
    parts.append(sorted(posix.listdir(managed)) if posix.access(managed, posix.F_OK) else None)
    python = context.python
    found = python.startswith(managed.decode("utf-8", "surrogateescape") + "/")
    for name in environ.get(b"PATH", b"").decode("utf-8", "surrogateescape").split(":"):
        directory = name or "."
        if is_directory(directory):
            pythons = sorted(name for name in posix.listdir(directory) if name[:2] == "py")
            parts.append((directory, pythons))
        if python == directory + python[python.rfind("/") :]:
            found = True
            break
    if not found:
        raise ValueError("its interpreter is neither on PATH nor one that uv manages")
    return [*parts, real_path(python)]


def uv_environment(context: "UvContext", environ: "Environment") -> "Environment":
    """Return the environment variables that uv gives if it gets ``environ``, in its order."""
    result = {**environ, b"UV": encoded(context.uv)}
    result[b"PATH"] = encoded(context.first_path) + b":" + environ[b"PATH"]
    depth = int(environ.get(b"UV_RUN_RECURSION_DEPTH", b"0")) + 1
    result[b"UV_RUN_RECURSION_DEPTH"] = str(depth).encode()
    if context.venv:
        result[b"VIRTUAL_ENV"] = encoded(context.venv)
    return {name: result[name] for name in sorted(result)}


def encoded(path: str) -> bytes:
    """Return the bytes of a path in a record."""
    return path.encode("utf-8", "surrogateescape")


def set_environment(environ: "Environment") -> None:
    """Make ``environ`` that of this process and of those that it starts, in its order."""
    os_environ = getattr(sys.modules.get("os"), "environb", {})
    os_environ.clear()
    for name in list(posix.environ):
        posix.unsetenv(name)
    posix.environ.clear()
    for name, value in environ.items():
        posix.environ[name] = value
        posix.putenv(name, value)
    os_environ.update(environ)
