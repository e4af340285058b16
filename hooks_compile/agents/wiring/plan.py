"""What ``init`` and ``uninit`` would change: configuration files, wrappers, git's index.

The texts come from :mod:`hooks_compile.agents.wiring.rewrite`; here they meet the disk, and nothing
is written. :mod:`hooks_compile.agents.wiring.apply` carries a plan out.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.clients.table import INSTALLED_PLUGINS
from hooks_compile.agents.wiring import config_files as settings_files
from hooks_compile.agents.wiring import tracking
from hooks_compile.agents.wiring.command import unwire_command, wire_command
from hooks_compile.agents.wiring.rewrite import Result, rewrite
from hooks_compile.errors import AgentConfigError
from hooks_compile.files import is_writable_directory
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import LEFT_ALONE, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile
    from hooks_compile.agents.wiring.config_files import ReadFile
    from hooks_compile.agents.wiring.rewrite import Act, Change

OURS = (Standing.CURRENT, Standing.OLDER)
_STAY = (Standing.NEWER, Standing.EDITED)
_WINDOWS_SUFFIXES = (".ps1", ".bat", ".cmd")
_SIGN_OF_WINDOWS = re.compile(
    r"""commandWindows|command_windows|\b(?:powershell|pwsh)\b|"windows"\s*:"""
    r"""|(?<![\w./-])py(?:\.exe)?\s|\.(?:ps1|bat|cmd)\b"""
)
_IGNORED = "git ignores the wrapper but not this file: colleagues would lack the wrapper"


class Scope(NamedTuple):
    """Whose configuration is meant.

    ``root`` is the project, ``env`` the user's environment. ``agents`` are the names of the agents
    that are meant (none: all). ``home`` adds the user's own files, ``cwd`` those in the directories
    from there up to the root. ``listed`` are the files of the work tree, as
    :func:`~hooks_compile.agents.clients.places.config_files` takes them. ``posix`` says that nobody
    runs the hooks on Windows.
    """

    root: Path
    env: Mapping[str, str]
    agents: Sequence[str] = ()
    home: Path | None = None
    cwd: Path | None = None
    listed: Sequence[str] | None = None
    posix: bool = False

    def configs(self) -> list[ConfigFile]:
        """Return the configuration files that exist, each once even if links give it two names."""
        found: dict[str, ConfigFile] = {}
        for config in config_files(self.root, self.home, self.cwd, self.listed):
            if os.path.lexists(config.path):
                found.setdefault(os.path.realpath(config.path), config)
        return list(found.values())

    def is_meant(self, config: ConfigFile) -> bool:
        """Return whether the agent of a file is meant.

        If none is named, one whose client was never run is meant only by a file that is wired.
        """
        if self.agents:
            return config.agent.name in self.agents
        return config.agent.ran or names_wrapper(config)


class FilePlan(NamedTuple):
    """One configuration file: what changes in it, what stays and why.

    ``trouble`` says why the file can't be changed: then nothing at all is. ``file`` is None if it
    can't be read.
    """

    config: ConfigFile
    file: ReadFile | None
    result: Result = Result("")
    trouble: AgentConfigError | None = None

    @property
    def wrappers(self) -> set[Path]:
        """All wrappers that its commands call, before or after the change."""
        called = (path for change in self.result.changes for path in change.wrappers)
        return {*called, *self.result.wrappers}


class Plan(NamedTuple):
    """All files that ``init`` or ``uninit`` looks at, and what becomes of the wrappers.

    ``written`` and ``removed`` are wrappers, ``staged`` and ``unstaged`` those that git's index
    gets and loses. ``kept`` are wrappers that stay, with the reason. ``unasked`` are files of
    agents that have to be named, ``plugins`` those of installed plugins, which stay.
    """

    root: Path
    files: tuple[FilePlan, ...]
    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()
    staged: tuple[Path, ...] = ()
    unstaged: tuple[Path, ...] = ()
    kept: tuple[tuple[Path, str], ...] = ()
    unasked: tuple[ConfigFile, ...] = ()
    plugins: tuple[FilePlan, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All commands that change."""
        return tuple(change for plan in self.files for change in plan.result.changes)

    @property
    def troubles(self) -> tuple[AgentConfigError, ...]:
        """Why nothing can be changed; empty if all can."""
        asked = (plan for plan in self.files if not plan.config.agent.advice)
        return tuple(plan.trouble for plan in asked if plan.trouble)

    @property
    def unfinished(self) -> int:
        """How many commands stay for a reason that the user can remove."""
        return sum(left.is_removable for plan in self.files for left in plan.result.left)


