"""The hooks and their commands: do they compile, and do they run from their entries?"""

from __future__ import annotations

from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import NO_PYTHON
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.committed import missing_wrappers
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries.report import describe_trouble, plural
from hooks_compile.errors import GitError
from hooks_compile.interpreters import uv_records
from hooks_compile.model import State
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.wiring.committed import Place
    from hooks_compile.agents.wiring.plan import FilePlan
    from hooks_compile.model import CompileResult
    from hooks_compile.project.record import Project

NOT_STORED = (State.MISSING, State.DAMAGED)
_WHAT = {
    State.MISSING: "not compiled",
    State.DAMAGED: "not used from their entries, which do not verify",
}
_NAMED = 5


def check_entries(results: Iterable[CompileResult], root: Path) -> Iterator[Finding]:
    """Name for each interpreter the hooks that would not run from their entries, and why."""
    groups: defaultdict[tuple[str, State], list[CompileResult]] = defaultdict(list)
    for result in results:
        groups[result.interpreter.label, result.state].append(result)
    for (label, state), group in groups.items():
        if state is State.FRESH:
            yield Finding(OK, f"{plural(len(group), 'hook')} compiled for {label}")
        elif state in NOT_STORED:
            names = _some([shown(result.source.path, root) for result in group])
            text = f"{plural(len(group), 'hook')} ({names}): {_WHAT[state]} for {label}"
            yield Finding(PROBLEM, text, "hooks-compile compile")
        else:
            for result in group:
                where = quote(shown(result.source.path, root))
                text = (describe_trouble(result, root) or where).splitlines()[0]
                remedy = f"ls -l {where}"
                if state is State.BROKEN:
                    text += f" (under {label}): it does not run at all"
                    remedy = f"edit it; hooks-compile check {where} shows the place"
                yield Finding(PROBLEM, text, remedy)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(one_line, names[:_NAMED])) + more


def check_left_to_uv(project: Project) -> list[Finding]:
    """Name the hooks that uv starts at each launch, with the reason."""
    return [
        Finding(NOTE, f"{shown(source.path, project.root)} is launched by uv each time: {reason}")
        for source in project.sources
        if (reason := uv_records.why_left(project.runtime, source.path))
    ]


def check_wiring(project: Project, env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the commands of the project's agents that launch hooks without the wrapper, and why.

    Those that ``init`` can rewrite are a problem, those that it has to leave a note.
    """
    names = {source.path.name for source in project.sources}
    for plan in wiring_plan.plan_init(wiring_plan.Scope(project.root, env)).files:
        yield from _check_file(plan, names)


def _check_file(plan: FilePlan, names: set[str]) -> Iterator[Finding]:
    origin = one_line(plan.config.origin)
    if plan.trouble is not None:
        text = f"{origin}: {plan.trouble.cause}, so nobody knows how its hooks are launched"
        yield Finding(PROBLEM, one_line(text), one_line(plan.trouble.remedy))
        return
    if changes := plan.result.changes:
        count = plural(len(changes), "command launches", "commands launch")
        commands = _some([f"{change.where} ({change.old})" for change in changes])
        text = f"{origin}: {count} Python without the wrapper: {commands}"
        yield Finding(PROBLEM, text, "hooks-compile init")
    for left in plan.result.left:
        is_ours = left.reason != NO_PYTHON and any(name in left.command for name in names)
        if is_ours or left.is_removable:
            text = f"{origin}: {left.where} ({left.command}) is not on the wrapper: {left.reason}"
            level = PROBLEM if left.is_removable else NOTE
            remedy = "hooks-compile init --dry-run  # shows what would change"
            yield Finding(level, one_line(text), remedy)
    if plan.result.wired:
        yield Finding(OK, f"{origin}: {plural(plan.result.wired, 'command')} on the wrapper")


def check_named_wrappers(root: Path) -> Iterator[Finding]:
    """Name the commands whose wrapper is missing, on disk or in the last commit."""
    places: tuple[Place, ...] = ("work tree", "HEAD")
    try:
        missing = [each for place in places for each in missing_wrappers(root, place)]
    except GitError as error:
        yield Finding(PROBLEM, f"{shown(error.path or root)}: {error.cause}", error.remedy)
        return
    for each in missing:
        yield Finding(PROBLEM, one_line(f"{each.path}: {each.cause}"), each.remedy)
