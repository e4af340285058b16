"""What a shim of pyenv depends on, as ``shims.sh`` compares it: the content of a record."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# A file that changed so recently may change again within the tick of the file system's clock.
_SETTLED_NS: Final = 2_000_000_000
_EXEC: Final = re.compile(r'^exec "([^"$`\\]+)" exec "\$program" "\$@"$', re.MULTILINE)
_NAME: Final = re.compile(r"[0-9A-Za-z._-]+")
_PREFIX: Final = re.compile(r"\d+(\.\d+)?")
_STEPS: Final = ("exec", "version-name", "which")
_LOCALES: Final = (
    *("LC_ALL", "LC_CTYPE", "LC_COLLATE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LANG"),
)
_COMMANDS: Final = (
    *("pyenv", "pyenv-exec", "pyenv-hooks", "pyenv-latest", "pyenv-prefix", "pyenv-version-file"),
    *("pyenv-version-file-read", "pyenv-version-name", "pyenv-versions", "pyenv-which"),
)


class UnrecordedError(Exception):
    """Why nothing is recorded."""


class Record(NamedTuple):
    """A record and the modification times, in nanoseconds, of its file and of its stamp.

    ``age`` is the time of the youngest of pyenv's scripts, ``release`` that of the script which
    changes with each release. The stamp is the empty file beside the record, ``NAME+``.
    """

    text: str
    age: int
    release: int


def record_of(shim: Path, spec: str, seen: Mapping[str, str], path: str, now: int) -> Record:
    """Return the record of what ``shim`` does for ``spec``, a version as it is named.

    ``seen`` is the environment that the shim gave to Python, ``path`` the PATH that it got, ``now``
    the time in nanoseconds. Raises UnrecordedError for a pyenv that does more than ``shims.sh``
    can follow.
    """
    try:
        prefix = Path(seen["_PYENV_INSTALL_PREFIX"])
        version, hook_path = seen["PYENV_VERSION"], seen["PYENV_HOOK_PATH"].split(":")
        (pyenv,) = _EXEC.findall(shim.read_text(encoding="utf-8"))
        scripts = [shim, *(prefix / "libexec" / name for name in _COMMANDS)]
        for directory in hook_path:
            scripts += [each for step in _STEPS for each in Path(directory, step).glob("*.bash")]
        release = prefix.joinpath("libexec", "pyenv---version").stat().st_mtime_ns
        age = max(release, *(script.stat().st_mtime_ns for script in scripts))
    except (KeyError, OSError, ValueError) as error:
        raise UnrecordedError("it is of no pyenv that is known here") from error
    if age > now - _SETTLED_NS:
        raise UnrecordedError("pyenv changed a moment ago")
    root = shim.parent.parent
    lines = [  # in the order in which shims.sh reads them
        spec,
        str(shim.parent),
        shutil.which("bash", path=path) or "",
        pyenv,
        str(prefix),
        "".join(_plugins(directory) for directory in dict.fromkeys((prefix, root))),
        version,
        _similar(root, spec, version),
        ":".join(sorted({seen[name] for name in _LOCALES if seen.get(name)})),
    ]
    if any("\n" in line for line in lines):
        raise UnrecordedError("a path in it has more than one line")
    return Record("\n".join(lines) + "\n", age, release)


def _plugins(directory: Path) -> str:
    """Return the names of the plugins in ``directory``, which pyenv takes in a locale's order.

    Raises UnrecordedError if locales would put them into different orders.
    """
    names = sorted(path.name for path in directory.glob("plugins/*/") if path.name[0] != ".")
    letters = [re.sub(r"[^0-9a-z]", "", name.lower()) for name in names]
    if letters != sorted(letters) or not all(map(_NAME.fullmatch, names)):
        raise UnrecordedError("the order of its plugins depends on the locale")
    return "".join(f"/{name}/" for name in names)


def _similar(root: Path, spec: str, version: str) -> str:
    """Return the installed versions among which pyenv chose ``version``; "" if it had no choice.

    Raises UnrecordedError for a choice that ``shims.sh`` can't follow.
    """
    if version == spec:
        return ""
    if not _PREFIX.fullmatch(spec) or not _NAME.fullmatch(version):
        raise UnrecordedError(f"the version {spec!r} is not installed by this very name")
    names = sorted(path.name for path in root.glob(f"versions/{spec}*/"))
    return "".join(f"/{name}/" for name in names)
