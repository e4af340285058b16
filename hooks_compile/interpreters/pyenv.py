"""What a shim of pyenv depends on, as ``shims.sh`` compares it: the content of a record."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# A file that changed so recently may change again within the tick of the file system's clock.
_SETTLED_NS: Final = 2_000_000_000
_EXEC: Final = re.compile(r'^exec "([^"$`\\]+)" exec "\$program" "\$@"$', re.MULTILINE)
_COMMANDS: Final = (
    *("pyenv", "pyenv-exec", "pyenv-hooks", "pyenv-latest", "pyenv-prefix", "pyenv-version-file"),
    *("pyenv-version-file-read", "pyenv-version-name", "pyenv-versions", "pyenv-which"),
)
_STEPS: Final = ("exec", "version-name", "which")
# Scripts of pyenv and pyenv-virtualenv that act for pip, and for programs other than Python.
_HARMLESS: Final = (
    "/pyenv.d/exec/pip-rehash.bash",
    *(
        f"/pyenv-virtualenv/etc/pyenv.d/which/{name}.bash"
        for name in ("conda", "python-config", "system-site-packages")
    ),
)


class UnrecordedError(Exception):
    """Why nothing is recorded."""


class Start(NamedTuple):
    """The Python that was started, and the environment that it got."""

    executable: str
    environment: dict[str, str]


class Record(NamedTuple):
    """What a shim did, in ``lines``, and the files and directories on which that depended.

    One that is missing has a ``-`` in front. ``times`` are the modification times of the others, in
    nanoseconds.
    """

    lines: list[str]
    files: list[str]
    times: list[int]


def record_of(shim: Path, record: Path, started: Start, path: str, now: int) -> Record:
    """Return what ``shim`` does for the version that the name of the file ``record`` ends in.

    ``started`` is what it started, ``path`` the PATH that it got, ``now`` the time in nanoseconds
    before it ran. Raises UnrecordedError for a pyenv that does more than ``shims.sh`` can follow.
    """
    root = shim.parent.parent
    seen = started.environment
    try:
        prefix, hook_path = seen["_PYENV_INSTALL_PREFIX"], seen["PYENV_HOOK_PATH"]
        added, version = seen["PATH"].removesuffix(path), seen["PYENV_VERSION"]
        (pyenv,) = _EXEC.findall(shim.read_text(encoding="utf-8"))
        files = [shim, Path(pyenv), *_files(Path(prefix), root, hook_path.split(":"))]
        found = [file for file in files if file.exists()]
        times = [file.stat().st_mtime_ns for file in found]
    except (KeyError, OSError, ValueError) as error:
        raise UnrecordedError("it is of no pyenv that is known here") from error
    if max(times) > now - _SETTLED_NS:
        raise UnrecordedError("pyenv changed a moment ago")
    is_version = started.executable.startswith(f"{root}/versions/")
    lines = [  # in the order in which shims.sh reads them
        *(record.name.partition("@")[2], str(shim.parent), version),
        *(started.executable if is_version else "system", added, hook_path, prefix),
    ]
    names = [str(file) if file in found else f"-{file}" for file in files]
    if any("\n" in line for line in lines + names):
        raise UnrecordedError("a path in it has more than one line")
    return Record(lines, names, times)


def _files(prefix: Path, root: Path, hook_path: list[str]) -> Iterator[Path]:
    """Yield the files and directories on which the choice depends, also those that are missing.

    Raises UnrecordedError for a script of a plugin that may choose otherwise each time, and for
    plugins whose order, which is that of PATH, depends on the locale.
    """
    yield root / "versions"
    yield from (prefix / "libexec" / name for name in _COMMANDS)
    for place in {prefix / "plugins", root / "plugins"}:
        yield place
        plugins = sorted(path for path in place.glob("*/") if path.name[0] != ".")
        letters = [re.sub(r"[^0-9a-z]", "", plugin.name.lower()) for plugin in plugins]
        if letters != sorted(letters):
            raise UnrecordedError("the order of its plugins depends on the locale")
        yield from (plugin / name for plugin in plugins for name in ("bin", "etc/pyenv.d"))
    for directory in (Path(each, step) for each in hook_path for step in _STEPS):
        yield directory
        for script in directory.glob("*.bash"):
            if not str(script).endswith(_HARMLESS):
                raise UnrecordedError(f"{script} may choose otherwise each time")
            yield script
