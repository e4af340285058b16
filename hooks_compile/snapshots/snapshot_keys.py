"""What a snapshot depends on. The loader checks all of it before it maps anything.

A change of any key means that a cold start may give another interpreter than the snapshot holds.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

# Environment variables that change how an interpreter starts or what it holds afterwards: the
# beginnings of their names, as in loader.c.
KEYED = (
    *("GCONV_", "GLIBC_", "HOME=", "LANG", "LC_", "LD_", "LOCPATH=", "MALLOC_", "NLSPATH="),
    *("OPENSSL_", "PYTHON", "SETUPTOOLS_", "TZ", "_PYTHON", "__PYVENV_LAUNCHER__"),
)
# Under these no snapshot is made: what they do has to happen in each process.
_REFUSED = (
    *("LD_AUDIT", "LD_PRELOAD", "LD_PROFILE", "PYTHONHASHSEED", "PYTHONFAULTHANDLER"),
    *("PYTHONMALLOC", "PYTHONTRACEMALLOC", "PYTHONPROFILEIMPORTTIME", "PYTHONVERBOSE"),
    *("PYTHONDEVMODE", "PYTHONDUMPREFS", "PYTHONPERFSUPPORT", "PYTHON_PERF", "PYTHON_PRESITE"),
    *("PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONASYNCIODEBUG", "PYTHON_JIT"),
    *("PYTHON_GIL", "PYTHONTHREADDEBUG", "PYTHONDEBUG", "PYTHONCASEOK"),
)
_WORD = (1 << 64) - 1
_FNV_BASIS, _FNV_PRIME = 14695981039346656037, 1099511628211
# A file that was modified so shortly before may be modified again with the same time.
RACY_S = 0.05
_WITH_CONTENT = (".pth", "._pth", "pyvenv.cfg", "/localtime")
_OFTEN = 3
# How a path is checked: the flags of loader.c.
IS_MISSING, IS_LINK, HAS_CONTENT, IS_ONLY_PASSED = 1, 2, 4, 8


class Look(NamedTuple):
    """A path that the interpreter used; ``is_link``: a link itself was meant, not its target."""

    path: str
    is_link: bool


class KeyedPath(NamedTuple):
    """What the interpreter found at a path: ``how`` is a sum of the flags above.

    ``numbers`` are device, inode, size, and seconds and nanoseconds of mtime and ctime.
    """

    path: str
    how: int
    numbers: tuple[int, ...] = (0,) * 7
    content: int = 0


def keyed_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of ``env`` that a snapshot depends on."""
    return {name: value for name, value in env.items() if f"{name}={value}".startswith(KEYED)}


def environment_at_start() -> dict[str, str]:
    """Return the environment in which this process was started: proc_pid_environ(5).

    Python may have set LC_CTYPE since then (PEP 538), and a hook is not started with that.
    """
    entries = os.fsdecode(Path("/proc/self/environ").read_bytes()).split("\0")
    return {
        name: value
        for name, is_variable, value in (e.partition("=") for e in entries)
        if is_variable
    }


def refused_variable(env: Mapping[str, str]) -> str:
    """Return a variable under which no snapshot is made, "" if there is none."""
    return next((name for name in sorted(env) if name.startswith(_REFUSED)), "")


def directory_name(python: str, env: Mapping[str, str]) -> str:
    """Return the name of the directory of the snapshots for this interpreter and environment.

    ``python`` is the absolute path by which it is started.
    """
    environment = sum(
        hash_bytes(os.fsencode(f"{name}={value}")) for name, value in keyed_environment(env).items()
    )
    key = hash_bytes(os.fsencode(python)) ^ environment & _WORD
    return f"{key * _FNV_PRIME & _WORD:016x}"


def script_name(status: os.stat_result) -> str:
    """Return the name of the snapshot of a script that has this ``status``."""
    return f"{status.st_dev:016x}-{status.st_ino:016x}"


def hash_bytes(data: bytes) -> int:
    """Return the 64-bit FNV-1a hash."""
    value = _FNV_BASIS
    for byte in data:
        value = (value ^ byte) * _FNV_PRIME & _WORD
    return value


def identify(looks: Iterable[Look], listed: Collection[str]) -> list[KeyedPath]:
    """Return the keys for what an interpreter looked at; ``listed`` are the directories it listed.

    The times of such a directory are keys, so what was missing in it is left out. So are those of
    a directory in which several files were missing: one look instead of many. Of any other
    directory only the identity counts. Raises OSError for a file that can't be read.
    """
    directories = {path.rstrip("/") for path in listed}
    looks = list(dict.fromkeys(looks))
    missing = {look: _first_missing(look.path) for look in looks if _is_missing(look)}
    above = Counter(str(Path(path).parent) for path in set(missing.values()))
    often = [path for path, count in above.items() if count >= _OFTEN]
    directories.update(often)
    looks = [Look(missing.get(look, look.path), look.is_link) for look in looks]
    looks += [Look(path, is_link=False) for path in often]
    keys = (_identify(look, directories) for look in dict.fromkeys(looks))
    return [
        key
        for key in keys
        if not key.how & IS_MISSING or str(Path(key.path).parent) not in directories
    ]


def _is_missing(look: Look) -> bool:
    try:
        os.stat(look.path, follow_symlinks=not look.is_link)  # noqa: PTH116 - a string
    except (FileNotFoundError, NotADirectoryError):
        return True
    return False


def _first_missing(path: str) -> str:
    """Return ``path``, or the first directory above it that is missing, too."""
    found = Path(path)
    while not found.parent.exists():
        found = found.parent
    return str(found)


def _identify(look: Look, listed: Collection[str]) -> KeyedPath:
    path, how = look.path, IS_LINK if look.is_link else 0
    try:
        found = os.stat(path, follow_symlinks=not look.is_link)  # noqa: PTH116 - a string
    except (FileNotFoundError, NotADirectoryError):
        return KeyedPath(path, how | IS_MISSING)
    content = 0
    if stat.S_ISDIR(found.st_mode) and path.rstrip("/") not in listed:
        how |= IS_ONLY_PASSED
    if stat.S_ISREG(found.st_mode) and path.endswith(_WITH_CONTENT):
        how |= HAS_CONTENT
        content = hash_bytes(files.read_bytes(Path(path)))
    times = (found.st_mtime_ns, found.st_ctime_ns)
    split = (part for time_ns in times for part in divmod(time_ns, 10**9))
    return KeyedPath(path, how, (found.st_dev, found.st_ino, found.st_size, *split), content)


def is_settled(key: KeyedPath, now: float) -> bool:
    """Return whether a file was modified long enough before ``now``, in seconds since the epoch."""
    if key.how & IS_ONLY_PASSED:
        return True
    _, _, _, mtime, mtime_ns, ctime, ctime_ns = key.numbers
    return max(mtime + mtime_ns / 1e9, ctime + ctime_ns / 1e9) < now - RACY_S


def boot_id() -> str:
    """Return the identity that the kernel has given to this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def processor_capabilities() -> tuple[int, int]:
    """Return AT_HWCAP and AT_HWCAP2 of the auxiliary vector (getauxval(3))."""
    data = Path("/proc/self/auxv").read_bytes()
    pairs = dict(struct.iter_unpack("<QQ", data))
    return pairs.get(16, 0), pairs.get(26, 0)


def current_time() -> float:
    """Return the seconds since the epoch, as files have them."""
    return time.time()
