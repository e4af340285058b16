"""init, uninit, wrapper, git-hooks: what agents and git run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile.cli import entry_commands, output
from hooks_compile.cli.context import current_directory, home_of, open_project, plan_job
from hooks_compile.entries.cache import Removals
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from hooks_compile.agents.wiring.plan import Plan, Scope
    from hooks_compile.git_hooks.setup import GitPlan
    from hooks_compile.project.record import Project


def run_init(arguments: argparse.Namespace) -> int:
    """Put the project's hooks on the wrapper, set up git, compile, and show the result."""
    from hooks_compile.agents.wiring import describe
    from hooks_compile.agents.wiring import plan as wiring_plan
    from hooks_compile.git_hooks import setup as git_setup
    from hooks_compile.snapshots.launch_probe import advice
    from hooks_compile.snapshots.snapshot_store import Store

    project = open_project(arguments, from_here=True)
    plan = wiring_plan.plan_init(_scope(arguments, project))
    git_plan = git_setup.GitPlan()
    if not arguments.no_git:
        git_plan = git_setup.plan(project.root, os.environ, project.repository)
    stop = _change(arguments, plan, git_plan)
    if stop is not None:
        return stop
    if plan.changes:
        output.say(describe.NEXT_STEPS)
    output.say("")
    job = plan_job(project)
    hint = advice(Store(project.runtime), job.interpreters)
    if hint:
        output.say(hint)
    status = entry_commands.update(job) | entry_commands.show_status(job)
    return status | _unfinished(plan)


def run_uninit(arguments: argparse.Namespace) -> int:
    """Take the project's hooks off the wrapper, and remove all that is ours."""
    from hooks_compile.agents.wiring import plan as wiring_plan
    from hooks_compile.entries import report
    from hooks_compile.git_hooks import setup as git_setup

    project = open_project(arguments, from_here=True)
    plan = wiring_plan.plan_uninit(_scope(arguments, project), project.directories())
    git_plan = git_setup.GitPlan()
    if not (arguments.no_git or arguments.agent):
        git_plan = git_setup.plan_removal(project.root, os.environ, project.repository)
    stop = _change(arguments, plan, git_plan)
    if stop is not None:
        return stop
    cleaned = Removals([], [])
    if not arguments.agent:
        cleaned = entry_commands.clean_caches(project.directories(), project.importable())
    if cleaned.removed:
        output.say(f"{report.plural(len(cleaned.removed), 'file')} of compiled code removed")
    if plan.changes:
        output.say("done: the hooks run from their sources, as before init")
    return _unfinished(plan) | entry_commands.show_refused(cleaned.errors)


def run_wrapper(arguments: argparse.Namespace) -> int:
    """Write the wrapper beside the hooks."""
    from hooks_compile.install import wrapper

    if any(not each.is_absolute() for each in arguments.directories):
        current_directory()  # an error if it was removed
    directories = arguments.directories or open_project(arguments).wrapper_directories()
    standings, refused = {}, []
    for directory in directories:
        try:
            standings[directory / wrapper.NAME] = wrapper.write(directory)
        except HooksCompileError as refusal:  # the others are written all the same
            refused.append(refusal)
    kept = {path: before for path, before in standings.items() if before in wrapper.LEFT_ALONE}
    if arguments.json:
        output.print_json({str(path): str(before) for path, before in standings.items()})
    else:
        for path, before in standings.items():
            output.say(f"{path}: {wrapper.DONE[before]}")
    for error in refused:
        output.print_error(error)
    if not directories and not arguments.json:
        output.say("no directory has hooks of an agent: name one, hooks-compile wrapper DIR")
        return 1
    return bool(kept or refused)


def run_git_hooks(arguments: argparse.Namespace) -> int:
    """Install, remove or show our hooks among those that git runs."""
    from hooks_compile import git
    from hooks_compile.git_hooks import hook_status, installer

    root = current_directory()
    if arguments.action == "status":
        status = hook_status.status(root, os.environ)
        if arguments.json:
            output.print_json(status.as_json())
        else:
            for line in (*status.events, *status.problems):
                output.say(str(line))
        return bool(status.problems)
    repository = None if arguments.global_ else git.require_repository(root)
    plan = installer.plan_install if arguments.action == "install" else installer.plan_uninstall
    steps = plan(repository, os.environ)
    if not arguments.dry_run:
        installer.apply(steps, os.environ)
    if arguments.json:
        output.print_json([step.as_json() for step in steps])
    else:
        for step in steps:
            output.say(str(step))
    return 0


def _scope(arguments: argparse.Namespace, project: Project) -> Scope:
    """Return whose configuration is meant. Raises HooksCompileError for an unknown agent."""
    from hooks_compile.agents.clients.places import AGENTS
    from hooks_compile.agents.wiring.plan import Scope

    names = [agent.name for agent in AGENTS]
    for name in arguments.agent:
        if name not in names:
            raise HooksCompileError(
                f"there is no agent {name!r}", remedy=f"--agent {' or --agent '.join(names)}"
            )
    cwd, home = current_directory(), home_of(arguments)
    return Scope(project.root, os.environ, arguments.agent, home, cwd, project.listed)


def _change(arguments: argparse.Namespace, plan: Plan, git_plan: GitPlan) -> int | None:
    """Show both plans, ask, and carry them out.

    Return None if the command goes on, else its exit status: after ``--dry-run``, if a person said
    no, or if a file can't be changed (then none is).
    """
    from hooks_compile.agents.wiring import describe
    from hooks_compile.agents.wiring.apply import applied
    from hooks_compile.entries import report
    from hooks_compile.git_hooks import installer

    for line in [*describe.describe(plan), *git_plan.lines]:
        output.say(line)
    if plan.troubles:
        count = report.plural(len(plan.troubles), "file")
        output.print_error(
            f"nothing was changed, because of {count} (see above)\n"
            "  to fix it: do what is written there, or name the agents to go on with: --agent NAME"
        )
        return 1
    if arguments.dry_run:
        output.print_raw(describe.diff(plan))
        return _unfinished(plan)
    git_hooks = "git's hooks" if git_plan.steps else ""
    changing = ", ".join(filter(None, [describe.summary(plan), git_hooks]))
    if not changing:
        output.say("nothing to change")
    elif not arguments.yes and not output.agrees(f"Change {changing}?"):
        output.print_error("nothing was changed")
        return 1
    with applied(plan):
        installer.apply(git_plan.steps, os.environ)
    return None


def _unfinished(plan: Plan) -> int:
    from hooks_compile.entries import report

    if plan.unfinished:
        stays = report.plural(plan.unfinished, "command stays", "commands stay")
        output.print_error(
            f"{stays} for a reason that you can remove: see above, then run this again"
        )
    return bool(plan.unfinished)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "init": run_init,
    "uninit": run_uninit,
    "wrapper": run_wrapper,
    "git-hooks": run_git_hooks,
}
