"""Configuration files on disk: read, looked at, and replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.agents.wiring.command import Script
from hooks_compile.agents.wiring.rewrite import load
from hooks_compile.errors import AgentConfigError, pasted
from hooks_compile.files import read_bytes
from hooks_compile.project.search import NEVER, VENV

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_SIZE = 512
_DRAFT_S = 60


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A configuration file as it was read.

    ``path`` is its name, ``target`` the file itself, without symlinks; ``outside`` says that the
    file lies outside of the folder it belongs to, because a symlink leads there.
    """

    path: Path
    target: Path
    text: str
    outside: bool


def read(path: Path, root: Path) -> ReadFile:
    """Read a file of the project or home folder ``root``.

    Raises:
        AgentConfigError: it can't be read, or is not UTF-8.
    """
    try:
        target = path.resolve(strict=True)
        text = read_bytes(target).decode()
        outside = not target.is_relative_to(root.resolve())
    except OSError as error:
        raise AgentConfigError(f"it can't be read: {error.strerror}", path=path) from error
    except UnicodeDecodeError as error:
        raise AgentConfigError(
            f"it is not UTF-8 text (byte {error.start})",
            path=path,
            remedy="save it as UTF-8, then run this again",
        ) from error
    return ReadFile(path, target, text, outside)


def replace(file: ReadFile, new_text: str, *, allow_outside: bool = False) -> None:
    """Put a new text in the place of the one that was read; mode and owner stay, links stay links.

    The new file appears whole or not at all. Nothing is written where the text is the same.

    Raises:
        AgentConfigError: the new text does not parse; the file changed since it was read; it lies
            outside of its folder and ``allow_outside`` is not given; it has a second name; it can't
            be written.
    """
    if new_text == file.text:
        return
    load(new_text, file.path)
    require_writable(file, allow_outside=allow_outside)
    try:
        _replace(file, new_text.encode(), file.target.stat())
    except OSError as error:
        raise _unwritable(file, error.strerror) from error


def require_writable(file: ReadFile, *, allow_outside: bool = False) -> None:
    """Look, without writing, whether :func:`replace` could put a new text there.

    Raises:
        AgentConfigError: it could not, for one of the reasons that are listed there.
    """
    if file.outside and not allow_outside:
        raise AgentConfigError(
            f"it is a symlink to {file.target}, outside of the project",
            path=file.path,
            remedy=f"change {file.target} yourself, or put a file in the place of the symlink",
        )
    require_unchanged(file)
    status = file.target.stat()
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
    if not may_write(file.target.parent):
        raise _unwritable(file, "its folder is read-only")


def require_unchanged(file: ReadFile) -> None:
    """Raise AgentConfigError where a file no longer holds what was read."""
    try:
        same = read_bytes(file.target) == file.text.encode()
    except OSError as error:
        raise _unwritable(file, error.strerror) from error
    if not same:
        raise AgentConfigError(
            "it changed since it was read; nothing was written",
            path=file.path,
            remedy="run this again",
        )


def remove_drafts(path: Path) -> None:
    """Remove the half-written files that a killed process has left beside ``path``.

    A minute old, they are nobody's any more. What can't be removed stays: it harms nobody.
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(?:\w{{8}}\.tmp|[0-9]+)")
    with contextlib.suppress(OSError):
        for entry in os.scandir(path.parent):
            if pattern.fullmatch(entry.name):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > _DRAFT_S:
                    Path(entry.path).unlink()


def may_write(folder: Path) -> bool:
    """Tell whether this process may make files in a folder."""
    by_effective_user = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=by_effective_user)


def _unwritable(file: ReadFile, reason: str | None) -> AgentConfigError:
    return AgentConfigError(
        f"it can't be written: {reason}",
        path=file.path,
        remedy=f"chmod u+w {pasted(file.target.parent)}",
    )


def look_in(root: Path) -> Callable[[Path], Script | None]:
    """What :func:`~hooks_compile.agents.wiring.rewrite.wire` looks at files with.

    ``root`` as there.
    """
    inside = root.resolve()

    def look(path: Path) -> Script | None:
        try:
            if not path.is_file():
                return None
            with path.open("rb") as stream:
                head = stream.read(_HEAD_SIZE)
        except (OSError, ValueError):  # ValueError: a name with a NUL
            return None
        folder = path.parent.resolve()
        if not folder.is_relative_to(inside):
            return Script(head, outside=True)
        return Script(head, passing=_passing(folder, inside))

    return look


def _passing(folder: Path, top: Path) -> str:
    """The name of the folder, from ``folder`` up to ``top``, in which nothing is kept for long."""
    while folder != top:
        if folder.name in NEVER or (folder / VENV).exists():
            return folder.name
        folder = folder.parent
    return ""


def _replace(file: ReadFile, data: bytes, status: os.stat_result) -> None:
    folder = file.target.parent
    handle, name = tempfile.mkstemp(prefix=f".{file.target.name}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fchmod(stream.fileno(), stat.S_IMODE(status.st_mode))
            os.fsync(stream.fileno())
        # Last, so that the time in which an editor's save could get lost is as short as can be.
        require_unchanged(file)
        Path(name).replace(file.target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
