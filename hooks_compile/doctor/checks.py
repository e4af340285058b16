"""What keeps hooks from their entries: everything that ``doctor`` looks at."""

from __future__ import annotations

from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import NO_PYTHON
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.committed import missing_wrappers
from hooks_compile.doctor import directory_checks, machine_checks, python_checks, snapshot_checks
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries import sync
from hooks_compile.entries.report import describe_trouble, plural
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

# A user waits for longer measurements.
_MEASURING_S = 1.0
_NOT_STORED = {
    State.MISSING: "not compiled",
    State.DAMAGED: "not used from their entries, which do not verify",
}


def examine(
    project: Project, cwd: Path, env: Mapping[str, str], *, budget: float = _MEASURING_S
) -> list[Finding]:
    """Return what was found, good or bad; every finding that is not good has its remedy.

    Nothing is written but the cache of interpreters. Starts of Python are measured for ``budget``
    seconds, each at least once. Raises GitError if git refuses.
    """
    rules = for_person(project, cwd, env)
    by_command, unusable = python_checks.find_pythons(project, rules)
    interpreters = list({each.executable: each for each in reversed(by_command)}.values())[::-1]
    found = [
        machine_checks.check_runtime(project.runtime),
        *machine_checks.check_variables(env),
        *machine_checks.check_dropped_variables(env),
        *snapshot_checks.check_snapshots(project.runtime),
        *unusable,
    ]
    for each in interpreters:
        share = budget / len(interpreters)
        found += python_checks.check_python(each, rules, share)
    for each in by_command:
        found += python_checks.check_shim(each, project.runtime, rules, budget / len(by_command))
    if not project.sources:
        text = f"no hooks in {shown(project.root)}"
        return [*found, Finding(NOTE, text, "hooks-compile compile --help  # lists the places")]
    return [*found, *check_project(project, interpreters, env)]


def check_project(
    project: Project, interpreters: list[Interpreter], env: Mapping[str, str]
) -> Iterator[Finding]:
    """Say what is wrong with the hooks of a project, their directories and their commands."""
    root, results = project.root, []
    try:
        synced = sync.examine(project, interpreters)
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
    lacking = {each.source.path.parent for each in results if each.state in _NOT_STORED}
    for directory in project.directories():
        is_lacking = directory in lacking
        yield from directory_checks.check_cache_directory(directory, root, lacking=is_lacking)
    modules = [*project.sources, *project.modules()]
    yield from directory_checks.check_unchecked_modules(modules, root)
    for source in project.sources:
        if reason := why_left_to_uv(project.runtime, source.path):
            text = f"{shown(source.path, root)} is launched by uv each time: {reason}"
            yield Finding(NOTE, text)
    names = {source.path.name for source in project.sources}
    for plan in wiring_plan.plan_init(wiring_plan.Scope(root, env)).files:
        yield from _check_commands(plan, names)
    yield from directory_checks.check_tracked_entries(project)
    yield from _check_named_wrappers(root)


def check_entries(results: Iterable[CompileResult], root: Path) -> Iterator[Finding]:
    """Name for each interpreter the hooks that would not run from their entries, and why."""
    groups: defaultdict[tuple[str, State], list[CompileResult]] = defaultdict(list)
    for result in results:
        groups[result.interpreter.label, result.state].append(result)
    for (label, state), group in groups.items():
        if state is State.FRESH:
            yield Finding(OK, f"{plural(len(group), 'hook')} compiled for {label}")
        elif state in _NOT_STORED:
            text = f"{plural(len(group), 'hook')} {_NOT_STORED[state]} for {label}"
            yield Finding(PROBLEM, text, "hooks-compile compile  # status lists them")
        else:
            for result in group:
                where = quote(shown(result.source.path, root))
                text = (describe_trouble(result, root) or where).splitlines()[0]
                remedy = f"ls -l {where}"
                if state is State.BROKEN:
                    text += f" (under {label}): it does not run at all"
                    remedy = f"edit it; hooks-compile check {where} shows the place"
                yield Finding(PROBLEM, text, remedy)


def _check_commands(plan: FilePlan, names: set[str]) -> Iterator[Finding]:
    """Name the commands of a configuration that launch hooks without the wrapper, and why.

    Those that ``init`` can rewrite are a problem, those that it has to leave a note.
    """
    origin = one_line(plan.config.origin)
    if plan.trouble is not None:
        text = f"{origin}: {plan.trouble.cause}, so nobody knows how its hooks are launched"
        yield Finding(PROBLEM, one_line(text), one_line(plan.trouble.remedy))
        return
    result = plan.result
    if result.changes:
        count = plural(len(result.changes), "command launches", "commands launch")
        text = f"{origin}: {count} Python without the wrapper"
        yield Finding(PROBLEM, text, "hooks-compile init  # --dry-run shows them")
    for left in result.left:
        is_ours = left.reason != NO_PYTHON and any(name in left.command for name in names)
        if is_ours or left.is_removable:
            text = f"{origin}: {left.where} ({left.command}) is not on the wrapper: {left.reason}"
            level = PROBLEM if left.is_removable else NOTE
            remedy = "hooks-compile init --dry-run  # shows what you can do"
            yield Finding(level, one_line(text), remedy)
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
