"""The files that we make beside hooks: what is in ``__pycache_opt__``, and what may be removed."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files, git
from hooks_compile.errors import GitError
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.launcher.miss.store import MARKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MODULE_DIRECTORY = "__pycache__"
"""The directory in which Python and we put local modules, compiled."""

# Long enough that no writer can still need it.
DRAFT_AGE_S = 600
ENTRY = re.compile(
    r"(?P<stem>.+)\.(?P<tag>[\w-]+)\.opt-(?P<level>[012])\.(?P<hash>[0-9a-f]{16})\.pyc",
    re.DOTALL,
)
"""The name of the file of an entry."""

_DRAFT = re.compile(r"\.\d+\.\d+\.tmp")


def directory_in(directory: Path) -> Path:
    """Return the directory that holds the entries of the hooks in ``directory``."""
    return directory / CACHE_DIRECTORY


def tracked_modules(modules: Iterable[str]) -> set[str]:
    """Return the modules in the directories of ``modules`` of which git tracks a compiled form."""
    found: set[str] = set()
    for directory in {Path(module).parent for module in modules}:
        try:
            names = git.tracked_matching(directory, [f":(literal){MODULE_DIRECTORY}"])
        except GitError:  # there is no repository, or no git
            continue
        stems = (name.rpartition("/")[2].partition(".")[0] for name in names)
        found.update(os.fspath(directory / f"{stem}.py") for stem in stems)
    return found


class Removals(NamedTuple):
    """What was removed, and the errors of what could not be: one does not stop the other."""

    removed: list[Path]
    errors: list[OSError]

    def run(self, remove: Callable[[Path], list[Path]], directory: Path) -> None:
        """Remove from ``directory``, and keep what was removed or the error."""
        try:
            self.removed.extend(remove(directory))
        except OSError as error:
            self.errors.append(error)


def prune(directory: Path, *, keep: int, needed: Iterable[str] = ()) -> list[Path]:
    """Remove what no launch will ask for again, and return what was removed.

    Of each script and interpreter the ``keep`` newest entries stay, and those named in ``needed``.
    Entries of missing scripts are removed, and drafts of writers that were killed.
    Raises OSError, which names a file that can't be removed, after all others are.
    """
    needed = set(needed)
    versions: defaultdict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    doomed: list[str] = []
    for item in _listing(directory):
        match = ENTRY.fullmatch(item.name)
        try:
            changed = item.stat().st_mtime
        except FileNotFoundError:
            continue  # another sync was faster
        if match:
            versions[match["stem"], match["tag"]].append((changed, item.name))
        elif _DRAFT.fullmatch(item.name) and time.time() - changed > DRAFT_AGE_S:
            doomed.append(item.name)
    for (stem, _), dated in versions.items():
        scripts = (directory.parent / f"{stem}.py", directory.parent / stem)
        names = [name for _, name in sorted(dated, reverse=True)]
        if any(map(os.path.lexists, scripts)):
            names = [name for name in names[keep:] if name not in needed]
        doomed += names
    return _remove(directory, doomed)


def clean(directory: Path) -> list[Path]:
    """Remove the entries, drafts and markers in ``directory``, and itself if it is empty then.

    Files that are not ours stay. Returns what was removed. Raises OSError as :func:`prune` does.
    """
    ours = {marker for marker, _ in MARKERS}
    names = [
        item.name
        for item in _listing(directory)
        if ENTRY.fullmatch(item.name) or _DRAFT.fullmatch(item.name) or item.name in ours
    ]
    removed = _remove(directory, names)
    if removed:
        with suppress(OSError):  # something else is in it, or another process was faster
            directory.rmdir()
            removed.append(directory)
    return removed


def _listing(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files of a directory. A symlink in its place counts as no directory."""
    if directory.is_symlink():
        return
    try:
        with os.scandir(directory) as listing:
            yield from (item for item in listing if item.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return


def _remove(directory: Path, names: Iterable[str]) -> list[Path]:
    removed = []
    refused: OSError | None = None
    for name in sorted(names):
        path = directory / name
        try:
            path.unlink(missing_ok=True)  # another sync may have been faster
            removed.append(path)
        except OSError as error:
            refused = refused or files.named(error, path)
    if refused:
        raise refused
    return removed
