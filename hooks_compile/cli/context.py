"""What commands work with: found once in a command, and handed down."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import agents
from hooks_compile.errors import HooksCompileError
from hooks_compile.project import record, selection

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from hooks_compile.interpreters.shims import Bypass
    from hooks_compile.model import Interpreter, Optimize
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules


def current_directory() -> Path:
    """Return the current directory. Raises HooksCompileError if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise HooksCompileError("the current directory is gone", remedy="cd /") from None


def home_of(arguments: argparse.Namespace) -> Path | None:
    """Return the home directory if the user's own hooks are meant as well (``--user``)."""
    return Path.home() if getattr(arguments, "user", False) else None


def open_project(
    arguments: argparse.Namespace, *, paths: Sequence[Path] = (), from_here: bool = False
) -> Project:
    """Return the project around the current directory; with ``paths`` only the hooks there.

    ``from_here`` adds what is configured in the directories from here up to the root.
    """
    cwd = current_directory()
    return record.open_project(
        cwd,
        os.environ,
        paths,
        agents=agents,
        home=home_of(arguments),
        start=cwd if from_here else None,
    )


class Job(NamedTuple):
    """A project and how its hooks are compiled; ``begun`` is when it was begun, in seconds.

    ``commands`` are the interpreters named on the command line.
    """

    project: Project
    rules: Rules
    commands: Sequence[str]
    interpreters: Sequence[Interpreter]
    optimize: Optimize
    begun: float

    def record_shims(self) -> list[Bypass]:
        """Record what shims choose, for later launches; return how launches treat each shim."""
        return selection.refresh_shims(self.project, self.rules, self.commands)


def plan_job(
    project: Project, commands: Sequence[str] = (), optimize: Optimize | None = None
) -> Job:
    """Find the interpreters of ``project``.

    ``commands`` and ``optimize`` are those of the command line, instead of the configured ones.
    Raises InterpreterError for a command that can't be used.
    """
    begun = time.perf_counter()
    rules = selection.for_person(project, current_directory(), os.environ)
    interpreters = selection.find_interpreters(project, rules, commands)
    level = project.config.optimize if optimize is None else optimize
    return Job(project, rules, commands, interpreters, level, begun)


def open_job(arguments: argparse.Namespace, *, paths: Sequence[Path] = ()) -> Job:
    """Open the project and find its interpreters, as the command line says."""
    begun = time.perf_counter()
    project = open_project(arguments, paths=paths)
    return plan_job(project, arguments.python, arguments.optimize)._replace(begun=begun)
