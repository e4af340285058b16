"""One launch, from its start to its end."""

import posix
import sys
import time
from types import CodeType, ModuleType, TracebackType
from typing import Any, Callable, Dict, NoReturn, Optional, Type

from hooks_compile.launcher import miss, snapshot, uv
from hooks_compile.launcher.annotations import Notes
from hooks_compile.launcher.collector import COLLECTOR_IS_ENABLED, GC
from hooks_compile.launcher.early_exit import exit_early, flush
from hooks_compile.launcher.lazy_imports import defer_imports
from hooks_compile.launcher.lookup import find_code
from hooks_compile.launcher.main_module import remove_first_frame, restore_main, status_of
from hooks_compile.launcher.observers import (
    can_exit_early,
    can_prepare,
    has_usual_streams,
    is_traced,
)
from hooks_compile.launcher.patterns import offer_patterns
from hooks_compile.launcher.preimport import preimport
from hooks_compile.launcher.resumed import RESUMED
from hooks_compile.launcher.script import read_script

# The names that launch.py and prepare.py leave in __main__.
_NAMES_OF_LAUNCH = (
    *("_data", "_file", "_hash", "_imp", "_launch", "_name", "_scope", "_user"),
    *("marshal", "posix", "sys"),
)
_SNAPSHOT_LIFE_S = 24 * 3600
_FUNCTION_CLASS: Any = type(lambda: None)


class Launch:
    """One launch, and the two contexts, one in the other, in which ``launch.py`` runs the hook.

    The last lines of ``launch.py`` do this: ``__init__`` finds the code, ``__enter__`` is called
    for each context, ``__call__`` prepares and returns the hook as a function, which ``launch.py``
    calls, and ``__exit__`` is called for each context.
    """

    can_prepare: bool
    code: CodeType
    gc: Optional[ModuleType]  # None if it is known already that Python has to end the process
    is_inner: bool  # until the inner context is left
    namespace: Dict[str, Any]
    notes: Notes
    raised: bool  # the hook ended by SystemExit
    status: Optional[int]  # None if Python has to end the process

    def __init__(self, namespace: Dict[str, Any]) -> None:
        """Find or compile the code, and restore ``namespace``, the globals of ``__main__``.

        If plain Python has to run the script, the process becomes plain Python: this does not
        return.
        """
        runtime = sys.argv[0][: -len("launch.py")]
        try:
            if sys.argv[1] == "--snapshot":
                snapshot.stop(namespace)  # it returns in the process of a launch
            if sys.argv[1].startswith("--uv="):
                uv.enter_uv(runtime)
            if posix.environ.get(b"HOOKS_COMPILE") == b"off":
                raise ValueError("HOOKS_COMPILE=off")
            script = read_script(sys.argv[1])
            if RESUMED:
                snapshot.require_fit(runtime, script)
            self.code, self.notes = find_code(runtime, script)
            if snapshot_is_due(runtime):
                snapshot.ask_for_snapshot(runtime)
        except Exception as error:
            run_source(error)
        restore_main(namespace, script)
        if type(namespace.get("_file")) is int:  # else prepare.py compiled this launcher just now
            posix.close(namespace["_file"])
        self.namespace = namespace
        judge = snapshot.can_prepare_resumed if RESUMED else can_prepare
        self.can_prepare = judge(script.source)
        self.gc = GC if self.can_prepare and can_exit_early() else None
        self.status = None
        self.raised = False
        self.is_inner = True

    def __enter__(self) -> "Launch":
        """Return this, for both contexts."""
        return self

    def __call__(self) -> Callable[[], object]:
        """Remove our names from ``__main__``, and return the hook's code as a function."""
        for name in _NAMES_OF_LAUNCH:
            self.namespace.pop(name, None)
        _, imports, patterns, is_deferred = self.notes
        if self.can_prepare and GC:
            if RESUMED:
                imports = snapshot.reveal(imports)
            if imports:
                preimport(imports, patterns)
            GC.freeze()
            if not self.gc:
                GC.unfreeze()  # Python will destroy them; now they are of the oldest generation
            if patterns:
                offer_patterns(patterns)
        if is_deferred:
            defer_imports(patterns)
        if COLLECTOR_IS_ENABLED and GC:
            GC.enable()
        if RESUMED:
            snapshot.begin_hook()
        return _FUNCTION_CLASS(self.code, self.namespace)  # type: ignore[no-any-return]

    def __exit__(
        self,
        _: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> bool:
        """Leave a context: the inner one when the hook ends, the outer one to end the process.

        A hook that ends by an exception keeps its variables until the inner one is left. Returns
        whether the outer one deals with ``error``; if not, Python shows it. This is one function
        because a trace function that the hook left on sees each call.
        """
        if self.is_inner:
            self.is_inner = False
            if self.gc and has_usual_streams() and not is_traced():
                self.status = status_of(error)
            if self.status is None:
                if error is not None:
                    remove_first_frame(error, traceback)
                return False
            flush()  # before variables vanish, which may print something
            self.raised = error is not None
            return True
        if self.gc:
            if self.status is not None:
                exit_early(self.status, self.gc)
            self.gc.unfreeze()  # Python ends the process
        if self.raised:
            raise SystemExit(self.status)
        return False


def snapshot_is_due(runtime: str) -> bool:
    """Return whether snapshots are on, and this launch resumed none or one that is old."""
    if RESUMED:
        return bool(time.time() - RESUMED["made"] > _SNAPSHOT_LIFE_S)
    return posix.access(runtime + "snapshots/loader", posix.X_OK)


def run_source(error: Exception) -> NoReturn:
    """Become plain Python. ``error`` is the reason.

    Raises OSError if the runtime directory is just being removed: launch.py deals with it.
    """
    reason = str(error)
    if type(error) is not ValueError:
        reason = f"{type(error).__name__}: {reason}"
    miss.trace("source", reason, sys.argv[1])
    miss.become_python()
