"""What the launcher does when there is no entry to run: compile, store, record, or step aside.

``launcher.py`` executes ``store.py`` and this file in its own namespace on the first need.
"""

import _imp
import _warnings
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Callable, NoReturn, Tuple

    from hooks_compile.runtime.entry import AS_PYTHON, pack, require_text
    from hooks_compile.runtime.store import CREATE, store

    RUNTIME: str
    append: Callable[[str, str, int], None]

_LOG_LIMIT = 1 << 20
_FILE_NAMES = (sys.getfilesystemencoding(), "surrogateescape")


def compile_and_store(
    key: bytes, source: bytes, file: str, prefix: str, suffix: str
) -> "Tuple[CodeType, str]":
    """Return the code of ``source``, and why it can't be found next time ("" where it can).

    It is compiled as Python itself would at this launch, so that it is right whatever the source
    does; sync may find that a higher level is as good. Raises whatever ``compile`` raises.
    """
    code = compile_without_warning(source, file)
    if "no_debug_ranges" in sys._xoptions or b"PYTHONNODEBUGRANGES" in posix.environ:
        return code, "; it is not stored, because it tells no columns"
    folder_path, _, stem = prefix.rpartition("/")
    try:
        store(folder_path, f"{stem}0{suffix}", pack(key, 0, AS_PYTHON, code, (), source))
    except OSError as error:
        return code, f"; it can't be stored: {error.strerror}"
    return code, ""


def compile_without_warning(source: bytes, file: str) -> "CodeType":
    """Return the code of ``source``; raises whatever ``compile`` raises, and for every warning.

    Python shows a compile-time warning at each launch, and an entry made here would not know it.
    """
    filters = getattr(sys.modules.get("warnings", _warnings), "filters", [])
    filters.insert(0, ("error", None, Warning, None, 0))
    changed()
    try:
        require_text(source)
        return compile(source, file, "exec", 0, True, 0)
    finally:
        del filters[0]
        changed()


def changed() -> None:
    """Tell the interpreter that its warning filters are others now; 3.14 wants its lock held."""
    if sys.version_info < (3, 14):
        _warnings._filters_mutated()  # type: ignore[attr-defined] # typeshed lacks it
    else:
        _warnings._acquire_lock()
        _warnings._filters_mutated_lock_held()
        _warnings._release_lock()


def record(reason: str, path: str) -> None:
    """Note a fallback, and the interpreter that runs hooks in this folder: for ``status`` and sync.

    Where the runtime folder can't be written, the launch is all that counts.
    """
    try:
        line = f"{time.time():.0f}\t{sys.implementation.cache_tag}\t{reason}\t{path!r}\n"
        append(RUNTIME + "fallbacks.log", line, _LOG_LIMIT)
        known = f"{sys.executable}\0{path.rpartition('/')[0]}".encode(*_FILE_NAMES)
        file = posix.open(f"{RUNTIME}seen/{_imp.source_hash(0, known).hex()}", CREATE, 0o600)
        posix.write(file, known)
        posix.close(file)
    except OSError:
        return


def become_python() -> "NoReturn":
    """Replace the process by the Python that it would have been without the launcher."""
    if hasattr(sys, "orig_argv"):
        words = list(sys.orig_argv)
    else:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                words = [word.decode(*_FILE_NAMES) for word in file.read().split(b"\0")[:-1]]
        except OSError:  # no Linux
            from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined] # noqa: PLC0415 - slow, rare

            words = [sys.executable, *_args_from_interpreter_flags(), *sys.argv]
    words[words.index(sys.argv[0]) :] = sys.argv[1:]
    posix.execv(sys.executable, words)
