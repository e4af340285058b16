"""doctor, demo: what this machine does with hooks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile.cli import output
from hooks_compile.cli.context import current_directory, open_project

if TYPE_CHECKING:
    import argparse


def run_doctor(arguments: argparse.Namespace) -> int:
    """Look for what keeps hooks from their entries; return 1 if there is a problem."""
    from hooks_compile.doctor import checks

    findings = checks.examine(open_project(arguments), current_directory(), os.environ)
    if arguments.json:
        output.print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            output.say(str(finding))
    return any(finding.is_problem for finding in findings)


def run_demo(arguments: argparse.Namespace) -> int:
    """Show it all in a temporary project."""
    from hooks_compile.demo import story

    return story.run(output.say, keep=arguments.keep)


COMMANDS = {"doctor": run_doctor, "demo": run_demo}
