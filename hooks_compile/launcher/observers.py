"""Whether anybody could see that a launch prepares things for its hook, or ends it early.

Nothing here calls what the hook has written.
"""

import _io
import posix
import sys
from typing import Any, Callable

from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.process import (
    IS_CPYTHON,
    MODULE_TYPE,
    is_stdlib_file,
)

# Launches under a newer Python run without what was not proven for it.
NEWEST_TESTED = (3, 15)
# Variables by which Python prints more, or starts, imports or ends in another way. Those that are
# not Python's own do not count, such as PYTHON_VERSION in containers.
_TELLING_VARIABLES = frozenset(
    (
        *(b"PYTHONASYNCIODEBUG", b"PYTHONCASEOK", b"PYTHONDEBUG", b"PYTHONDEVMODE"),
        *(b"PYTHONDUMPREFS", b"PYTHONDUMPREFSFILE", b"PYTHONEXECUTABLE", b"PYTHONINSPECT"),
        *(b"PYTHONINTMAXSTRDIGITS", b"PYTHONMALLOC", b"PYTHONMALLOCSTATS"),
        *(b"PYTHONNODEBUGRANGES", b"PYTHONOLDPARSER", b"PYTHONPERFSUPPORT", b"PYTHONPLATLIBDIR"),
        *(b"PYTHONPROFILEIMPORTTIME", b"PYTHONTHREADDEBUG", b"PYTHONTRACEMALLOC"),
        *(b"PYTHONVERBOSE", b"PYTHONWARNDEFAULTENCODING", b"PYTHONWARNINGS"),
        *(b"PYTHON_CONTEXT_AWARE_WARNINGS", b"PYTHON_FROZEN_MODULES", b"PYTHON_LAZY_IMPORTS"),
        *(b"PYTHON_LLTRACE", b"PYTHON_OPT_DEBUG", b"PYTHON_PATHCONFIG_WARNINGS"),
        *(b"PYTHON_PERF_JIT_SUPPORT", b"PYTHON_PRESITE", b"PYTHON_THREAD_INHERIT_CONTEXT"),
    )
)
# A hook with one of these words in its source may observe the launcher.
_OBSERVING_WORDS = (
    *(b"gc", b"addaudithook", b"PYTHONINSPECT", b"settrace", b"setprofile", b"cProfile"),
    b".monitoring",
)
# How the names of modules begin that setuptools, virtualenv, editables, pywin32 and Ubuntu load at
# each start. They have finders of modules, none of which acts for the standard library or at the
# end. Nor does one of an editable installation: __editable___X_finder (setuptools),
# _editable_impl_X (hatch, pdm), _editable_skbc_X, _X_editable (scikit-build-core),
# _X_editable_loader (meson-python).
_KNOWN_AT_START = (
    *("_distutils_hack", "_virtualenv", "apport_python_hook", "editables.", "editables"),
    "pywin32_bootstrap",
)
# Entries of sys.modules that are no modules: typing made them before 3.13.
_CLASSES_OF_TYPING = ("typing.io", "typing.re")


def can_prepare(source: bytes) -> bool:
    """Return whether nobody can see what a launch of this source prepares for the hook."""
    return (
        IS_CPYTHON
        and sys.version_info[:2] <= NEWEST_TESTED
        and "t" not in sys.abiflags  # a free-threaded collector has no generations
        and not (sys.warnoptions or sys._xoptions)
        and not (sys.flags.inspect or sys.flags.debug or sys.flags.verbose)
        and not mentions_observers(source)
        and not has_telling_variables()
        and has_only_known_modules()
        and not has_audit_hook()
        and has_usual_lazy_imports()
    )


def can_exit_early() -> bool:
    """Return whether the environment lets a launch that :func:`can_prepare` also end early.

    :func:`~.early_exit.exit_early` looks at the rest when the hook has run.
    """
    # LD_PRELOAD: a C library that may act at the end
    return not (posix.environ.get(b"HOOKS_COMPILE_NORMAL_EXIT") or b"LD_PRELOAD" in posix.environ)


