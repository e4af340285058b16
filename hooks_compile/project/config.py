"""``[tool.hooks-compile]`` and the defaults.

The file comes with a clone, so anybody who sends a pull request writes it. Nothing in it may start
a program of theirs or lead out of the work tree.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from hooks_compile.errors import ConfigError, pasted
from hooks_compile.files import read_bytes
from hooks_compile.project.globs import Glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
_EXAMPLES = {
    "include": 'include = ["tools/hooks/*.py"]',
    "exclude": 'exclude = ["tools/hooks/*.py"]',
    "optimize": 'optimize = "auto"',
    "python": 'python = "python3", or for a path: hooks-compile compile --python PATH',
    "keep": "keep = 3",
    "imports": 'imports = "deferred", or for some hooks: '
    'imports = { ".claude/hooks/guard.py" = "deferred" }',
}


@dataclass(frozen=True, slots=True)
class Config:
    """What a project says about its hooks; each value has a default.

    ``include`` and ``exclude`` are globs relative to the work tree's root, ``optimize`` is the
    level, ``python`` the commands that run the hooks, ``keep`` the number of entries to keep for
    each source. ``imports`` are pairs of a glob and the setting for the hooks that match it.
    ``path`` is the file that was read, None if there was none.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    optimize: Optimize = "auto"
    python: tuple[str, ...] = ("python3",)
    keep: int = 3
    imports: tuple[tuple[str, Imports], ...] = ()
    path: Path | None = None

    def imports_of(self, name: str) -> Imports:
        """Return the setting for the hook ``name``, a path relative to the root.

        The last glob that matches decides.
        """
        for glob, imports in reversed(self.imports):
            if Glob.parse(glob).matches(name):
                return imports
        return "as-written"


def load_config(root: Path) -> Config:
    """Return the configuration of the work tree ``root``; the defaults if there is none.

    It is read from ``.hooks-compile.toml`` (keys at the top level). If that file is missing, it is
    read from the table ``[tool.hooks-compile]`` of ``pyproject.toml``. The two are not merged.

    ``python`` takes names only (``python3``, ``python3.12``, ``python3.13t``, ``pypy3``), which are
    looked up on the user's PATH: with a path, compiling would start whatever program a pull request
    names. ``--python`` on the command line takes paths.

    Raises ConfigError with file, line if known, key and remedy for a file that can't be read or is
    no TOML, an unknown key, a wrong type, or a glob that could leave the root.
    """
    for name, table in ((DOTFILE, ()), (PYPROJECT, ("tool", TABLE))):
        path = root / name
        text = _read(path)
        # A broken pyproject.toml that does not mention us is other tools' concern.
        if text is not None and (not table or TABLE in text):
            found = _File(path, text, table).config()
            if found is not None:
                return found
    return Config()


def endless_name(text: str) -> int:
    """Return the line of a TOML text that would keep its parser busy for minutes; 0 for none."""
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if line.count(".") > _MOST_DOTS), 0)


def _parse_newer_toml(text: str) -> dict[str, object] | None:
    """Return what TOML 1.1 makes of ``text``, None if it is none, or too large to be tried.

    The parser is that of the agents' files: tomllib reads TOML 1.1 from Python 3.15 on.
    """
    import tomlkit  # noqa: PLC0415 - slow, and nearly every file is TOML 1.0
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    if len(text) > LARGEST_TOML:
        return None
    try:
        return tomlkit.parse(text).unwrap()
    except TOMLKitError:
        return None


def _read(path: Path) -> str | None:
    if not os.path.lexists(path):
        return None
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is not UTF-8 (byte {error.start + 1}), which TOML has to be",
            path=path,
            remedy="save the file as UTF-8",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"can't be read: {error.strerror}", path=path, remedy=f"ls -ld {pasted(path)}"
        ) from error


