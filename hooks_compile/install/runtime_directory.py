"""The runtime directory: the user's own launcher, key, and what launches recorded."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import files
from hooks_compile.errors import RuntimeDirectoryError, pasted
from hooks_compile.launcher import entry

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE = "hooks_compile.launcher"
_LAUNCHER = Path(__file__).parent.with_name("launcher")
_RECORDER = "uvsite/sitecustomize.py"
_NO_CACHE = "uvsite/__pycache__"  # a file: Python would take an older recorder of one size for it
# The digest of each file of the launcher, so that an up-to-date directory needs no bundle.
_MANIFEST = "manifest"
# Parts carry the build in their names. A launch of an older build finds its parts until it ends.
_PARTS = "[0-9a-f]" * 16 + ".*.py"
_DIRECTORIES = ("seen", "uvsite")


def location(env: Mapping[str, str]) -> Path:
    """Return ``${HOOKS_COMPILE_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/hooks-compile}``.

    The wrapper finds it by the same rule, and takes no relative path either.
    Raises RuntimeDirectoryError for a relative path, and if HOME is not set.
    """
    below = {"HOOKS_COMPILE_HOME": "", "XDG_DATA_HOME": "hooks-compile"}
    variable = next((name for name in below if env.get(name)), "HOME")
    directory = Path(env.get(variable, ""), below.get(variable, ".local/share/hooks-compile"))
    if not directory.is_absolute():
        raise RuntimeDirectoryError(
            f"{variable} is not an absolute path, so a hook would find another directory "
            "wherever it starts",
            path=directory,
            remedy=f'export {variable}="an absolute path"',
        )
    return directory


def build() -> str:
    """Return the name of this version of the launcher: a digest of its sources, 16 hex digits."""
    # importlib.resources would take 8 ms of every command
    sources = sorted([*_LAUNCHER.rglob("*.py"), *_LAUNCHER.glob("*.sh")])
    sources.append(Path(__file__).with_name("bundle.py"))
    return _digest(b"".join(path.read_bytes() for path in sources))[:16]


def ensure(directory: Path) -> Path:
    """Make ``directory`` what the launcher needs, and return the path of its ``launch.py``.

    If all is there and of this version, nothing is written. Raises RuntimeDirectoryError if the
    directory can't be made or belongs to another user.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _DIRECTORIES:
            (directory / name).mkdir(mode=0o700, exist_ok=True)
        _require_private(directory)
        if not (directory / "key").exists():
            _create_key(directory)
        if outdated(directory):
            version = build()
            for name, content in _contents(version).items():
                files.replace_if_changed(directory / name, content)
            for path in (*directory.glob(_PARTS), *directory.glob("launch.py.*")):
                if version not in path.name:
                    path.unlink(missing_ok=True)
    except OSError as error:
        cause = error.strerror or str(error)
        remedy = files.remedy(cause, directory)
        raise RuntimeDirectoryError(
            f"the runtime directory can't be written: {cause}",
            path=directory,
            remedy=f"{remedy}; or set HOOKS_COMPILE_HOME to a directory of your own",
        ) from error
    return directory / "launch.py"


def outdated(directory: Path) -> list[Path]:
    """Return the files of the launcher that are missing or not as this version has written them."""
    manifest = directory / _MANIFEST
    try:
        version, *lines = manifest.read_text("utf-8").splitlines()
    except (OSError, ValueError):  # the first time, or damaged
        return [manifest]
    if version != build():
        return [manifest]
    written = [line.partition(" ") for line in lines]
    return [
        directory / name for digest, _, name in written if not _has_digest(directory / name, digest)
    ]


def read_key(directory: Path) -> bytes:
    """Return the 16 secret bytes under which entries verify.

    Raises RuntimeDirectoryError if there are none, or if others could have put them there.
    """
    try:
        _require_private(directory)
        _require_private(directory / "key")
        key = files.read_bytes(directory / "key")
        if len(key) != entry.KEY_SIZE:
            raise OSError(0, f"it has {len(key)} bytes instead of {entry.KEY_SIZE}")
    except OSError as error:
        path = directory / "key"
        again = f"rm -f {pasted(path)} && hooks-compile compile"
        cause = f"the key can't be read: {error.strerror}"
        raise RuntimeDirectoryError(cause, path=path, remedy=again) from error
    return key


