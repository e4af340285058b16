"""git-hooks: our hooks among those that git runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile.cli import output
from hooks_compile.cli.context import current_directory

if TYPE_CHECKING:
    import argparse


def run_git_hooks(arguments: argparse.Namespace) -> int:
    """Install, remove or show our hooks among git's."""
    from hooks_compile.git_hooks import hook_status, installer

    root = current_directory()
    if arguments.action == "status":
        status = hook_status.status(root, os.environ)
        if arguments.json:
            output.print_json(status.as_json())
        else:
            for event in status.events:
                output.say(str(event))
            for problem in status.problems:
                output.say(problem)
        return not status.ok
    act = installer.install if arguments.action == "install" else installer.uninstall
    steps = act(root, os.environ, global_=arguments.global_, dry_run=arguments.dry_run)
    if arguments.json:
        output.print_json([step.as_json() for step in steps])
    else:
        for step in steps:
            output.say(str(step))
    return 0


COMMANDS = {"git-hooks": run_git_hooks}
