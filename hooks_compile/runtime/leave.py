"""The end of a launch: at once where nobody can tell, else as Python ends.

Python spends a good part of a short launch on taking apart what the process gives back anyway. It
is left out only where that would do nothing but free memory: no thread is left, no callback that
could show something, and no object, not even in garbage, that does more than vanish. In doubt
Python ends the process. What this stands for is ``Py_FinalizeEx`` in CPython's
``Python/pylifecycle.c``.

Nothing here calls what the hook has written: no method of its objects, classes or metaclasses.
"""

import _io
import _thread
import _warnings
import _weakref
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Dict, List, Optional

    from hooks_compile.runtime.launcher import STDLIB, load_ahead

# Variables of Python's own that ask for nothing; of PYTHONFAULTHANDLER the module tells, which it
# loads (see _RELYING).
_HARMLESS = frozenset(
    (
        *(b"PYTHON_COLORS", b"PYTHONCOERCECLOCALE", b"PYTHONDONTWRITEBYTECODE", b"PYTHONHASHSEED"),
        b"PYTHONFAULTHANDLER",
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
        *("faulthandler", "gc", "mmap", "multiprocessing", "readline", "tracemalloc"),
        # before 3.10 the collector does not know their objects
        *(("_sqlite3", "_ssl") if sys.version_info < (3, 10) else ()),
    )
)
# C modules whose objects may hold something back, where there are any.
_HOLDING = ("_sqlite3", "sqlite3", "_ssl")
# A hook that has these words in it looks at what we do.
_TELLING = (
    *(b"gc", b"addaudithook", b"PYTHONINSPECT", b"settrace", b"setprofile", b"cProfile"),
    b".monitoring",
)
# What virtual environments and distributions load at each start, and what it leaves is known.
_AT_START = ("_distutils_hack", "_virtualenv", "apport_python_hook", "__editable__")
# Callbacks of weak references that keep nothing but the tables of their modules.
_IN_TABLES = (("weakref", "remove"), ("_weakrefset", "_remove"), ("logging", "_removeHandlerRef"))
_IN_C = ("_destroy", "_localdummy_destroyed", "clear_locals")
# Where the class of modules is from that are not executed yet.
_DEFERRED = "hooks_compile.runtime.lazy"
# What an open file consists of: to be taken apart, it is flushed.
_FILES = frozenset(map(id, (_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedReader, _io.FileIO)))
_PROXIES = (_weakref.ProxyType, _weakref.CallableProxyType)
_MODULE = type(sys)
_BUILTIN = type(len)
_SLOT = type(object.__init__)
_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
# What is asked of a class without asking its metaclass, and of a weak reference of any class.
_mro = type.__dict__["__mro__"].__get__
_names = type.__dict__["__dict__"].__get__
_flags = type.__dict__["__flags__"].__get__
_callback = _weakref.ref.__dict__["__callback__"].__get__


def can_go_ahead(source: bytes, known: bool) -> bool:
    """Tell whether nobody can see what a launch of this source does ahead of the hook.

    ``known`` is what :func:`knows_modules` told.
    """
    return (
        sys.implementation.name == "cpython"
        and sys.version_info < (3, 14)  # how later ones import and end was not read yet
        and "t" not in sys.abiflags  # a free-threaded collector knows no generations
        and not (sys.warnoptions or sys._xoptions)
        and not (sys.flags.inspect or sys.flags.debug or sys.flags.verbose)
        and not tells(source)
        and not is_audited()
        and not [1 for name in posix.environ if name[:6] == b"PYTHON" and name not in _HARMLESS]
        and (known or load_ahead()["is_alone"]())
    )


def can_leave(known: bool) -> bool:
    """Tell whether a launch that :func:`can_go_ahead` may also end early, as far as it can be told.

    ``known`` is the same.
    """
    return (
        known
        and not posix.environ.get(b"HOOKS_COMPILE_NORMAL_EXIT")
        and b"LD_PRELOAD" not in posix.environ  # a C library that may do something at the end
    )


def tells(source: bytes) -> bool:
    """Tell whether a hook with this source might show what a launch does."""
    return [1 for word in _TELLING if word in source] != []


