"""Asks for new snapshots from a launch that resumed none or an old one, once an hour at most."""

import _imp
import posix
import sys
from typing import List

from hooks_compile.launcher import miss
from hooks_compile.launcher.safe_read import read

_CREATE = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW


def ask_for_snapshot(runtime: str) -> None:
    """Put a request into the queue of the maker, and start the maker.

    ``runtime`` is the runtime directory. If it can't be written, nothing is asked for.
    """
    directory = f"{runtime}snapshots/"
    try:
        if not miss.is_first_in_an_hour(directory + "asked"):
            return
        words = read(directory + "maker", private=True).split(b"\0")
        content = b"\0".join(request_of())
        name = _imp.source_hash(0, content).hex()
        file = posix.open(f"{directory}{name}.request", _CREATE, 0o600)
        posix.write(file, content)
        posix.close(file)
    except OSError:  # others have asked for it, or nobody can
        return
    miss.start_detached(words, b"/")


def request_of() -> List[bytes]:
    """Return the lines of a request: the interpreter, and the environment as the loader saw it.

    Python may have changed ``os.environ`` since then (PEP 538). Raises OSError.
    """
    entries = read("/proc/self/environ").split(b"\0")
    return [sys.executable.encode("utf-8", "surrogateescape"), *filter(None, entries)]
