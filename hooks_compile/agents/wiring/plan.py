"""What ``init`` and ``uninit`` would change: configuration files, wrappers, git's index.

The texts come from :mod:`hooks_compile.agents.wiring.rewrite`; here they meet the disk, and nothing
is written. :mod:`hooks_compile.agents.wiring.apply` carries a plan out.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.places import AGENTS, config_files, left_below
from hooks_compile.agents.wiring import config_files as settings_files
from hooks_compile.agents.wiring import rewrite, tracking
from hooks_compile.errors import AgentConfigError, pasted
from hooks_compile.files import is_writable_directory
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import LEFT_ALONE, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile
    from hooks_compile.agents.wiring.config_files import ReadFile
    from hooks_compile.agents.wiring.rewrite import Change, Left, Result

OURS = (Standing.CURRENT, Standing.OLDER)
_IGNORED = "git ignores the wrapper but not this file: colleagues would lack the wrapper"
_HIDDEN = "git ignores it, but not the file that names it: clones can't start their hooks"
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
    are reasons, among those in ``left``, that the user can remove. ``has_comments`` says that its
    agent, which reads no comments, can't read it. ``wrappers`` are all that its commands call.
    """

    config: ConfigFile
    file: ReadFile | None
    new_text: str = ""
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    wired: int = 0
    trouble: AgentConfigError | None = None
    unfinished: frozenset[str] = frozenset()
    has_comments: bool = False
    wrappers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All files that ``init`` or ``uninit`` looks at, and what becomes of the wrappers.

    ``written`` and ``removed`` are wrappers, ``staged`` and ``unstaged`` those that git's index
    gets and loses. ``kept`` are wrappers that stay, with the reason, ``wrappers`` all places where
    one may be; ``elsewhere`` are configuration files below that are left. ``obstacles`` say, beside
    those of the files, why nothing can be changed.
    """

    root: Path
    files: tuple[FilePlan, ...]
    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    staged: tuple[Path, ...] = ()
    unstaged: tuple[Path, ...] = ()
    kept: tuple[tuple[Path, str], ...] = ()
    wrappers: tuple[Path, ...] = ()
    elsewhere: tuple[Path, ...] = ()
    obstacles: tuple[AgentConfigError, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All commands that change."""
        return tuple(change for plan in self.files for change in plan.changes)

    @property
    def changes_something(self) -> bool:
        """Whether the plan changes anything."""
        return bool(self.written or self.removed or self.changes or self.staged)

    @property
    def troubles(self) -> tuple[AgentConfigError, ...]:
        """Why nothing can be changed; empty if all can."""
        return (*(plan.trouble for plan in self.files if plan.trouble), *self.obstacles)

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
    listed: Sequence[str] | None = None,
) -> Plan:
    """Plan to put the launches in the configuration of ``root`` on the wrapper.

    ``agents`` limits it to some, ``home`` adds the user's own configuration, ``cwd`` that of the
    directories from there up to the root; ``listed`` is as for config_files. A wrapper that is
    older, or missing although commands call it, is written again, and one that git does not track
    is staged if git would take a file that names it. Reads files and asks git; writes nothing.
    """
    configs = list(_configs(root, agents, home, cwd, listed))
    planned = [_wired(config, env, {}) for config in configs]
    wanted = {path for plan in planned for path in plan.wrappers}
    ignored = tracking.ignored([*wanted, *(config.path for config in configs)])
    reasons = {path.parent: _blocked(path) for path in wanted}
    for number, plan in enumerate(planned):
        blocked = {directory: reason for directory, reason in reasons.items() if reason}
        if plan.config.path not in ignored:
            blocked |= {path.parent: _IGNORED for path in wanted & ignored}
        if any(path.parent in blocked for path in plan.wrappers):
            planned[number] = _wired(plan.config, env, blocked)
    standings = {path: standing_of(path) for plan in planned for path in plan.wrappers}
    usable = {path for path, it in standings.items() if it not in LEFT_ALONE}
    shared = {path for plan in planned if _is_shared(plan, ignored) for path in plan.wrappers}
    staged = tracking.untracked((usable & shared) - ignored)
    # A command that was on the wrapper before stays there, since the file may be on its way.
    hidden = [(path, _HIDDEN) for path in sorted(usable & shared & ignored)]
    return Plan(
        root,
        tuple(planned),
        written=tuple(sorted(p for p in usable if standings[p] is not Standing.CURRENT)),
        staged=tuple(staged),
        kept=tuple(
            sorted(
                [*hidden, *((p, wrapper.DONE[s]) for p, s in standings.items() if p not in usable)]
            )
        ),
        wrappers=tuple(standings),
        elsewhere=tuple(left_below(root, cwd or root, listed)),
        obstacles=tuple(tracking.index_obstacles(staged)),
    )


