"""Where snapshots lie, and what may be there: ``RUNTIME/snapshots/``.

=====================  =============================================================================
``loader``             the native program; that it is there is the switch
``settings.json``      the limit of the user
``HASH/``              the snapshots for one interpreter and environment: see ``directory_name``
``HASH/base``          start-up alone, for hooks that could find hidden modules
``HASH/standard``      with the modules of ``held_modules.py``, hidden, for all other hooks
``HASH/program-...``   copies of what the interpreter executes code of at each launch
``HASH/DEVICE-INODE``  for the script that has this identity: one that is being tested; empty
                       after a crash
``HASH/about.json``    interpreter and environment
``crash.1`` to ``.3``  what the loader wrote when a hook crashed
=====================  =============================================================================

All is this user's alone. Files are written once and renamed, never modified: they are mapped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile import files
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.snapshots import snapshot_keys
from hooks_compile.snapshots.held_modules import HELD
from hooks_compile.snapshots.snapshot_file import LARGEST_HEADER, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

DIRECTORY = "snapshots"
LOADER = "loader"
DEFAULT_LIMIT_MB = 256
BASE, STANDARD = "base", "standard"
KINDS = {BASE: (), STANDARD: HELD}
"""The snapshots of a place, and the modules that they hold."""
_SCRATCH = "test-"
_PROGRAM = "program-"
_ABOUT, _SETTINGS, _LOCK = "about.json", "settings.json", "lock"


class Snapshot(NamedTuple):
    """A snapshot on disk; ``size`` in bytes, ``made`` and ``used`` in seconds since the epoch.

    ``kind`` is one of KINDS.
    """

    path: Path
    python: str
    kind: str
    size: int
    made: float
    used: float


class Place(NamedTuple):
    """The directory of the snapshots for one interpreter, by the path that a launch finds.

    ``environment`` are the variables that count: see :func:`~snapshot_keys.keyed_environment`.
    """

    directory: Path
    python: str
    environment: Mapping[str, str]


class Store:
    """The snapshots of one runtime directory."""

    def __init__(self, runtime: Path) -> None:
        """Take the runtime directory. Nothing is read or made."""
        self.runtime = runtime
        self.directory = runtime / DIRECTORY

    @property
    def loader(self) -> Path:
        """The path of the native program."""
        return self.directory / LOADER

    @property
    def is_on(self) -> bool:
        """Whether launches resume snapshots."""
        return os.access(self.loader, os.X_OK)

    def create(self) -> None:
        """Make the directory. Raises RuntimeDirectoryError if others can use it."""
        runtime_directory.ensure(self.runtime)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        if self.directory.is_symlink() or not runtime_directory.is_private(self.directory):
            raise RuntimeDirectoryError(
                "others could have put something there", path=self.directory
            )

    def turn_on(self, loader: bytes) -> None:
        """Let launches use the loader from now on, and forget crashes.

        Raises RuntimeDirectoryError if no program can be executed there.
        """
        for path in self.crashes():
            path.unlink(missing_ok=True)
        for path in self.directory.glob("*/*"):
            if path.stat().st_size == 0:
                path.unlink(missing_ok=True)
        files.replace_if_changed(self.loader, loader, mode=0o700)
        self.loader.chmod(0o700)
        if not self.is_on:
            raise RuntimeDirectoryError(
                "its file system is mounted with noexec: snapshots need a program there",
                path=self.directory,
                remedy="set HOOKS_COMPILE_HOME to a directory of another file system",
            )

    def remove(self) -> int:
        """Remove all snapshots and the switch; return the number of bytes that were freed."""
        self.loader.unlink(missing_ok=True)  # first: launches are cold from now on
        size = self.size()
        if self.directory.is_dir() and not self.directory.is_symlink():
            shutil.rmtree(self.directory)
        return size

    def size(self) -> int:
        """Return the number of bytes of all snapshots; hard links count once."""
        sizes = {(s.st_dev, s.st_ino): _size_on_disk(s) for s in self._statuses()}
        return sum(sizes.values())

    def crashes(self) -> list[Path]:
        """Return the records of crashes."""
        return sorted(self.directory.glob("crash.[0-9]"))

    @property
    def limit_mb(self) -> int:
        """The most megabytes that all snapshots may have."""
        return int(_read_json(self.directory / _SETTINGS).get("limit_mb", DEFAULT_LIMIT_MB))

    def set_limit(self, limit_mb: int) -> None:
        """Keep the most megabytes that all snapshots may have."""
        content = json.dumps({"limit_mb": limit_mb}).encode()
        files.replace_if_changed(self.directory / _SETTINGS, content)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Exclude other makers, and remove what those left that were killed.

        Launches need no lock.
        """
        from filelock import FileLock  # noqa: PLC0415 - slow, and launches of status need none

        with FileLock(self.directory / _LOCK, mode=0o600):
            for path in self.directory.glob(f"{_SCRATCH}*"):
                shutil.rmtree(path)
            for path in self.directory.glob("*/.*"):
                path.unlink()
            for path in self.directory.glob("*/[0-9a-f]*-*"):  # of scripts that tested one
                if not is_off(path):
                    path.unlink()
            yield

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a new directory for scripts that are launched as a test. The caller has the lock."""
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self.directory) as name:
            yield Path(name)

    def place(self, python: str, env: Mapping[str, str]) -> Place:
        """Return the place for an interpreter, an absolute path, and an environment."""
        name = snapshot_keys.directory_name(python, env)
        keyed = snapshot_keys.keyed_environment(env)
        return Place(self.directory / name, python, keyed)

    def places(self) -> list[Place]:
        """Return the places in which there are snapshots."""
        found = []
        for directory in self._directories():
            about = _read_json(directory / _ABOUT)
            if "python" in about and "environment" in about:
                found.append(Place(directory, about["python"], about["environment"]))
        return found

    def publish(self, place: Place, kind: str, draft: Path) -> None:
        """Put a snapshot that was tested into its place.

        ``draft`` is a file of :meth:`draft`. What is turned off after a crash stays so.
        """
        if is_off(place.directory / kind):
            draft.unlink()
            return
        about = {"python": place.python, "environment": dict(place.environment)}
        content = json.dumps(about, indent=1).encode("utf-8", "surrogateescape")
        files.replace_if_changed(place.directory / _ABOUT, content)
        draft.replace(place.directory / kind)

    def draft(self, place: Place, parts: Iterable[Part]) -> Path:
        """Write a snapshot under a name that no launch finds. Raises OSError."""
        place.directory.mkdir(mode=0o700, exist_ok=True)
        path = place.directory / f".draft.{os.getpid()}"
        _write_new(path, parts)
        return path

    def copy_program(self, place: Place, program: Path, size: int, at: int) -> Path:
        """Copy ``size`` bytes of a program or library; return the path of the copy.

        It has them from the offset ``at`` on.

        The page cache holds the copy in large pieces. So a page fault maps more of it than of the
        file that a package manager has written. Raises OSError.
        """
        place.directory.mkdir(mode=0o700, exist_ok=True)
        with program.open("rb") as file:
            data = file.read(size)
        digest = hashlib.sha256(data).hexdigest()
        path = place.directory / f"{_PROGRAM}{digest[:32]}-{at:x}"
        if not path.exists() or path.read_bytes()[at:] != data:
            draft = path.with_name(f".{path.name}")
            _write_new(draft, [Part(at, data)])
            draft.replace(path)
        return path

    def snapshots(self) -> list[Snapshot]:
        """Return what is there, the most recently used first."""
        found = []
        for place in self.places():
            for kind in KINDS:
                path = place.directory / kind
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    used = max(status.st_atime, status.st_mtime)
                    size = _size_on_disk(status)
                    found.append(Snapshot(path, place.python, kind, size, status.st_mtime, used))
        return sorted(found, key=lambda each: each.used, reverse=True)

    def remove_unused(self) -> list[Path]:
        """Remove the least recently used ones beyond the limit."""
        removed = []
        left = (self.limit_mb << 20) - self._remove_unused_programs()
        for snapshot in self.snapshots():
            left -= snapshot.size
            if left < 0:
                snapshot.path.unlink()
                removed.append(snapshot.path)
        return removed

    def _remove_unused_programs(self) -> int:
        """Remove copies of programs that no snapshot maps; return the size of the others."""
        size = 0
        for place in self.places():
            headers = b"".join(map(_read_header, map(place.directory.joinpath, KINDS)))
            for path in place.directory.glob(f"{_PROGRAM}*"):
                if path.name.encode() in headers:
                    size += _size_on_disk(path.stat())
                else:
                    path.unlink()
        return size

    def _directories(self) -> list[Path]:
        if not self.directory.is_dir():
            return []
        return sorted(path for path in self.directory.iterdir() if path.is_dir())

    def _statuses(self) -> Iterator[os.stat_result]:
        for directory in self._directories():
            for path in directory.iterdir():
                if path.name == _ABOUT:
                    continue
                with contextlib.suppress(FileNotFoundError):  # another maker was faster
                    yield path.stat()


def _size_on_disk(status: os.stat_result) -> int:
    """Return the number of bytes without those between the parts of a snapshot."""
    return min(status.st_size, status.st_blocks * 512)


def _write_new(path: Path, parts: Iterable[Part]) -> None:
    """Write a new file that is this user's alone. If that fails, nothing is left."""
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        try:
            for at, data in parts:
                # At once: the page cache then holds it in large pieces, and page faults cost less.
                if os.pwrite(file, data, at) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file)
        finally:
            os.close(file)
    except BaseException:
        path.unlink()
        raise


def _read_header(path: Path) -> bytes:
    """Return the beginning of a snapshot, with the names of all its files; b"" without one."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_HEADER)
    except FileNotFoundError:
        return b""


def is_off(path: Path) -> bool:
    """Return whether the loader has put an empty file there, because a hook crashed."""
    return path.exists() and path.stat().st_size == 0


def _read_json(path: Path) -> dict[str, Any]:
    """Return an object that we wrote, {} if there is none or it is damaged."""
    try:
        value = json.loads(files.read_own(path))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
