"""Bounded reads and atomic writes: the one module for both on the tool's side.

What comes with a clone may be a device, a pipe without a writer, or a file without an end: a read
here neither waits nor fills the memory. A write replaces a file as a whole or not at all.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from hooks_compile.errors import HooksCompileError, pasted

LARGEST_SETTINGS = 4 << 20
"""Bytes; the largest settings file that was seen in public has a twentieth of it."""

LARGEST_SOURCE = 64 << 20
"""Bytes; a larger file is neither a hook nor an entry."""

_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_FORBIDDEN = (os.strerror(errno.EACCES), os.strerror(errno.EPERM))
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_READ_NO_LINK = _READ | getattr(os, "O_NOFOLLOW", 0)


def read_own(path: Path, largest: int = LARGEST_SETTINGS) -> bytes:
    """Return the content of a regular file that only this user can have written.

    Raises OSError as :func:`read_bytes` does, and for a symlink or a file that belongs to somebody
    else or that others may write.
    """
    return read_bytes(path, largest, follow=False, own=True)


def read_bytes(
    path: Path, largest: int = LARGEST_SETTINGS, *, follow: bool = True, own: bool = False
) -> bytes:
    """Return the content of a regular file of at most ``largest`` bytes.

    With ``follow`` a symlink stands for its target, else it is refused. With ``own`` so is a file
    that others could have written. Raises OSError, with ``path`` as its filename, if it is no such
    file or can't be read.
    """
    handle = os.open(path, _READ if follow else _READ_NO_LINK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if own and (status.st_uid != os.geteuid() or status.st_mode & 0o22):
            raise OSError(errno.EACCES, "others could have written it", str(path))
        data = bytearray(os.read(handle, min(status.st_size, largest) + 1))
        while len(data) != status.st_size and len(data) <= largest:  # it grows, or comes in parts
            more = os.read(handle, 1 << 16)
            if not more:
                break
            data += more
    finally:
        os.close(handle)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"it is larger than {largest >> 20} MiB", str(path))
    return bytes(data)


def read_if_there(path: Path) -> bytes:
    """Return the content of a file of ours, nothing if there is no such file. Raises OSError."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return b""


def replace(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write ``data`` to ``path``, which then has the permissions ``mode``; atomically.

    The temporary file lies in the same directory. A symlink at ``path`` is replaced, not followed.
    Raises OSError, with ``path`` as its filename, if that can't be done; nothing is left behind.
    """
    import tempfile  # noqa: PLC0415 - 5 ms, and most commands write nothing

    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise named(error, path) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    except BaseException as error:
        Path(draft).unlink(missing_ok=True)
        raise (named(error, path) if isinstance(error, OSError) else error) from None


def replace_if_changed(path: Path, data: bytes, *, mode: int = 0o600) -> bool:
    """Do what :func:`replace` does unless ``path`` is this user's own file with that content.

    Returns whether it wrote. Raises OSError as :func:`replace` does.
    """
    try:
        status = path.lstat()
        own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if own and status.st_size == len(data) and read_bytes(path, len(data)) == data:
            return False
    except OSError:  # missing or unreadable: replaced
        pass
    replace(path, data, mode=mode)
    return True


def is_writable_directory(directory: Path) -> bool:
    """Return whether this process may make files in ``directory``."""
    by_effective_user = os.access in os.supports_effective_ids
    return os.access(directory, os.W_OK | os.X_OK, effective_ids=by_effective_user)


def named(error: OSError, path: Path) -> OSError:
    """Return ``error`` with ``path`` as the only file that it names.

    A message then names the file that the user knows, never a temporary one.
    """
    return OSError(error.errno, error.strerror, str(path))


def remedy(cause: str, directory: Path) -> str:
    """Return what to do after a write in ``directory`` failed for ``cause``, the error's strerror.

    ``directory`` may be missing, or no directory.
    """
    while not os.path.lexists(directory):
        directory = directory.parent
    name = pasted(directory)
    if cause in _FULL:
        return f"free some space (df -h {name}), and run it again"
    if cause == os.strerror(errno.EROFS):
        return f"make its file system writable (findmnt -T {name}), and run it again"
    if not directory.is_dir():
        return f"rm {name}"
    if cause in _FORBIDDEN:
        return f'sudo chown -R "$(id -un)" {name} && chmod -R u+rwX {name}'
    return f"ls -ld {name}"


def refusal(error: OSError) -> HooksCompileError:
    """Return the error for the user about ``error``, which names a file, and its remedy."""
    path = Path(os.fsdecode(error.filename))
    is_directory = os.path.isdir(path)  # noqa: PTH112 - Path's raises an error in a closed directory
    directory = path if is_directory and not path.is_symlink() else path.parent
    cause = error.strerror or str(error)
    return HooksCompileError(cause, path=path, remedy=remedy(cause, directory))
