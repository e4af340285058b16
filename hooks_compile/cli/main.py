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
from hooks_compile.cli import entry_commands, launch_commands, output, wiring_commands
from hooks_compile.cli.parser import build_parser
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence


# These modules import what a command needs when it runs: commands run inside commits.
_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compile": entry_commands.run_compile,
    "sync": entry_commands.run_sync,
    "check": entry_commands.run_check,
    "status": entry_commands.run_status,
    "clean": entry_commands.run_clean,
    "init": wiring_commands.run_init,
    "uninit": wiring_commands.run_uninit,
    "wrapper": wiring_commands.run_wrapper,
    "git-hooks": wiring_commands.run_git_hooks,
    "run": launch_commands.run_hook,
    "runtime": launch_commands.run_runtime,
    "doctor": launch_commands.run_doctor,
    "demo": launch_commands.run_demo,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1, 2, 3 or 130."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # whatever the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = build_parser().parse_args(argv)
    try:
        status = _COMMANDS[arguments.command](arguments)
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
