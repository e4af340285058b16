"""bench: what launches of the user's own hooks take."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.cli import output
from hooks_compile.cli.context import open_project, plan_job
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from hooks_compile.bench.measure import Task
    from hooks_compile.bench.results import Results
    from hooks_compile.project.record import Project

_ABOUT = """\
Each hook is launched many times, in copies of the project with a home directory of their own.
What a hook does over the network or to a file outside of the project, it does each time."""


def run_bench(arguments: argparse.Namespace) -> int:
    """Measure the hooks, or those that are given; return 1 if none could be measured."""
    from hooks_compile.bench import measure, page, results, tables

    old = results.read(arguments.compare) if arguments.compare else None
    project = open_project(arguments, paths=arguments.paths)
    is_everything = project.repository is None and project.root in (Path("/"), Path.home())
    if is_everything and not arguments.paths:
        raise HooksCompileError(
            "this is no project, and its copies would be large",
            path=project.root,
            remedy="hooks-compile bench HOOK, with the hooks to measure",
        )
    tasks = list(_tasks(project, arguments.stdin))
    if not tasks:
        raise HooksCompileError("there is no hook to measure", path=project.root)
    output.warn(_ABOUT)
    tasks, left_out = _without_network(tasks, project, allowed=arguments.network)
    job = plan_job(project, [arguments.python] if arguments.python else ())
    with output.progress() as progress:
        found = measure.measure(
            measure.Plan(
                project,
                tasks,
                job.interpreters[0],
                job.rules.names,
                arguments.against,
                arguments.time,
                left_out,
                progress,
            )
        )
    if arguments.html is not None:
        _write_page(arguments.html, page.render(found))
    _show(found, json=arguments.json)
    if old is not None:
        for line in tables.change_lines(results.changes(old, found)):
            (output.warn if arguments.json else output.say)(line)
    return not found.hooks


def _tasks(project: Project, stdin: Path | None) -> Iterator[Task]:
    """Yield each hook with each event that launches it; with ``stdin`` each hook once."""
    from hooks_compile import agents
    from hooks_compile.bench import payloads
    from hooks_compile.bench.measure import Task
    from hooks_compile.files import read_bytes
    from hooks_compile.project.discovery import GIT_ORIGINS

    given = read_bytes(stdin).decode() if stdin is not None else None
    events = agents.hook_events(project.root, listed=project.listed or None)
    for source in project.sources:
        named = [event for event in events if event.script == source.path]
        if given is not None:
            yield Task(source.path, payloads.Payload("the given stdin", stdin=given))
        elif named:
            for event in dict.fromkeys(named):
                yield Task(
                    source.path, payloads.of_event(event.event, event.matcher, event.arguments)
                )
        elif source.origin in GIT_ORIGINS:
            yield Task(source.path, payloads.of_git(source.path.stem))
        else:
            yield Task(source.path, payloads.of_event("PreToolUse", "Bash"))


def _without_network(
    tasks: list[Task], project: Project, *, allowed: bool
) -> tuple[list[Task], dict[str, str]]:
    """Return the tasks that may run, and why the others may not."""
    from hooks_compile.bench.measure import network_modules

    modules = {hook: network_modules(hook) for hook in {task.hook for task in tasks}}
    asked = sorted(hook for hook, names in modules.items() if names)
    if not asked or allowed:
        return tasks, {}
    for hook in asked:
        imported = ", ".join(sorted(modules[hook]))
        output.warn(f"{os.path.relpath(hook, project.root)} may use the network: {imported}")
    if sys.stdin.isatty() and output.agrees("Launch these many times as well?"):
        return tasks, {}
    why = "it may use the network: --network launches it all the same"
    left_out = {os.path.relpath(hook, project.root): why for hook in asked}
    return [task for task in tasks if not modules[task.hook]], left_out


def _show(found: Results, *, json: bool) -> None:
    from hooks_compile.bench import tables

    if json:
        output.print_json(found.as_json())
        return
    if found.hooks:
        output.print_table(tables.COLUMNS, tables.rows(found))
    for line in tables.lines(found):
        output.say(line)


def _write_page(path: Path, text: str) -> None:
    from hooks_compile.files import replace

    replace(path.absolute(), text.encode(), mode=0o644)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"bench": run_bench}
