"""``hooks-compile doctor``: what keeps hooks from their entries on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.doctor import directory_checks, hook_checks, machine_checks, python_checks
from hooks_compile.doctor.findings import NOTE, PROBLEM, Finding
from hooks_compile.entries import sync
from hooks_compile.errors import InterpreterError
from hooks_compile.model import State
from hooks_compile.printable import shown
from hooks_compile.project.selection import for_person

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project

# The starts of all Pythons, and those of shims in front of them: a user waits for longer ones.
_MEASURING_S = 0.8


def examine(
    project: Project, cwd: Path, env: Mapping[str, str], *, rounds: int = 5
) -> list[Finding]:
    """Return what was found, good or bad; every finding that is not good has its remedy.

    Nothing is written but the cache of interpreters. Each start of Python is measured ``rounds``
    times, all together in less than two seconds.
    """
    rules = for_person(project, cwd, env)
    interpreters, unusable = python_checks.find_pythons(project, rules)
    found = [
        machine_checks.check_runtime(project.runtime),
        *machine_checks.check_variables(env),
        *machine_checks.check_dropped_variables(env),
        *unusable,
        *python_checks.check_abis(interpreters),
    ]
    for each in interpreters:
        measuring = python_checks.Measuring(rounds, _MEASURING_S / len(interpreters))
        found += python_checks.check_python(each, rules, measuring)
        found += python_checks.check_shim(each, project.runtime, rules, measuring)
    if not project.sources:
        text = f"no hooks in {shown(project.root)}"
        return [*found, Finding(NOTE, text, "hooks-compile compile --help  # lists the places")]
    return [*found, *_check_project(project, interpreters, env)]


def _check_project(
    project: Project, interpreters: list[Interpreter], env: Mapping[str, str]
) -> Iterator[Finding]:
    root = project.root
    try:
        synced = sync.examine(project, interpreters)
    except InterpreterError as error:
        text = f"{shown(error.path or root)}: {error.cause}"
        yield Finding(PROBLEM, text, error.remedy)
        results = []
    else:
        # Python itself compiles the local modules that it can
        broken = [module for module in synced.modules if module.state is State.BROKEN]
        results = [*synced.results, *broken]
    yield from hook_checks.check_entries(results, root)
    for directory in project.wrapper_directories():
        yield directory_checks.check_wrapper(directory, root)
    lacking = {each.source.path.parent for each in results if each.state in hook_checks.NOT_STORED}
    for directory in project.directories():
        is_lacking = directory in lacking
        yield from directory_checks.check_cache_directory(directory, root, lacking=is_lacking)
    modules = [*project.sources, *project.modules()]
    yield from directory_checks.check_unchecked_modules(modules, root)
    yield from directory_checks.check_tracked_entries(root)
    yield from hook_checks.check_left_to_uv(project)
    yield from hook_checks.check_wiring(project, env)
    yield from hook_checks.check_named_wrappers(root)
