"""What plain Python does in a way of its own: start, show a traceback, find modules on PyPy."""

import posix
import sys
from types import TracebackType
from typing import List, NoReturn, Optional, Type

from hooks_compile.launcher.annotations import ExceptHook


def become_python() -> NoReturn:
    """Replace the process by the Python that it would have been without the launcher."""
    words = command_line()
    words[words.index(sys.argv[0]) :] = sys.argv[1:]
    posix.execv(sys.executable, words)


def command_line() -> List[str]:
    """Return the words that this Python was started with."""
    if hasattr(sys, "orig_argv"):
        return list(sys.orig_argv)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read().split(b"\0")[:-1]
    except OSError:  # no Linux
        from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined] # noqa: PLC0415 - slow, rare

        return [sys.executable, *_args_from_interpreter_flags(), *sys.argv]
    return [word.decode(sys.getfilesystemencoding(), "surrogateescape") for word in words]


def without_first_frame(excepthook: ExceptHook) -> ExceptHook:
    """Wrap ``sys.excepthook`` for Pythons that go on raising with the traceback that they had."""

    def hook(
        kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType]
    ) -> None:
        sys.excepthook = excepthook
        rest = traceback.tb_next if traceback else None
        error.__traceback__ = sys.last_traceback = rest
        excepthook(kind, error, rest)

    return hook


def pypy_script(file: str) -> str:
    """Return the path beside which PyPy looks for modules.

    It follows symbolic links of the script, and none of the directories above it.
    """
    while posix.lstat(file).st_mode & 0o170000 == 0o120000:
        above = file[: file.rfind("/")]
        file = sys.modules["posixpath"].join(above, posix.readlink(file))
        file = sys.modules["posixpath"].abspath(file)
    return file
