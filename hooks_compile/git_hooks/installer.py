"""``hooks-compile git-hooks``: our hooks among those that git runs.

git 2.54 and later takes hooks from its configuration, beside whatever else is there. For an older
git they are files (:mod:`hooks_compile.git_hooks.hook_files`). Every change is a
:class:`~hooks_compile.git_hooks.steps.Step` first, so that ``--dry-run`` can show it, and that a
directory which can't be written is found before the first change.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from hooks_compile import git
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import hook_files, stamp
from hooks_compile.git_hooks.hook_files import EVENTS
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


class Place(NamedTuple):
    """Where a plan works: in one repository, or without one for all repositories of the user.

    ``settings`` are those of git that concern us. ``directories`` are those of hooks that belong to
    this repository or user alone, the one in use first.
    """

    repository: Repository | None
    settings: Sequence[Setting]
    directories: Sequence[Path]

    @classmethod
    def find(cls, repository: Repository | None, runtime: Path) -> Place:
        """Ask git for the settings; one process."""
        if repository is None:
            found = cls(None, git.settings(git.ANYWHERE, _SETTINGS), [])
            template = (found.paths("init.templatedir") or [runtime / TEMPLATE])[-1]
            directories = [*found.paths("core.hookspath")[-1:], template / "hooks"]
            return found._replace(directories=directories)
        settings = git.settings(repository.work_tree, _SETTINGS)
        used = Path(os.path.realpath(repository.hooks_path))
        usual = repository.common_dir / "hooks"
        inside = (repository.work_tree, repository.common_dir)
        is_own = any(used.is_relative_to(os.path.realpath(each)) for each in inside)
        scopes = [each.scope for each in settings if each.name == "core.hookspath"]
        is_own |= scopes[-1:] in (["local"], ["worktree"])
        return cls(repository, settings, list(dict.fromkeys((used, usual))) if is_own else [usual])

    def own(self) -> list[Setting]:
        """Return the settings of the scope in which we write."""
        scope = "local" if self.repository else "global"
        return [each for each in self.settings if each.scope == scope]

    def values(self, name: str) -> list[str]:
        """Return the values of a setting of ours, in all scopes."""
        return [each.value for each in self.settings if each.name == f"{SECTION}.{name}"]

    def paths(self, name: str) -> list[Path]:
        """Return the directories that a setting of the scope names."""
        found = (each.value for each in self.own() if each.name == name and each.value)
        return [Path(os.path.expanduser(value)) for value in found]  # noqa: PTH111 - never raises

    def write(self, *arguments: str, why: str = "") -> Step:
        """Return the step that changes the configuration in which we write."""
        if self.repository is None:
            return Step(Do.CONFIG, git.ANYWHERE, why, arguments=("--global", *arguments))
        path = self.repository.common_dir / "config"
        return Step(Do.CONFIG, path, why, arguments=("--file", str(path), *arguments))


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
    place = Place.find(repository, runtime)
    if (method or best_method()) == "config":
        steps = list(_steps_to_write_settings(place, runtime / SCRIPT, tool))
        return [*steps, *_steps_to_remove_files(place, "git runs it by configuration now")]
    if repository is None:
        return list(hook_files.shared_steps(place, runtime / TEMPLATE, tool))
    return [*hook_files.repository_steps(place, tool), *_steps_to_remove_settings(place)]


def plan_uninstall(repository: Repository | None, env: Mapping[str, str]) -> list[Step]:
    """Return the steps that take back what :func:`plan_install` did, by any method.

    Lines of others in our hooks stay, as do hooks in clones that were made from the template.
    """
    template = runtime_directory.location(env) / TEMPLATE
    place = Place.find(repository, template.parent)
    steps = [*_steps_to_remove_settings(place), *_steps_to_remove_files(place)]
    if repository is None and template in place.paths("init.templatedir"):
        steps.append(place.write("--unset-all", "init.templateDir"))
    ours = stamp.directories(repository.common_dir) if repository else [template]
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


def _steps_to_write_settings(place: Place, script: Path, tool: Path) -> Iterator[Step]:
    content = hook_files.text(tool)
    if not script.is_file() or script.read_bytes() != content:
        yield Step(Do.WRITE, script, "git's configuration names it", content=content)
    command = hook_files.config_command(script)
    if place.values("command")[-1:] != [command]:
        yield place.write("--replace-all", f"{SECTION}.command", command)
    present = place.values("event")
    for event in EVENTS:
        if event not in present:
            yield place.write("--add", f"{SECTION}.event", event)


def _steps_to_remove_settings(place: Place) -> Iterator[Step]:
    if any(each.name.startswith(f"{SECTION}.") for each in place.own()):
        yield place.write("--remove-section", SECTION)


def _steps_to_remove_files(place: Place, why: str = "") -> Iterator[Step]:
    for directory in place.directories:
        yield from hook_files.removal_steps(directory, why)
