"""A :class:`~hooks_compile.agents.wiring.plan.Plan` as a description and as a diff."""

from __future__ import annotations

import difflib
import re
from io import StringIO
from typing import TYPE_CHECKING

from hooks_compile.entries.report import plural
from hooks_compile.install import wrapper
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hooks_compile.agents.wiring.plan import FilePlan, Plan
    from hooks_compile.errors import AgentConfigError

NEXT_STEPS = """\
done: an agent that is running may have to be started again to see it
commit the changed files and the wrapper together; the way back: hooks-compile uninit"""

_NEW = "new file mode 100755\n"
_GONE = "deleted file mode 100755\n"
_NO_END = "\n\\ No newline at end of file\n"


def diff(plan: Plan) -> str:
    """Return the unified diff of all files that change, as ``git apply`` and ``patch`` read it.

    Files outside of the project have absolute names.
    """
    parts = [
        _diff(each.file.path, plan.root, each.file.text, each.result.text)
        for each in plan.files
        if each.file is not None and each.result.changes
    ]
    for path in (*plan.written, *plan.removed):
        old = path.read_bytes().decode() if path.exists() else ""
        new = wrapper.text().decode() if path in plan.written else ""
        parts.append(_diff(path, plan.root, old, new))
    return "".join(parts)


def describe(plan: Plan) -> list[str]:
    """Return what a person reads before anything is changed, a line each."""
    lines: list[str] = []
    for each in plan.files:
        lines += _describe_file(each)
    wrappers = [(path, "to be written") for path in plan.written]
    wrappers += [(path, "to be staged (git add), since clones need it") for path in plan.staged]
    wrappers += [(path, "to be removed") for path in plan.removed]
    lines += [f"{shown(path, plan.root)}: {what}" for path, what in [*wrappers, *plan.kept]]
    for error in plan.obstacles:
        lines += [shown(error.path or plan.root, plan.root), *_describe_trouble(error)]
    return lines or ["no agent that we know has hooks configured here"]


def summary(plan: Plan) -> str:
    """Return ``2 commands in 1 file, 1 wrapper (staged)``: what changes, "" if nothing does."""
    files = sum(bool(each.result.changes) for each in plan.files)
    commands = f"{plural(len(plan.changes), 'command')} in {plural(files, 'file')}"
    wrappers = len({*plan.written, *plan.removed, *plan.staged})
    staged = " (staged: git add)" if plan.staged else ""
    parts = [commands if files else "", plural(wrappers, "wrapper") + staged if wrappers else ""]
    return ", ".join(filter(None, parts))


def _describe_trouble(error: AgentConfigError) -> Iterator[str]:
    yield f"  can't be changed: {one_line(error.cause)}"
    yield f"    to fix it: {one_line(error.remedy)}"


def _describe_file(plan: FilePlan) -> Iterator[str]:
    agent, result = plan.config.agent, plan.result
    yield f"{one_line(plan.config.origin)} ({agent.title})"
    if plan.trouble is not None:
        yield from _describe_trouble(plan.trouble)
        return
    for change in result.changes:
        yield f"  {one_line(change.where)}: changes"
        yield f"    - {one_line(change.old)}"
        yield f"    + {one_line(change.new)}"
    for left in result.left:
        yield f"  {one_line(left.where)}: stays, because {one_line(left.reason)}"
        yield f"      {one_line(left.command)}"
        if left.suggestion:
            yield f"    you may write instead: {one_line(left.suggestion)}"
    if result.wired:
        yield f"  on the wrapper already: {plural(result.wired, 'command')}"
    yield from _windows_warning(plan)
    if result.changes and agent.trust:
        yield f"  {agent.title} will ask you to trust the changed hooks once more"
    if not (result.changes or result.left or result.wired):
        yield "  no command to change"


def _windows_warning(plan: FilePlan) -> Iterator[str]:
    """Yield which commands would fail on a colleague's Windows, where there is no ``sh``."""
    concerned = [change for change in plan.result.changes if change.windows_shell]
    if concerned:
        names = ", ".join(one_line(change.where) for change in concerned)
        yield f"  warning: on Windows {plan.config.agent.title} runs these commands with"
        yield f"    {concerned[0].windows_shell}, which has no sh: the hooks would not start there,"
        yield f"    and a guard would let everything pass: {names}"


def _diff(path: Path, root: Path, old: str, new: str) -> str:
    inside = path.is_relative_to(root)
    name = path.relative_to(root).as_posix() if inside else str(path).lstrip("/")
    before, after = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    kind = _NEW if not old else _GONE if not new else ""
    files = before if old else "/dev/null", after if new else "/dev/null"
    lines = difflib.unified_diff([*StringIO(old)], [*StringIO(new)], *files)
    body = "".join(line if line.endswith("\n") else line + _NO_END for line in lines)
    return f"diff --git {before} {after}\n{kind}{body}"


def _quoted(name: str) -> str:
    """Return a file's name for a diff, in C's quotes if git would quote it."""
    text = re.sub(r'[\0-\x1f"\\]', lambda match: f"\\{ord(match[0]):03o}", name)
    return name if text == name else f'"{text}"'
