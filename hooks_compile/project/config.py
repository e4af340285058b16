"""``[tool.hooks-compile]`` and the defaults.

The file comes with a clone, so anybody who sends a pull request writes it. Nothing in it may start
a program of theirs or lead out of the work tree.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.files import read_bytes
from hooks_compile.project.globs import Glob

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hooks_compile.model import Imports, Optimize

DOTFILE = ".hooks-compile.toml"
PYPROJECT = "pyproject.toml"
TABLE = "hooks-compile"

LARGEST_TOML = 256 << 10
"""Bytes; tomlkit reads about 50 kB in a second, and a clone must not hold up a checkout."""

# tomllib takes quadratic time for a.a.a.a, and the file may be a stranger's.
_MOST_DOTS = 1000
_PYTHON = re.compile(r"(?:python|pypy)(?:3(?:\.\d{1,3}t?)?)?")


class Config(NamedTuple):
    """What a project says about its hooks; each value has a default.

    ``include`` and ``exclude`` are globs relative to the work tree's root, ``optimize`` is the
    level, ``python`` the commands that run the hooks, ``keep`` the number of entries to keep for
    each source. ``imports`` are pairs of a glob and the setting for the hooks that match it.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    optimize: Optimize = "auto"
    python: tuple[str, ...] = ("python3",)
    keep: int = 3
    imports: tuple[tuple[str, Imports], ...] = ()

    def imports_of(self, name: str) -> Imports:
        """Return the setting for the hook ``name``, a path relative to the root.

        The last glob that matches decides.
        """
        matching = (value for glob, value in self.imports[::-1] if Glob.parse(glob).matches(name))
        return next(matching, "as-written")


def load_config(root: Path) -> Config:
    """Return the configuration of the work tree ``root``; the defaults if there is none.

    It is read from ``.hooks-compile.toml`` (keys at the top level). If that file is missing, it is
    read from the table ``[tool.hooks-compile]`` of ``pyproject.toml``. ``python`` takes only names
    from the user's PATH: with a path, compiling would start whatever program a pull request names.
    Raises HooksCompileError with file, key and remedy for a file that can't be read or is no TOML,
    an unknown key, a wrong type, or a glob that could leave the root.
    """
    path = root / DOTFILE
    if os.path.lexists(path):
        return _config(path, _parse(path, _read(path)))
    path = root / PYPROJECT
    text = _read(path) if os.path.lexists(path) else ""
    if TABLE not in text:  # a broken one is other tools' concern
        return Config()
    settings: object = _parse(path, text)
    for key in ("tool", TABLE):
        settings = settings.get(key, {}) if isinstance(settings, dict) else None
    if not isinstance(settings, dict):
        raise HooksCompileError("has to be a table", path=path, remedy=f"[tool.{TABLE}]")
    return _config(path, settings)


def endless_name(text: str) -> int:
    """Return the line of a TOML text that would keep its parser busy for minutes; 0 for none."""
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if line.count(".") > _MOST_DOTS), 0)


def _read(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cause, remedy = f"is not UTF-8 (byte {error.start + 1})", "save the file as UTF-8"
    except OSError as error:
        cause, remedy = f"can't be read: {error.strerror}", f"ls -ld {pasted(path)}"
    raise HooksCompileError(cause, path=path, remedy=remedy)


def _parse(path: Path, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - 3 ms, and most projects say nothing

    if line := endless_name(text):
        raise HooksCompileError(
            f"line {line}: a name of too many parts", path=path, remedy="write tables"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        cause = f"is no valid TOML: {error}"
        remedy = "fix that line (after a merge: look for conflict markers)"
    except RecursionError:
        cause, remedy = "is nested too deeply", "write it flat"
    raise HooksCompileError(cause, path=path, remedy=remedy)


def _config(path: Path, settings: dict[str, Any]) -> Config:
    values = {}
    for key, value in settings.items():
        if key not in _SETTINGS:
            remedy = f"remove it; the keys are {', '.join(_SETTINGS)}"
            if key == "tool":
                remedy = "write the keys at the top level: only pyproject.toml needs a table"
            raise HooksCompileError(f"{key} is unknown", path=path, remedy=remedy)
        check, example = _SETTINGS[key]
        try:
            values[key] = check(value)
        except ValueError as error:
            raise HooksCompileError(f"{key} {error}", path=path, remedy=example) from error
    return Config(**values)


def _require(value: object, what: str, *, holds: bool) -> None:
    """Raise ValueError, which says that ``value`` has to be ``what``, unless that holds."""
    if not holds:
        text = repr(value)
        shown = text if len(text) < 60 else f"{text[:57]}..."
        raise ValueError(f"is {shown}; it has to be {what}")


def _globs(value: Any) -> tuple[str, ...]:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    _require(value, "a list of strings", holds=is_list)
    for text in value:
        try:
            Glob.parse(text)
        except ValueError as error:
            raise ValueError(f"has {text!r}, which {error}") from error
    return tuple(value)


def _optimize(value: object) -> object:
    is_level = type(value) is int and value in (0, 1, 2)
    _require(value, '"auto", 0, 1 or 2', holds=value == "auto" or is_level)
    return value


def _python(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    what = "python, python3, python3.N, pypy or pypy3 from PATH: the file comes with a clone"
    for name in names or [value]:
        _require(name, what, holds=isinstance(name, str) and bool(_PYTHON.fullmatch(name)))
    return tuple(dict.fromkeys(names))


def _keep(value: Any) -> object:
    _require(value, "a whole number from 1 up", holds=type(value) is int and value > 0)
    return value


def _imports(value: object) -> tuple[tuple[str, object], ...]:
    table = value if isinstance(value, dict) else {"**": value}
    _globs([*table])
    for imports in table.values():
        is_known = imports in ("as-written", "deferred")
        _require(imports, '"as-written" or "deferred"', holds=is_known)
    return tuple(table.items())


_SETTINGS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "include": (_globs, 'include = ["tools/hooks/*.py"]'),
    "exclude": (_globs, 'exclude = ["tools/hooks/*.py"]'),
    "optimize": (_optimize, 'optimize = "auto"'),
    "python": (_python, 'python = "python3", or for a path: hooks-compile compile --python PATH'),
    "keep": (_keep, "keep = 3"),
    "imports": (_imports, 'imports = "deferred", or imports = { "guard.py" = "deferred" }'),
}
"""What returns the value of Config for one of TOML or raises ValueError, and an example."""
