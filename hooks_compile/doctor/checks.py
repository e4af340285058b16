"""What keeps hooks from their entries: everything that ``doctor`` looks at."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.describe import PLUGIN_ADVICE, describe_plugin
from hooks_compile.doctor import (
    command_checks,
    directory_checks,
    machine_checks,
    python_checks,
    trust_checks,
)
from hooks_compile.doctor.findings import Finding, note, ok, problem, problem_of
from hooks_compile.entries import sync
from hooks_compile.entries.report import grouped, plural, some
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.launch_records import why_left_to_uv
from hooks_compile.model import State
from hooks_compile.printable import shown
from hooks_compile.project.selection import for_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hooks_compile.model import CompileResult, Interpreter
    from hooks_compile.project.record import Project

_REMEDIES = {
    State.MISSING: "hooks-compile compile",
    State.DAMAGED: "hooks-compile compile",
    State.BROKEN: "edit it; hooks-compile check shows the place",
}


def examine(
    project: Project, cwd: Path, env: Mapping[str, str], *, rounds: int = 3
) -> Iterator[Finding]:
    """Yield what was found, good or bad. A remedy changes something: what can stay has none.

    Nothing is written but the cache of interpreters. Each start of Python is measured ``rounds``
    times. Raises GitError if git refuses.
    """
    rules = for_person(project, cwd, env)
    by_command, unusable = python_checks.find_pythons(project, rules)
    interpreters = list({each.executable: each for each in reversed(by_command)}.values())[::-1]
    yield machine_checks.check_runtime(project.runtime)
    yield from machine_checks.check_variables(env)
    yield from machine_checks.check_snapshots(project.runtime)
    yield from unusable
    for each in interpreters:
        yield from python_checks.check_python(each, rules, rounds)
    for each in by_command:
        yield from python_checks.check_shim(each, project.runtime, rules)
    if project.sources:
        yield from check_project(project, interpreters, env)
    else:
        yield note(f"no hooks in {project.root}")


def check_project(
    project: Project, interpreters: list[Interpreter], env: Mapping[str, str]
) -> Iterator[Finding]:
    """Say what is wrong with the hooks of a project, their directories and their commands."""
    root, results = project.root, []
    try:
        synced = sync.examine(project, interpreters, project.config.optimize)
    except InterpreterError as error:
        yield problem_of(error)
    else:
        # Python itself compiles the local modules that it can
        broken = [module for module in synced.modules if module.state is State.BROKEN]
        results = [*synced.results, *broken]
    yield from check_entries(results, root)
    for directory in project.wrapper_directories():
        yield from directory_checks.check_wrapper(directory, root)
    lacking = (each.source.path for each in results if each.state in (State.MISSING, State.DAMAGED))
    for directory in sorted({path.parent for path in lacking}):
        yield from directory_checks.check_cache_directory(directory, root)
    modules = [*project.sources, *project.modules()]
    yield from directory_checks.check_unchecked_modules(modules, root)
    for source in project.sources:
        if reason := why_left_to_uv(project.runtime, source.path):
            yield note(f"{shown(source.path, root)} is launched by uv each time: {reason}")
    plans = wiring_plan.plan_init(wiring_plan.Scope(root, env)).files
    is_wired = any(plan.result.wired for plan in plans)
    names = {source.path.name for source in project.sources}
    for plan in plans:
        yield from command_checks.check_commands(plan, names, is_wired=is_wired)
        yield from command_checks.check_launches(plan, env)
    of_codex = (plan.config.path for plan in plans if plan.config.agent.name == "codex")
    yield from trust_checks.check_codex_trust(of_codex, env)
    for plan in wiring_plan.installed_plugins(Path(env.get("HOME", "/")), env):
        yield note(f"{describe_plugin(plan)}; {PLUGIN_ADVICE}")
    yield from directory_checks.check_tracked_entries(project)
    yield from command_checks.check_named_wrappers(root)


def check_entries(results: Iterable[CompileResult], root: Path) -> Iterator[Finding]:
    """Name the hooks that would not run from their entries, and count the others."""
    for group in grouped(results, root):
        if group.state is State.FRESH:
            yield ok(f"{plural(len(group.names), 'hook')} {group.text}")
        else:
            remedy = _REMEDIES.get(group.state, f"chmod u+r {quote(group.names[0])}")
            yield problem(f"{some(group.names)}: {group.text}", remedy)
