"""``hooks-compile``: parse and dispatch.

Each command is a function that takes the parsed arguments and returns 0, or 1 for what the user can
fix. :mod:`~hooks_compile.cli.edge` adds 3 for a bug of ours and 130 for ^C; argparse exits with 2
for a wrong call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.cli import (
    edge,
    entry_commands,
    launch_commands,
    snapshot_commands,
    wiring_commands,
)
from hooks_compile.cli.parser import build_parser

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
    "snapshot": snapshot_commands.run_snapshot,
    "doctor": launch_commands.run_doctor,
    "demo": launch_commands.run_demo,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1, 2, 3 or 130."""
    arguments = build_parser().parse_args(argv)
    return edge.run(lambda: _COMMANDS[arguments.command](arguments), "hooks-compile")


def entry_point() -> None:
    """Run the command ``hooks-compile``."""
    raise SystemExit(main())
