"""``hooks-compile git-hooks``: our hooks among those that git runs.

git 2.54 and later takes hooks from its configuration, beside whatever else is there. For an older
git they are files (:mod:`hooks_compile.git_hooks.hook_files`). Every change is a
:class:`~hooks_compile.git_hooks.steps.Step` first, so that ``--dry-run`` can show it, and that a
directory which can't be written is found before the first change.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal, NamedTuple

from hooks_compile import git
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import hook_files, stamp
from hooks_compile.git_hooks.hook_files import EVENTS
from hooks_compile.git_hooks.steps import SECTION, TEMPLATE, Do, Place, Step, changes
from hooks_compile.install import runtime_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.git import Repository

Method = Literal["config", "files"]

SCRIPT = "git_hook.sh"
"""The hook in the runtime directory that git's configuration names."""

_FIRST_WITH_CONFIG = (2, 54)
_OFF = ("", "0", "false", "no", "off")


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
    steps = list(hook_files.install_steps(place, runtime / TEMPLATE, tool))
    return [*steps, *_steps_to_remove_settings(place)]


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


class EventStatus(NamedTuple):
    """How git runs our hook for ``event``, "" if it does not; ``why`` says who has it instead."""

    event: str
    how: str
    why: str = ""

    def __str__(self) -> str:
        """Return a line for a person."""
        return f"{self.event}: {self.how or self.why or 'not installed'}"


class Status(NamedTuple):
    """All events, and what is to be fixed: cause and remedy, one line each."""

    events: tuple[EventStatus, ...]
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return JSON values."""
        events = [{**each._asdict(), "installed": bool(each.how)} for each in self.events]
        return {"ok": not self.problems, "events": events, "problems": list(self.problems)}


def status(root: Path, env: Mapping[str, str]) -> Status:
    """Look at the hooks of the repository of ``root``. Raises GitError if there is none."""
    repository = git.require_repository(root)
    place = Place.find(repository, runtime_directory.location(env))
    plan, problems = [], []
    try:
        plan = plan_install(repository, env)
    except HooksCompileError as error:
        problems.append(str(error))
    is_configured = place.values("command") and best_method() == "config"
    configured = place.values("event") if is_configured else []
    why = {step.path.name: step.why for step in plan if step.do is Do.LEAVE}
    events = []
    for event in EVENTS:
        hook = repository.hooks_path / event
        how = str(hook) if hook_files.is_run(hook) else ""
        how = "git's configuration" if event in configured else how
        events.append(EventStatus(event, how, why.get(event, "")))
    index = events[-1]  # it tells of nearly everything
    missing = [step for step in changes(plan) if step.why or not index.how]  # new ones have no why
    if missing:
        all_of_them = f"{len(missing)} in all: hooks-compile git-hooks install"
        problems.append(f"to be changed: {missing[0]}, {all_of_them}")
    elif not index.how and not problems:
        text = f"git runs nothing of ours for {index.event}, which tells of most changes"
        problems.append(f"{text}; {hook_files.ADVICE}")
    if (place.values("enabled") or ["yes"])[-1].lower() in _OFF:
        problems.append(f"it is switched off: git config --unset {SECTION}.enabled")
    if failure := stamp.Stamp(repository.git_dir).failure():
        again = f"cd {quote(str(repository.work_tree))} && hooks-compile sync"
        problems.append(f"the last sync by a git hook failed: {failure}; to see it: {again}")
    return Status(tuple(events), tuple(problems))


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
