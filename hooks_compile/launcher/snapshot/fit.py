"""Whether a snapshot fits the hook that it was resumed for, and the step from one to the other."""

import _signal  # type: ignore[import-not-found] # typeshed lacks it
import posix
import sys

from hooks_compile.launcher.observers import can_prepare
from hooks_compile.launcher.preimport import can_shadow_stdlib
from hooks_compile.launcher.resumed import RESUMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Tuple

    from hooks_compile.launcher.script import Script


def require_fit(imports: "Tuple[str, ...]", script: "Script") -> None:
    """Start this launch again, cold, if the snapshot holds modules that the hook may miss.

    ``imports`` are those that a cold launch may make ahead of the hook.
    """
    held = RESUMED["imports"]
    if not held:
        return
    directory = script.path[: script.path.rfind("/")] or "/"
    if not (
        set(held) <= set(imports)
        and can_prepare(script.source)
        and not can_shadow_stdlib(directory)
    ):
        start_cold("the snapshot holds other modules than the hook imports")


def start_cold(reason: str) -> "NoReturn":
    """Become the cold launch that this would have been. Nothing of the hook has run."""
    if b"HOOKS_COMPILE_TRACE" in posix.environ:
        posix.putenv(b"HOOKS_COMPILE_COLD", reason.encode())
    posix.execv(sys.executable, sys.orig_argv)


def begin_hook() -> None:
    """Tell the loader's handler of crashes that from now on a signal is the hook's."""
    _signal.signal(_signal.SIGABRT, _signal.SIG_DFL)
