"""The runtime folder: the user's own launcher, key, and what launches recorded."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.errors import RuntimeDirectoryError, pasted
from hooks_compile.runtime import entry

if TYPE_CHECKING:
    from collections.abc import Mapping

# The parts carry their version in the name; the two that find them are always of the newest.
_PARTS = ("start", "entry", "finder", "ahead", "lazy", "leave", "launcher", "store", "miss", "uv")
_FINDERS = ("prepare", "launch")
_RECORDER = "uvsite/sitecustomize.py"
_NO_CACHE = "uvsite/__pycache__"  # a file: Python would take an older recorder of one size for it


def location(env: Mapping[str, str]) -> Path:
    """Return ``${HOOKS_COMPILE_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/hooks-compile}``.

    The wrapper finds it by the same rule, and takes no relative path either.
    Raises RuntimeDirectoryError for a relative path, and where HOME is not set.
    """
    if env.get("HOOKS_COMPILE_HOME"):
        folder = Path(env["HOOKS_COMPILE_HOME"])
        variable = "HOOKS_COMPILE_HOME"
    elif env.get("XDG_DATA_HOME"):
        folder = Path(env["XDG_DATA_HOME"], "hooks-compile")
        variable = "XDG_DATA_HOME"
    else:
        folder = Path(env.get("HOME", ""), ".local", "share", "hooks-compile")
        variable = "HOME"
    if not folder.is_absolute():
        raise RuntimeDirectoryError(
            f"{variable} gives no absolute path, so a hook would find another folder wherever "
            "it starts",
            path=folder,
            remedy=f'export {variable}="an absolute path"',
        )
    return folder


def build() -> str:
    """Return what names this version of the launcher: a digest of its sources."""
    sources = b"".join(_source(name) for name in (*_FINDERS, *_PARTS, "uv_record", "uv.sh"))
    return entry.keyed_hash(bytes(entry.KEY_SIZE), sources).hex()[:16]


def ensure(folder: Path) -> Path:
    """Make ``folder`` what the launcher needs, and return the path of its ``launch.py``.

    Where all is there and of this version, nothing is written. Raises RuntimeDirectoryError if
    it can't be made or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("seen", "uvsite"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        _require_private(folder)
        if not (folder / "key").exists():
            _create_key(folder)
        version = build()
        launch = folder / "launch.py"
        written = [path for path, text in _files(folder, version).items() if replace(path, text)]
        if launch in written:
            _remove_other_versions(folder, version)
    except OSError as error:
        raise RuntimeDirectoryError(
            f"the runtime folder can't be written: {error.strerror}",
            path=folder,
            remedy=f"chmod 700 {pasted(folder)}; or set HOOKS_COMPILE_HOME to a folder of your own",
        ) from error
    return launch


def outdated(folder: Path) -> list[Path]:
    """Return the files of the launcher that are missing in ``folder`` or not of this version.

    Raises OSError for one that can't be read.
    """
    files = _files(folder, build())
    return [path for path, text in files.items() if not path.exists() or path.read_bytes() != text]


def read_key(folder: Path) -> bytes:
    """Return the 16 secret bytes under which entries verify.

    Raises RuntimeDirectoryError where there are none, or where others could have put them there.
    """
    try:
        _require_private(folder)
        _require_private(folder / "key")
        key = (folder / "key").read_bytes()
    except OSError as error:
        raise RuntimeDirectoryError(
            f"the key can't be read: {error.strerror}",
            path=folder / "key",
            remedy="hooks-compile compile",
        ) from error
    if len(key) != entry.KEY_SIZE:
        raise RuntimeDirectoryError(
            f"the key has {len(key)} bytes instead of {entry.KEY_SIZE}",
            path=folder / "key",
            remedy=f"rm {pasted(folder / 'key')} && hooks-compile compile",
        )
    return key


def remove(folder: Path) -> list[Path]:
    """Remove what we put into the runtime folder, and the folder if it is empty then.

    Returns what was removed. Hooks run from their sources afterwards.
    """
    if not folder.is_dir() or folder.is_symlink():
        return []
    names = [
        "key",
        "launch.py",
        "fallbacks.log",
        "interpreters.json",
        "seen/*",
        "shims.sh",
        "shims/*",
        "watch/*",
        "launch.py.*",
        "prepare.py",
        _RECORDER,
        _NO_CACHE,
        "uv.sh",
        "uv/**/*.uv",
    ]
    paths = [path for name in names for path in folder.glob(name)]
    paths += [path for part in _PARTS for path in folder.glob(f"*.{part}.py")]
    for path in paths:
        path.unlink(missing_ok=True)
    emptied = sorted((path for path in folder.glob("uv/**/") if path.is_dir()), reverse=True)
    for empty in (
        *emptied,
        folder / "uvsite",
        folder / "seen",
        folder / "shims",
        folder / "watch",
        folder,
    ):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()
            paths.append(empty)
    return paths


def is_private(path: Path) -> bool:
    """Tell whether only this user can use ``path``: the launcher trusts no other folder or key."""
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & 0o77


def _require_private(path: Path) -> None:
    if not is_private(path):
        raise RuntimeDirectoryError(
            f"mode {stat.S_IMODE(path.stat().st_mode):o} of user {path.stat().st_uid}: others "
            "could have put something there, so the launcher does not use it",
            path=path,
            remedy=f"rm -r {pasted(path)} && hooks-compile compile",
        )


def _files(folder: Path, version: str) -> dict[Path, bytes]:
    """Return what the launcher consists of, in the order in which it has to be written."""
    files = {folder / f"{version}.{part}.py": _source(part) for part in _PARTS}
    files[folder / _NO_CACHE] = b""
    files[folder / "uv.sh"] = _source("uv.sh")
    finders = {f"{finder}.py": _source(finder) for finder in _FINDERS}
    for name, source in {_RECORDER: _source("uv_record"), **finders}.items():
        files[folder / name] = source.replace(b"@BUILD@", version.encode())
    return files


def _source(name: str) -> bytes:
    # importlib.resources would take 8 ms of every command
    file = name if name.endswith(".sh") else f"{name}.py"
    return Path(__file__).parent.with_name("runtime").joinpath(file).read_bytes()


def _create_key(folder: Path) -> None:
    draft = folder / f".key.{os.getpid()}"
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(file, os.urandom(entry.KEY_SIZE))
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(draft, folder / "key")  # unlike a rename it never replaces another's key
    except FileExistsError:
        return
    finally:
        draft.unlink()


def replace(path: Path, data: bytes) -> bool:
    """Write ``data`` to ``path`` atomically unless it is there already; tell whether it wrote."""
    try:
        status = path.lstat()
        own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if own and path.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.chmod(0o600)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return True


def _remove_other_versions(folder: Path, version: str) -> None:
    for pattern in (*(f"*.{part}.py" for part in _PARTS), "launch.py.*"):
        for path in folder.glob(pattern):
            if version not in path.name:
                path.unlink(missing_ok=True)
