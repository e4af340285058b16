"""Starts programs that go on by themselves, and has the tool record what a shim chose."""

import posix
import time
from typing import List

from hooks_compile.launcher.safe_read import read

_ONCE_IN_S = 3600
_LOWEST_PRIORITY = 19
_MOST_DESCRIPTORS = 1 << 16


def ask_for_shim_record(runtime: str) -> None:
    """If a shim of pyenv has started this launch: let the tool record what it chose.

    That is done once an hour at most. If the runtime directory can't be written, or does not say
    how the tool is started, nothing is asked for.
    """
    directory = posix.environ.get(b"PYENV_DIR")
    try:
        if directory and is_first_in_an_hour(runtime + "shims.asked"):
            words = read(runtime + "tool", private=True).split(b"\0")
            start_detached([*words, b"status"], directory)
    except OSError:
        return


def is_first_in_an_hour(path: str) -> bool:
    """Return whether the file ``path`` is older than an hour; it is new then. Raises OSError."""
    try:
        if posix.stat(path).st_mtime > time.time() - _ONCE_IN_S:
            return False
    except FileNotFoundError:
        pass
    posix.close(posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_NOFOLLOW, 0o600))
    posix.utime(path)
    return True


def start_detached(words: List[bytes], directory: bytes) -> None:
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
        posix.chdir(directory)
        posix.execve(words[0], words, posix.environ)
    finally:
        posix._exit(1)
