"""From a source to its code: from the entry of this very source, or compiled now."""

import _imp
import posix
import sys
from types import CodeType
from typing import Tuple

from hooks_compile.launcher import miss
from hooks_compile.launcher.annotations import Notes, Script
from hooks_compile.launcher.entry import CACHE_DIRECTORY, NO_NOTES, entry_names, unpack, verifies
from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.safe_read import read


def find_code(runtime: str, script: Script) -> Tuple[CodeType, Notes]:
    """Return the code of a script and the notes of its entry.

    Without an entry the code is compiled, and stored for the next launch. ``runtime`` is the
    runtime directory, with a slash at the end. Raises OSError, ValueError, SyntaxError and whatever
    else ``compile`` raises: plain Python has to deal with all of these.
    """
    key = read_key(runtime)
    directory, _, script_name = script.path.rpartition("/")
    names = entry_names(key, script.source, script_name, sys.implementation.cache_tag)
    reason = "no entry"
    for level, name in names.items():
        try:
            data = read(f"{directory}/{CACHE_DIRECTORY}/{name}")
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
    code, not_stored = miss.compile_and_store(key, script, names[0])
    miss.record_fallback(runtime, reason, script.path)
    if not_stored:
        reason = f"{reason}; it is not stored: {not_stored}"
    miss.trace("miss", reason, script.argument)
    return code, NO_NOTES
