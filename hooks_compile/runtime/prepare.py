"""Compiles the launcher for an interpreter that runs it for the first time.

``launch.py`` executes this file when it finds no compiled launcher that is this user's own and
undamaged; afterwards the namespace holds what the compiled launcher would have put there.
"""

import _imp
import marshal
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_BUILD = "@BUILD@"
_FOLDER = sys.argv[0][:-9]


def compile_launcher() -> "CodeType":
    """Return the launcher: ``entry.py`` and ``launcher.py``; what few launches need in REST and UV.

    Raises OSError where a part is missing or the folder is not this user's alone; SyntaxError and
    ValueError for a damaged part.
    """
    status = posix.stat(_FOLDER)
    if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
        raise PermissionError(_FOLDER)
    rest = marshal.dumps(compiled(part("store") + part("miss")))
    uv = marshal.dumps(compiled(part("uv")))
    more = f"\nREST = {rest!r}\nUV = {uv!r}\n".encode()
    return compiled(part("entry") + part("launcher") + more)


def part(name: str) -> bytes:
    """Return the source of one part. Raises OSError."""
    with open(f"{_FOLDER}{_BUILD}.{name}.py", "rb") as file:
        return file.read()


def compiled(source: bytes) -> "CodeType":
    """Return the code of ``source`` without annotations, which would be evaluated each time."""
    tree: Any = compile(source, "launcher.py", "exec", 0x400, True)  # ast.PyCF_ONLY_AST
    strip(tree)
    return compile(tree, "launcher.py", "exec", 0, True, 2)


def strip(node: "Any") -> None:
    """Take the annotations off all functions below ``node``, which is part of a syntax tree."""
    if hasattr(node, "returns"):
        node.returns = None
    if hasattr(node, "annotation") and hasattr(node, "arg"):
        node.annotation = None
    for field in node._fields:
        value = getattr(node, field, None)
        for child in value if isinstance(value, list) else [value]:
            if hasattr(child, "_fields"):
                strip(child)


def keep(data: bytes) -> None:
    """Write the compiled launcher; where the folder can't be written, it is made anew each time."""
    name = f"{sys.argv[0]}.{_BUILD}.{sys.implementation.cache_tag}-{sys.hexversion:x}"
    draft = f"{name}.{posix.getpid()}.{time.time_ns()}"
    try:
        file = posix.open(draft, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    except OSError:
        return
    try:
        try:
            posix.write(file, _imp.source_hash(sys.hexversion, data) + data)
        finally:
            posix.close(file)
        posix.rename(draft, name)
    except OSError:
        try:
            posix.unlink(draft)
        except FileNotFoundError:
            return  # an upgrade took it away: it was of the version before


try:
    _launcher = compile_launcher()
except (OSError, ValueError, SyntaxError):
    # half installed, or open to others: as if we were not there
    _words = list(getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
    _words.remove(sys.argv[0])
    if sys.argv[1].startswith("--uv="):
        posix.execv("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', *sys.argv[2:]])
    posix.execv(sys.executable, _words)
keep(marshal.dumps(_launcher))
exec(_launcher, globals())
