"""Whether anybody could see that a launch prepares things for its hook, or ends it early.

Nothing here calls what the hook has written.
"""

import _frozen_importlib
import _frozen_importlib_external
import _io
import _thread
import posix
import sys

from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.process import (
    BUILTIN_TYPE,
    IS_CPYTHON,
    MODULE_TYPE,
    is_stdlib_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# Launches under a newer Python run without what was not proven for it.
NEWEST_TESTED = (3, 15)
# Variables of Python that request nothing which could show. If PYTHONFAULTHANDLER has an effect,
# its module is loaded, and early_exit.py looks for it.
_HARMLESS_VARIABLES = frozenset(
    (
        *(b"PYTHON_COLORS", b"PYTHONCOERCECLOCALE", b"PYTHONDONTWRITEBYTECODE", b"PYTHONHASHSEED"),
        b"PYTHONFAULTHANDLER",
        *(b"PYTHONHOME", b"PYTHONIOENCODING", b"PYTHONNOUSERSITE", b"PYTHONOPTIMIZE"),
        *(b"PYTHONPATH", b"PYTHONPYCACHEPREFIX", b"PYTHONSAFEPATH", b"PYTHONSTARTUP"),
        *(b"PYTHONUNBUFFERED", b"PYTHONUSERBASE", b"PYTHONUTF8"),
    )
)
# A hook with one of these words in its source may observe the launcher.
_OBSERVING_WORDS = (
    *(b"gc", b"addaudithook", b"PYTHONINSPECT", b"settrace", b"setprofile", b"cProfile"),
    b".monitoring",
)
# Modules that virtual environments and distributions load at each start. Their effects are known.
_KNOWN_AT_START = ("_distutils_hack", "_virtualenv", "apport_python_hook", "__editable__")


def can_prepare(source: bytes, only_known_modules: bool) -> bool:
    """Return whether nobody can see what a launch of this source prepares for the hook.

    ``only_known_modules`` is the result of :func:`has_only_known_modules`.
    """
    return (
        IS_CPYTHON
        and sys.version_info[:2] <= NEWEST_TESTED
        and "t" not in sys.abiflags  # a free-threaded collector has no generations
        and not (sys.warnoptions or sys._xoptions)
        and not (sys.flags.inspect or sys.flags.debug or sys.flags.verbose)
        and not mentions_observers(source)
        and not has_unusual_variables()
        and (only_known_modules or nobody_sees_imports())
        and not has_audit_hook()
    )


def can_exit_early(only_known_modules: bool) -> bool:
    """Return whether a launch that :func:`can_prepare` may also end early, as far as known now."""
    return (
        only_known_modules
        and not posix.environ.get(b"HOOKS_COMPILE_NORMAL_EXIT")
        and b"LD_PRELOAD" not in posix.environ  # a C library that may act at the end
    )


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


def fails_one_frame_below(function: "Callable[[], None]") -> bool:
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


def has_unusual_variables() -> bool:
    """Return whether a variable of Python is set that may show what a launch does."""
    names = [name for name in posix.environ if name[:6] == b"PYTHON"]
    return [1 for name in names if name not in _HARMLESS_VARIABLES] != []


def has_only_known_modules() -> bool:
    """Return whether all modules loaded before the hook are Python's own or known to be passive."""
    for name, module in sys.modules.items():
        file = module.__dict__.get("__file__", "") if type(module) is MODULE_TYPE else None
        if type(file) is not str:
            return False
        if name in ("sitecustomize", "usercustomize"):
            known = file.startswith("/usr/lib/")
        else:
            known = not file or is_stdlib_file(file) or name == "__main__"
        if not (known or name.startswith(_KNOWN_AT_START)):
            return False
    return True


def nobody_sees_imports() -> bool:
    """Return whether no module loaded at the start sees imports, or runs in the meantime."""
    importer = sys.modules["builtins"].__dict__.get("__import__")
    return (
        has_usual_streams()
        and not is_traced()
        and not _thread._count()
        and type(importer) is BUILTIN_TYPE
        and all(map(is_usual_finder, sys.meta_path))
        and GC is not None
        and not GC.callbacks
    )


def is_usual_finder(finder: "Any") -> bool:
    """Return whether a finder in ``sys.meta_path`` is Python's own or virtualenv's."""
    builtin, frozen = _frozen_importlib.BuiltinImporter, _frozen_importlib.FrozenImporter
    for own in (builtin, frozen, _frozen_importlib_external.PathFinder):
        if finder is own:
            return True
    module = type.__dict__["__dict__"].__get__(type(finder)).get("__module__")
    return module in _KNOWN_AT_START


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
    monitoring: "Any" = sys.__dict__.get("monitoring")
    if sys.gettrace() or sys.getprofile():
        return True
    return bool(monitoring and [1 for tool in range(6) if monitoring.get_tool(tool)])
