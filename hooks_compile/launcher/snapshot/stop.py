"""The point at which a snapshot is taken, and what comes before and after it."""

import posix
import sys

from hooks_compile.launcher.observers import has_only_known_modules
from hooks_compile.launcher.preimport import preimport
from hooks_compile.launcher.resumed import RESUMED
from hooks_compile.launcher.snapshot.process_state import restore_process
from hooks_compile.launcher.snapshot.streams import stream_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# No process has this descriptor: the maker stops this read, and the loader answers it.
_STOP_FD = 1023
_LARGEST_BYTES = 120 << 10  # of words and environment: such a buffer is part of the heap
# How the process ends: it holds a module that is not known, or nobody takes a snapshot of it.
_IS_UNKNOWN = 3
_IS_ALONE = 4


def stop(namespace: "Dict[str, Any]") -> None:
    """Import what the command line names, wait for the loader, and restore the process.

    The command line is ``launch.py --snapshot [MODULE...]``; afterwards it is that of the launch.
    ``namespace`` holds the globals of ``__main__``. Ends the process if no snapshot is possible.
    """
    names = tuple(sys.argv[2:])
    if type(namespace.get("_file")) is int:
        posix.close(namespace.pop("_file"))
    preimport(names, {})
    if not (has_only_known_modules() and sys.modules.keys() >= set(names)):
        posix._exit(_IS_UNKNOWN)
    settings = stream_settings()
    launcher = namespace["__file__"]
    RESUMED["imports"] = names
    try:
        answer = posix.read(_STOP_FD, _LARGEST_BYTES)
    except OSError:
        posix._exit(_IS_ALONE)
    restore_process(answer, launcher, settings)