def plan_init(scope: Scope) -> Plan:
    """Plan to put the launches in the configuration of a project on the wrapper.

    A wrapper that is older, or missing although commands call it, is written again, and one that
    git does not track is staged if git would take a file that names it. Reads files and asks git;
    writes nothing.
    """
    configs = scope.configs()
    wished = [_planned(wire_command, it, scope.env) for it in configs if scope.is_meant(it)]
    wanted = {path for plan in wished for path in (*plan.wrappers, plan.config.path)}
    ignored = tracking.ignored(wanted)
    files = tuple(_without_obstacles(wished, ignored, scope))
    unasked = () if scope.agents else tuple(it for it in configs if not scope.is_meant(it))
    plugins = installed_plugins(scope.home, scope.env) if scope.home else ()
    return _with_wrappers(Plan(scope.root, files, unasked=unasked, plugins=plugins), ignored)


def plan_uninit(scope: Scope, directories: Iterable[Path]) -> Plan:
    """Plan the way back: every launch off the wrapper, and our wrappers in ``directories`` removed.

    All wrappers stay if a configuration file, be it of an agent that is not meant, will still name
    one: a guard that can't be started lets everything pass.
    """
    configs = scope.configs()
    files = tuple(_planned(unwire_command, it, scope.env) for it in configs if scope.is_meant(it))
    paths = {path for plan in files for path in plan.wrappers}
    paths.update(directory / wrapper.NAME for directory in directories)
    standings = {path: standing_of(path) for path in sorted(paths)}
    kept = {
        path: wrapper.DONE[it].partition(";")[0] for path, it in standings.items() if it in _STAY
    }
    ours = [path for path, it in standings.items() if it in OURS]
    after = {plan.config.path: plan.result.text for plan in files}
    callers = [each.origin for each in configs if names_wrapper(each, after.get(each.path, ""))]
    if callers:
        kept |= dict.fromkeys(ours, f"stays: named in {', '.join(callers)}")
        ours = []
    unstaged = tuple(path for path, it in tracking.in_index(ours).items() if it)
    kept_now = tuple(kept.items())
    return Plan(scope.root, files, removed=tuple(ours), unstaged=unstaged, kept=kept_now)


def standing_of(path: Path) -> Standing:
    """Return what is at the path of a wrapper; a file that can't be read is not ours."""
    try:
        return wrapper.standing(path)
    except OSError:
        return Standing.FOREIGN


def names_wrapper(config: ConfigFile, text: str = "") -> bool:
    """Return whether a file names a wrapper, by ``text`` or else by its text on disk.

    One that can't be read may do so too. Of Markdown only the front matter counts.
    """
    try:
        text = text or settings_files.read(config.path, config.root).text
    except AgentConfigError:
        return True
    return wrapper.NAME in (text.partition("\n---")[0] if config.agent.advice else text)


def installed_plugins(home: Path, env: Mapping[str, str]) -> tuple[FilePlan, ...]:
    """Return what ``init`` would change in the plugins that a user has installed: nobody does."""
    configs = INSTALLED_PLUGINS.files(home, None)
    plans = (_planned(wire_command, config, env) for config in configs)
    return tuple(plan for plan in plans if plan.result.changes)


