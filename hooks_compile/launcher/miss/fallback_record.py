"""Records fallbacks for ``status`` and sync, and writes the trace of launches."""

import _imp
import posix
import sys
import time
from typing import Union

from hooks_compile.launcher.miss.background import ask_for_shim_record
from hooks_compile.launcher.miss.store import CREATE
from hooks_compile.launcher.resumed import RESUMED

_LOG_LIMIT_BYTES = 1 << 20


def record_fallback(runtime: str, reason: str, path: str) -> None:
    """Record that the hook at ``path`` had to be compiled, and which interpreter runs hooks there.

    What a shim has chosen is recorded in the background.
    If the runtime directory can't be written, nothing is recorded: the launch is what counts.
    """
    try:
        line = f"{time.time():.0f}\t{sys.implementation.cache_tag}\t{reason}\t{path!r}\n"
        append(runtime + "fallbacks.log", line, _LOG_LIMIT_BYTES)
        directory = path.rpartition("/")[0]
        seen = f"{sys.executable}\0{directory}"
        data = seen.encode(sys.getfilesystemencoding(), "surrogateescape")
        file = posix.open(f"{runtime}seen/{_imp.source_hash(0, data).hex()}", CREATE, 0o600)
        posix.write(file, data)
        posix.close(file)
    except OSError:
        pass  # as it says above
    ask_for_shim_record(runtime)


def trace(state: str, reason: str, script: str) -> None:
    """Append a line about this launch to the file that HOOKS_COMPILE_TRACE names, if it is set."""
    path = posix.environ.get(b"HOOKS_COMPILE_TRACE", b"")
    cold = posix.environ.pop(b"HOOKS_COMPILE_COLD", None)
    if cold is not None:  # the loader says why it resumed no snapshot
        posix.unsetenv(b"HOOKS_COMPILE_COLD")
        why = cold.decode("utf-8", "backslashreplace")
        reason = f"{reason}; cold: {why}"
    if path:
        state = f"resumed\t{state}" if RESUMED else state
        script = script.replace("\n", "\\n")  # one launch, one line
        reason = " ".join(reason.split())
        line = f"{state}\t{reason}\t{script}\n"
        try:
            append(path, line, sys.maxsize)
        except OSError:
            return  # the trace is no part of the launch


def append(path: Union[str, bytes], line: str, limit: int) -> None:
    """Add ``line`` to the file with one write, unless it has ``limit`` bytes. Raises OSError."""
    file = posix.open(path, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT, 0o600)
    try:
        if posix.fstat(file).st_size < limit:
            posix.write(file, line.encode("utf-8", "backslashreplace"))
    finally:
        posix.close(file)
