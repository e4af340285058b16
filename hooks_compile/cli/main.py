"""``hooks-compile``: parse and dispatch.

Each command is a function that takes the parsed arguments and returns 0, or 1 for what the user can
fix. :mod:`~hooks_compile.cli.edge` adds 3 for a bug of ours and 130 for ^C; argparse exits with 2
for a wrong call.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hooks_compile.cli import edge

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1, 2, 3 or 130."""
    words = sys.argv[1:] if argv is None else list(argv)
    return edge.run(lambda: _run(words), "hooks-compile")


def _run(words: Sequence[str]) -> int:
    if words == ["sync", "--git-hook"]:  # a checkout waits for it, and a parser takes 10 ms
        from hooks_compile.cli.entry_commands import sync_for_git

        return sync_for_git()
    from hooks_compile.cli.parser import parse

    arguments = parse(words)
    if arguments.command in ("compile", "sync", "check", "status", "clean"):
        from hooks_compile.cli.entry_commands import COMMANDS
    elif arguments.command in ("run", "runtime", "doctor", "demo"):
        from hooks_compile.cli.launch_commands import COMMANDS
    elif arguments.command == "snapshot":
        from hooks_compile.cli.snapshot_commands import COMMANDS
    elif arguments.command == "bench":
        from hooks_compile.cli.bench_command import COMMANDS
    else:
        from hooks_compile.cli.wiring_commands import COMMANDS
    return COMMANDS[arguments.command](arguments)


def entry_point() -> None:
    """Run the command ``hooks-compile``."""
    raise SystemExit(main())
