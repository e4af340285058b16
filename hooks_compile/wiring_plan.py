"""``init`` and ``uninit``: which files change and how, and the changing itself.

The texts come from :mod:`hooks_compile.agents.rewrite`; here they meet the disk. Wrappers are
written before the configuration that names them, and removed after it.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hooks_compile import git, wrapper
from hooks_compile.agents import files, rewrite
from hooks_compile.agents.named import AGENTS
from hooks_compile.errors import AgentConfigError
from hooks_compile.report import shown
from hooks_compile.wrapper import LEFT_ALONE, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.base import ConfigFile
    from hooks_compile.agents.files import ReadFile
    from hooks_compile.agents.rewrite import Change, Left, Result


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One configuration file: what changes in it, what stays and why.

    ``new_text`` is what it will hold; ``trouble`` says why the whole file is left alone.
    """

    agent: str
    file: ReadFile | None
    origin: str
    new_text: str = ""
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    wired: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All files that ``init`` or ``uninit`` looks at, and the wrappers to write and to remove."""

    root: Path
    files: tuple[FilePlan, ...]
    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()

    @property
    def changes_something(self) -> bool:
        """Whether applying the plan writes anything."""
        return bool(self.written or self.removed) or any(plan.changes for plan in self.files)

    def diff(self) -> str:
        """Return the unified diff of all files that change."""
        parts = [
            _diff(shown(plan.file.path, self.root), plan.file.text, plan.new_text)
            for plan in self.files
            if plan.file is not None and plan.changes
        ]
        own = wrapper.text().decode()
        for path in self.written:
            old = path.read_text() if path.exists() else ""
            parts.append(_diff(shown(path, self.root), old, own))
        parts += [_diff(shown(path, self.root), path.read_text(), "") for path in self.removed]
        return "".join(parts)


def _diff(name: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{name}" if old else "/dev/null",
        f"b/{name}" if new else "/dev/null",
    )
    end = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + end for line in lines)


def agent_names() -> list[str]:
    """Return the names that ``--agent`` takes."""
    return [agent.name for agent in AGENTS]


def plan_init(
    root: Path, env: Mapping[str, str], *, agents: Sequence[str] = (), home: Path | None = None
) -> Plan:
    """Plan to put the launches in the configuration of ``root`` on the wrapper.

    ``agents`` limits it to some, ``home`` adds the user's own configuration. Reads files and asks
    git; writes nothing.
    """
    planned = []
    wrappers: set[Path] = set()
    for config in _configs(root, agents, home):
        plan = _plan(config, partial(_wire, config=config, env=env))
        planned.append(plan)
        wrappers.update(path for change in plan.changes for path in change.wrappers)
    needed = (path for path in wrappers if wrapper.standing(path) is not Standing.CURRENT)
    return Plan(root, tuple(planned), written=tuple(sorted(needed)))


def plan_uninit(
    root: Path,
    env: Mapping[str, str],
    folders: Iterable[Path],
    *,
    agents: Sequence[str] = (),
    home: Path | None = None,
) -> Plan:
    """Plan the way back: every launch off the wrapper, and our wrappers in ``folders`` gone.

    The wrappers stay where ``agents`` limits the work to some: others may still call them.
    """
    planned = tuple(
        _plan(config, partial(_unwire, config=config, env=env))
        for config in _configs(root, agents, home)
    )
    named = {path for plan in planned for change in plan.changes for path in change.wrappers}
    named.update(folder / wrapper.NAME for folder in folders)
    ours = (p for p in named if wrapper.standing(p) in (Standing.CURRENT, Standing.OLDER))
    return Plan(root, planned, removed=() if agents else tuple(sorted(ours)))


def apply(plan: Plan, *, allow_outside: bool = False) -> None:
    """Write what ``plan`` says: wrappers before the files that name them, and removed after.

    Raises HooksCompileError where a file can't be written or changed since it was planned; what
    was written up to then stays, and works.
    """
    for path in plan.written:
        wrapper.write(path.parent)
    for each in plan.files:
        if each.file is not None and each.changes:
            files.replace(each.file, each.new_text, allow_outside=allow_outside)
    for path in plan.removed:
        path.unlink(missing_ok=True)


def _configs(root: Path, agents: Sequence[str], home: Path | None) -> Iterator[ConfigFile]:
    for agent in AGENTS:
        if not agents or agent.name in agents:
            yield from (c for c in agent.files(root, home) if os.path.lexists(c.path))


def _plan(config: ConfigFile, rewritten: Callable[[str], Result]) -> FilePlan:
    file = None
    try:
        file = files.read(config.path, config.root)
        result = rewritten(file.text)
    except AgentConfigError as error:
        return FilePlan(config.agent.title, file, config.origin, trouble=str(error))
    trouble = f"a symlink to {file.target}, outside of the project" if file.outside else ""
    return FilePlan(
        config.agent.title,
        file,
        config.origin,
        result.text,
        () if trouble else result.changes,
        result.left,
        len(result.wired),
        trouble,
    )


def _wire(text: str, config: ConfigFile, env: Mapping[str, str]) -> Result:
    look = files.look_in(config.root)
    result = rewrite.wire(text, config, look, environment=env)
    folders = {path.parent for change in result.changes for path in change.wrappers}
    blocked = {folder: reason for folder in folders if (reason := _blocked(folder, config))}
    if not blocked:
        return result
    return rewrite.wire(text, config, look, environment=env, blocked=blocked)


def _unwire(text: str, config: ConfigFile, env: Mapping[str, str]) -> Result:
    return rewrite.unwire(text, config, files.look_in(config.root), environment=env)


def _blocked(folder: Path, config: ConfigFile) -> str:
    """Return why the wrapper can't stand in ``folder``, "" where it can."""
    path = folder / wrapper.NAME
    before = wrapper.standing(path)
    if before in LEFT_ALONE:
        return f"{wrapper.NAME} there is {before}, not ours to replace"
    if not os.access(folder, os.W_OK):
        return "its folder can't be written"
    root = git.work_tree(config.root)
    if root is None:
        return ""
    ignored = git.ignored(root, [path, config.path])
    if path in ignored and config.path not in ignored:
        return "git ignores the wrapper but not the configuration: colleagues would lack it"
    return ""


def describe(plan: Plan) -> list[str]:
    """Return what a person reads before anything is written, a line each."""
    lines = []
    for each in plan.files:
        lines.append(f"{each.origin} ({each.agent})")
        if each.trouble:
            lines.append(f"  left alone: {each.trouble}")
        for change in each.changes:
            lines += [f"  {change.where}", f"    - {change.old}", f"    + {change.new}"]
        for left in each.left:
            lines += [f"  {left.where}", f"    stays: {left.command}", f"    because {left.reason}"]
        if each.wired:
            lines.append(f"  on the wrapper already: {each.wired}")
        if not (each.trouble or each.changes or each.left or each.wired):
            lines.append("  no commands of ours or for us")
    lines += [f"{shown(path, plan.root)}: to be written" for path in plan.written]
    lines += [f"{shown(path, plan.root)}: to be removed" for path in plan.removed]
    return lines or ["no agent's configuration here names a hook"]
