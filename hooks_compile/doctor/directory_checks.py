"""The directories of the hooks: wrappers, caches, permissions, and what a clone brought."""

from __future__ import annotations

import errno
import os
import stat
from glob import escape
from typing import TYPE_CHECKING

from hooks_compile.agents.wiring.plan import standing_of
from hooks_compile.doctor.findings import Finding, note, problem
from hooks_compile.entries.report import plural
from hooks_compile.entries.sync import tracked_cache_files
from hooks_compile.errors import pasted
from hooks_compile.files import LARGEST_SOURCE, is_writable_directory, read_bytes, remedy
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hooks_compile.model import HookSource
    from hooks_compile.project.record import Project


def check_wrapper(directory: Path, root: Path) -> Iterator[Finding]:
    """Say what is wrong with the wrapper in a directory of an agent's hooks, and how to get ours.

    A missing one is no finding here: it counts if a command names it.
    """
    path = directory / wrapper.NAME
    where, name = shown(path, root), pasted(path)
    standing = standing_of(path)
    if standing in (Standing.OLDER, Standing.EDITED, Standing.FOREIGN):
        move = "" if standing is Standing.OLDER else f"mv {name} {name}.old && "
        text = f"{where} is not the wrapper of this version ({standing})"
        finding = problem if standing is Standing.FOREIGN else note
        yield finding(text, f"{move}hooks-compile wrapper {pasted(directory)}")
    elif standing is not Standing.MISSING and not os.access(path, os.X_OK):
        text = f"{where} is not executable: a command that begins with it runs no hook at all"
        yield problem(text, f"chmod +x {name}")


def check_cache_directory(directory: Path, root: Path) -> Iterator[Finding]:
    """Say what keeps entries from being stored for the hooks in ``directory``."""
    place = directory / CACHE_DIRECTORY
    try:
        status = place.lstat()
    except OSError:  # not there, or out of reach: then the directory itself is in the way
        place, status = directory, directory.stat()
    text = f"no entry can be stored in {shown(place, root)}: "
    if not stat.S_ISDIR(status.st_mode):
        what = "it is a symlink" if stat.S_ISLNK(status.st_mode) else "it is not a directory"
        yield problem(text + what, f"rm {pasted(place)} && hooks-compile compile")
    elif not is_writable_directory(place):
        is_read_only = os.statvfs(place).f_flag & os.ST_RDONLY
        cause = os.strerror(errno.EROFS if is_read_only else errno.EACCES)
        yield problem(text + cause, remedy(cause, place))


def check_unchecked_modules(modules: Iterable[HookSource], root: Path) -> Iterator[Finding]:
    """Name compiled modules beside the hooks that Python runs without comparing their sources."""
    for module in sorted({source.path for source in modules}):
        for path in sorted((module.parent / "__pycache__").glob(f"{escape(module.stem)}.*.pyc")):
            try:
                # the flags of PEP 552: bit 0 says hash, bit 1 that Python compares it
                flags = read_bytes(path, LARGEST_SOURCE)[4:5]
            except OSError:
                continue  # Python can't read it either
            if flags == b"\x01":
                text = f"{shown(path, root)} is run by Python without a look at its source"
                yield problem(text, f"rm {pasted(path)}")


def check_tracked_entries(project: Project) -> Iterator[Finding]:
    """Say if git tracks entries: then each compilation is a change."""
    if tracked := tracked_cache_files(project):
        count = plural(len(tracked), "file")
        text = f"git tracks {count} of the cache, so commits fail or carry them"
        names = sorted({pasted(path.parent) for path in tracked})
        yield problem(text, f"git rm -r --cached -- {' '.join(names)}")
