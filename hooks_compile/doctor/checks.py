"""What keeps hooks from their entries: everything that ``doctor`` looks at."""

from __future__ import annotations

from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import NO_PYTHON
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.committed import missing_wrappers
from hooks_compile.doctor import (
    directory_checks,
    guard_checks,
    machine_checks,
    python_checks,
    trust_checks,
)
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries import sync
from hooks_compile.entries.report import grouped, plural, some
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.launch_records import why_left_to_uv
from hooks_compile.model import State
from hooks_compile.printable import one_line, shown
from hooks_compile.project.selection import for_person

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hooks_compile.agents.wiring.committed import MissingWrapper, Place
    from hooks_compile.agents.wiring.plan import FilePlan
    from hooks_compile.model import CompileResult, Interpreter
    from hooks_compile.project.record import Project

_REMEDIES = {
    State.MISSING: "hooks-compile compile",
    State.DAMAGED: "hooks-compile compile",
    State.BROKEN: "edit it; hooks-compile check shows the place",
}


def examine(
    project: Project, cwd: Path, env: Mapping[str, str], *, rounds: int = 3
) -> list[Finding]:
    """Return what was found, good or bad. A remedy changes something: what can stay has none.

    Nothing is written but the cache of interpreters. Each start of Python is measured ``rounds``
    times. Raises GitError if git refuses.
    """
    rules = for_person(project, cwd, env)
    by_command, unusable = python_checks.find_pythons(project, rules)
    interpreters = list({each.executable: each for each in reversed(by_command)}.values())[::-1]
    found = [
        machine_checks.check_runtime(project.runtime),
        *machine_checks.check_variables(env),
        *machine_checks.check_dropped_variables(env),
        *machine_checks.check_snapshots(project.runtime),
        *unusable,
    ]
    for each in interpreters:
        found += python_checks.check_python(each, rules, rounds)
    for each in by_command:
        found += python_checks.check_shim(each, project.runtime, rules)
    if not project.sources:
        return [*found, Finding(NOTE, f"no hooks in {shown(project.root)}")]
    return [*found, *check_project(project, interpreters, env)]


def check_project(
    project: Project, interpreters: list[Interpreter], env: Mapping[str, str]
) -> Iterator[Finding]:
    """Say what is wrong with the hooks of a project, their directories and their commands."""
    root, results = project.root, []
    try:
        synced = sync.examine(project, interpreters, project.config.optimize)
    except InterpreterError as error:
        text = f"{shown(error.path or root)}: {error.cause}"
        yield Finding(PROBLEM, text, error.remedy)
    else:
        # Python itself compiles the local modules that it can
        broken = [module for module in synced.modules if module.state is State.BROKEN]
        results = [*synced.results, *broken]
    yield from check_entries(results, root)
    for directory in project.wrapper_directories():
        yield from directory_checks.check_wrapper(directory, root)
    lacking = {
        each.source.path.parent for each in results if each.state in (State.MISSING, State.DAMAGED)
    }
    for directory in project.directories():
        is_lacking = directory in lacking
        yield from directory_checks.check_cache_directory(directory, root, lacking=is_lacking)
    modules = [*project.sources, *project.modules()]
    yield from directory_checks.check_unchecked_modules(modules, root)
    for source in project.sources:
        if reason := why_left_to_uv(project.runtime, source.path):
            text = f"{shown(source.path, root)} is launched by uv each time: {reason}"
            yield Finding(NOTE, text)
    plans = wiring_plan.plan_init(wiring_plan.Scope(root, env)).files
    is_wired = any(plan.result.wired for plan in plans)
    names = {source.path.name for source in project.sources}
    for plan in plans:
        yield from _check_commands(plan, names, is_wired=is_wired)
        yield from guard_checks.check_guards(plan, env)
        yield from trust_checks.check_codex_trust(plan, env)
    yield from directory_checks.check_tracked_entries(project)
    yield from _check_named_wrappers(root)


def check_entries(results: Iterable[CompileResult], root: Path) -> Iterator[Finding]:
    """Name the hooks that would not run from their entries, and count the others."""
    for group in grouped(results, root):
        if group.state is State.FRESH:
            yield Finding(OK, f"{plural(len(group.names), 'hook')} {group.text}")
        else:
            remedy = _REMEDIES.get(group.state, f"chmod u+r {quote(group.names[0])}")
            yield Finding(PROBLEM, f"{some(group.names)}: {group.text}", remedy)


def _check_commands(plan: FilePlan, names: set[str], *, is_wired: bool) -> Iterator[Finding]:
    """Name the commands of a configuration that launch hooks without the wrapper, and why.

    ``is_wired`` says that some file of the project has commands on the wrapper: then one that has
    none may have been left on purpose. ``names`` are those of the project's hooks.
    """
    origin = one_line(plan.config.origin)
    if plan.trouble is not None:
        text = f"{origin}: {plan.trouble.cause}, so nobody knows how its hooks are launched"
        yield Finding(PROBLEM, one_line(text), one_line(plan.trouble.remedy))
        return
    result = plan.result
    if result.changes:
        count = plural(len(result.changes), "command launches", "commands launch")
        level = NOTE if is_wired and not result.wired else PROBLEM
        text = f"{origin}: {count} Python without the wrapper"
        yield Finding(level, text, f"hooks-compile init --agent {plan.config.agent.name}")
    reasons: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for left in result.left:
        is_ours = left.reason != NO_PYTHON and any(name in left.command for name in names)
        if is_ours or left.is_removable:
            reasons[left.reason, left.is_removable].append(left.where)
    for (reason, is_removable), places in reasons.items():
        text = one_line(f"{origin}: {some(places, 1)} not on the wrapper: {reason}")
        remedy = "remove that reason, then: hooks-compile init" if is_removable else ""
        yield Finding(PROBLEM if is_removable else NOTE, text, remedy)
    if result.wired:
        yield Finding(OK, f"{origin}: {plural(result.wired, 'command')} on the wrapper")


def _check_named_wrappers(root: Path) -> Iterator[Finding]:
    """Name the commands whose wrapper is missing: on disk, in the index or in the last commit."""
    places: tuple[Place, ...] = ("work tree", "index", "HEAD")
    missing: defaultdict[tuple[Path, str], list[MissingWrapper]] = defaultdict(list)
    for place in places:
        for each in missing_wrappers(root, place):
            missing[each.path, each.named].append(each)
    for (path, named), found in missing.items():
        where = ", ".join(dict.fromkeys(each.place for each in found))
        text = f"{path}: {named}, which is missing in: {where}"
        yield Finding(PROBLEM, one_line(text), found[-1].remedy)  # it has the steps of the others