def is_audited() -> bool:
    """Tell whether there is an audit hook, without telling the audit hook."""
    if sys.version_info >= (3, 14):  # where it can't be found out: the source's words have to do
        return False
    try:
        # The argument is wrong, but Python looks at it only if there is somebody to give it to.
        sys.audit(0)  # type: ignore[arg-type]
    except TypeError:
        return True
    return False


def knows_modules() -> bool:
    """Tell whether the modules that were there before the hook are Python's, or leave nothing."""
    for name, module in sys.modules.items():
        file = module.__dict__.get("__file__", "") if type(module) is _MODULE else None
        if type(file) is not str:
            return False
        if name in ("sitecustomize", "usercustomize"):
            known = file.startswith("/usr/lib/")
        else:
            known = not file or is_of_library(file) or name == "__main__"
        if not (known or name.startswith(_AT_START)):
            return False
    return True


def is_of_library(file: str) -> bool:
    """Tell whether a file is one of the standard library."""
    return file.startswith(STDLIB) and "-packages/" not in file


def is_plain() -> bool:
    """Tell whether the streams are Python's own, and nobody watches what is executed."""
    for name in ("stdout", "stderr"):
        stream = sys.__dict__.get(name, sys)
        if stream is not sys.__dict__.get(f"__{name}__"):
            return False
        if type(stream) is not _io.TextIOWrapper and stream is not None:
            return False
    # New in 3.12. No getattr: an error inside it, while the hook's own is raised, has 3.8 go round
    # for ever where the hook's is its own context.
    monitoring: "Any" = sys.__dict__.get("monitoring")
    return not (
        sys.gettrace()
        or sys.getprofile()
        or (monitoring and [1 for tool in range(6) if monitoring.get_tool(tool)])
    )


def flush() -> None:
    """Write out what was printed when the code has run, as ``flush_io`` in Python/pythonrun.c."""
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream:
                stream.flush()
        except BaseException:  # noqa: S112 - it stays in the stream: Python meets it again
            continue


def leave(status: int, gc: "ModuleType") -> None:
    """End the process with ``status`` as Python would; return where Python has to do it.

    All objects that were there before the hook ran are frozen in ``gc``; :func:`flush` was called.
    """
    try:
        left = what_is_left(gc) if is_plain() and is_quiet() else None
        if left is None:
            return
        if "atexit" in sys.modules:
            sys.modules["atexit"]._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr, *left):
            if stream and not stream.closed:
                stream.flush()
    except BaseException:  # whatever it is, Python meets it again
        return
    posix._exit(status)


def what_is_left(gc: "ModuleType") -> "Optional[List[Any]]":
    """Return the file that is still to be flushed, if any; None where more than that is to do.

    It is one that a global variable of the hook names: Python flushes it for certain. Of others,
    text that was not written out may be lost with garbage, and of several the order would show.
    """
    objects = gc.get_objects()
    if acts_at_end(objects):
        return None
    writers = []
    below = []
    for one in [one for one in objects if is_file(one) and not one.closed]:
        if not one.__dict__.keys() <= {"mode", "name"}:
            return None  # it may have another close
        if type(one) is _io.FileIO:
            continue
        under = one.buffer if type(one) is _io.TextIOWrapper else one.raw
        if not is_file(under):
            return None
        if type(under) is _io.BufferedWriter:
            below.append(under)
            writers.append(one)
        elif type(one) is _io.BufferedWriter:
            writers.append(one)
    logs = [handler.stream for handler in handlers() if type(handler).__name__ == "FileHandler"]
    main = sys.modules["__main__"].__dict__
    left = [one for one in writers if not is_among(one, below) and not is_among(one, logs)]
    if len(left) > 1 or (left and not is_among(left[0], list(main.values()))):
        return None
    return left


def is_among(one: object, others: "List[Any]") -> bool:
    """Tell whether an object is one of these, without asking any of them."""
    return id(one) in map(id, others)


def is_quiet() -> bool:
    """Tell whether no thread, callback, handler or option is left that could show something."""
    modules = sys.modules
    environ: "Any" = library("os").get("environ")
    if (
        is_audited()
        or _thread._count()
        or modules.get("sys") is not sys  # whoever emptied it may have hidden what we look for
        or not _RELYING.isdisjoint(modules)
        or library("threading").get("_threading_atexits")
        or b"PYTHONINSPECT" in getattr(environ, "_data", ())
        or warns_of_resources(library("warnings").get("filters", _warnings.filters))
    ):
        return False
    if "atexit" not in modules:
        return True
    known = 0
    logging = library("logging")
    if logging:
        known = 1
        if not all(map(is_usual, handlers())):
            return False
    finalize = library("weakref").get("finalize")
    if finalize and finalize._registered_with_atexit:
        known += 1
        if finalize._registry:
            return False
    return modules["atexit"]._ncallbacks() == known  # type: ignore[no-any-return]


