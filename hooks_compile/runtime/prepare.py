"""Compiles the launcher for an interpreter that runs it for the first time.

``launch.py`` executes this file in the launcher's namespace when it finds no compiled launcher
that is this user's own and undamaged.
"""

import _imp
import marshal
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import List, Union

    folder: str
    build: str


def prepare() -> "List[Union[CodeType, bytes]]":
    """Return the parts of the launcher, compiled, and keep them for the next launch.

    Where one of them is missing, or the folder is not this user's alone, the process becomes the
    plain Python that it would have been without the launcher.
    """
    try:
        status = posix.stat(folder)
        if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
            raise PermissionError(folder)
        entry, launcher, *rest = [compiled(part) for part in ("entry", "launcher", "store", "miss")]
    except (OSError, ValueError, SyntaxError):
        words = list(getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
        words.remove(sys.argv[0])
        posix.execv(sys.executable, words)
    parts: List[Union[CodeType, bytes]] = [entry, launcher, marshal.dumps(rest)]
    keep(marshal.dumps(parts))
    return parts


def compiled(part: str) -> "CodeType":
    """Return the code of one file of the launcher. Raises OSError, SyntaxError, ValueError."""
    with open(f"{folder}{build}.{part}.py", "rb") as source:
        return compile(source.read(), f"{part}.py", "exec", 0, True, 2)


def keep(data: bytes) -> None:
    """Write the compiled launcher; where the folder can't be written, it is made anew each time."""
    name = f"{folder}{build}.{sys.implementation.cache_tag}-{sys.hexversion:x}.bin"
    draft = f"{name}.{posix.getpid()}.{time.time_ns()}"
    try:
        file = posix.open(draft, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    except OSError:
        return
    try:
        try:
            posix.write(file, _imp.source_hash(0, data) + data)
        finally:
            posix.close(file)
        posix.rename(draft, name)
    except OSError:
        posix.unlink(draft)
