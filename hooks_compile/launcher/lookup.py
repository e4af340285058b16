"""From a source to its code: from the entry of this very source, or compiled now."""

import _imp
import posix
import sys
from types import CodeType
from typing import Tuple

from hooks_compile.launcher import miss
from hooks_compile.launcher.annotations import Notes, Script
from hooks_compile.launcher.entry import (
    CACHE_DIRECTORY,
    NO_NOTES,
    entry_prefix,
    entry_suffix,
    unpack,
    verifies,
)
from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.safe_read import read


def find_code(runtime: str, script: Script) -> Tuple[CodeType, Notes]:
    """Return the code of a script and the notes of its entry.

    Without an entry the code is compiled, and stored for the next launch. ``runtime`` is the
    runtime directory, with a slash at the end. Raises OSError, ValueError, SyntaxError and whatever
    else ``compile`` raises: plain Python has to deal with all of these.
    """
    key = read_key(runtime)
    path = script.path
    cut = path.rfind("/") + 1
    prefix = f"{path[:cut]}{CACHE_DIRECTORY}/"
    prefix += entry_prefix(path[cut:], sys.implementation.cache_tag)
    suffix = entry_suffix(key, script.source)
    reason = "no entry"
    for level in (2, 1, 0):
        try:
            data = read(f"{prefix}{level}{suffix}")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            reason = f"unreadable entry: {error}"
            continue
        if verifies(key, level, data, script.source):
            code, notes = unpack(data)
            if notes[0]:
                miss.warn(notes[0], script.file)
            _imp._fix_co_filename(code, script.file)  # type: ignore[attr-defined] # typeshed
            if b"HOOKS_COMPILE_TRACE" in posix.environ:
                miss.trace("hit", f"level {level}", script.argument)
            return code, notes
        reason = "the entry does not verify"
    code, not_stored = miss.compile_and_store(key, script, prefix, suffix)
    miss.record_fallback(runtime, reason, path)
    miss.trace(
        "miss",
        f"{reason}; it is not stored: {not_stored}" if not_stored else reason,
        script.argument,
    )
    return code, NO_NOTES