def handlers() -> "List[Any]":
    """Return the handlers of ``logging``, which closes them at the end."""
    found = [ref() for ref in library("logging").get("_handlerList", ())]
    return [each for each in found if each is not None]


def is_usual(handler: "Any") -> bool:
    """Tell whether a handler of ``logging`` is the library's own, for a file or a stream of its."""
    logging = library("logging")
    for name in ("StreamHandler", "FileHandler", "_StderrHandler", "NullHandler"):
        if type(handler) is logging[name]:
            stream = getattr(handler, "stream", None)
            return stream is None or type(stream) is _io.TextIOWrapper
    return False


def library(name: str) -> "Dict[str, Any]":
    """Return the names in a module of the standard library; none if it is not loaded."""
    module = sys.modules.get(name)
    names = module.__dict__ if type(module) is _MODULE else {}
    file = names.get("__file__")
    return names if type(file) is str and is_of_library(file) else {}


def warns_of_resources(filters: "List[Any]") -> bool:
    """Tell whether Python, by its warning filters, would tell of a socket that was not closed."""
    for action, message, category, module, line in filters:
        if issubclass(ResourceWarning, category):
            if action != "ignore":
                return True
            if message is None and module is None and not line:
                return False
    return True


def is_file(one: "Any") -> bool:
    """Tell whether an object is part of an open file, and of no class of the hook's."""
    return id(type(one)) in _FILES


def acts_at_end(objects: "List[Any]") -> bool:
    """Tell whether any of these objects does more than vanish when it is taken apart."""
    kinds = list(map(type, objects))
    watched = set()
    for number, kind in dict(zip(map(id, kinds), kinds)).items():
        if issubclass(kind, (type, _MODULE, _weakref.ref)) and not defines(kind, "__del__"):
            watched.add(number)
        elif number not in _FILES and (
            # Generators, coroutines and sockets have it, too; whom a proxy calls can't be seen.
            defines(kind, "__del__") or holds(kind) or issubclass(kind, _PROXIES)
        ):
            return True
    for one, kind in zip(objects, kinds):
        if id(kind) in watched:
            if issubclass(kind, type):
                acts = makes_acting(one)
            elif issubclass(kind, _MODULE):
                acts = not is_known(one, kind)
            else:
                acts = not is_harmless(_callback(one))
            if acts:
                return True
    return False


def holds(kind: type) -> bool:
    """Tell whether objects of a class are a database's or a secure connection's."""
    return [1 for base in _mro(kind) if _names(base).get("__module__") in _HOLDING] != []


def defines(kind: type, name: str) -> bool:
    """Tell whether a class or one that it inherits from has an attribute."""
    return [1 for base in _mro(kind) if name in _names(base)] != []


def makes_acting(kind: type) -> bool:
    """Tell whether objects of a class might act though the collector does not know them."""
    if not _flags(kind) & _HAVE_GC and defines(kind, "__del__"):
        return True
    # called when a memoryview vanishes; new in 3.12
    return type(_names(kind).get("__release_buffer__")) not in (type(None), _SLOT)


def is_known(module: "Any", kind: type) -> bool:
    """Tell whether a module is Python's, or written in Python and no installed package's."""
    if kind is not _MODULE:
        return _names(kind).get("__module__") == _DEFERRED  # type: ignore[no-any-return]
    file = module.__dict__.get("__file__")
    if type(file) is not str:
        return file is None
    if is_of_library(file):
        return True
    return not (file.endswith((".so", ".dylib")) or "-packages/" in file)


def is_harmless(callback: "Any") -> bool:
    """Tell whether a weak reference's callback does nothing that could be seen."""
    if type(callback) is _BUILTIN:
        return callback.__module__ is None and callback.__name__ in _IN_C
    if type(callback) is not type(leave):
        return callback is None
    for name, function in _IN_TABLES:
        if callback.__code__.co_name == function and callback.__globals__ is library(name):
            return True
    return False