def has_usual_lazy_imports() -> bool:
    """Return whether only those imports are lazy that say so (PEP 810)."""
    if sys.version_info < (3, 15):
        return True
    return sys.get_lazy_imports() == "normal" and sys.get_lazy_imports_filter() is None


def mentions_observers(source: bytes) -> bool:
    """Return whether a source has words of code that may observe the launcher."""
    return [1 for word in _OBSERVING_WORDS if word in source] != []


def has_audit_hook() -> bool:
    """Return whether there is an audit hook. No audit hook that is written in Python is called.

    Hooks of C libraries are called from Python 3.14 on. No other thread may run.
    """
    if sys.version_info >= (3, 14):
        return fails_one_frame_below(audit)
    try:
        # The argument is wrong, but Python checks it only if there is a hook to give it to.
        sys.audit(0)  # type: ignore[arg-type]
    except TypeError:
        return True
    return False


def audit() -> None:
    """Raise the event that Python raises for the hooks at the end of the process."""
    sys.audit("cpython._PySys_ClearAuditHooks")


def fails_one_frame_below(function: Callable[[], None]) -> bool:
    """Return whether ``function`` calls something that is written in Python.

    It is called with the lowest recursion limit at which it can run itself.
    """
    limit = sys.getrecursionlimit()
    is_enabled = GC is not None and GC.isenabled()
    if GC is not None:
        GC.disable()  # no finalizer may run here
    try:
        for lowest in range(4, limit):
            try:
                sys.setrecursionlimit(lowest)
            except RecursionError:  # these very frames need more
                continue
            break
        function()
    except RecursionError:
        return True
    finally:
        sys.setrecursionlimit(limit)
        if GC is not None and is_enabled:
            GC.enable()
    return False


def has_telling_variables() -> bool:
    """Return whether one of _TELLING_VARIABLES is set: it may show what a launch prepares."""
    return not _TELLING_VARIABLES.isdisjoint(posix.environ)


def has_only_known_modules() -> bool:
    """Return whether all modules loaded before the hook are Python's own or known to be passive."""
    for name, module in sys.modules.items():
        if name in _CLASSES_OF_TYPING:
            continue
        file = module.__dict__.get("__file__", "") if type(module) is MODULE_TYPE else ()
        if file is None:  # a namespace package that a .pth file made
            file = ""
        if type(file) is not str:
            return False
        if name in ("sitecustomize", "usercustomize"):
            known = is_file_of_distribution(file)
        else:
            known = not file or is_stdlib_file(file) or name == "__main__"
        is_editable = name.startswith("_") and "_editable" in name
        if not (known or is_editable or name.startswith(_KNOWN_AT_START)):
            return False
    return True


def is_file_of_distribution(path: str) -> bool:
    """Return whether Debian, Nix or Homebrew has put a file there, whose effects are known."""
    if path.startswith(("/usr/lib/", "/nix/store/")):
        return True
    return "/Cellar/python@" in path and is_stdlib_file(path)


def has_usual_streams() -> bool:
    """Return whether ``sys.stdout`` and ``sys.stderr`` are those that Python made."""
    for name in ("stdout", "stderr"):
        stream = sys.__dict__.get(name, sys)
        if stream is not sys.__dict__.get(f"__{name}__"):
            return False
        if type(stream) is not _io.TextIOWrapper and stream is not None:
            return False
    return True


def is_traced() -> bool:
    """Return whether something traces, profiles or monitors what is executed."""
    # New in 3.12. Not getattr: if an error is its own context, an error inside getattr makes 3.8
    # loop for ever.
    monitoring: Any = sys.__dict__.get("monitoring")
    if sys.gettrace() or sys.getprofile():
        return True
    return bool(monitoring and [1 for tool in range(6) if monitoring.get_tool(tool)])