def _without_obstacles(
    wished: Sequence[FilePlan], ignored: set[Path], scope: Scope
) -> Iterator[FilePlan]:
    """Yield the plan for each file in which commands stay that have to; ``ignored`` is by git."""
    wanted = {path for plan in wished for path in plan.wrappers}
    blocked = {path.parent: reason for path in wanted if (reason := _blocked(path))}
    hidden = blocked | {path.parent: _IGNORED for path in wanted & ignored}
    windows = {
        plan.config.root for plan in wished if not scope.posix and _shows_windows(plan, scope)
    }
    for plan in wished:
        config, is_windows = plan.config, plan.config.root in windows
        reasons = blocked if config.path in ignored else hidden
        if reasons or is_windows:
            yield _planned(wire_command, config, scope.env, reasons, windows=is_windows)
        else:
            yield plan


def _blocked(path: Path) -> str:
    """Return why the wrapper can't be at ``path``, "" if it can."""
    before = standing_of(path)
    if before in LEFT_ALONE:
        return f"the {wrapper.NAME} beside it was {wrapper.DONE[before]}"
    if before is not Standing.CURRENT and not is_writable_directory(path.parent):
        return "its directory can't be written, and the wrapper has to be there"
    return ""


def _shows_windows(plan: FilePlan, scope: Scope) -> bool:
    """Return whether a file, or a script beside its hooks, is written for Windows."""
    if plan.file is not None and _SIGN_OF_WINDOWS.search(plan.file.text):
        without_ours = _planned(unwire_command, plan.config, scope.env).result.text
        if _SIGN_OF_WINDOWS.search(without_ours):
            return True
    beside: list[Path] = []
    for directory in {path.parent for path in plan.wrappers}:
        with suppress(OSError):
            beside += directory.iterdir()
    return any(path.suffix.lower() in _WINDOWS_SUFFIXES for path in beside)


def _planned(
    act: Act,
    config: ConfigFile,
    env: Mapping[str, str],
    blocked: Mapping[Path, str] | None = None,
    *,
    windows: bool = False,
) -> FilePlan:
    """Read a file and plan what ``act`` makes of its commands; the arguments are rewrite's."""
    file, fixed, look = None, "", settings_files.look_in(config.root)
    try:
        file = settings_files.read(config.path, config.root)
        if file.outside:  # a file outside of the project is not the project's to change
            fixed = f"this file is a symlink to {file.target}, outside of the project"
        result = rewrite(
            act, file.text, config, look, env, blocked or {}, windows=windows, fixed=fixed
        )
        if result.changes:
            settings_files.require_writable(file)
    except AgentConfigError as error:
        return FilePlan(config, file, trouble=error)
    return FilePlan(config, file, result)


def _with_wrappers(plan: Plan, ignored: set[Path]) -> Plan:
    """Return the plan of ``init`` with what becomes of the wrappers; ``ignored`` is git's view."""
    standings = {path: standing_of(path) for each in plan.files for path in each.wrappers}
    usable = {path for path, it in standings.items() if it not in LEFT_ALONE}
    shared = {path for each in plan.files if _is_shared(each, ignored) for path in each.wrappers}
    index = tracking.in_index((usable & shared) - ignored)
    staged = tuple(path for path, is_tracked in index.items() if not is_tracked)
    return plan._replace(
        written=tuple(sorted(p for p in usable if standings[p] is not Standing.CURRENT)),
        staged=staged,
        kept=tuple(sorted((p, wrapper.DONE[s]) for p, s in standings.items() if p not in usable)),
    )


def _is_shared(plan: FilePlan, ignored: set[Path]) -> bool:
    """Return whether git takes the file; of the user's own only those that it has taken."""
    if plan.config.origin.startswith("~/"):
        return any(tracking.in_index([plan.config.path]).values())
    return plan.config.path not in ignored
