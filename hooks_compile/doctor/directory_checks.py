"""The directories of the hooks: wrappers, caches, permissions, and what a clone brought."""

from __future__ import annotations

import os
import stat
from glob import escape
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries.report import plural
from hooks_compile.errors import GitError
from hooks_compile.files import LARGEST_SOURCE, is_writable_directory, read_bytes
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hooks_compile.model import HookSource

_WRAPPERS = {
    Standing.CURRENT: (OK, "is current"),
    Standing.OLDER: (NOTE, "is of an older version"),
    Standing.NEWER: (NOTE, "is of a newer version"),
    Standing.EDITED: (NOTE, "was edited, so it is never replaced"),
    Standing.FOREIGN: (PROBLEM, "is not ours"),
    Standing.MISSING: (PROBLEM, "is not there, so no hook beside it runs from its entry"),
}


def check_wrapper(directory: Path, root: Path) -> Finding:
    """Return what the wrapper in a directory of an agent's hooks is, and how to get ours."""
    path = directory / wrapper.NAME
    where, name = shown(path, root), quote(shown(path))
    write = f"hooks-compile wrapper {quote(shown(directory))}"
    try:
        standing = wrapper.standing(path)
    except OSError as error:
        return Finding(PROBLEM, f"{where} can't be read: {error.strerror}", f"chmod u+rx {name}")
    if standing is not Standing.MISSING and not os.access(path, os.X_OK):
        text = f"{where} is not executable: a command that begins with it runs no hook at all"
        return Finding(PROBLEM, text, f"chmod +x {name}")
    remedies = {
        Standing.CURRENT: "",
        Standing.OLDER: write,
        Standing.MISSING: write,
        Standing.NEWER: "pip install --upgrade hooks-compile",
    }
    level, what = _WRAPPERS[standing]
    remedy = remedies.get(standing, f"mv {name} {name}.old && {write}")
    return Finding(level, f"{where} {what}", remedy)


def check_cache_directory(directory: Path, root: Path, *, lacking: bool) -> Iterator[Finding]:
    """Say what keeps entries from being stored for the hooks in ``directory``.

    ``lacking`` says that an entry is missing there.
    """
    level = PROBLEM if lacking else NOTE
    place = directory / CACHE_DIRECTORY
    try:
        status = place.lstat()
    except OSError:  # not there, or out of reach: then the directory itself is in the way
        place, status = directory, directory.stat()
    where, name = shown(place, root), quote(shown(place))
    own = f'sudo chown -R "$(id -u)" {name}'
    is_own = status.st_uid == os.geteuid()
    if not stat.S_ISDIR(status.st_mode):
        what = "a symlink" if stat.S_ISLNK(status.st_mode) else "not a directory"
        text = f"{where} is {what}, so no entry can be stored"
        yield Finding(PROBLEM, text, f"rm {name} && hooks-compile compile")
    elif os.statvfs(place).f_flag & os.ST_RDONLY:
        text = f"{where} is on a read-only file system, so no entry can be stored"
        yield Finding(level, text, f"mount  # shows what is mounted at {name}")
    elif not is_writable_directory(place):
        whose = "" if is_own else f" and belongs to user {status.st_uid}"
        text = f"{where} can't be written{whose}, so no entry can be stored"
        yield Finding(level, text, f"chmod u+rwx {name}" if is_own else own)
    elif place != directory and not is_own:
        text = f"{where} belongs to user {status.st_uid}, who can remove the entries in it"
        yield Finding(NOTE, text, own)


def check_unchecked_modules(modules: Iterable[HookSource], root: Path) -> Iterator[Finding]:
    """Name compiled modules beside the hooks that Python runs without comparing their sources."""
    for module in sorted({source.path for source in modules}):
        cached = (module.parent / "__pycache__").glob(f"{escape(module.stem)}.*.pyc")
        for path in sorted(cached):
            try:
                # the flags of PEP 552: bit 0 says hash, bit 1 that Python compares it
                flags = read_bytes(path, LARGEST_SOURCE)[4:5]
            except OSError:
                continue  # Python can't read it either
            if flags == b"\x01":
                text = f"{shown(path, root)} is run by Python without a look at its source"
                yield Finding(PROBLEM, text, f"rm {quote(shown(path))}")


def check_tracked_entries(root: Path) -> Iterator[Finding]:
    """Say whether git tracks entries: then each compilation is a change for git."""
    try:
        in_git = git.work_tree(root) is not None
        tracked = git.tracked_matching(root, [f":(glob)**/{CACHE_DIRECTORY}/**"]) if in_git else []
    except GitError as error:
        yield Finding(PROBLEM, f"{shown(error.path or root)}: {error.cause}", error.remedy)
        return
    if tracked:
        files = plural(len(tracked), "file")
        text = f"git tracks {files} of the cache, so commits fail or carry them"
        directories = {_pasted(name.rpartition("/")[0]) for name in tracked}
        yield Finding(PROBLEM, text, f"git rm -r --cached -- {' '.join(sorted(directories))}")


def _pasted(name: str) -> str:
    return quote(name.encode("utf-8", "backslashreplace").decode())
