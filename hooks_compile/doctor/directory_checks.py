"""What ``doctor`` looks at in the folders of the hooks: wrappers, caches, permissions."""

from __future__ import annotations

import _imp
import os
import stat
from collections import defaultdict
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding, Severity
from hooks_compile.entries import cache
from hooks_compile.entries.report import plural, shown
from hooks_compile.errors import GitError
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from hooks_compile.runtime import entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

# The flags of PEP 552: bit 0, the file holds a hash of its source; bit 1, Python compares it.
_HASH, _CHECKED = 1, 2


def examine_wrapper(folder: Path, root: Path) -> Finding:
    """Tell how the wrapper in a folder of an agent's hooks stands."""
    path = folder / wrapper.NAME
    where = shown(path, root)
    write = f"hooks-compile wrapper {quote(shown(folder))}"
    try:
        standing = wrapper.standing(path)
    except OSError as error:
        text = f"{where} can't be read: {error.strerror}"
        return Finding(PROBLEM, text, f"chmod u+rx {quote(shown(path))}")
    if standing is Standing.MISSING:
        text = f"{where} is not there: no launch of the hooks beside it finds their entries"
        return Finding(PROBLEM, text, write)
    if not _may(path, os.X_OK):
        text = f"{where} is not executable: a command that begins with it runs no hook at all"
        return Finding(PROBLEM, text, f"chmod +x {quote(shown(path))}")
    aside = f"mv {quote(shown(path))} {quote(shown(path))}.old && {write}"
    found = {
        Standing.CURRENT: Finding(OK, f"{where} is current"),
        Standing.OLDER: Finding(NOTE, f"{where} is of an older version", write),
        Standing.NEWER: Finding(
            NOTE, f"{where} is of a newer version", "pip install --upgrade hooks-compile"
        ),
        Standing.EDITED: Finding(NOTE, f"{where} was edited, so it is never replaced", aside),
        Standing.FOREIGN: Finding(PROBLEM, f"{where} is none of ours", aside),
    }
    return found[standing]


def examine_folder(folder: Path, root: Path, *, lacking: bool, agents: bool) -> Iterator[Finding]:
    """Tell what keeps entries from being stored for the hooks in ``folder``.

    ``lacking`` says that an entry is missing there, ``agents`` that agents run these hooks.
    """
    level = PROBLEM if lacking else NOTE
    place = folder / entry.FOLDER
    where = shown(folder, root)
    flags = os.statvfs(folder).f_flag
    if flags & os.ST_RDONLY:
        text = f"{where} is on a read-only file system: no entry can be stored"
        yield Finding(level, text, f"mount  # shows where {quote(shown(folder))} comes from")
        return
    if agents and flags & os.ST_NOEXEC:
        text = f"{where} is on a file system without execution: no command may begin with a script"
        yield Finding(
            NOTE, text, f"begin the command with sh {quote(shown(folder / wrapper.NAME))}"
        )
    try:
        status = place.lstat()
    except FileNotFoundError:
        if not _may(folder, os.W_OK | os.X_OK):
            text = f"{where} can't be written, so no entry can be stored"
            yield Finding(level, text, f"chmod u+wx {quote(shown(folder))}")
        return
    except OSError as error:
        text = f"{shown(place, root)} can't be looked at: {error.strerror}"
        yield Finding(level, text, f"chmod u+rwx {quote(shown(folder))}")
        return
    yield from _examine_place(place, shown(place, root), status, level)


