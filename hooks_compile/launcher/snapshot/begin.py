"""From a resumed snapshot to the hook."""

import _signal  # type: ignore[import-not-found] # typeshed lacks it
import posix
from typing import Any, Tuple

from hooks_compile.launcher.annotations import Script
from hooks_compile.launcher.observers import mentions_observers
from hooks_compile.launcher.resumed import RESUMED


def require_fit(runtime: str, script: Script) -> None:
    """Resume the base snapshot instead, if the hook might find modules that are hidden.

    ``runtime`` is the runtime directory. Nothing of the hook has run.
    """
    if RESUMED["hidden"] and not can_prepare_resumed(script.source):
        # by this name the loader knows what to do
        posix.execv(f"{runtime}snapshots/loader", ["base", *RESUMED["words"]])


def can_prepare_resumed(source: bytes) -> bool:
    """Return what ``can_prepare`` returns: all but the source was known at the stop."""
    return RESUMED["can_prepare"] and not mentions_observers(source)


def reveal(imports: Tuple[str, ...]) -> Tuple[str, ...]:
    """Make modules visible that the hook imports first; return those that are left to import."""
    hidden: Any = RESUMED["hidden"]
    return tuple([name for name in imports if not (hidden and hidden.reveal(name))])


def begin_hook() -> None:
    """Tell the loader's handler of crashes that from now on a signal is the hook's."""
    _signal.signal(_signal.SIGABRT, _signal.SIG_DFL)
