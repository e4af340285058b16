"""The script of a launch: its paths and its source, as they are now."""

import posix
import sys
from typing import Any, Type

from hooks_compile.launcher.annotations import Script
from hooks_compile.launcher.process import IS_CPYTHON
from hooks_compile.launcher.safe_read import read

_MOST_LINKS = 40  # as in the kernel


def read_script(argument: str) -> Script:
    """Return the script that the command line names.

    Raises OSError, and ValueError for a script or an interpreter that entries are not for.
    """
    path = real_path(argument)
    if argument.endswith(".pyc") or sys.flags.optimize:
        raise ValueError("entries are for sources, and for Python without -O")
    if getattr(sys.flags, "int_max_str_digits", -1) not in (-1, 4300):
        raise ValueError("another int_max_str_digits may change which numbers compile")
    if posix.stat(argument).st_mode & 0o170000 != 0o100000:
        raise ValueError("not a file")  # opening a FIFO would take what Python has to read
    source = read(argument)  # as typed: "hook.py/" is not a file
    namespace: Type[Any] = type(sys.implementation)  # types.SimpleNamespace
    script: Script = namespace(argument=argument, file=file_of(argument), path=path, source=source)
    return script


def real_path(path: str) -> str:
    """Return the absolute path without symbolic links, as realpath(3) does.

    Raises OSError if a part of it does not exist, or for a loop.
    """
    rest = path.split("/")[::-1]
    found = "" if path.startswith("/") else posix.getcwd()
    links = 0
    while rest:
        name = rest.pop()
        if name in ("", "."):
            continue
        if name == "..":
            found = found[: found.rfind("/")] if found else ""
            continue
        found = f"{found}/{name}"
        if posix.lstat(found).st_mode & 0o170000 == 0o120000:
            links += 1
            if links > _MOST_LINKS:
                raise OSError(40, "too many levels of symbolic links", path)
            target = posix.readlink(found)
            found = "" if target.startswith("/") else found[: found.rfind("/")]
            rest += target.split("/")[::-1]
    return found


def file_of(argument: str) -> str:
    """Return what Python makes the script's ``__file__``: an absolute path since 3.9."""
    if not IS_CPYTHON:
        return sys.modules["posixpath"].abspath(argument)  # type: ignore[no-any-return]
    if argument.startswith("/") or sys.version_info < (3, 9):
        return argument
    return f"{posix.getcwd()}/{argument}"
