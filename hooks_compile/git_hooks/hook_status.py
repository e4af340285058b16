"""What of our git hooks is in place in a repository, and whether it works."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import hook_files, installer
from hooks_compile.git_hooks.stamp import Stamp
from hooks_compile.git_hooks.steps import SECTION, Do, Place, changes
from hooks_compile.install import runtime_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.git_hooks.steps import Step

_OFF = ("", "0", "false", "no", "off")


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
        plan = installer.plan_install(repository, env)
    except HooksCompileError as error:
        problems.append(str(error))
    is_configured = place.values("command") and installer.best_method() == "config"
    configured = place.values("event") if is_configured else []
    why = {step.path.name: step.why for step in plan if step.do is Do.LEAVE}
    events = []
    for event in hook_files.EVENTS:
        hook = repository.hooks_path / event
        how = str(hook) if hook_files.is_run(hook) else ""
        how = "git's configuration" if event in configured else how
        events.append(EventStatus(event, how, why.get(event, "")))
    problems = problems or list(_install_problems(plan, events[-1]))
    if place.values("enabled")[-1:] and place.values("enabled")[-1].lower() in _OFF:
        off = f"{SECTION}.enabled"
        problems.append(f"it is switched off: git config --unset {off}")
    if failure := Stamp(repository.git_dir).failure():
        again = f"cd {quote(str(repository.work_tree))} && hooks-compile sync"
        problems.append(f"the last sync by a git hook failed: {failure}; to see it: {again}")
    return Status(tuple(events), tuple(problems))


def _install_problems(plan: Sequence[Step], index: EventStatus) -> Iterator[str]:
    """Yield what is to be installed; ``index`` is the event that tells of nearly everything."""
    missing = [step for step in changes(plan) if step.why or not index.how]  # new ones have no why
    if missing:
        yield f"to be changed: {missing[0]}, {len(missing)} in all: hooks-compile git-hooks install"
    elif not index.how:
        yield f"git runs nothing of ours for {index.event}, which tells of most changes"
