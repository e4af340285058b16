"""init, uninit, wrapper, git-hooks: what agents and git run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.wiring import describe
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.apply import applied
from hooks_compile.cli import entry_commands, output
from hooks_compile.cli.context import current_directory, home_of, open_project, plan_job
from hooks_compile.entries import report
from hooks_compile.entries.cache import Removals
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import installer
from hooks_compile.git_hooks import setup as git_setup
from hooks_compile.git_hooks.steps import apply
from hooks_compile.install import wrapper

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from hooks_compile.agents.wiring.plan import Plan
    from hooks_compile.git_hooks.setup import GitPlan
    from hooks_compile.project.record import Project


def run_init(arguments: argparse.Namespace) -> int:
    """Put the project's hooks on the wrapper, set up git, and compile."""
    from hooks_compile.snapshots.launch_probe import advice
    from hooks_compile.snapshots.snapshot_store import Store

    project = open_project(arguments, from_here=True)
    plan = wiring_plan.plan_init(_scope(arguments, project))
    if not (project.sources or plan.changes or plan.troubles):
        return _explain_nothing(plan)
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
    status = entry_commands.update(job) | _unfinished(plan)
    if hint := advice(Store(project.runtime), job.interpreters):
        output.say(hint)
    return status


def run_uninit(arguments: argparse.Namespace) -> int:
    """Take the project's hooks off the wrapper, and remove all that is ours."""
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
    if any(not each.is_absolute() for each in arguments.directories):
        current_directory()  # an error if it was removed
    directories = arguments.directories or open_project(arguments).wrapper_directories()
    standings: dict[Path, wrapper.Standing] = {}
    refused = []
    for directory in directories:
        try:
            standings[directory / wrapper.NAME] = wrapper.write(directory)
        except HooksCompileError as refusal:  # the others are written all the same
            refused.append(refusal)
    output.show(
        arguments,
        {str(path): str(before) for path, before in standings.items()},
        [f"{path}: {wrapper.DONE[before]}" for path, before in standings.items()],
    )
    for error in refused:
        output.print_error(error)
    if not directories and not arguments.json:
        output.say("no directory has hooks of an agent: name one, hooks-compile wrapper DIR")
        return 1
    return bool(refused) or any(each in wrapper.LEFT_ALONE for each in standings.values())


def run_git_hooks(arguments: argparse.Namespace) -> int:
    """Install, remove or show our hooks among those that git runs."""
    root = current_directory()
    if arguments.action == "status":
        status = installer.status(root, os.environ)
        output.show(arguments, status.as_json(), (*status.events, *status.problems))
        return bool(status.problems)
    repository = None if arguments.global_ else git.require_repository(root)
    plan = installer.plan_install if arguments.action == "install" else installer.plan_uninstall
    steps = plan(repository, os.environ)
    if not arguments.dry_run:
        apply(steps, os.environ)
    output.show(arguments, [step.as_json() for step in steps], steps)
    return 0


def _scope(arguments: argparse.Namespace, project: Project) -> wiring_plan.Scope:
    """Return whose configuration is meant. Raises HooksCompileError for an unknown agent."""
    names = [agent.name for agent in AGENTS]
    for name in arguments.agent:
        if name not in names:
            raise HooksCompileError(
                f"there is no agent {name!r}", remedy=f"--agent {' or --agent '.join(names)}"
            )
    cwd, home = current_directory(), home_of(arguments)
    scope = wiring_plan.Scope(project.root, os.environ, arguments.agent, home, cwd, project.listed)
    return scope._replace(posix=getattr(arguments, "posix", False))


def _change(arguments: argparse.Namespace, plan: Plan, git_plan: GitPlan) -> int | None:
    """Show both plans, ask, and carry them out.

    Return None if the command goes on, else its exit status: after ``--dry-run``, if a person said
    no, or if a file can't be changed (then none is).
    """
    for line in [*describe.describe(plan, verbose=arguments.verbose), *git_plan.lines]:
        output.say(line)
    if plan.troubles:
        count = report.plural(len(plan.troubles), "file")
        output.print_error(
            f"nothing was changed, because of {count} (see above)\n"
            "  to fix it: do what is written there, or name the agents to go on with: --agent NAME"
        )
        return 1
    git_hooks = "git's hooks" if git_plan.steps else ""
    changing = ", ".join(filter(None, [describe.summary(plan), git_hooks]))
    if arguments.dry_run:
        hint = "" if arguments.verbose or not plan.changes else "; the patch: --verbose"
        output.say(f"would change: {changing or 'nothing'}{hint}")
    if arguments.verbose:
        output.print_raw(describe.diff(plan))
    if arguments.dry_run:
        return _unfinished(plan)
    if not changing:
        output.say("nothing to change")
    elif not arguments.yes and not output.agrees(f"Change {changing}?"):
        why = "" if sys.stdin.isatty() else ", because nobody is there to ask: add --yes"
        output.print_error(f"nothing was changed{why}")
        return 1
    with applied(plan):
        apply(git_plan.steps, os.environ)
    return None


def _explain_nothing(plan: Plan) -> int:
    """Say that no hook was found, and where ``init`` looks."""
    for line in describe.describe(plan, verbose=True):
        output.say(line)
    known = ", ".join(agent.title for agent in AGENTS)
    output.say(f"nothing was changed: no Python hooks here of git, {known}")
    return _unfinished(plan)


def _unfinished(plan: Plan) -> int:
    """Return 1, and say so, if commands stay for a reason that the user can remove."""
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
