"""A :class:`~hooks_compile.agents.wiring.plan.Plan` as a description and as a diff."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from hooks_compile.entries.report import plural
from hooks_compile.errors import pasted
from hooks_compile.install import wrapper
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hooks_compile.agents.wiring.plan import FilePlan, Plan
    from hooks_compile.errors import AgentConfigError

_NEW = "new file mode 100755\n"
_GONE = "deleted file mode 100755\n"
_NO_END = "\n\\ No newline at end of file\n"


def diff(plan: Plan) -> str:
    """Return the unified diff of all files that change, as ``git apply`` and ``patch`` read it.

    Files outside of the project have absolute names.
    """
    parts = [
        _diff(each.file.path, plan.root, each.file.text, each.new_text)
        for each in plan.files
        if each.file is not None and each.changes
    ]
    own = wrapper.text().decode()
    for path in plan.written:
        old = path.read_bytes().decode() if path.exists() else ""
        parts.append(_diff(path, plan.root, old, own))
    parts += [_diff(path, plan.root, path.read_bytes().decode(), "") for path in plan.removed]
    return "".join(parts)


def describe(plan: Plan) -> list[str]:
    """Return what a person reads before anything is changed, a line each."""
    lines: list[str] = []
    for each in plan.files:
        lines += _describe_file(each)
    written = dict.fromkeys(plan.written, "to be written")
    staged = dict.fromkeys(plan.staged, "to be staged (git add), since clones need it")
    for path in sorted({**written, **staged}):
        what = " and ".join(filter(None, (written.get(path), staged.get(path))))
        lines.append(f"{shown(path, plan.root)}: {what}")
    lines += [f"{shown(path, plan.root)}: to be removed" for path in plan.removed]
    lines += [f"{shown(path, plan.root)}: {reason}" for path, reason in plan.kept]
    for path in plan.elsewhere:
        directory = pasted(path.parent.parent.relative_to(plan.root))
        lines.append(f"{shown(path, plan.root)}: stays; its hooks are for an init in {directory}")
    for error in plan.obstacles:
        lines += [f"{shown(error.path, plan.root) if error.path else 'git'}", *_trouble(error)]
    return lines or ["no agent that we know has hooks configured here"]


def summary(plan: Plan) -> str:
    """Return ``2 commands in 1 file, 1 wrapper (staged)``: what changes, "" if nothing does."""
    changed = sum(bool(each.changes) for each in plan.files)
    wrappers = len({*plan.written, *plan.removed, *plan.staged})
    parts = []
    if changed:
        count = plural(len(plan.changes), "command")
        parts.append(f"{count} in {plural(changed, 'file')}")
    if wrappers:
        parts.append(plural(wrappers, "wrapper") + (" (staged: git add)" if plan.staged else ""))
    return ", ".join(parts)


def next_steps(plan: Plan) -> list[str]:
    """Return what there is to know after ``init`` has changed something, a line each."""
    if not plan.changes:
        return []
    return [
        "done: an agent that is running may have to be started again to see it",
        "commit the changed files and the wrapper together; the way back: hooks-compile uninit",
    ]


def _describe_file(plan: FilePlan) -> Iterator[str]:
    agent = plan.config.agent
    yield f"{one_line(plan.config.origin)} ({agent.title})"
    if plan.trouble is not None:
        yield from _trouble(plan.trouble)
        return
    if plan.has_comments:
        yield f"  warning: {agent.title} reads no file with comments or trailing commas in it"
    for change in plan.changes:
        yield f"  {one_line(change.where)}: changes"
        yield f"    - {one_line(change.old)}"
        yield f"    + {one_line(change.new)}"
    for left in plan.left:
        yield f"  {one_line(left.where)}: stays, because {one_line(left.reason)}"
        yield f"      {one_line(left.command)}"
        if left.suggestion:
            yield f"    you may write instead: {one_line(left.suggestion)}"
    if plan.wired:
        yield f"  on the wrapper already: {plural(plan.wired, 'command')}"
    yield from _windows_warning(plan)
    if plan.changes and agent.trust:
        yield f"  {agent.title} will ask you to trust the changed hooks once more"
    if not (plan.changes or plan.left or plan.wired):
        yield "  no command to change"


def _windows_warning(plan: FilePlan) -> Iterator[str]:
    """Yield which commands would fail on a colleague's Windows, where there is no ``sh``."""
    concerned = [change for change in plan.changes if change.windows_shell]
    if concerned:
        names = ", ".join(one_line(change.where) for change in concerned)
        yield f"  warning: on Windows {plan.config.agent.title} runs these commands with"
        yield f"    {concerned[0].windows_shell}, which has no sh: the hooks would not start there,"
        yield f"    and a guard would let everything pass: {names}"


def _trouble(error: AgentConfigError) -> Iterator[str]:
    yield f"  can't be changed: {one_line(error.cause)}"
    if error.remedy:
        yield f"    to fix it: {one_line(error.remedy)}"


def _diff(path: Path, root: Path, old: str, new: str) -> str:
    inside = path.is_relative_to(root)
    name = path.relative_to(root).as_posix() if inside else str(path).lstrip("/")
    before, after = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    kind = _NEW if not old else _GONE if not new else ""
    lines = difflib.unified_diff(
        _lines(old),
        _lines(new),
        before if old else "/dev/null",
        after if new else "/dev/null",
    )
    body = "".join(line if line.endswith("\n") else line + _NO_END for line in lines)
    return f"diff --git {before} {after}\n{kind}{body}"


def _lines(text: str) -> list[str]:
    """Return the lines as diff counts them: only a line feed ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(name: str) -> str:
    """Return a file's name for a diff, in C's quotes if git would quote it."""
    special = {"\t": "\\t", "\n": "\\n", '"': '\\"', "\\": "\\\\"}
    text = "".join(special.get(c, c if c >= " " else f"\\{ord(c):03o}") for c in name)
    if text != name:
        return f'"{text}"'
    return name
