"""The files that we make beside hooks: what is in ``__pycache_opt__``, and what may be removed."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files, git
from hooks_compile.errors import GitError
from hooks_compile.launcher.entry import CACHE_DIRECTORY, FORMAT, TAG_SIZE
from hooks_compile.launcher.miss.store import MARKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Long enough that no writer can still need it.
DRAFT_AGE_S = 600
_ENTRY = re.compile(
    r"(?P<stem>.+)\.(?P<tag>[\w-]+)\.opt-(?P<level>[012])\.(?P<hash>[0-9a-f]{16})\.pyc",
    re.DOTALL,
)
_DRAFT = re.compile(r"\.\d+\.\d+\.tmp")
_CHECKED_HASH = b"\x03\x00\x00\x00"


class EntryName(NamedTuple):
    """The parts of the file name of an entry."""

    stem: str
    cache_tag: str
    level: int
    digest: str


def parse(name: str) -> EntryName | None:
    """Return the parts of an entry's file name, None for any other file name."""
    match = _ENTRY.fullmatch(name)
    if match is None:
        return None
    return EntryName(match["stem"], match["tag"], int(match["level"]), match["hash"])


def directory_in(directory: Path) -> Path:
    """Return the directory that holds the entries of the hooks in ``directory``."""
    return directory / CACHE_DIRECTORY


def module_directory_in(directory: Path) -> Path:
    """Return the directory in which Python and we put the modules in ``directory``, compiled."""
    return directory / "__pycache__"


def tracked_modules(directory: Path) -> set[str]:
    """Return the names of the files in ``directory``, a ``__pycache__``, that git tracks."""
    try:
        names = git.tracked_matching(directory.parent, [f":(literal){directory.name}"])
    except GitError:  # there is no repository, or no git
        return set()
    return {name.rpartition("/")[2] for name in names}


def prune(directory: Path, *, keep: int, needed: Iterable[str] = ()) -> list[Path]:
    """Remove what no launch will ask for again, and return what was removed.

    Of each script and interpreter the ``keep`` newest entries stay, and those named in ``needed``.
    Entries of missing scripts are removed, and drafts of writers that were killed.
    Raises OSError, which names a file that can't be removed, after all others are.
    """
    needed = set(needed)
    versions: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    doomed: list[str] = []
    for item in _listing(directory):
        name = parse(item.name)
        try:
            if name is not None:
                versions[name.stem, name.cache_tag].append((item.stat().st_mtime_ns, item.name))
            elif _DRAFT.fullmatch(item.name) and time.time() - item.stat().st_mtime > DRAFT_AGE_S:
                doomed.append(item.name)
        except FileNotFoundError:
            continue  # another sync was faster
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
        if parse(item.name) or _DRAFT.fullmatch(item.name) or item.name in ours
    ]
    removed = _remove(directory, names)
    return removed + _remove_if_empty(directory) if removed else removed


def remove_unused(directory: Path) -> list[Path]:
    """Clean a directory in which there is no entry any more; return what was removed."""
    return [] if any(parse(item.name) for item in _listing(directory)) else clean(directory)


def clean_modules(directory: Path) -> list[Path]:
    """Remove the compiled modules that we made in ``directory``, a ``__pycache__``.

    They have our trailer. What Python made stays, and what git tracks. The directory is removed if
    it is empty then. Returns what was removed. Raises OSError as :func:`prune` does.
    """
    ours = {item.name for item in _listing(directory) if _is_our_module(Path(item.path))}
    removed = _remove(directory, ours - tracked_modules(directory) if ours else ())
    return removed + _remove_if_empty(directory) if removed else removed


def _is_our_module(path: Path) -> bool:
    """Return whether a file is a checked-hash ``.pyc`` that ends in our trailer."""
    if path.suffix != ".pyc":
        return False
    try:
        data = files.read_bytes(path, files.LARGEST_SOURCE, follow=False)
    except OSError:
        return False
    return data[4:8] == _CHECKED_HASH and data[-TAG_SIZE - 3 : -TAG_SIZE - 1] == FORMAT


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


def _remove_if_empty(directory: Path) -> list[Path]:
    try:
        directory.rmdir()
    except OSError:
        return []  # something else is in it, or another process was faster
    return [directory]
