"""What ``doctor`` looks at in the hooks: do they compile, and are their entries there?"""

from __future__ import annotations

from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries import sync
from hooks_compile.entries.levels import choose_level
from hooks_compile.entries.report import describe_error, plural, shown
from hooks_compile.errors import InterpreterError
from hooks_compile.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import CompileResult, Interpreter
    from hooks_compile.project.record import Project

_NAMED = 5


def check(
    project: Project, interpreters: Sequence[Interpreter]
) -> tuple[list[CompileResult], list[Finding]]:
    """Return how every hook and local module stands, or no results and why that can't be told.

    Of the modules only those that do not compile are returned: Python makes the rest itself.
    """
    try:
        synced = sync.examine(project, interpreters)
    except InterpreterError as error:
        where = shown(error.path or project.root)
        return [], [Finding(PROBLEM, f"{where}: {error.cause}", error.remedy)]
    broken = [module for module in synced.modules if module.state is State.BROKEN]
    return [*synced.results, *broken], []


def examine_results(results: Iterable[CompileResult], root: Path) -> list[Finding]:
    """Tell of each interpreter which hooks would not run from their entries, and why."""
    by_label: defaultdict[str, list[CompileResult]] = defaultdict(list)
    for result in results:
        by_label[result.interpreter.label].append(result)
    return [
        finding
        for label, group in by_label.items()
        for finding in _examine_interpreter(label, group, root)
    ]


def _examine_interpreter(
    label: str, results: Sequence[CompileResult], root: Path
) -> Iterable[Finding]:
    by_state: defaultdict[State, list[CompileResult]] = defaultdict(list)
    for result in results:
        by_state[result.state].append(result)
    for path, error in [(r.source.path, r.error) for r in by_state[State.BROKEN] if r.error]:
        where = shown(path, root)
        first = describe_error(where, error).splitlines()[0]
        text = f"{first} (under {label}): it does not run at all"
        remedy = f"correct it; hooks-compile check {quote(where)} shows the place"
        yield Finding(PROBLEM, text, remedy)
    for result in by_state[State.UNREADABLE]:
        text = f"{shown(result.source.path, root)} can't be read: {result.detail}"
        yield Finding(PROBLEM, text, f"ls -l {quote(shown(result.source.path))}")
    for state, what in (
        (State.MISSING, "not compiled"),
        (State.DAMAGED, "not used from their entries, which do not verify"),
    ):
        if by_state[state]:
            text = f"{_some(by_state[state], root)}: {what} for {label}"
            yield Finding(PROBLEM, text, "hooks-compile compile")
    fresh = len(by_state[State.FRESH])
    if fresh:
        yield Finding(OK, f"{plural(fresh, 'hook')} compiled for {label}")


def _some(results: Sequence[CompileResult], root: Path) -> str:
    names = [shown(result.source.path, root) for result in results[:_NAMED]]
    more = len(results) - len(names)
    return f"{plural(len(results), 'hook')} ({', '.join(names)}{f' and {more} more' * bool(more)})"


def examine_encodings(contents: Mapping[Path, bytes], root: Path) -> list[Finding]:
    """Name the sources that stay at level 0 because of their encoding."""
    found = []
    for path, content in contents.items():
        reason = choose_level(content).reason
        if reason.startswith(("encoding ", "not UTF-8")):
            text = f"{shown(path, root)} is compiled at level 0 only: {reason}"
            found.append(Finding(NOTE, text, "save it as UTF-8, without a coding line"))
    return found
