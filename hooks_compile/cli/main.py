"""``hooks-compile``: parse, dispatch, and turn errors into exit codes.

Each command is a function that takes the parsed arguments and returns 0, or 1 for what the user can
fix. :func:`main` adds 3 for a bug of ours and 130 for ^C; argparse exits with 2 for a wrong call.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

from hooks_compile import __version__
from hooks_compile.cli import output
from hooks_compile.cli.parser import build_parser
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1, 2, 3 or 130."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # whatever the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = build_parser().parse_args(argv)
    try:
        status = _function_of(arguments.command)(arguments)
        if sys.stdout is not None:  # as under >&-
            sys.stdout.flush()
    except HooksCompileError as error:
        output.print_error(error)
        return 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _system_error(error)
    except Exception:
        return _bug()
    return status


def entry_point() -> None:
    """Run the command ``hooks-compile``."""
    raise SystemExit(main())


def _function_of(command: str) -> Callable[[argparse.Namespace], int]:
    """Return the function of a command; only its own module is imported."""
    match command:
        case "init" | "uninit" | "wrapper":
            from hooks_compile.cli import wiring_commands as commands
        case "run" | "runtime":
            from hooks_compile.cli import launch_commands as commands  # type: ignore[no-redef]
        case "git-hooks":
            from hooks_compile.cli import git_commands as commands  # type: ignore[no-redef]
        case "doctor" | "demo":
            from hooks_compile.cli import doctor_commands as commands  # type: ignore[no-redef]
        case _:
            from hooks_compile.cli import entry_commands as commands  # type: ignore[no-redef]
    return commands.COMMANDS[command]


def _system_error(error: OSError) -> int:
    """Report what the system refused: a file of the user, or our own output."""
    if error.filename is not None:
        from hooks_compile.files import refusal

        output.print_error(refusal(error))
        return 1
    if error.errno not in (errno.EPIPE, errno.ENOSPC):
        return _bug()
    if error.errno == errno.ENOSPC:
        output.print_error("nothing more can be written: the disk is full")
    # Nobody reads our output any more; Python must not complain about it at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _bug() -> int:
    import traceback

    traceback.print_exc()
    output.print_error(
        f"this is a bug in hooks-compile {__version__}: please report the lines above"
    )
    return 3
