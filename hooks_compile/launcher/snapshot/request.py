"""Asks for new snapshots from a launch that resumed none or an old one, once an hour at most."""

import _imp
import posix
import sys
import time

from hooks_compile.launcher.safe_read import read

_CREATE = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW
_ONCE_IN_S = 3600
_LOWEST_PRIORITY = 19
_MOST_DESCRIPTORS = 1 << 16


def ask_for_snapshot(runtime: str) -> None:
    """Put a request into the queue of the maker, and start the maker.

    ``runtime`` is the runtime directory. If it can't be written, nothing is asked for.
    """
    directory = f"{runtime}snapshots/"
    try:
        if posix.stat(directory + "asked").st_mtime > time.time() - _ONCE_IN_S:
            return
    except FileNotFoundError:
        pass
    try:
        posix.close(posix.open(directory + "asked", posix.O_WRONLY | posix.O_CREAT, 0o600))
        posix.utime(directory + "asked")
        words = read(directory + "maker", private=True).split(b"\0")
        content = b"\0".join(request_of())
        name = _imp.source_hash(0, content).hex()
        file = posix.open(f"{directory}{name}.request", _CREATE, 0o600)
        posix.write(file, content)
        posix.close(file)
    except OSError:  # others have asked for it, or nobody can
        return
    start_detached(words)


def request_of() -> "list[bytes]":
    """Return the lines of a request: the interpreter, and the environment."""
    environ = posix.environ
    entries = [name + b"=" + environ[name] for name in environ]
    return [sys.executable.encode("utf-8", "surrogateescape"), *entries]


def start_detached(words: "list[bytes]") -> None:
    """Start a program that has nothing of this process: no parent, terminal or descriptor."""
    child = posix.fork()
    if child:
        posix.waitpid(child, 0)
        return
    try:
        posix.setsid()
        if posix.fork():
            posix._exit(0)
        posix.closerange(0, _MOST_DESCRIPTORS)
        for _ in range(3):
            posix.set_inheritable(posix.open("/dev/null", posix.O_RDWR), True)
        posix.nice(_LOWEST_PRIORITY)
        posix.chdir("/")
        posix.execve(words[0], words, posix.environ)
    finally:
        posix._exit(1)
