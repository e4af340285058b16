"""Writes compiled code: whole or not at all, and never through a symlink that a clone brought.

For tool, worker and launcher; imports only what the bare interpreter has loaded.
"""

import posix
import time

# Written into every folder of entries: git leaves it alone, and so do backups
# (https://bford.info/cachedir/).
MARKERS = (
    (".gitignore", b"*\n"),
    (
        "CACHEDIR.TAG",
        b"Signature: 8a477f597d28d172789f06886806bc55\n"
        b"# Compiled hooks, made by hooks-compile: safe to delete at any time.\n",
    ),
)
CREATE = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW
_FOLDER = posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW


def store(folder: str, name: str, data: bytes, markers: bool = True) -> None:
    """Write the file ``name`` into ``folder``, which is made if it is missing.

    ``markers`` says whether the folder gets MARKERS where it lacks them, because it is new or
    because whoever made it was killed. The folder's parent has to be there.
    Raises OSError, with nothing left behind; ``folder`` as a symlink counts as no folder.
    """
    try:
        place = posix.open(folder, _FOLDER)
    except FileNotFoundError:
        try:
            posix.mkdir(folder)
        except FileExistsError:  # noqa: SIM105 - contextlib is not loaded
            pass  # another launch was quicker
        place = posix.open(folder, _FOLDER)
    try:
        for marker, text in MARKERS if markers else ():
            try:
                posix.stat(marker, dir_fd=place, follow_symlinks=False)
            except FileNotFoundError:
                write(place, marker, text)
        write(place, name, data)
    finally:
        posix.close(place)


def write(place: int, name: str, data: bytes) -> None:
    """Write the file ``name`` in the folder open as ``place``, atomically. Raises OSError."""
    draft = f".{posix.getpid()}.{time.time_ns()}.tmp"
    file = posix.open(draft, CREATE, 0o666, dir_fd=place)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[posix.write(file, rest) :]
        finally:
            posix.close(file)
        posix.rename(draft, name, src_dir_fd=place, dst_dir_fd=place)
    except BaseException:
        posix.unlink(draft, dir_fd=place)
        raise
