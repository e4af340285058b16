"""The stamp of the last sync: the places of hooks, and the time since which a change counts.

The git hook (``git_hook.sh``) compares the places with the stamp by ``[ -ot ]``, without starting a
process. A wrong stamp does no harm: content decides what a launch runs.
"""

from __future__ import annotations

import os
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.files import read_if_there
from hooks_compile.project.discovery import PROJECT_DIRECTORIES
from hooks_compile.project.globs import Glob

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hooks_compile.project.record import Project

NAME = "hooks-compile"
"""The name of our directory in a git directory."""

# A shell reads the places byte by byte: each costs 10 microseconds.
MOST_PLACES = 400
# Above that, git replacing one of them still shows in its directory.
MOST_FILES = 40

# The clock of a file system advances in steps, of 10 ms at most on Linux.
_STEP_NS = 10_000_000
# Where hooks are, and what decides it; hooks/hooks.json and plugins/*/hooks are a plugin's.
_DECISIVE = (
    *(*PROJECT_DIRECTORIES, ".hooks-compile.toml", "pyproject.toml", "hooks", "plugins"),
    *(name for agent in AGENTS for name in agent.names if "*" not in name),
)
_PARTS = [accumulate(name.split("/"), "{}/{}".format) for name in _DECISIVE]
_USUAL = tuple(dict.fromkeys(chain.from_iterable(_PARTS)))  # with the directories above


def places(project: Project) -> list[str]:
    """Return the paths whose modification times show a change, relative to the root if inside it.

    Directories come first: of the sources and modules, and the two above them, so that a new
    directory beside them is seen; then the files that decide what is a hook, without those that are
    missing in a directory that is there, which shows them; then the sources, which a person may
    edit in place.
    """
    root = project.root

    def shown(path: Path) -> str:
        return os.fspath(path.relative_to(root) if path.is_relative_to(root) else path)

    holders = set(project.directories()) | {module.path.parent for module in project.modules()}
    for glob in map(Glob.parse, project.config.include):
        included = root / (glob.literal or glob.prefix or ".")
        holders |= {included, included.parent}
    above = {parent for each in holders for parent in each.parents[:2]}
    # The root changes with every file at the top: it counts only if hooks are there.
    found = sorted(holders) + sorted(each for each in above if root in each.parents)
    files = [s.path for s in project.sources] if len(project.sources) <= MOST_FILES else []
    names = [shown(path) for path in found]
    names += [name for name in _USUAL if "/" not in name or (root / name).exists()]
    names += [shown(path) for path in files]
    # A name with a newline doesn't fit into a list of lines; the directory above it does.
    return list(dict.fromkeys(name for name in names if "\n" not in name))[:MOST_PLACES]


class Stamp:
    """The stamp of one work tree, in the directory ``hooks-compile`` of its own git directory."""

    def __init__(self, git_dir: Path) -> None:
        """Write nothing yet."""
        self.directory = git_dir / NAME
        self._failure = self.directory / "failure"
        self._since = 0

    def begin(self) -> None:
        """Note the time at which a sync begins, by the clock of the file system. Raises OSError."""
        self.directory.mkdir(exist_ok=True)
        os.utime(self.directory)
        self._since = self.directory.stat().st_mtime_ns - _STEP_NS

    def succeed(self, found: Iterable[str]) -> None:
        """Store the places that a sync found, with the time at which it began. Raises OSError."""
        draft = self.directory / f".stamp.{os.getpid()}"
        draft.write_bytes(b"".join(os.fsencode(name) + b"\n" for name in found))
        os.utime(draft, ns=(self._since, self._since))
        draft.replace(self.directory / "stamp")
        self._failure.unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Store the reason, and keep the places of the last sync. Raises OSError.

        The next try is when something changes there, not at every ``git status``.
        """
        self.succeed(self.read() or _USUAL)
        self._failure.write_text(f"{reason}\n", encoding="utf-8")

    def read(self) -> list[str]:
        """Return the places of the last sync; none if there was none."""
        return os.fsdecode(read_if_there(self.directory / "stamp")).splitlines()

    def failure(self) -> str:
        """Return why the last sync failed; "" if it did not."""
        return read_if_there(self._failure).decode(errors="replace").strip()


def directories(common_dir: Path) -> list[Path]:
    """Return the directories with the stamps of all work trees of a repository."""
    found = (common_dir / NAME, *common_dir.glob(f"worktrees/*/{NAME}"))
    return [each for each in found if each.is_dir()]
