"""What of our git hooks is in place in a repository, and whether it works."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import hook_files, installer
from hooks_compile.git_hooks.hook_files import EVENTS
from hooks_compile.git_hooks.stamp import Stamp
from hooks_compile.git_hooks.steps import Do, changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.git import Repository
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
    settings: dict[str, list[str]] = {}
    for each in git.settings(repository.work_tree, rf"^{installer.SECTION}\."):
        settings.setdefault(each.name.removeprefix(f"{installer.SECTION}."), []).append(each.value)
    try:
        plan, trouble = installer.plan_install(repository, env), ""
    except HooksCompileError as error:
        plan, trouble = [], str(error)
    why = {step.path.name: step.why for step in plan if step.do is Do.LEAVE}
    is_configured = "command" in settings and installer.best_method() == "config"
    configured = settings.get("event", []) if is_configured else []
    events = []
    for event in EVENTS:
        hook = repository.hooks_path / event
        how = str(hook) if hook_files.is_run(hook) else ""
        how = "git's configuration" if event in configured else how
        events.append(EventStatus(event, how, why.get(event, "")))
    problems = [trouble] if trouble else list(_install_problems(plan, events))
    if settings.get("enabled", ["yes"])[-1].lower() in _OFF:
        problems.append(f"it is switched off: git config --unset {installer.SECTION}.enabled")
    return Status(tuple(events), (*problems, *_sync_problems(repository)))


def _install_problems(plan: Sequence[Step], events: Sequence[EventStatus]) -> Iterator[str]:
    index = events[-1]  # it tells of nearly everything
    missing = [step for step in changes(plan) if step.why or not index.how]  # new ones have no why
    if missing:
        yield f"to be changed: {missing[0]}, {len(missing)} in all: hooks-compile git-hooks install"
    elif not index.how:
        yield f"git runs nothing of ours for {index.event}, which tells of most changes"


def _sync_problems(repository: Repository) -> Iterator[str]:
    failure = Stamp(repository.git_dir).failure()
    if failure:
        again = f"cd {shlex.quote(str(repository.work_tree))} && hooks-compile sync"
        yield f"the last sync by a git hook failed: {failure}; to see it: {again}"
