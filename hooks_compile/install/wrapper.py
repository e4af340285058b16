"""``hook_wrapper.sh``: what is written beside the hooks, and what may be replaced."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from enum import StrEnum
from pathlib import Path

from hooks_compile import files
from hooks_compile.errors import HooksCompileError, pasted

NAME = "hook_wrapper.sh"
_VERSION_LINE = re.compile(rb"^# hooks-compile wrapper (\d+) \(([0-9a-f]{16})\)", re.MULTILINE)


class Standing(StrEnum):
    """What a file named ``hook_wrapper.sh`` is to us."""

    CURRENT = "current"
    MISSING = "missing"
    OLDER = "older"  # ours, of an older version: may be replaced
    NEWER = "newer"  # ours, written by a newer hooks-compile: stays
    EDITED = "edited"  # ours, but changed by hand: stays
    FOREIGN = "foreign"  # somebody else's: stays


LEFT_ALONE = (Standing.NEWER, Standing.EDITED, Standing.FOREIGN)
DONE = {
    Standing.CURRENT: "up to date",
    Standing.MISSING: "written",
    Standing.OLDER: "replaced an older one",
    Standing.NEWER: "left alone: a newer hooks-compile wrote it",
    Standing.EDITED: "left alone: it was edited; move it away to get a new one",
    Standing.FOREIGN: "left alone: it is not ours; move it away to get one",
}


def text() -> bytes:
    """Return the wrapper as it is written."""
    return Path(__file__).parent.with_name("launcher").joinpath(NAME).read_bytes()


def digest(content: bytes) -> bytes:
    """Return the 16 hexadecimal digits that the version line of a wrapper has to carry."""
    blanked = _VERSION_LINE.sub(rb"# hooks-compile wrapper \1 ()", content, count=1)
    return hashlib.sha256(blanked).hexdigest()[:16].encode()


def judge(content: bytes) -> Standing:
    """Return what a wrapper's content is to us, whatever its line ends are.

    Its version line shows if it was edited. git and editors may convert line ends.
    """
    content = content.replace(b"\r\n", b"\n")
    found = _VERSION_LINE.search(content)
    if found is None:
        return Standing.FOREIGN
    if digest(content) != found[2]:
        return Standing.EDITED
    own = _VERSION_LINE.search(text())
    assert own is not None  # noqa: S101 - a test holds our own file to it
    if content == text():
        return Standing.CURRENT
    return Standing.OLDER if int(found[1]) < int(own[1]) else Standing.NEWER


def standing(path: Path) -> Standing:
    """Return what the file at ``path`` is to us. Anything but a regular file is FOREIGN.

    Raises OSError for one that can't be read.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return Standing.FOREIGN
        return judge(files.read_bytes(path))
    except FileNotFoundError:
        return Standing.MISSING


def write(directory: Path) -> Standing:
    """Write the wrapper into ``directory``, and return what was there before.

    EDITED, NEWER and FOREIGN files stay as they are. A current one that lost its executable bit
    gets it back. Raises HooksCompileError if the directory can't be written.
    """
    path = directory / NAME
    try:
        before = standing(path)
        if before in (Standing.MISSING, Standing.OLDER):
            files.replace(path, text(), mode=0o755)
        elif before is Standing.CURRENT and not os.access(path, os.X_OK):
            path.chmod(0o755)
    except OSError as error:
        name, cause = pasted(directory), error.strerror or str(error)
        remedy = files.remedy(cause, directory)
        if isinstance(error, FileNotFoundError):
            remedy = f"mkdir -p {name} && hooks-compile wrapper {name}"
        elif directory.is_file():
            remedy = f"hooks-compile wrapper {pasted(directory.parent)}"
        cause = f"the wrapper can't be written: {cause}"
        raise HooksCompileError(cause, path=directory, remedy=remedy) from error
    return before
