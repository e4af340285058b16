"""Configuration files on disk: read, looked at, and replaced as a whole or not at all."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import files
from hooks_compile.agents.wiring.surroundings import Script
from hooks_compile.errors import AgentConfigError, pasted
from hooks_compile.project.search import NEVER, VENV

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD_SIZE = 512


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A configuration file as it was read.

    ``path`` is its name, ``target`` the file itself, without symlinks; ``outside`` says that a
    symlink leads out of the directory that it belongs to.
    """

    path: Path
    target: Path
    text: str
    outside: bool


def read(path: Path, root: Path) -> ReadFile:
    """Read a file of the project or home directory ``root``.

    Raises AgentConfigError if it can't be read, or is not UTF-8.
    """
    try:
        target = path.resolve(strict=True)
        text = files.read_bytes(target).decode()
    except OSError as error:
        raise AgentConfigError(f"it can't be read: {error.strerror}", path=path) from error
    except UnicodeDecodeError as error:
        raise AgentConfigError(
            f"it is not UTF-8 text (byte {error.start})",
            path=path,
            remedy="save it as UTF-8, then run this again",
        ) from error
    return ReadFile(path, target, text, not target.is_relative_to(root.resolve()))


def replace(file: ReadFile, new_text: str) -> None:
    """Put a new text in the place of the one that was read; mode and owner stay, links stay links.

    The new file appears whole or not at all. Raises AgentConfigError if :func:`require_writable`
    does, or the file can't be written.
    """
    require_writable(file)
    try:
        status = file.target.stat()
        files.replace(file.target, new_text.encode(), mode=stat.S_IMODE(status.st_mode))
        if os.geteuid() == 0 or status.st_gid != os.getegid():
            os.chown(file.target, status.st_uid, status.st_gid)
    except OSError as error:
        raise _unwritable(file, error.strerror) from error


def require_writable(file: ReadFile) -> None:
    """Raise AgentConfigError if :func:`replace` could not put a new text there; write nothing.

    It could not if the file changed since it was read, lies outside of its directory, has a second
    name, belongs to another user, or is read-only itself or in a read-only directory.
    """
    if file.outside:
        raise AgentConfigError(
            f"it is a symlink to {file.target}, outside of the project",
            path=file.path,
            remedy=f"change {file.target} yourself, or put a file in the place of the symlink",
        )
    try:
        same = files.read_bytes(file.target) == file.text.encode()
        status = file.target.stat()
    except OSError as error:
        raise _unwritable(file, error.strerror) from error
    if not same:
        raise AgentConfigError(
            "it changed since it was read; nothing was written",
            path=file.path,
            remedy="run this again",
        )
    if status.st_nlink > 1:
        old, new = pasted(file.target), pasted(file.target.with_name(f"{file.target.name}.new"))
        raise AgentConfigError(
            "it has a second name (a hard link), which would keep the old text",
            path=file.path,
            remedy=f"cp -p {old} {new} && mv {new} {old}",
        )
    if os.geteuid() not in (0, status.st_uid):
        raise AgentConfigError(
            "it belongs to another user",
            path=file.path,
            remedy=f"sudo chown $(id -u) {pasted(file.target)}",
        )
    if not status.st_mode & stat.S_IWUSR:
        raise AgentConfigError(
            "it is read-only: somebody protects it",
            path=file.path,
            remedy=f"chmod u+w {pasted(file.target)}",
        )
    if not files.is_writable_directory(file.target.parent):
        raise AgentConfigError(
            "it can't be written: its directory is read-only",
            path=file.path,
            remedy=f"chmod u+w {pasted(file.target.parent)}",
        )


def _unwritable(file: ReadFile, reason: str | None) -> AgentConfigError:
    cause = reason or "nobody knows why"
    return AgentConfigError(
        f"it can't be written: {cause}",
        path=file.path,
        remedy=files.remedy(cause, file.target.parent),
    )


def look_in(root: Path) -> Callable[[Path], Script | None]:
    """Return the function ``look`` of Surroundings for the project or home directory ``root``."""
    inside = root.resolve()

    def look(path: Path) -> Script | None:
        try:
            is_directory = path.is_dir() and (path / "__main__.py").is_file()
            if not path.is_file():
                return Script(b"", is_directory=True) if is_directory else None
            with path.open("rb") as stream:
                head = stream.read(_HEAD_SIZE)
        except (OSError, ValueError):  # ValueError: a name with a NUL
            return None
        # The wrapper is beside the link, the entry beside the file that it leads to.
        places = (path.parent.resolve() / path.name, path.resolve())
        for place in places:
            if not place.is_relative_to(inside):
                return Script(head, outside=str(place))
        passing = next(filter(None, (_passing(place.parent, inside) for place in places)), "")
        return Script(head, passing=passing)

    return look


def _passing(directory: Path, top: Path) -> str:
    """Return the name of the directory, up to ``top``, in which nothing is kept for long."""
    while directory != top:
        if directory.name in NEVER or (directory / VENV).exists():
            return directory.name
        directory = directory.parent
    return ""