def remove(directory: Path) -> list[Path]:
    """Remove what we put into the runtime directory, and the directory if it is empty then.

    Returns what was removed. Hooks run from their sources afterwards.
    """
    if not directory.is_dir() or directory.is_symlink():
        return []
    names = (
        *("key", "launch.py", "fallbacks.log", "interpreters.json", "seen/*", "shims.sh"),
        *("shims/*", "watch/*", "launch.py.*", "prepare.py", _RECORDER, _NO_CACHE, "uv.sh"),
        *("tool", "shims.asked", ".[0-9]*.[0-9]*.tmp"),
        *("uv/**/*.uv", _PARTS, _MANIFEST, "git_hook.sh"),
        *("snapshots/loader", "snapshots/*.*", "snapshots/lock", "snapshots/maker"),
        *("snapshots/asked", "snapshots/*/*"),
    )
    paths = [path for name in names for path in directory.glob(name)]
    for path in paths:
        path.unlink(missing_ok=True)
    ours = (*_DIRECTORIES, "shims", "watch", "uv/**", "snapshots/**")
    below = sorted({path for name in ours for path in directory.glob(f"{name}/")}, reverse=True)
    for emptied in (*below, directory):
        if emptied.is_dir() and not emptied.is_symlink() and not any(emptied.iterdir()):
            emptied.rmdir()
            paths.append(emptied)
    return paths


def is_private(path: Path) -> bool:
    """Return whether only this user can use ``path``: the launcher trusts nothing else."""
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o77


def _require_private(path: Path) -> None:
    if is_private(path):
        return
    status = path.stat()
    first = "rm -r" if status.st_uid == os.geteuid() else 'sudo chown -R "$(id -u)"'
    raise RuntimeDirectoryError(
        f"mode {stat.S_IMODE(status.st_mode):o} of user {status.st_uid}: others could have put "
        "something there, so the launcher does not use it",
        path=path,
        remedy=f"{first} {pasted(path)} && hooks-compile compile",
    )


def _digest(content: bytes) -> str:
    return entry.keyed_hash(bytes(entry.KEY_SIZE), content).hex()


def _has_digest(path: Path, digest: str) -> bool:
    """Return whether ``path`` is this user's own file with that content."""
    try:
        return _digest(files.read_own(path)) == digest
    except OSError:
        return False


@functools.cache
def _contents(version: str) -> dict[str, bytes]:
    """Return the files of the launcher by name, in the order in which they have to be written.

    It takes 0.1 s, and a watcher needs them repeatedly.
    """
    from hooks_compile.install.bundle import Bundle  # noqa: PLC0415 - slow, and seldom needed

    bundle = Bundle(_LAUNCHER, _PACKAGE)
    parts = bundle.parts()
    on_demand = " ".join(name for name in parts if name not in ("start", "main"))
    launch = (_LAUNCHER / "launch.py").read_text("utf-8")
    texts = {f"{version}.{name}.py": text for name, text in parts.items()}
    texts[_NO_CACHE] = ""
    texts["uv.sh"] = (_LAUNCHER / "uv.sh").read_text("utf-8")
    texts[_RECORDER] = bundle.program("uv.uv_recorder", "run()")
    texts["prepare.py"] = bundle.program("prepare")
    texts["launch.py"] = launch.replace("@BUILD@", version).replace("@PARTS@", on_demand)
    contents = {name: text.encode() for name, text in texts.items()}
    manifest = [version, *(f"{_digest(content)} {name}" for name, content in contents.items())]
    contents[_MANIFEST] = "\n".join(manifest).encode() + b"\n"
    return contents


def _create_key(directory: Path) -> None:
    draft = directory / f".key.{os.getpid()}"
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:  # it notices a write that is short: the disk is full
            stream.write(os.urandom(entry.KEY_SIZE))
            stream.flush()
            os.fsync(file)
        os.link(draft, directory / "key")  # unlike a rename it never replaces another's key
    except FileExistsError:
        return
    finally:
        draft.unlink()
