"""Makes ``__main__`` and ``sys`` what Python would have made them, and ends as Python would."""

import sys
from types import TracebackType
from typing import Any, Dict, Optional

from hooks_compile.launcher import miss
from hooks_compile.launcher.annotations import Script
from hooks_compile.launcher.process import IS_CPYTHON


def restore_main(namespace: Dict[str, Any], script: Script) -> None:
    """Make ``__main__`` and ``sys`` what they would be if Python had been given the script alone.

    ``namespace`` holds the globals of ``__main__``. CPython does the same in ``Modules/main.c`` and
    ``Python/pythonrun.c`` before the first line of a script runs.
    """
    launcher = sys.argv.pop(0)
    file = script.file
    namespace["__file__"] = file
    loader_path = file if IS_CPYTHON else script.argument
    namespace["__loader__"] = type(namespace["__loader__"])("__main__", loader_path)
    if hasattr(sys, "orig_argv"):
        sys.orig_argv.remove(launcher)
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        path = script.path if IS_CPYTHON else miss.pypy_script(file)
        sys.path[0] = path[: path.rfind("/")] or "/"
    if launcher in sys.path_importer_cache:
        sys.path_importer_cache[file] = sys.path_importer_cache.pop(launcher)
    # The frame of launch.py counts, and a RecursionError shows the number of frames.
    if IS_CPYTHON:
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)


def remove_first_frame(error: BaseException, traceback: Optional[TracebackType]) -> None:
    """Let what the hook raised be shown without the frame of launch.py."""
    if traceback is None:
        return
    if sys.version_info >= (3, 11):
        # The interpreter goes on raising with the traceback that it finds in the exception.
        error.__traceback__ = traceback.tb_next
    elif not isinstance(error, SystemExit) and hasattr(sys, "excepthook"):
        sys.excepthook = miss.without_first_frame(sys.excepthook)


def status_of(error: Optional[BaseException]) -> Optional[int]:
    """Return the exit status of a hook that ends by ``error``.

    None if Python has to end the process, since it prints something or computes the status.
    """
    if error is None:
        return 0
    if type(error) is SystemExit:
        code = 0 if error.code is None else error.code
        if type(code) in (int, bool) and code in range(256):
            return int(code)
    return None
