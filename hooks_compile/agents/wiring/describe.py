"""A :class:`~hooks_compile.agents.wiring.plan.Plan` as a description and as a diff."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from io import StringIO
from itertools import takewhile
from typing import TYPE_CHECKING

from hooks_compile.entries.report import plural, some
from hooks_compile.install import wrapper
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from hooks_compile.agents.wiring.plan import FilePlan, Plan
    from hooks_compile.agents.wiring.rewrite import Change, Left

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


def describe(plan: Plan, *, verbose: bool = False) -> list[str]:
    """Return what a person reads before anything is changed, a line each.

    Commands that change in the same way share a line, and so do those that stay for one reason;
    with ``verbose`` each that stays has lines of its own.
    """
    lines = [line for each in plan.files for line in _describe_file(each, verbose=verbose)]
    for paths, what in (
        (plan.written, "to be written"),
        (plan.staged, "to be staged (git add), since clones need it"),
        (plan.removed, "to be removed"),
    ):
        if paths:
            lines.append(f"{some([shown(path, plan.root) for path in paths])}: {what}")
    lines += [f"{shown(path, plan.root)}: {what}" for path, what in plan.kept]
    return [*lines, *map(describe_plugin, plan.plugins), *_describe_unasked(plan)]


def describe_plugin(plan: FilePlan) -> str:
    """Return why the commands of an installed plugin stay, and who can change them."""
    count = plural(len(plan.result.changes), "command stays", "commands stay")
    return (
        f"~/{one_line(plan.config.origin)}: {count}: an update of the plugin would undo a change; "
        "its author can run `hooks-compile init` in the plugin's repository"
    )


def summary(plan: Plan) -> str:
    """Return ``2 commands in 1 file, 1 wrapper (staged)``: what changes, "" if nothing does."""
    files = sum(bool(each.result.changes) for each in plan.files)
    commands = f"{plural(len(plan.changes), 'command')} in {plural(files, 'file')}"
    wrappers = len({*plan.written, *plan.removed, *plan.staged})
    staged = " (staged: git add)" if plan.staged else ""
    parts = [commands if files else "", plural(wrappers, "wrapper") + staged if wrappers else ""]
    return ", ".join(filter(None, parts))


def _describe_unasked(plan: Plan) -> Iterator[str]:
    """Say which files stay until their agent is named, and how to name it."""
    if plan.unasked:
        names = some([one_line(config.origin) for config in plan.unasked])
        agents = dict.fromkeys(config.agent.name for config in plan.unasked)
        words = " ".join(f"--agent {name}" for name in agents)
        yield f"not asked for, since their clients were never run with it: {names}: add {words}"


def _describe_file(plan: FilePlan, *, verbose: bool) -> Iterator[str]:
    agent, result = plan.config.agent, plan.result
    if agent.advice and not (result.left or result.wired):
        return
    yield f"{one_line(plan.config.origin)} ({agent.title})"
    if plan.trouble is not None:
        yield f"  can't be changed: {one_line(plan.trouble.cause)}"
        yield f"    to fix it: {one_line(plan.trouble.remedy)}"
        return
    for edit, count in Counter(map(_edit, result.changes)).items():
        yield f"  {plural(count, 'command')}: {one_line(edit)}"
    yield from _describe_left(result.left, verbose=verbose)
    if result.wired:
        yield f"  on the wrapper already: {plural(result.wired, 'command')}"
    for field, count in Counter(it.added for it in result.changes if it.added).items():
        yield f"  {plural(count, 'command')}: the old one is added as {field}, for Windows"
    yield from _windows_warning(plan, verbose=verbose)
    if result.changes and agent.trust:
        yield f"  {agent.title} will ask you to trust the changed hooks once more"
        yield f"    until then {agent.trust}"
    if not (result.changes or result.left or result.wired):
        yield "  no command to change"


def _edit(change: Change) -> str:
    """Return which words of a command become which others, ``OLD => NEW``."""
    old, new = change.old.split(" "), change.new.split(" ")
    start = _common_words(old, new)
    end = _common_words(reversed(old[start:]), reversed(new[start:]))
    before, after = (" ".join(words[start : len(words) - end]) for words in (old, new))
    return f"{before or 'SCRIPT'} => {after or 'SCRIPT'}"


def _common_words(old: Iterable[str], new: Iterable[str]) -> int:
    """Return with how many of the same words both begin."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))


def _describe_left(left: Sequence[Left], *, verbose: bool) -> Iterator[str]:
    if verbose:
        for each in left:
            yield f"  {one_line(each.where)}: stays, because {one_line(each.reason)}"
            yield f"      {one_line(each.command)}"
            if each.suggestion:
                yield f"    you may write instead: {one_line(each.suggestion)}"
        return
    for reason, count in Counter(each.reason for each in left).items():
        stays = plural(count, "command stays", "commands stay")
        yield f"  {stays}, because {one_line(reason)}"
    if any(each.suggestion for each in left):
        yield "  --verbose shows lines that you may write instead"


def _windows_warning(plan: FilePlan, *, verbose: bool) -> Iterator[str]:
    """Yield which commands would fail on a colleague's Windows, where there is no ``sh``."""
    concerned = [change for change in plan.result.changes if change.windows_shell]
    if concerned:
        names = [one_line(change.where) for change in concerned]
        shells = " or ".join(dict.fromkeys(change.windows_shell for change in concerned))
        yield f"  warning: {plural(len(names), 'command')} would fail on Windows, and let all pass:"
        yield f"    there {plan.config.agent.title} uses {shells}, which has no sh"
        yield f"    {some(names, len(names) if verbose else 2)}"


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
