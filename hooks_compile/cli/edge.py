"""The edge of ``hooks-compile`` and ``hooks-watch``: errors become a message and an exit status."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

from hooks_compile import __version__
from hooks_compile.cli import output
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(command: Callable[[], int], program: str) -> int:
    """Run ``command`` and return its exit status; ``program`` is the name in messages.

    The status is 1 for what the user can fix, 3 for a bug of ours, 130 after ^C.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # as under >&-
            handle = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(handle, mode, closefd=False))  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may be no UTF-8, a locale may have none
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        sys.stdout.flush()
    except HooksCompileError as error:
        output.print_error(error, program)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _system_error(error, program)
    except Exception:
        return _bug(program)
    return status


def discard_stdout() -> None:
    """Write nowhere from now on: Python must not complain at exit about what can't be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_error(error: OSError, program: str) -> int:
    """Report what the system refused: a file of the user, or our own output."""
    if error.filename is not None:
        from hooks_compile.files import refusal

        output.print_error(refusal(error), program)
    elif error.errno in (errno.EPIPE, errno.ENOSPC):
        if error.errno == errno.ENOSPC:
            output.print_error("nothing more can be written: the disk is full", program)
        discard_stdout()
    else:
        return _bug(program)
    return 1


def _bug(program: str) -> int:
    import traceback

    traceback.print_exc()
    text = f"this is a bug of {program} {__version__}: please report the lines above"
    output.print_error(text, program)
    return 3