def plan_uninit(
    root: Path,
    env: Mapping[str, str],
    directories: Iterable[Path],
    *,
    agents: Sequence[str] = (),
    home: Path | None = None,
    cwd: Path | None = None,
    listed: Sequence[str] | None = None,
) -> Plan:
    """Plan the way back: every launch off the wrapper, and our wrappers in ``directories`` removed.

    All wrappers stay if a configuration file, be it of an agent that is not meant, will still name
    one: a guard that can't be started lets everything pass.
    """
    planned = tuple(_unwired(config, env) for config in _configs(root, agents, home, cwd, listed))
    paths = {path for plan in planned for path in plan.wrappers}
    paths.update(directory / wrapper.NAME for directory in directories)
    standings = {path: standing_of(path) for path in sorted(paths)}
    kept = [
        (path, wrapper.DONE[it])
        for path, it in standings.items()
        if it in (Standing.NEWER, Standing.EDITED)
    ]
    ours = [path for path, it in standings.items() if it in OURS]
    after = {plan.config.path: plan.new_text for plan in planned}
    callers = [c.origin for c in _configs(root, (), home, cwd, listed) if names_wrapper(c, after)]
    if callers:
        kept += [(path, f"stays: named in {', '.join(callers)}") for path in ours]
        ours = []
    unstaged = tracking.tracked(ours)
    return Plan(
        root,
        planned,
        removed=tuple(ours),
        unstaged=tuple(unstaged),
        kept=tuple(kept),
        wrappers=tuple(standings),
        obstacles=(*_removal_obstacles(ours), *tracking.index_obstacles(unstaged)),
    )


def standing_of(path: Path) -> Standing:
    """Return what is at the path of a wrapper; a file that can't be read is not ours."""
    try:
        return wrapper.standing(path)
    except OSError:
        return Standing.FOREIGN


def names_wrapper(config: ConfigFile, after: Mapping[Path, str]) -> bool:
    """Return whether a file will name a wrapper, by its text in ``after`` or on disk.

    One that can't be read may do so too.
    """
    text = after.get(config.path, "")
    if not text:
        try:
            text = settings_files.read(config.path, config.root).text
        except AgentConfigError:
            return True
    return wrapper.NAME in text


def _configs(
    root: Path,
    agents: Sequence[str],
    home: Path | None,
    cwd: Path | None,
    listed: Sequence[str] | None,
) -> Iterator[ConfigFile]:
    """Yield the configuration files that exist, each once even if links give it two names."""
    seen = set()
    for config in config_files(root, home, cwd, listed):
        if os.path.lexists(config.path) and (not agents or config.agent.name in agents):
            target = os.path.realpath(config.path)
            if target not in seen:
                yield config
            seen.add(target)


def _wired(config: ConfigFile, env: Mapping[str, str], blocked: Mapping[Path, str]) -> FilePlan:
    look = settings_files.look_in(config.root)
    act = partial(rewrite.wire, config=config, look=look, environment=env, blocked=blocked)
    return _plan(config, act, unfinished=frozenset(blocked.values()))


def _unwired(config: ConfigFile, env: Mapping[str, str]) -> FilePlan:
    look = settings_files.look_in(config.root)
    return _plan(config, partial(rewrite.unwire, config=config, look=look, environment=env))


def _plan(
    config: ConfigFile, act: Callable[[str], Result], *, unfinished: frozenset[str] | None = None
) -> FilePlan:
    """Read a file and plan what ``act`` makes of its text.

    ``unfinished`` are the reasons that the user can remove, None for all of them.
    """
    file = None
    try:
        file = settings_files.read(config.path, config.root)
        result = act(file.text)
        if result.changes and not file.outside:
            settings_files.require_writable(file)
    except AgentConfigError as error:
        return FilePlan(config, file, trouble=error)
    changes, left, text = result.changes, result.left, result.text
    if unfinished is None:
        unfinished = frozenset(each.reason for each in left)
    if file.outside:  # a file outside of the project is not the project's to change
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
        has_comments=config.agent.strict_json and not _is_strict_json(file.text),
        wrappers=tuple(dict.fromkeys([*called, *result.wrappers])),
    )


def _blocked(path: Path) -> str:
    """Return why the wrapper can't be at ``path``, "" if it can."""
    before = standing_of(path)
    if before in _BESIDE:
        return f"the {wrapper.NAME} beside it {_BESIDE[before]}"
    if before is not Standing.CURRENT and not is_writable_directory(path.parent):
        return "its directory can't be written, and the wrapper has to be there"
    return ""


def _is_shared(plan: FilePlan, ignored: set[Path]) -> bool:
    """Return whether git takes the file; of the user's own only those that it has taken."""
    if plan.config.origin.startswith("~/"):
        return bool(tracking.tracked([plan.config.path]))
    return plan.config.path not in ignored


def _removal_obstacles(paths: Iterable[Path]) -> list[AgentConfigError]:
    return [
        AgentConfigError(
            "the wrapper can't be removed: its directory is read-only",
            path=path,
            remedy=f"chmod u+w {pasted(path.parent)}",
        )
        for path in paths
        if not is_writable_directory(path.parent)
    ]


def _is_strict_json(text: str) -> bool:
    try:
        json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        return False
    return True
