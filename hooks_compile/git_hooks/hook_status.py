"""What of our git hooks is in place in a repository, and whether it works."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.git_hooks.hook_files import LEGACY, beside
from hooks_compile.git_hooks.hook_script import EVENTS, KEPT, Kind, config_command, kind, text
from hooks_compile.git_hooks.installer import (
    SCRIPT,
    SECTION,
    best_method,
    git_version,
    own_command,
    repository_of,
)
from hooks_compile.git_hooks.stamp import Stamp
from hooks_compile.git_hooks.steps import read, settings
from hooks_compile.install import runtime_directory as runtime_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.git import Repository

_INSTALL = "hooks-compile git-hooks install"


@dataclass(frozen=True, slots=True)
class EventStatus:
    """Whether git runs our hook for ``event``: ``how`` it does, ``""`` where it does not."""

    event: str
    how: str

    def as_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {"event": self.event, "installed": bool(self.how), "how": self.how}


@dataclass(frozen=True, slots=True)
class Status:
    """How every event stands, and what is to be mended: cause and remedy, one line each."""

    events: tuple[EventStatus, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether git runs our hook for every event, and nothing is to be mended."""
        return all(event.how for event in self.events) and not self.problems

    def as_json(self) -> dict[str, object]:
        """Return JSON values."""
        return {
            "ok": self.ok,
            "events": [event.as_json() for event in self.events],
            "problems": list(self.problems),
        }


def status(root: Path, env: Mapping[str, str]) -> Status:
    """Look at the hooks of the repository of ``root``. Raises GitError where there is none."""
    repository = repository_of(root)
    script = runtime_folder.location(env) / SCRIPT
    tree = repository.work_tree
    configured = settings(tree, f"{SECTION}.event") if best_method() == "config" else []
    command = settings(tree, f"{SECTION}.command")[-1:]
    events = []
    for event in EVENTS:
        how = "git's configuration" if event in configured and command else ""
        events.append(EventStatus(event, how or _file(Path(repository.hooks_path, event))))
    return Status(tuple(events), tuple(_problems(repository, script, events)))


def _file(hook: Path) -> str:
    found = kind(hook)
    place = beside(hook, LEGACY) if found is Kind.MANAGER else hook
    if kind(place) not in (Kind.OURS, Kind.EDITED) or not os.access(place, os.X_OK):
        return ""
    kept = beside(hook, KEPT)
    more = f", and goes on to {kept.name}" if os.path.lexists(kept) else ""
    return f"{place}{more}"


def _problems(repository: Repository, script: Path, events: list[EventStatus]) -> Iterator[str]:
    missing = [event.event for event in events if not event.how]
    if missing:
        yield f"git does not run our hook for {', '.join(missing)}: {_INSTALL}"
    yield from _problems_of_configuration(repository.work_tree, script)
    for event in EVENTS:
        hook = Path(repository.hooks_path, event)
        for place in (hook, beside(hook, LEGACY)):
            found = kind(place)
            if found is Kind.EDITED:
                yield f"{place} was edited by hand: move it away, then {_INSTALL}"
            elif found is Kind.OURS and read(place) != text(own_command(), event):
                yield f"{place} is of another version: {_INSTALL}"
    failure = Stamp(repository.git_dir).failure()
    if failure:
        again = f"cd {shlex.quote(str(repository.work_tree))} && hooks-compile sync"
        yield f"the last sync by a git hook failed: {failure}; to see it: {again}"


def _problems_of_configuration(tree: Path, script: Path) -> Iterator[str]:
    for command in settings(tree, f"{SECTION}.command")[-1:]:
        if best_method() != "config":
            numbers = ".".join(map(str, git_version()))
            yield f"git {numbers} takes no hooks from its configuration: {_INSTALL}"
        elif command == config_command(script) and read(script) != text(own_command(), None):
            yield f"{script} is missing or of another version: {_INSTALL}"
    if settings(tree, f"{SECTION}.enabled", "--bool")[-1:] == ["false"]:
        yield f"it is switched off: git config --unset {SECTION}.enabled"
