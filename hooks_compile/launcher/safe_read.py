"""Reads a file that others may have put there: no FIFO blocks the launch, no size exhausts it."""

import posix

# A larger file is neither a hook nor an entry: plain Python may run it.
LARGEST_BYTES = 1 << 26


def read(path: str, private: bool = False) -> bytes:
    """Return the bytes of a regular file.

    Raises OSError; ValueError for anything else than a regular file of at most LARGEST_BYTES;
    PermissionError for a ``private`` file that another user owns, can read or can write.
    """
    file = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK)
    try:
        status = posix.fstat(file)
        if private and (status.st_uid != posix.geteuid() or status.st_mode & 0o77):
            raise PermissionError(f"{path} is not private to this user")
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > LARGEST_BYTES:
            raise ValueError(f"not a regular file of at most {LARGEST_BYTES >> 20} MiB")
        data = posix.read(file, status.st_size + 1)
        if len(data) == status.st_size:
            return data
        chunks = [data]  # the file changes while we read, or arrives in pieces
        while len(chunks) < 1024 and chunks[-1]:
            chunks.append(posix.read(file, 1 << 16))
        return b"".join(chunks)
    finally:
        posix.close(file)