def _examine_place(
    place: Path, where: str, status: os.stat_result, level: Severity
) -> Iterator[Finding]:
    remove = f"rm {quote(shown(place))} && hooks-compile compile"
    own = f'sudo chown -R "$(id -u)" {quote(shown(place))}'
    if stat.S_ISLNK(status.st_mode):
        text = f"{where} is a symlink: nothing is written through it, so no entry can be stored"
        yield Finding(PROBLEM, text, remove)
    elif not stat.S_ISDIR(status.st_mode):
        yield Finding(PROBLEM, f"{where} is no folder, so no entry can be stored", remove)
    elif not _may(place, os.R_OK | os.W_OK | os.X_OK):
        yours = status.st_uid == os.geteuid()
        whose = "" if yours else f" and belongs to user {status.st_uid}"
        remedy = f"chmod u+rwx {quote(shown(place))}" if yours else own
        text = f"{where} can't be written{whose}, so no entry can be stored"
        yield Finding(level, text, remedy)
    elif status.st_uid != os.geteuid():
        text = f"{where} belongs to user {status.st_uid}, who can remove the entries in it"
        yield Finding(NOTE, text, own)


def examine_foreign(
    folder: Path, root: Path, key: bytes, contents: Mapping[Path, bytes]
) -> list[Finding]:
    """Count the entries that somebody else made for what the hooks in ``folder`` say now."""
    place = folder / entry.FOLDER
    if place.is_symlink() or not place.is_dir():
        return []
    own: defaultdict[str, list[bytes]] = defaultdict(list)
    for path, content in contents.items():
        if path.parent == folder:
            own[path.name.removesuffix(".py")].append(content)
    count = sum(_is_foreign(path, key, own) for path in place.iterdir())
    if not count:
        return []
    entries = plural(count, "entry was", "entries were")
    text = (
        f"{shown(place, root)}: {entries} made with another key (by another user, machine or "
        "version of hooks-compile), and will never be used"
    )
    remedy = "hooks-compile clean && hooks-compile compile"
    return [Finding(NOTE, text, remedy)]


def _is_foreign(path: Path, key: bytes, contents: Mapping[str, Iterable[bytes]]) -> bool:
    name = cache.parse(path.name)
    try:
        if name is None or not stat.S_ISREG(path.lstat().st_mode):
            return False
        if path.lstat().st_uid != os.geteuid():
            return True
        with path.open("rb") as file:
            header = file.read(16)
    except OSError:
        return False  # it can't be read: the launcher can't use it either
    # PEP 552: the hash is keyed with the magic number. An interpreter that hashes differently
    # makes no match here, and nothing is said of its entries.
    magic = int.from_bytes(header[:4], "little")
    return any(
        _imp.source_hash(magic, content) == header[8:]
        and entry.entry_suffix(key, content) != f".{name.digest}.pyc"
        for content in contents.get(name.stem, ())
    )


def examine_modules(modules: Iterable[Path], root: Path) -> list[Finding]:
    """Name compiled modules beside the hooks that Python runs whatever their sources say."""
    found = []
    for module in sorted(set(modules)):
        for path in sorted((module.parent / "__pycache__").glob("*.pyc")):
            if path.name.partition(".")[0] == module.stem and _is_unchecked(path):
                text = f"{shown(path, root)} is run by Python without a look at its source"
                found.append(Finding(PROBLEM, text, f"rm {quote(shown(path))}"))
    return found


def _is_unchecked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            flags = int.from_bytes(file.read(8)[4:], "little")
    except OSError:
        return False  # Python can't read it either
    return flags & _HASH != 0 and flags & _CHECKED == 0


def examine_tracked(root: Path) -> list[Finding]:
    """Tell whether git tracks entries, which makes each compilation a change."""
    try:
        if git.work_tree(root) is None:
            return []
        tracked = git.tracked_matching(root, [f":(glob)**/{entry.FOLDER}/**"])
    except GitError as error:
        return [Finding(PROBLEM, f"{shown(error.path or root)}: {error.cause}", error.remedy)]
    if not tracked:
        return []
    folders = sorted({name.rpartition("/")[0] for name in tracked})
    text = f"git tracks {plural(len(tracked), 'file')} of the cache, so commits fail or carry them"
    quoted = " ".join(
        quote(folder.encode("utf-8", "backslashreplace").decode()) for folder in folders
    )
    return [Finding(PROBLEM, text, f"git rm -r --cached -- {quoted}")]


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
