"""File systems on which no event reports what another machine changes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# WSL's /mnt/c is 9p; directories of Docker Desktop are fakeowner, grpcfuse, osxfs or virtiofs.
_REMOTE = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "fakeowner", "fuse", "gfs2", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "osxfs", "prl_fs", "smb3", "smbfs"),
        *("vboxsf", "virtiofs", "vmhgfs"),
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounted() -> dict[str, str]:
    """Return the type of the file system at each mount point; nothing on other systems."""
    path = Path("/proc/self/mountinfo")
    return parse_mounts(path.read_text(errors="surrogateescape")) if path.exists() else {}


def parse_mounts(mountinfo: str) -> dict[str, str]:
    """Return :func:`mounted` for the text of a file that proc_pid_mountinfo(5) describes."""
    types: dict[str, str] = {}
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) > 4:
            point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
            types[point] = after.split(" ", 1)[0]
    return types


def reason_to_poll(path: str, types: Mapping[str, str]) -> str:
    """Return why events do not suffice for ``path``, "" if they do; ``types`` as of mounted()."""
    while path not in types and path != os.path.dirname(path):  # noqa: PTH120 - a string
        path = os.path.dirname(path)  # noqa: PTH120
    kind = types.get(path, "")
    is_remote = kind in _REMOTE or kind.startswith("fuse.")
    return f"{kind} does not report what other machines change" if is_remote else ""
