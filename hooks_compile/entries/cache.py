"""``__pycache_opt__`` from the outside: what is in it, what may go."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.runtime.entry import FOLDER
from hooks_compile.runtime.store import MARKERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Long enough that no writer can still be at work on it.
DRAFT_AGE_S = 600
_ENTRY = re.compile(
    r"(?P<stem>.+)\.(?P<tag>[\w-]+)\.opt-(?P<level>[012])\.(?P<hash>[0-9a-f]{16})\.pyc",
    re.DOTALL,
)
_DRAFT = re.compile(r"\.\d+\.\d+\.tmp")


class EntryName(NamedTuple):
    """What the file name of an entry tells."""

    stem: str
    cache_tag: str
    level: int
    digest: str


def parse(name: str) -> EntryName | None:
    """Return what an entry's file name tells, None for any other file's."""
    match = _ENTRY.fullmatch(name)
    if match is None:
        return None
    return EntryName(match["stem"], match["tag"], int(match["level"]), match["hash"])


def folder_in(folder: Path) -> Path:
    """Return the folder that holds the entries of the hooks in ``folder``."""
    return folder / FOLDER


def _listing(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Go through the files of a cache folder; a symlink in its place is none."""
    if folder.is_symlink():
        return
    try:
        with os.scandir(folder) as listing:
            yield from (item for item in listing if item.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return


def prune(folder: Path, *, keep: int, needed: Iterable[str] = ()) -> list[Path]:
    """Remove what no launch will ask for again, and return what was removed.

    Of each script and interpreter the ``keep`` newest entries stay, and those named in ``needed``;
    entries of scripts that are gone, and drafts that a killed writer left, go.
    """
    needed = set(needed)
    versions: defaultdict[tuple[str, str], list[tuple[int, os.DirEntry[str]]]] = defaultdict(list)
    doomed: list[os.DirEntry[str]] = []
    for item in _listing(folder):
        name = parse(item.name)
        try:
            if name is not None:
                versions[name.stem, name.cache_tag].append((item.stat().st_mtime_ns, item))
            elif _DRAFT.fullmatch(item.name) and time.time() - item.stat().st_mtime > DRAFT_AGE_S:
                doomed.append(item)
        except FileNotFoundError:
            continue  # another sync was quicker
    for (stem, _), dated in versions.items():
        scripts = (folder.parent / f"{stem}.py", folder.parent / stem)
        keep_here = keep if any(os.path.lexists(script) for script in scripts) else 0
        dated.sort(key=lambda pair: pair[0], reverse=True)
        doomed += [
            item for _, item in dated[keep_here:] if item.name not in needed or not keep_here
        ]
    return _remove(folder, [item.name for item in doomed])


def clean(folder: Path) -> list[Path]:
    """Remove the entries, drafts and markers in ``folder``, and the folder if it is empty then.

    Files that are not ours stay. Returns what was removed.
    """
    ours = {marker for marker, _ in MARKERS}
    names = [
        item.name
        for item in _listing(folder)
        if parse(item.name) or _DRAFT.fullmatch(item.name) or item.name in ours
    ]
    removed = _remove(folder, names)
    if removed and not any(folder.iterdir()):
        try:
            folder.rmdir()
        except OSError:
            return removed  # a launch or another command has just put something there, or took it
        removed.append(folder)
    return removed


def remove_unused(folder: Path) -> list[Path]:
    """Remove a folder in which there is no entry any more; return what was removed."""
    return [] if any(parse(item.name) for item in _listing(folder)) else clean(folder)


def _remove(folder: Path, names: Iterable[str]) -> list[Path]:
    removed = []
    for name in sorted(names):
        path = folder / name
        path.unlink(missing_ok=True)  # another sync may have been quicker
        removed.append(path)
    return removed
