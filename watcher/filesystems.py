"""On which file systems no event tells of what another machine does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# WSL's /mnt/c is 9p; Docker Desktop's folders are fakeowner, grpcfuse, osxfs or virtiofs.
_REMOTE = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "fakeowner", "fuse", "gfs2", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "osxfs", "prl_fs", "smb3", "smbfs"),
        *("vboxsf", "virtiofs", "vmhgfs"),
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def parse(mountinfo: str) -> dict[str, str]:
    """Return the type of the file system at each mount point; see proc_pid_mountinfo(5)."""
    types: dict[str, str] = {}
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) > 4:
            point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
            types[point] = after.split(" ", 1)[0]
    return types


def type_of(path: str, types: Mapping[str, str]) -> str:
    """Return the type of the file system that ``path`` is on, "" where it is not known."""
    while path not in types and path != os.path.dirname(path):  # noqa: PTH120 - a string
        path = os.path.dirname(path)  # noqa: PTH120
    return types.get(path, "")


def is_remote(kind: str) -> bool:
    """Tell whether a file system of this type changes without an event."""
    return kind in _REMOTE or kind.startswith("fuse.")


def mounted() -> dict[str, str]:
    """Return :func:`parse` of this machine; nothing where there is no such file."""
    try:
        return parse(Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    except OSError:
        return {}
