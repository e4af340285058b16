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
from types import ModuleType
from typing import Any, List

from hooks_compile.launcher.leftovers import acts_at_exit, is_file_object, without_plain
from hooks_compile.launcher.observers import has_audit_hook, has_usual_streams, is_traced
from hooks_compile.launcher.process import stdlib_names

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
        objects = without_plain(gc.get_objects())
        if acts_at_exit(objects) or has_unwritten_file(objects):
            return
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream and not stream.closed:
                stream.flush()
    except BaseException:  # whatever it is, Python meets it again
        return
    posix._exit(status)


def has_unwritten_file(objects: "List[Any]") -> bool:
    """Return whether a file is open that has to be flushed, and is not one that ``logging`` closes.

    A file with attributes of its own counts, too: it may have another close.
    """
    logs = [each.stream for each in logging_handlers() if type(each).__name__ == "FileHandler"]
    known = {id(part) for log in logs if log for part in (log, log.buffer)}
    for each in filter(is_file_object, objects):
        if each.closed:
            continue
        if not each.__dict__.keys() <= {"mode", "name"}:
            return True
        file = each.buffer if type(each) is _io.TextIOWrapper else each
        if type(file) not in (_io.BufferedReader, _io.FileIO) and id(each) not in known:
            return True
    return False


def is_quiet() -> bool:
    """Return whether no thread, callback, handler or option is left that could show something."""
    modules = sys.modules
    environ: "Any" = stdlib_names("os").get("environ")
    if (
        _thread._count()
        or has_audit_hook()
        or modules.get("sys") is not sys  # who emptied it may have hidden what we look for
        or not modules.keys().isdisjoint(_NEED_NORMAL_EXIT)  # looks for these, not for those
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
