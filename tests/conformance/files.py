"""A case's directory: laid, wiped, looked at; and the entries in it, kept and damaged."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance.model import Fifo, Link, Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.model import Files

DIRECTORY = b"__pycache_opt__"


def lay(root: Path, files: Files) -> None:
    """Make ``root`` and the files of a case in it."""
    root.mkdir(parents=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, Link):
            path.symlink_to(content.target.replace("{dir}", str(root)))
        elif isinstance(content, Fifo):
            os.mkfifo(path)
        else:
            text = content.content if isinstance(content, Mode) else content
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            if isinstance(content, Mode):
                path.chmod(content.bits)


def wipe(root: Path) -> None:
    """Remove ``root`` and all in it."""
    if root.is_dir():
        shutil.rmtree(root)


def snapshot(root: Path) -> dict[bytes, bytes]:
    """What is below ``root``: path -> kind, permissions and content, without our entries.

    Of what Python compiled only the names: such files hold times, and sets in any order.
    """
    found: dict[bytes, bytes] = {}
    top = os.fsencode(str(root))
    for directory, directories, names in os.walk(top):
        directories[:] = [name for name in directories if name != DIRECTORY]
        for name in [*directories, *names]:
            path = os.path.join(directory, name)  # noqa: PTH118 - bytes
            status = os.lstat(path)
            relative = path[len(top) + 1 :]
            kind = f"{stat.filemode(status.st_mode)} ".encode()
            if stat.S_ISLNK(status.st_mode):
                kind += os.readlink(path)  # noqa: PTH115 - bytes
            elif stat.S_ISREG(status.st_mode) and not name.endswith(b".pyc"):
                kind += Path(os.fsdecode(path)).read_bytes()
            found[relative] = kind
    return found


def keep_entries(root: Path, kept: Path) -> None:
    """Copy every ``__pycache_opt__`` below ``root`` to the same place below ``kept``."""
    kept.mkdir(parents=True)
    for directory, directories, _ in os.walk(root):
        name = os.fsdecode(DIRECTORY)
        if name in directories:
            directories.remove(name)
            place = Path(directory, name)
            if not place.is_symlink():
                shutil.copytree(place, kept / place.relative_to(root), symlinks=True)


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: data[: len(data) // 2],
    lambda data: bytes([data[0] ^ 1]) + data[1:],
    lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
    lambda data: data + b"\0",
    lambda data: data[: len(data) // 2] + b"\xff" + data[len(data) // 2 + 1 :],
    lambda _: b"",
    lambda data: data[:-1],
    lambda data: data[: len(data) // 3] + data[len(data) // 3 :].swapcase(),
)


def damage(kept: Path, how: Callable[[bytes], bytes]) -> None:
    """Damage every entry below ``kept``."""
    for path in kept.rglob("*.pyc"):
        data = path.read_bytes()
        damaged = how(data)
        path.write_bytes(damaged if damaged != data else data[:-2])
