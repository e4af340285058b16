"""What ``doctor`` looks at in the agents' configuration: which commands go past the wrapper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import NO_PYTHON
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries.report import plural
from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.agents.wiring.plan import FilePlan
    from hooks_compile.project.record import Project

_NAMED = 5
_INIT = "hooks-compile init"


def examine_wiring(project: Project, env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the commands of the project's agents that launch hooks without the wrapper, and why.

    It is what ``init`` would say: those that it can put on the wrapper are a problem, those that
    it has to leave a note.
    """
    names = {source.path.name for source in project.sources}
    for plan in wiring_plan.plan_init(project.root, env).files:
        yield from _examine_file(plan, names)


def _examine_file(plan: FilePlan, names: set[str]) -> Iterator[Finding]:
    where = one_line(plan.config.origin)
    if plan.trouble is not None:
        text = f"{where}: {plan.trouble.cause}, so nobody knows how its hooks are launched"
        yield Finding(PROBLEM, one_line(text), one_line(plan.trouble.remedy))
        return
    if plan.changes:
        commands = [f"{each.where} ({each.old})" for each in plan.changes]
        text = f"{where}: {_some(commands)}, and past the wrapper no launch finds its entry"
        yield Finding(PROBLEM, text, _INIT)
    for left in plan.left:
        is_ours = left.reason != NO_PYTHON and any(name in left.command for name in names)
        if is_ours or left.reason in plan.unfinished:
            text = f"{where}: {left.where} ({left.command}) is not on the wrapper: {left.reason}"
            level = PROBLEM if left.reason in plan.unfinished else NOTE
            yield Finding(level, one_line(text), f"{_INIT} --dry-run  # tells what would change")
    if plan.wired:
        yield Finding(OK, f"{where}: {plural(plan.wired, 'command')} on the wrapper")


def _some(commands: list[str]) -> str:
    names = ", ".join(map(one_line, commands[:_NAMED]))
    more = f" and {len(commands) - _NAMED} more" if len(commands) > _NAMED else ""
    return f"{plural(len(commands), 'command launches', 'commands launch')} Python: {names}{more}"
