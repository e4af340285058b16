"""The end of a launch: at once where nobody can tell, else as Python ends.

Python spends a good part of a short launch on taking apart what the process gives back anyway. It
is left out only where that would do nothing but free memory: no thread is left, no callback that
could show something, and no object, not even in garbage, that does more than vanish. In doubt
Python ends the process. What this stands for is ``Py_FinalizeEx`` in CPython's
``Python/pylifecycle.c``.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, List, Optional

    from hooks_compile.runtime.launcher import STDLIB

# Variables of Python's own that ask for nothing at the end.
_HARMLESS = frozenset(
    (
        *(b"PYTHON_COLORS", b"PYTHONCOERCECLOCALE", b"PYTHONDONTWRITEBYTECODE", b"PYTHONHASHSEED"),
        *(b"PYTHONHOME", b"PYTHONIOENCODING", b"PYTHONNOUSERSITE", b"PYTHONOPTIMIZE"),
        *(b"PYTHONPATH", b"PYTHONPYCACHEPREFIX", b"PYTHONSAFEPATH", b"PYTHONSTARTUP"),
        *(b"PYTHONUNBUFFERED", b"PYTHONUSERBASE", b"PYTHONUTF8"),
    )
)
# Modules whose objects, threads or C libraries rely on being taken apart.
_RELYING = frozenset(
    (
        *("_asyncio", "_ctypes", "_curses", "_dbm", "_gdbm", "_interpreters", "_lsprof"),
        *("_tkinter", "_xxsubinterpreters", "asyncio", "concurrent.futures", "coverage"),
        *("faulthandler", "mmap", "multiprocessing", "readline", "tracemalloc"),
        # before 3.10 the collector does not know their objects
        *(("_sqlite3", "_ssl") if sys.version_info < (3, 10) else ()),
    )
)
# C modules whose objects may hold something back, where there are any.
_HOLDING = ("_sqlite3", "sqlite3", "_ssl")
# What virtual environments and distributions load at each start, and what it leaves is known.
_AT_START = ("_distutils_hack", "_virtualenv", "apport_python_hook", "__editable__")
# Weak references with callbacks of these modules keep nothing but their own tables.
_TABLES = ("weakref", "_weakrefset", "functools", "enum", "logging", "threading")
# Where the class of modules is from that are not executed yet.
_DEFERRED = "hooks_compile.runtime.lazy"
# What an open file consists of: to be taken apart, it is flushed.
_io: "Any" = sys.modules["_io"]
_FILES = (_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedReader, _io.FileIO)
_MODULE = type(sys)
_BUILTIN = type(len)
_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC


def can_leave(source: bytes) -> bool:
    """Tell whether a launch of this source may end early, as far as it can be told beforehand."""
    return (
        sys.implementation.name == "cpython"
        and sys.version_info < (3, 14)  # how later ones end was not read yet
        and "t" not in sys.abiflags  # a free-threaded collector knows no generations
        and not posix.environ.get(b"HOOKS_COMPILE_NORMAL_EXIT")
        and not (sys.warnoptions or sys._xoptions)
        and not (sys.flags.inspect or sys.flags.debug or sys.flags.verbose)
        and not [1 for word in (b"gc", b"addaudithook", b"PYTHONINSPECT") if word in source]
        and not [1 for name in posix.environ if name[:6] == b"PYTHON" and name not in _HARMLESS]
    )


def leave(status: int, gc: "ModuleType") -> None:
    """End the process with ``status`` as Python would; return where Python has to do it.

    All objects that were there before the hook ran are frozen in ``gc``.
    """
    try:
        files = what_is_left(gc)
    except Exception:  # an object that answers for itself, and not well: Python takes it as it is
        return
    if files is None:
        return
    try:
        # once when the code has run (flush_io in Python/pythonrun.c), once at the very end
        flush(sys.stderr, sys.stdout)
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        flush(sys.stdout, sys.stderr, *files)
    except BaseException:  # what could not be written stays in the stream: Python meets it again
        return
    posix._exit(status)


def what_is_left(gc: "ModuleType") -> "Optional[List[Any]]":
    """Return the files that are still open; None where more is left to do than to flush them."""
    modules = sys.modules
    if (
        modules["_thread"]._count()
        or not _RELYING.isdisjoint(modules)
        or getattr(modules.get("threading"), "_threading_atexits", ())
        or sys.stdout is not sys.__stdout__
        or sys.stderr is not sys.__stderr__
        or callbacks(modules)
        or not all(map(is_known, modules, modules.values()))
    ):
        return None
    objects = gc.get_objects()
    files = [one for one in objects if type(one) in _FILES]
    # Of several that were written to, it would show in which order they are flushed.
    several = sum(type(one) is _io.BufferedWriter for one in files) > 1
    return None if several or acts_at_end(objects) else files


def flush(*streams: "Any") -> None:
    """Write out what was printed. Raises whatever a stream's ``flush`` raises."""
    for stream in streams:
        if stream and not stream.closed:
            stream.flush()


def callbacks(modules: "Any") -> int:
    """Return how many callbacks wait for the end that are not known to show nothing by then."""
    if "atexit" not in modules:
        return 0
    finalize = getattr(modules.get("weakref"), "finalize", None)
    known = ("logging" in modules) + bool(getattr(finalize, "_registered_with_atexit", False))
    return modules["atexit"]._ncallbacks() - known  # type: ignore[no-any-return]


def is_known(name: str, module: "Any") -> bool:
    """Tell whether a module is Python's, or written in Python and no installed package's."""
    if type(module) is not _MODULE:
        return (
            module is None
            or name in ("typing.io", "typing.re")  # two classes, until 3.12
            or type(module).__module__ == _DEFERRED
        )
    file = module.__dict__.get("__file__")
    if type(file) is not str:
        return file is None
    if file.endswith((".so", ".dylib")):
        return file.startswith(STDLIB) and "-packages/" not in file
    if name in ("sitecustomize", "usercustomize"):
        return file.startswith("/usr/lib/")
    return "-packages/" not in file or name.startswith(_AT_START)


def acts_at_end(objects: "List[Any]") -> bool:
    """Tell whether any of these objects does more than vanish when it is taken apart."""
    kinds = list(map(type, objects))
    watched = []
    for kind in set(kinds):
        if kind in _FILES:
            continue
        # generators, coroutines, files and sockets have it too
        if defines(kind, "__del__") or holds(kind):
            return True
        if issubclass(kind, type) or defines(kind, "__callback__"):
            watched.append(kind)
    for one in [one for one, kind in zip(objects, kinds) if kind in watched]:
        if isinstance(one, type):
            # The collector knows no object of such a class.
            if not one.__flags__ & _HAVE_GC and defines(one, "__del__"):
                return True
        elif not (
            one.__callback__ is None
            or type(one.__callback__) is _BUILTIN
            or getattr(one.__callback__, "__module__", "") in _TABLES
        ):
            return True
    return False


def holds(kind: type) -> bool:
    """Tell whether objects of a class are a database's or a secure connection's."""
    bases = type.__dict__["__mro__"].__get__(kind)
    return any(type.__dict__["__module__"].__get__(base) in _HOLDING for base in bases)


def defines(kind: type, name: str) -> bool:
    """Tell whether a class or one that it inherits from has an attribute; no metaclass is asked."""
    for base in type.__dict__["__mro__"].__get__(kind):
        if name in type.__dict__["__dict__"].__get__(base):
            return True
    return False
