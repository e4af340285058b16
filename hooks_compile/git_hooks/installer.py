"""``hooks-compile git-hooks``: our hooks among those that git runs.

git 2.54 and later takes hooks from its configuration, beside whatever else is there. For an older
git they are files (:mod:`hooks_compile.git_hooks.hook_files`). Every change is a
:class:`~hooks_compile.git_hooks.steps.Step` first, so that ``--dry-run`` can show it, and that a
directory which can't be written is found before the first change.
"""

from __future__ import annotations

import os
import sysconfig
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.git_hooks import hook_files, stamp
from hooks_compile.git_hooks.hook_files import EVENTS, config_command, text
from hooks_compile.git_hooks.steps import Do, Step, check, take
from hooks_compile.install import runtime_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.git import Repository, Setting

Method = Literal["config", "files"]

SECTION = "hook.hooks-compile"
"""Our settings in git's configuration."""

SCRIPT = "git_hook.sh"
"""The hook in the runtime directory that git's configuration names."""

TEMPLATE = "git-template"
"""The directory in the runtime directory that an older git makes new repositories from."""

_FIRST_WITH_CONFIG = (2, 54)
_SETTINGS = (
    r"^(core\.hookspath|init\.templatedir|hook\.hooks-compile\..*|filter\.lfs\..*|annex\.uuid)$"
)


def plan_install(
    repository: Repository | None,
    env: Mapping[str, str],
    *,
    method: Method | None = None,
    tool: Path | None = None,
) -> list[Step]:
    """Return the steps that let git run our hook for EVENTS; none but LEAVE if all is in place.

    In ``repository``, or if that is None in all repositories of the user: by the global
    configuration; for an older git in the global ``core.hooksPath``, else in the directory that new
    clones are made from. ``method`` is chosen by git's version, ``tool`` is the command
    ``hooks-compile`` of this installation. Raises GitError if git runs no hooks of its own here.
    """
    tool = tool or own_command()
    runtime = runtime_directory.location(env)
    place = _Place.find(repository, runtime)
    if (method or best_method()) == "config":
        steps = list(_steps_to_write_settings(place, runtime / SCRIPT, tool))
        return [*steps, *_steps_to_remove_files(place, "git runs it by configuration now")]
    if repository is None:
        return list(_steps_to_write_shared_files(place, runtime / TEMPLATE, tool))
    return [*_steps_to_write_files(repository, place, tool), *_steps_to_remove_settings(place)]


def plan_uninstall(repository: Repository | None, env: Mapping[str, str]) -> list[Step]:
    """Return the steps that take back what :func:`plan_install` did, by any method.

    Lines of others in our hooks stay, as do hooks in clones that were made from the template.
    """
    runtime = runtime_directory.location(env)
    place = _Place.find(repository, runtime)
    steps = [*_steps_to_remove_settings(place), *_steps_to_remove_files(place)]
    if repository is None:
        if runtime / TEMPLATE in place.paths("init.templatedir"):
            steps.append(_setting_step(place, "--unset-all", "init.templateDir"))
        ours = [runtime / TEMPLATE]
    else:
        ours = stamp.directories(repository.common_dir)
    return [*steps, *(Step(Do.REMOVE, each) for each in ours if each.is_dir())]


def apply(plan: Sequence[Step], env: Mapping[str, str]) -> None:
    """Take the steps of a plan. Raises GitError or HooksCompileError.

    What this user can't write is found before the first change.
    """
    check(plan)
    runtime = runtime_directory.location(env)
    if any(step.path.is_relative_to(runtime) and step.do is not Do.REMOVE for step in plan):
        runtime_directory.ensure(runtime)
    take(plan)


