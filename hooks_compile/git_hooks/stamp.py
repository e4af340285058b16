"""The stamp of the last sync: where hooks are, and since when a change there is news.

The git hook (``runtime/git_hook.sh``) compares the places with the stamp by ``[ -nt ]``, without
starting a process. The stamp may save work, and it is allowed to be wrong: the next launch goes
by content, as always.
"""

from __future__ import annotations

import os
import time
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hooks_compile.project.record import Project

FOLDER = "hooks-compile"
"""What is ours in a git folder."""

# A shell reads the places byte by byte: each costs 10 microseconds.
MOST_PLACES = 400
# Above that, git replacing one of them shows in its folder all the same.
MOST_FILES = 40

# The clock of a file system advances in steps, of 10 ms at most on Linux.
_STEP_NS = 10_000_000
_SECOND_NS = 1_000_000_000
_ABANDONED_S = 3600
_FAILURE = "failure"
# Files that decide what is a hook; hooks/hooks.json and plugins/*/hooks are a plugin's.
_DECISIVE = (
    *(".hooks-compile.toml", "pyproject.toml", "hooks", "plugins"),
    *(".claude/settings.json", ".claude/settings.local.json"),
    *(".codex/hooks.json", ".codex/config.toml", ".cursor/hooks.json", ".gemini/settings.json"),
)


def places(project: Project) -> list[str]:
    """Return the paths whose modification time tells of a change, relative to the root if inside.

    Folders come first: of the sources and modules, and the two above them, so that a new folder
    beside them is seen; then what decides which files are hooks, there or not; then the sources,
    which a person may edit in place.
    """
    from hooks_compile.project.globs import Glob  # noqa: PLC0415 - loaded by now

    root = project.root
    folders = set(project.folders()) | {module.path.parent for module in project.modules()}
    for glob in project.config.include:
        parsed = Glob.parse(glob)
        folders.add((root / (parsed.literal or parsed.prefix or ".")).parent)
        folders.add(root / (parsed.literal or parsed.prefix or "."))
    above = {parent for folder in folders for parent in list(folder.parents)[:2]}
    # The root changes with every file at the top: only hooks there make it worth while.
    found = sorted(folders) + sorted(each for each in above if root in each.parents)
    files = [s.path for s in project.sources] if len(project.sources) <= MOST_FILES else []
    names = [_shown(path, root) for path in found] + usual_places()
    names += [_shown(path, root) for path in files]
    # A name with a newline can't be told in a list of lines; the folder above it has a name.
    return list(dict.fromkeys(name for name in names if "\n" not in name))[:MOST_PLACES]


def usual_places() -> list[str]:
    """Return the places that decide which files are hooks, in any project."""
    from hooks_compile.project.discovery import PROJECT_FOLDERS  # noqa: PLC0415 - loaded by now

    folders = [name.rpartition("/")[0] for name in PROJECT_FOLDERS]
    return [*filter(None, dict.fromkeys(folders)), *PROJECT_FOLDERS, *_DECISIVE]


def _shown(path: Path, root: Path) -> str:
    return os.fspath(path.relative_to(root)) if path.is_relative_to(root) else os.fspath(path)


class Stamp:
    """The stamp of one work tree, in the folder ``hooks-compile`` of its own git folder."""

    def __init__(self, git_dir: Path) -> None:
        """Write nothing yet."""
        self.folder = git_dir / FOLDER
        self._draft = self.folder / f".stamp.{os.getpid()}"
        self._since = 0

    def begin(self) -> None:
        """Note the time, by the clock of the file system. Raises OSError."""
        self.folder.mkdir(exist_ok=True)
        self._draft.write_bytes(b"")
        self._since = self._draft.stat().st_mtime_ns - _STEP_NS

    def succeed(self, found: Iterable[str]) -> None:
        """Put the places of this sync into force, as of its begin. Raises OSError."""
        self._put(found)
        (self.folder / _FAILURE).unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Keep the places of the last sync, say why there are no new ones. Raises OSError.

        The next try is when something changes there, not at every ``git status``.
        """
        (self.folder / _FAILURE).write_text(f"{reason}\n", encoding="utf-8")
        self._put(self.read() or usual_places())

    def read(self) -> list[str]:
        """Return the places of the last sync; none where there was none."""
        try:
            return os.fsdecode((self.folder / "stamp").read_bytes()).splitlines()
        except FileNotFoundError:
            return []

    def failure(self) -> str:
        """Return why the last sync failed; "" where it did not."""
        try:
            return (self.folder / _FAILURE).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _put(self, found: Iterable[str]) -> None:
        # "stamp" is newer than "second" for a shell and a file system that see the difference;
        # the others use "coarse", which makes them repeat a sync of the last second or two.
        second = self._since // _SECOND_NS * _SECOND_NS
        since = max(self._since, second + 1_000)
        for name, when in (("second", second), ("coarse", second - _SECOND_NS)):
            path = self.folder / name
            path.touch()
            os.utime(path, ns=(when, when))
        self._draft.write_bytes(b"".join(os.fsencode(name) + b"\n" for name in found))
        os.utime(self._draft, ns=(since, since))
        self._draft.replace(self.folder / "stamp")
        self._remove_abandoned()

    def _remove_abandoned(self) -> None:
        for draft in self.folder.glob(".stamp.*"):
            if time.time() - draft.stat().st_mtime > _ABANDONED_S:
                draft.unlink(missing_ok=True)


def remove(common_dir: Path) -> list[Path]:
    """Remove the stamps of all work trees of a repository, and return what was removed."""
    names = ("stamp", "second", "coarse", _FAILURE, ".stamp.*")
    removed = []
    for folder in (common_dir / FOLDER, *common_dir.glob(f"worktrees/*/{FOLDER}")):
        for path in chain.from_iterable(folder.glob(name) for name in names):
            path.unlink(missing_ok=True)
            removed.append(path)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return removed
