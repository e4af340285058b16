"""``init`` and ``uninit``: which files change and how, and the changing itself.

The texts come from :mod:`hooks_compile.agents.wiring.rewrite`; here they meet the disk. Wrappers
are written before the configuration that names them, and removed after it. What a person reads of a
plan is in :mod:`hooks_compile.agents.wiring.describe`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.agents.clients.places import AGENTS, config_files, left_below
from hooks_compile.agents.wiring import config_files as files
from hooks_compile.agents.wiring import rewrite
from hooks_compile.errors import AgentConfigError
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import LEFT_ALONE, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile
    from hooks_compile.agents.wiring.config_files import ReadFile
    from hooks_compile.agents.wiring.rewrite import Change, Left, Result

_OURS = (Standing.CURRENT, Standing.OLDER)
_BESIDE = {
    Standing.FOREIGN: "is not ours: move it away to get ours",
    Standing.EDITED: "was edited: move it away to get a new one",
    Standing.NEWER: "is from a newer hooks-compile: upgrade this one",
}


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One configuration file: what changes in it, what stays and why.

    ``new_text`` is what it will hold, ``wired`` the number of commands that were on the wrapper
    before. ``trouble`` says why the file can't be changed: then nothing at all is. ``unfinished``
    are reasons, among those in ``left``, that the user can remove. ``strict`` says that it has
    comments, which its agent does not read. ``wrappers`` are all that its commands call.
    """

    config: ConfigFile
    file: ReadFile | None
    new_text: str = ""
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    wired: int = 0
    trouble: AgentConfigError | None = None
    unfinished: frozenset[str] = frozenset()
    strict: bool = False
    wrappers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All files that ``init`` or ``uninit`` looks at, and the wrappers to write and to remove.

    ``kept`` are wrappers that stay, with the reason, ``wrappers`` all places where one may be;
    ``elsewhere`` are configuration files of folders below that are not looked at.
    """

    root: Path
    files: tuple[FilePlan, ...]
    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    kept: tuple[tuple[Path, str], ...] = ()
    wrappers: tuple[Path, ...] = ()
    elsewhere: tuple[Path, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All commands that change."""
        return tuple(change for plan in self.files for change in plan.changes)

    @property
    def changes_something(self) -> bool:
        """Whether applying the plan writes anything."""
        return bool(self.written or self.removed or self.changes)

    @property
    def troubles(self) -> tuple[AgentConfigError, ...]:
        """Why nothing can be changed; empty where all can."""
        return tuple(plan.trouble for plan in self.files if plan.trouble is not None)

    @property
    def unfinished(self) -> int:
        """How many commands stay for a reason that the user can remove."""
        return sum(left.reason in plan.unfinished for plan in self.files for left in plan.left)


def agent_names() -> list[str]:
    """Return the names that ``--agent`` takes."""
    return [agent.name for agent in AGENTS]


def plan_init(
    root: Path,
    env: Mapping[str, str],
    *,
    agents: Sequence[str] = (),
    home: Path | None = None,
    cwd: Path | None = None,
) -> Plan:
    """Plan to put the launches in the configuration of ``root`` on the wrapper.

    ``agents`` limits it to some, ``home`` adds the user's own configuration, ``cwd`` that of the
    folders from there up to the root. A wrapper that is older, or gone although commands call it,
    is written again. Reads files and asks git; writes nothing.
    """
    planned = tuple(
        _plan(config, partial(_wire, config=config, env=env))
        for config in _configs(root, agents, home, cwd)
    )
    standings = {path: _standing(path) for plan in planned for path in plan.wrappers}
    written = (path for path, it in standings.items() if it in (Standing.MISSING, Standing.OLDER))
    kept = [(path, wrapper.DONE[it]) for path, it in standings.items() if it in LEFT_ALONE]
    return Plan(
        root,
        planned,
        written=tuple(sorted(written)),
        kept=tuple(sorted(kept)),
        wrappers=tuple(standings),
        elsewhere=tuple(left_below(root, cwd or root)),
    )


def plan_uninit(
    root: Path,
    env: Mapping[str, str],
    folders: Iterable[Path],
    *,
    agents: Sequence[str] = (),
    home: Path | None = None,
    cwd: Path | None = None,
) -> Plan:
    """Plan the way back: every launch off the wrapper, and our wrappers in ``folders`` gone.

    All wrappers stay where a configuration file, be it of an agent that is not meant, will still
    name one: a guard that can't be started lets everything pass.
    """
    planned = tuple(
        _plan(config, partial(_unwire, config=config, env=env))
        for config in _configs(root, agents, home, cwd)
    )
    paths = {path for plan in planned for path in plan.wrappers}
    paths.update(folder / wrapper.NAME for folder in folders)
    standings = {path: _standing(path) for path in sorted(paths)}
    kept = [
        (path, wrapper.DONE[it])
        for path, it in standings.items()
        if it in (Standing.NEWER, Standing.EDITED)
    ]
    ours = [path for path, it in standings.items() if it in _OURS]
    after = {plan.config.path: plan.new_text for plan in planned}
    callers = [c.origin for c in _configs(root, (), home, cwd) if _names_wrapper(c, after)]
    if callers:
        kept += [(path, f"stays: named in {', '.join(callers)}") for path in ours]
        ours = []
    return Plan(root, planned, removed=tuple(ours), kept=tuple(kept), wrappers=tuple(standings))


