"""``hook_wrapper.sh``: what is written beside the hooks, and what may be replaced."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from enum import StrEnum
from pathlib import Path

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
    return Path(__file__).parent.with_name("runtime").joinpath(NAME).read_bytes()


def digest(content: bytes) -> bytes:
    """Return the 16 hexadecimal digits that the version line of a wrapper has to carry."""
    blanked = _VERSION_LINE.sub(rb"# hooks-compile wrapper \1 ()", content, count=1)
    return hashlib.sha256(blanked).hexdigest()[:16].encode()


def judge(content: bytes) -> Standing:
    """Tell what a wrapper's content is to us: its version line says whether it was edited."""
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
    """Tell what stands at ``path``. A symlink or anything that is no file is FOREIGN."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return Standing.FOREIGN
        return judge(path.read_bytes())
    except FileNotFoundError:
        return Standing.MISSING


def write(folder: Path) -> Standing:
    """Write the wrapper into ``folder``, and return what stood there before.

    Nothing is written over EDITED, NEWER or FOREIGN files; a current one that lost its executable
    bit gets it back. Raises HooksCompileError where the folder can't be written.
    """
    path = folder / NAME
    try:
        before = standing(path)
        if before in (Standing.MISSING, Standing.OLDER):
            draft = folder / f".{NAME}.{os.getpid()}"
            try:
                draft.write_bytes(text())
                draft.chmod(0o755)
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
        elif before is Standing.CURRENT and not os.access(path, os.X_OK):
            path.chmod(0o755)
    except OSError as error:
        raise HooksCompileError(
            f"the wrapper can't be written: {error.strerror}",
            path=folder,
            remedy=f"chmod u+w {pasted(folder)} && hooks-compile wrapper {pasted(folder)}",
        ) from error
    return before
