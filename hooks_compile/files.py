"""Reading what may come with a clone: no device, no pipe, nothing without an end."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 4 << 20
"""Bytes; the largest settings file that was seen in public has a twentieth of it."""


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most ``MAX_SIZE`` bytes; symlinks are followed.

    Raises OSError where it is no such file, or can't be read.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        data = stream.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_SIZE >> 20} MB")
    return data
