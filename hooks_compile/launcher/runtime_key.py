"""The secret key of the runtime directory."""

import posix

from hooks_compile.launcher.entry import KEY_SIZE
from hooks_compile.launcher.safe_read import read


def read_key(runtime: str) -> bytes:
    """Return the key in the runtime directory, whose path ends in a slash.

    Raises OSError and ValueError if the directory or the key is not private to this user, or the
    key is damaged.
    """
    status = posix.stat(runtime)
    if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
        raise PermissionError("the runtime directory is not private to this user")
    key = read(runtime + "key", private=True)
    if len(key) != KEY_SIZE:
        raise ValueError("the key of the runtime directory is damaged")
    return key