@dataclass(frozen=True, slots=True)
class _File:
    """The text of one file, and the table in it that is ours (empty: the whole file)."""

    path: Path
    text: str
    table: tuple[str, ...]

    def config(self) -> Config | None:
        """Return what the table says, None if there is no such table."""
        settings = self._settings()
        if settings is None:
            return None
        values = {}
        for key, value in settings.items():
            if key not in _READERS:
                raise self._unknown(key)
            try:
                values[key] = _READERS[key](value)
            except ValueError as error:
                raise self._error(key, str(error), _EXAMPLES[key]) from error
        return Config(**values, path=self.path)  # type: ignore[arg-type]  # each reader checks

    def _settings(self) -> dict[str, object] | None:
        import tomllib  # noqa: PLC0415 - 3 ms, and most projects say nothing

        if line := endless_name(self.text):
            raise ConfigError(
                f"line {line}: a name of too many parts", path=self.path, remedy="write tables"
            )
        value: object
        try:
            try:
                value = tomllib.loads(self.text)
            except tomllib.TOMLDecodeError as error:
                value = _parse_newer_toml(self.text)
                if value is None:
                    raise ConfigError(
                        f"is no valid TOML: {error}",
                        path=self.path,
                        remedy="fix that line (after a merge: look for conflict markers)",
                    ) from error
        except RecursionError:
            raise ConfigError(
                "is nested too deeply", path=self.path, remedy="write it flat"
            ) from None
        for i, name in enumerate(self.table):
            value = cast("dict[str, object]", value).get(name)
            if value is None:
                return None
            if not isinstance(value, dict):
                key, example = ".".join(self.table[: i + 1]), f"[{'.'.join(self.table)}]"
                raise self._error(key, "has to be a table", example)
        return cast("dict[str, object]", value)

    def _unknown(self, key: str) -> ConfigError:
        remedy = f"remove it; the keys are {', '.join(_READERS)}"
        if not self.table and key == "tool":
            remedy = "write the keys at the top level: only pyproject.toml needs a table"
        return self._error(key, "is unknown", remedy)

    def _error(self, key: str, cause: str, remedy: str) -> ConfigError:
        line = self._line_of(key)
        where = f"line {line}: " if line else ""
        return ConfigError(f"{where}{key} {cause}", path=self.path, remedy=remedy)

    def _line_of(self, key: str) -> int | None:
        """Return the line that sets ``key``, counted from 1; None if no line seems to."""
        header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_quoted, self.table)) + r"\s*\]")
        setting = re.compile(rf"\s*{_quoted(key)}\s*[=.]|\s*\[+\s*{_quoted(key)}\s*[\].]")
        inside = not self.table
        for number, line in enumerate(self.text.splitlines(), 1):
            if self.table and line.lstrip().startswith("["):
                inside = header.match(line) is not None
            elif inside and setting.match(line):
                return number
        return None


# The readers of the keys: a TOML value in, the value of Config out; ValueError says what is wrong.


def _globs(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"has to be a list of strings, not {_shown(value)}")
    _require_globs(value)
    return tuple(value)


def _require_globs(globs: Iterable[str]) -> None:
    for text in globs:
        try:
            Glob.parse(text)
        except ValueError as error:
            raise ValueError(f"has {text!r}, which {error}") from error


def _optimize(value: object) -> Optimize:
    match value:
        case bool() | float():  # True and 1.0 equal 1
            pass
        case "auto" | 0 | 1 | 2:
            return value
    raise ValueError(f'has to be "auto", 0, 1 or 2, not {_shown(value)}')


def _python(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise ValueError(f"has to be a string or a list of strings, not {_shown(value)}")
    for name in names:
        if not isinstance(name, str) or not _PYTHON.fullmatch(name):
            raise ValueError(
                f"has {_shown(name)}; a configuration file, which comes with a clone, may only "
                "name python, python3, python3.N, pypy or pypy3 from PATH"
            )
    return tuple(dict.fromkeys(names))


def _keep(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"has to be a whole number from 1 up, not {_shown(value)}")
    return value


def _imports(value: object) -> tuple[tuple[str, Imports], ...]:
    table = value if isinstance(value, dict) else {"**": value}
    _require_globs(table)
    for imports in table.values():
        if imports not in ("as-written", "deferred"):
            raise ValueError(f'has to be "as-written" or "deferred", not {_shown(imports)}')
    return tuple(cast("dict[str, Imports]", table).items())


_READERS: Mapping[str, Callable[[object], object]] = {
    "include": _globs,
    "exclude": _globs,
    "optimize": _optimize,
    "python": _python,
    "keep": _keep,
    "imports": _imports,
}


def _quoted(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
