"""Compiles a source at its launch, and stores the entry for the next one."""

import _warnings
import builtins
import posix
import sys
from types import CodeType
from typing import Tuple

from hooks_compile.launcher.annotations import Script, Warnings
from hooks_compile.launcher.entry import (
    AS_PYTHON,
    AS_WRITTEN,
    CACHE_DIRECTORY,
    NO_NOTES,
    pack,
    require_text,
)
from hooks_compile.launcher.miss.store import store
from hooks_compile.launcher.process import IS_CPYTHON


def compile_and_store(key: bytes, script: Script, name: str) -> Tuple[CodeType, str]:
    """Return the code of a script, and why it is not stored ("" if it is).

    The code is what Python itself would compile at this launch: of level 0, and without notes. The
    next sync may replace the entry by a better one. ``name`` is the file name of the entry. Raises
    whatever ``compile`` raises.
    """
    code = compile_without_warning(script.source, script.file)
    directory = script.path.rpartition("/")[0]
    reason = reason_not_to_store(directory)
    if not reason:
        data = pack(key, 0, AS_PYTHON + AS_WRITTEN, code, NO_NOTES, script.source)
        try:
            store(f"{directory}/{CACHE_DIRECTORY}", name, data)
        except OSError as error:
            reason = str(error.strerror)
    return code, reason


def reason_not_to_store(directory: str) -> str:
    """Return why this launch must not write into the directory of its hook, "" if it may."""
    if sys.dont_write_bytecode:
        return "Python is told to write no bytecode"
    if sys.pycache_prefix is not None:
        return "Python is told to write bytecode elsewhere"
    if posix.stat(directory or "/").st_uid != posix.geteuid():
        return "the directory of the hook belongs to another user"
    if "no_debug_ranges" in sys._xoptions or b"PYTHONNODEBUGRANGES" in posix.environ:
        return "Python is told to keep no columns"
    return ""


def compile_without_warning(source: bytes, file: str) -> CodeType:
    """Return the code of ``source``; raise whatever ``compile`` raises, and any warning.

    Python shows a compile-time warning at each launch. An entry that is made here would lose it.
    """
    filters = getattr(sys.modules.get("warnings", _warnings), "filters", [])
    filters.insert(0, ("error", None, Warning, None, 0))
    filters_changed()
    try:
        require_text(source)
        return compile(source, file, "exec", 0, True, 0)
    finally:
        del filters[0]
        filters_changed()


def filters_changed() -> None:
    """Tell the interpreter that its warning filters changed. 3.14 wants its lock held."""
    if sys.version_info < (3, 14):
        _warnings._filters_mutated()  # type: ignore[attr-defined] # typeshed lacks it
    else:
        _warnings._acquire_lock()
        _warnings._filters_mutated_lock_held()
        _warnings._release_lock()


def warn(warnings: Warnings, file: str) -> None:
    """Give the warnings that Python gives while it compiles, by the filters of this launch.

    Raises ValueError if an option could turn one into an error: plain Python has to show that.
    """
    if sys.warnoptions:
        raise ValueError("compile-time warnings under -W")
    if not IS_CPYTHON:
        __import__("warnings")  # PyPy does so for a warning
    for category, message, line in warnings:
        _warnings.warn_explicit(message, getattr(builtins, category), file, line)
