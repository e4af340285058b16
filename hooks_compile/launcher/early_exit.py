"""Ends a launch at once if Python's own way to the end would only free memory.

Python spends a good part of a short launch on destroying objects, though the process gives back the
memory anyway. This is skipped if no thread is left, no callback that could show something, and no
object, not even in garbage, whose destruction does more than free it. In doubt Python ends the
process. CPython does the same in ``Py_FinalizeEx`` in ``Python/pylifecycle.c``.

Nothing here calls what the hook has written: no method of its objects, classes or metaclasses.
"""

import _io
import _thread
import _warnings
import posix
import sys

from hooks_compile.launcher.leftovers import acts_at_exit, is_file_object
from hooks_compile.launcher.observers import has_audit_hook, has_usual_streams, is_traced
from hooks_compile.launcher.process import stdlib_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, List, Optional

# Modules whose objects, threads or C libraries rely on being destroyed.
_NEED_NORMAL_EXIT = frozenset(
    (
        *("_asyncio", "_ctypes", "_curses", "_dbm", "_gdbm", "_interpreters", "_lsprof"),
        *("_tkinter", "_xxsubinterpreters", "asyncio", "concurrent.futures", "coverage"),
        *("faulthandler", "gc", "mmap", "multiprocessing", "readline", "tracemalloc"),
        # before 3.10 the collector does not know their objects
        *(("_sqlite3", "_ssl") if sys.version_info < (3, 10) else ()),
    )
)


def flush() -> None:
    """Write out what was printed, as ``flush_io`` in Python/pythonrun.c does after the script."""
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream:
                stream.flush()
        except BaseException:  # noqa: S112 - it stays in the stream, so Python meets it again
            continue


def exit_early(status: int, gc: "ModuleType") -> None:
    """End the process with ``status`` as Python would, or return if Python has to do it.

    All objects that were there before the hook are frozen in ``gc``, and :func:`flush` was called.
    """
    try:
        if not has_usual_streams() or is_traced() or not is_quiet():
            return
        files = files_to_flush(gc)
        if files is None:
            return
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr, *files):
            if stream and not stream.closed:
                stream.flush()
    except BaseException:  # whatever it is, Python meets it again
        return
    posix._exit(status)


def files_to_flush(gc: "ModuleType") -> "Optional[List[Any]]":
    """Return the open file that has to be flushed, if any; None if more has to be done.

    It is one that a global variable of the hook names: Python flushes that one for certain. Of
    other files unwritten text may be lost with garbage, and of several files the order would show.
    """
    objects = gc.get_objects()
    if acts_at_exit(objects):
        return None
    writers = []
    below = []
    for each in [each for each in objects if is_file_object(each) and not each.closed]:
        if not each.__dict__.keys() <= {"mode", "name"}:
            return None  # it may have another close
        if type(each) is _io.FileIO:
            continue
        under = each.buffer if type(each) is _io.TextIOWrapper else each.raw
        if not is_file_object(under):
            return None
        if type(under) is _io.BufferedWriter:
            below.append(under)
            writers.append(each)
        elif type(each) is _io.BufferedWriter:
            writers.append(each)
    logs = [each.stream for each in logging_handlers() if type(each).__name__ == "FileHandler"]
    main = sys.modules["__main__"].__dict__
    left = [each for each in writers if not is_in(each, below) and not is_in(each, logs)]
    if len(left) > 1 or (left and not is_in(left[0], list(main.values()))):
        return None
    return left


def is_in(each: object, others: "List[Any]") -> bool:
    """Return whether an object is one of ``others``, without a call of its ``__eq__``."""
    return id(each) in map(id, others)


def is_quiet() -> bool:
    """Return whether no thread, callback, handler or option is left that could show something."""
    modules = sys.modules
    environ: "Any" = stdlib_names("os").get("environ")
    if (
        _thread._count()
        or has_audit_hook()
        or modules.get("sys") is not sys  # who emptied it may have hidden what we look for
        or not _NEED_NORMAL_EXIT.isdisjoint(modules)
        or stdlib_names("threading").get("_threading_atexits")
        or b"PYTHONINSPECT" in getattr(environ, "_data", ())
        or shows_resource_warnings(stdlib_names("warnings").get("filters", _warnings.filters))
    ):
        return False
    return "atexit" not in modules or has_known_callbacks(modules["atexit"])


def has_known_callbacks(atexit: "Any") -> bool:
    """Return whether only ``logging`` and an idle ``weakref.finalize`` act through ``atexit``."""
    known = 0
    if stdlib_names("logging"):
        known = 1
        if not all(map(is_usual_handler, logging_handlers())):
            return False
    finalize = stdlib_names("weakref").get("finalize")
    if finalize and finalize._registered_with_atexit:
        known += 1
        if finalize._registry:
            return False
    return atexit._ncallbacks() == known  # type: ignore[no-any-return]


def logging_handlers() -> "List[Any]":
    """Return the handlers of ``logging``, which closes them at the end."""
    found = [reference() for reference in stdlib_names("logging").get("_handlerList", ())]
    return [each for each in found if each is not None]


def is_usual_handler(handler: "Any") -> bool:
    """Return whether a handler is one of ``logging``'s own, for a file or a usual stream."""
    logging = stdlib_names("logging")
    for name in ("StreamHandler", "FileHandler", "_StderrHandler", "NullHandler"):
        if type(handler) is logging[name]:
            stream = getattr(handler, "stream", None)
            return stream is None or type(stream) is _io.TextIOWrapper
    return False


def shows_resource_warnings(filters: "List[Any]") -> bool:
    """Return whether these warning filters would show that a socket was not closed."""
    for action, message, category, module, line in filters:
        if issubclass(ResourceWarning, category):
            if action != "ignore":
                return True
            if message is None and module is None and not line:
                return False
    return True