def apply(plan: Plan) -> None:
    """Write what ``plan`` says: wrappers before the files that name them, and removed after.

    Everything is looked at once more before the first write. Raises HooksCompileError where a file
    can't be written or changed since it was planned; what was written up to then stays, and works.
    """
    for error in plan.troubles:
        raise error
    changed = [
        (each.file, each.new_text) for each in plan.files if each.file is not None and each.changes
    ]
    for file, _ in changed:
        files.require_writable(file)
    _remove_drafts(plan)
    called = {path for each in plan.changes for path in each.wrappers}
    for path in (*plan.written, *called):
        _require(path, Standing.MISSING, *_OURS)
    for path in sorted({*plan.written, *called}):
        wrapper.write(path.parent)
    for file, new_text in changed:
        files.replace(file, new_text)
    for path in called:  # another process may have taken them away in the meantime
        wrapper.write(path.parent)
    for path in plan.removed:
        _require(path, Standing.MISSING, *_OURS)
        if not any(_names_wrapper(each.config, {}) for each in plan.files):
            path.unlink(missing_ok=True)


def _remove_drafts(plan: Plan) -> None:
    """Take away what an init or uninit that was killed has left beside the files."""
    for path in plan.wrappers:
        files.remove_drafts(path)
    for each in plan.files:
        if each.file is not None and not each.file.outside:
            files.remove_drafts(each.file.target)


def _require(path: Path, *allowed: Standing) -> None:
    if _standing(path) not in allowed:
        raise AgentConfigError("it changed since it was read", path=path, remedy="run this again")


def _configs(
    root: Path, agents: Sequence[str], home: Path | None, cwd: Path | None
) -> Iterator[ConfigFile]:
    """The configuration files that are there, each once, also where links give it two names."""
    seen = set()
    for config in config_files(root, home, cwd):
        if os.path.lexists(config.path) and (not agents or config.agent.name in agents):
            target = os.path.realpath(config.path)
            if target not in seen:
                yield config
            seen.add(target)


def _plan(
    config: ConfigFile, rewritten: Callable[[str], tuple[Result, frozenset[str]]]
) -> FilePlan:
    file = None
    try:
        file = files.read(config.path, config.root)
        result, unfinished = rewritten(file.text)
        if result.changes and not file.outside:
            files.require_writable(file)
    except AgentConfigError as error:
        return FilePlan(config, file, trouble=error)
    changes, left, text = result.changes, result.left, result.text
    if file.outside:  # what lies outside of the project is not the project's to change
        reason = f"this file is a symlink to {file.target}, outside of the project"
        left += tuple(rewrite.Left(change.where, change.old, reason) for change in changes)
        changes, text, unfinished = (), file.text, unfinished | {reason}
    called = [path for change in changes for path in change.wrappers]
    return FilePlan(
        config,
        file,
        text,
        changes,
        left,
        len(result.wired),
        unfinished=unfinished,
        strict=config.agent.strict_json and not _is_strict_json(file.text),
        wrappers=tuple(dict.fromkeys([*called, *result.wrappers])),
    )


def _wire(text: str, config: ConfigFile, env: Mapping[str, str]) -> tuple[Result, frozenset[str]]:
    look = files.look_in(config.root)
    result = rewrite.wire(text, config, look, environment=env)
    folders = {path.parent for change in result.changes for path in change.wrappers}
    blocked = {folder: reason for folder in folders if (reason := _blocked(folder, config))}
    if blocked:
        result = rewrite.wire(text, config, look, environment=env, blocked=blocked)
    return result, frozenset(blocked.values())


def _unwire(text: str, config: ConfigFile, env: Mapping[str, str]) -> tuple[Result, frozenset[str]]:
    result = rewrite.unwire(text, config, files.look_in(config.root), environment=env)
    return result, frozenset(left.reason for left in result.left)


def _blocked(folder: Path, config: ConfigFile) -> str:
    """Return why the wrapper can't stand in ``folder``, "" where it can."""
    path = folder / wrapper.NAME
    before = _standing(path)
    if before in _BESIDE:
        return f"the {wrapper.NAME} beside it {_BESIDE[before]}"
    if before is not Standing.CURRENT and not files.may_write(folder):
        return "its folder can't be written, and the wrapper has to stand there"
    if _is_ignored(path) and not _is_ignored(config.path):
        return "git ignores the wrapper but not this file: colleagues would get only one of them"
    return ""


def _standing(path: Path) -> Standing:
    try:
        return wrapper.standing(path)
    except OSError:  # what can't be read is not ours
        return Standing.FOREIGN


def _is_ignored(path: Path) -> bool:
    """Ask git about the file itself: it follows no symlinked folders."""
    path = path.parent.resolve() / path.name
    root = git.work_tree(path.parent)
    return root is not None and path in git.ignored(root, [path])


def _is_strict_json(text: str) -> bool:
    try:
        json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return False
    return True


def _names_wrapper(config: ConfigFile, after: Mapping[Path, str]) -> bool:
    """Whether a file will name a wrapper, by its text: one that does not parse may do so too."""
    text = after.get(config.path, "")
    if not text:
        try:
            text = files.read(config.path, config.root).text
        except AgentConfigError:
            return True
    return wrapper.NAME in text
