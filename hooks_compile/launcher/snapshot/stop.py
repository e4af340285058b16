"""The point at which a snapshot is taken, and what comes before and after it."""

import posix
import sys
import time
from typing import Any, Dict, List

from hooks_compile.launcher import uv
from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.early_exit import flush, is_quiet
from hooks_compile.launcher.entry import KEY_SIZE, entry_names, tag
from hooks_compile.launcher.leftovers import acts_at_exit
from hooks_compile.launcher.observers import (
    can_prepare,
    has_only_known_modules,
    mentions_observers,
)
from hooks_compile.launcher.resumed import RESUMED
from hooks_compile.launcher.script import read_script
from hooks_compile.launcher.snapshot.hidden_modules import HiddenModules
from hooks_compile.launcher.snapshot.process_state import restore_process
from hooks_compile.launcher.snapshot.streams import stream_settings

# No process has this descriptor: the maker stops this read, and the loader answers it.
_STOP_FD = 1023
_LARGEST_BYTES = 120 << 10  # of words and environment: such a buffer is part of the heap
# How the process ends: it holds a module that is not known, or nobody takes a snapshot of it.
_IS_UNKNOWN = 3
_IS_ALONE = 4
# Of the holes that are filled: large ones first, since a small object may take one of them. Up to
# 512 bytes Python's own allocator is asked.
_SIZES = (65536, 32768, 16384, 8192, 4096, 2048, 1536, *range(1024, 16, -16))
_SIZE_OF_NO_BYTES = 33
_MOST_BYTES = 32 << 20
_MAPPED = 4 << 20  # for so much malloc(3) asks the kernel
_OFTEN = 16
_OF_32_BYTES = 1 << 40  # and all larger ones, up to 1 << 60


def stop(namespace: Dict[str, Any]) -> None:
    """Hold the modules that the command line names, wait for the loader, and restore the process.

    The command line is ``launch.py --snapshot [MODULE...]``; afterwards it is that of the launch.
    ``namespace`` holds the globals of ``__main__``. Ends the process if no snapshot is possible.
    """
    names = sys.argv[2:]
    if type(namespace.get("_file")) is int:
        posix.close(namespace.pop("_file"))
    if not has_only_known_modules():
        posix._exit(_IS_UNKNOWN)
    RESUMED["can_prepare"] = can_prepare(b"")
    RESUMED["hidden"] = HiddenModules(names) if names else None
    RESUMED["made"] = time.time()
    RESUMED["enter_uv"] = uv.enter_uv  # this loads the part
    launcher = namespace["__file__"]
    settings = warmed_up(launcher)
    if names and GC:
        GC.collect()
        GC.freeze()
    RESUMED["filled"] = fill_holes()
    try:
        answer = posix.read(_STOP_FD, _LARGEST_BYTES)
    except OSError:
        if names:  # the maker leaves these to us
            posix.write(1, "\0".join(RESUMED["hidden"].files()).encode("utf-8", "surrogateescape"))
        posix._exit(_IS_ALONE)
    restore_process(answer, launcher, settings)


def warmed_up(launcher: str) -> Dict[str, Any]:
    """Return what ``stream_settings`` returns, after what each launch does was done many times.

    Then Python has adapted this code and filled its caches. ``launcher`` is the path of launch.py.
    """
    settings = stream_settings()
    environ = [name + b"=" + value for name, value in posix.environ.items()]
    answer = (3).to_bytes(8, "little") + bytes(8)
    answer += b"\0".join([b"python", b"launch.py", b"hook.py", *environ, b""])
    for _ in range(_OFTEN):
        restore_process(answer, launcher, settings)
        script = read_script(launcher)
        entry_names(bytes(KEY_SIZE), script.source, script.path, sys.implementation.cache_tag)
        tag(bytes(KEY_SIZE), 0, script.source, script.source)
        mentions_observers(script.source)
        flush()
        is_quiet()
        acts_at_exit([sys, type, warmed_up])
        stream_settings()
    return settings


def fill_holes() -> List[object]:
    """Return objects in the holes between others, so that what is made later lies in new memory.

    Each page on which a launch makes an object is copied, unless it is empty. So a launch that used
    the holes would copy a page for nearly each of its objects.
    """
    kept: List[object] = []
    highest = id(bytes(_MAPPED))  # the maker puts new memory behind all other
    left = _MOST_BYTES
    for size in _SIZES:
        while left > 0:
            # no bytes have 32 bytes, but an int of this range has
            new = bytes(size - _SIZE_OF_NO_BYTES) if size > 32 else _OF_32_BYTES + left
            if id(new) > highest:
                break
            kept.append(new)
            left -= size
    return kept