def own_command() -> Path:
    """Return the command ``hooks-compile`` of this installation. Raises HooksCompileError."""
    for scheme in (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")):
        command = Path(sysconfig.get_path("scripts", scheme), "hooks-compile")
        if command.is_file():
            return command
    cause = "the command hooks-compile, which git is to run, is not installed"
    raise HooksCompileError(cause, remedy="pipx install hooks-compile")


def best_method() -> Method:
    """Return which method fits this git. Raises GitError if git is missing."""
    return "config" if git.version() >= _FIRST_WITH_CONFIG else "files"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a plan works: one repository, or the user's global settings.

    ``config`` is the configuration file, ANYWHERE for the user's. ``directories`` are those of
    hooks that belong to this repository or user alone, the one in use first.
    """

    config: Path
    scope: str
    settings: list[Setting]
    directories: list[Path]

    @classmethod
    def find(cls, repository: Repository | None, runtime: Path) -> _Place:
        """Ask git for the settings; one process."""
        if repository is None:
            found = cls(git.ANYWHERE, "global", git.settings(git.ANYWHERE, _SETTINGS), [])
            template = (found.paths("init.templatedir") or [runtime / TEMPLATE])[-1]
            directories = [*found.paths("core.hookspath")[-1:], template / "hooks"]
            return replace(found, directories=directories)
        settings = git.settings(repository.work_tree, _SETTINGS)
        used = Path(os.path.realpath(repository.hooks_path))
        usual = repository.common_dir / "hooks"
        inside = (repository.work_tree, repository.common_dir)
        is_own = any(used.is_relative_to(os.path.realpath(each)) for each in inside)
        scopes = [each.scope for each in settings if each.name == "core.hookspath"]
        is_own |= scopes[-1:] in (["local"], ["worktree"])
        directories = list(dict.fromkeys((used, usual))) if is_own else [usual]
        return cls(repository.common_dir / "config", "local", settings, directories)

    def paths(self, name: str) -> list[Path]:
        """Return the directories that a setting of this scope names."""
        found = (each for each in self.settings if each.name == name and each.scope == self.scope)
        # Path.expanduser raises if there is no such user.
        return [Path(os.path.expanduser(each.value)) for each in found if each.value]  # noqa: PTH111


# Settings


def _steps_to_write_settings(place: _Place, script: Path, tool: Path) -> Iterator[Step]:
    content = text(tool)
    if not script.is_file() or script.read_bytes() != content:
        yield Step(Do.WRITE, script, "git's configuration names it", content=content)
    command = config_command(script)
    commands = [each.value for each in place.settings if each.name == f"{SECTION}.command"]
    if commands[-1:] != [command]:
        yield _setting_step(place, "--replace-all", f"{SECTION}.command", command)
    events = [each.value for each in place.settings if each.name == f"{SECTION}.event"]
    for event in EVENTS:
        if event not in events:
            yield _setting_step(place, "--add", f"{SECTION}.event", event)


def _steps_to_remove_settings(place: _Place) -> Iterator[Step]:
    names = [each.name for each in place.settings if each.scope == place.scope]
    if any(name.startswith(f"{SECTION}.") for name in names):
        yield _setting_step(place, "--remove-section", SECTION)


def _setting_step(place: _Place, *arguments: str, why: str = "") -> Step:
    where = ("--global",) if place.config == git.ANYWHERE else ("--file", str(place.config))
    return Step(Do.CONFIG, place.config, why, arguments=(*where, *arguments))


# Files, for a git before 2.54


def _steps_to_remove_files(place: _Place, why: str = "") -> Iterator[Step]:
    for directory in place.directories:
        yield from hook_files.removal_steps(directory, why)


def _steps_to_write_files(repository: Repository, place: _Place, tool: Path) -> Iterator[Step]:
    tree, directory = repository.work_tree, place.directories[0]
    if directory != Path(os.path.realpath(repository.hooks_path)):
        raise GitError(
            f"its hooks are in {repository.hooks_path}, which your repositories share",
            path=tree,
            remedy="hooks-compile git-hooks install --global",
        )
    in_tree = directory.is_relative_to(tree) and not directory.is_relative_to(repository.common_dir)
    if in_tree and not git.ignored(tree, [directory / hook_files.INDEX]):
        # A commit must not take ours, which names paths of this machine.
        why = f"this directory is for commits; {hook_files.ADVICE}"
        yield Step(Do.LEAVE, directory / hook_files.INDEX, why)
    elif left_to := hook_files.exclusive_tool(tree, place.settings):
        yield from hook_files.install_steps(directory, tool, hook_files.UNCONTESTED, left_to)
    else:
        yield from hook_files.install_steps(directory, tool)


def _steps_to_write_shared_files(place: _Place, template: Path, tool: Path) -> Iterator[Step]:
    directory = place.directories[0]
    shared = place.paths("core.hookspath")
    if not directory.is_absolute():
        raise GitError(
            f"core.hooksPath is {directory}, which is another directory in each repository",
            remedy="hooks-compile git-hooks install, in each repository",
        )
    if directory == template / "hooks" and not template.exists():
        # As in git's own template: people append to it.
        yield Step(Do.WRITE, template / "info" / "exclude", mode=0o644)
    # Any tool may want the other events in a clone.
    yield from hook_files.install_steps(directory, tool, hook_files.UNCONTESTED, "other tools")
    if not shared and not place.paths("init.templatedir"):
        why = "new clones are made from it"
        yield _setting_step(place, "init.templateDir", str(template), why=why)
