"""Configuration files on disk: read, looked at, and replaced as a whole or not at all."""

from __future__ import annotations

import os
import stat
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files
from hooks_compile.agents.wiring.command import Script
from hooks_compile.errors import AgentConfigError, pasted
from hooks_compile.project.search import NEVER, VENV

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD_SIZE = 512


class ReadFile(NamedTuple):
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
        cause, remedy = f"it can't be read: {error.strerror}", f"ls -l {pasted(path)}"
        raise AgentConfigError(cause, path=path, remedy=remedy) from error
    except UnicodeDecodeError as error:
        cause, remedy = f"it is not UTF-8 text (byte {error.start})", "save it as UTF-8"
        raise AgentConfigError(cause, path=path, remedy=remedy) from error
    return ReadFile(path, target, text, not target.is_relative_to(root.resolve()))


def replace(file: ReadFile, new_text: str) -> None:
    """Put a new text in the place of the one that was read; mode and owner stay, links stay links.

    The new file appears whole or not at all. Raises what :func:`require_writable` does, and OSError
    if the file can't be written.
    """
    require_writable(file)
    status = file.target.stat()
    files.replace(file.target, new_text.encode(), mode=stat.S_IMODE(status.st_mode))
    if os.geteuid() == 0 or status.st_gid != os.getegid():
        os.chown(file.target, status.st_uid, status.st_gid)


def require_writable(file: ReadFile) -> None:
    """Raise AgentConfigError if :func:`replace` could not put a new text there; write nothing.

    It could not if the file changed since it was read, has a second name, belongs to another user,
    is read-only, or is in a read-only directory. Raises OSError if it can't be read any more.
    """
    same = files.read_bytes(file.target) == file.text.encode()
    status = file.target.stat()
    target, new = pasted(file.target), pasted(file.target.with_name(f"{file.target.name}.new"))
    reasons = {
        "it changed since it was read; nothing was written": (not same, "run this again"),
        "it has a second name (a hard link), which would keep the old text": (
            status.st_nlink > 1,
            f"cp -p {target} {new} && mv {new} {target}",
        ),
        "it belongs to another user": (
            os.geteuid() not in (0, status.st_uid),
            f"sudo chown $(id -u) {target}",
        ),
        "it is read-only: somebody protects it": (
            not status.st_mode & stat.S_IWUSR,
            f"chmod u+w {target}",
        ),
        "it can't be written: its directory is read-only": (
            not files.is_writable_directory(file.target.parent),
            f"chmod u+w {pasted(file.target.parent)}",
        ),
    }
    for cause, (applies, remedy) in reasons.items():
        if applies:
            raise AgentConfigError(cause, path=file.path, remedy=remedy)


def look_in(root: Path) -> Callable[[Path], Script | None]:
    """Return the function ``look`` of Surroundings for the project or home directory ``root``."""
    inside = root.resolve()

    def look(path: Path) -> Script | None:
        try:
            if (path / "__main__.py").is_file():
                return Script(b"", f"`{path.name}` is a directory, which Python runs as a whole")
            if not path.is_file():
                return None
            with path.open("rb") as stream:
                head = stream.read(_HEAD_SIZE)
        except (OSError, ValueError):  # ValueError: a name with a NUL
            return None
        # The wrapper is beside the link, the entry beside the file that it leads to.
        for place in (path.parent.resolve() / path.name, path.resolve()):
            if not place.is_relative_to(inside):
                linked = f" is a symlink to `{place}`," if place != path else " is"
                return Script(head, f"`{path}`{linked} outside the project")
            for directory in takewhile(lambda each: each != inside, place.parents):
                if directory.name in NEVER or (directory / VENV).exists():
                    return Script(head, f"it is in `{directory.name}`, which comes and goes")
        return Script(head)

    return look
