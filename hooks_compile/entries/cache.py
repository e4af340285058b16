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
from hooks_compile.launcher.entry import CACHE_DIRECTORY, FORMAT, TRAILER_SIZE
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
_CHECKED_HASH = b"\x03\x00\x00\x00"


def directory_in(directory: Path) -> Path:
    """Return the directory that holds the entries of the hooks in ``directory``."""
    return directory / CACHE_DIRECTORY


def tracked_modules(modules: Iterable[str]) -> set[str]:
    """Return those of the files ``modules`` of which git tracks a compiled form."""
    paths = [Path(module) for module in modules]
    tracked = {each: _tracked(each / MODULE_DIRECTORY) for each in {p.parent for p in paths}}
    stems = {(each, name.partition(".")[0]) for each, names in tracked.items() for name in names}
    return {os.fspath(path) for path in paths if (path.parent, path.stem) in stems}


def _tracked(directory: Path) -> set[str]:
    try:
        names = git.tracked_matching(directory.parent, [f":(literal){directory.name}"])
    except GitError:  # there is no repository, or no git
        return set()
    return {name.rpartition("/")[2] for name in names}


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
    """Remove what we made in ``directory``, and itself if it is empty then.

    It holds entries, or is a ``__pycache__``. A module there is ours if it has our trailer and git
    does not track it. Returns what was removed. Raises OSError as :func:`prune` does.
    """
    is_ours = _is_our_module if directory.name == MODULE_DIRECTORY else _is_our_name
    names = {item.name for item in _listing(directory) if is_ours(item)}
    if names and directory.name == MODULE_DIRECTORY:
        names -= _tracked(directory)
    removed = _remove(directory, names)
    if removed:
        with suppress(OSError):  # something else is in it, or another process was faster
            directory.rmdir()
            removed.append(directory)
    return removed


def _is_our_name(item: os.DirEntry[str]) -> bool:
    is_marker = item.name in [marker for marker, _ in MARKERS]
    return bool(is_marker or ENTRY.fullmatch(item.name) or _DRAFT.fullmatch(item.name))


def _is_our_module(item: os.DirEntry[str]) -> bool:
    """Return whether a file is a checked-hash ``.pyc`` that ends in our trailer."""
    try:
        data = files.read_bytes(Path(item.path), files.LARGEST_SOURCE, follow=False)
    except OSError:
        return False
    return data[4:8] == _CHECKED_HASH and data[4 - TRAILER_SIZE : 6 - TRAILER_SIZE] == FORMAT


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
