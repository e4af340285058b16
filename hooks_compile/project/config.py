"""``[tool.hooks-compile]`` and the defaults.

The file comes with a clone, so whoever sends a pull request writes it: nothing in it may start a
program of theirs or lead out of the work tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from hooks_compile.errors import ConfigError
from hooks_compile.project.globs import Glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from hooks_compile.model import Imports, Optimize

DOTFILE = ".hooks-compile.toml"
PYPROJECT = "pyproject.toml"
TABLE = "hooks-compile"

# tomllib takes quadratic time for a.a.a.a, and the file may be a stranger's.
_MOST_DOTS = 1000
_PYTHON = re.compile(r"(?:python|pypy)(?:3(?:\.\d{1,3}t?)?)?")


@dataclass(frozen=True, slots=True)
class Config:
    """What a project says about its hooks; each value has a default.

    ``include`` and ``exclude`` are globs relative to the work tree's root, ``optimize`` the
    level, ``python`` the commands that run the hooks, ``keep`` how many versions of each source
    stay in the cache, and ``path`` the file that said so (None: all defaults). ``imports`` are
    globs like those above, each with when the imports of the hooks that it matches are made.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    optimize: Optimize = "auto"
    python: tuple[str, ...] = ("python3",)
    keep: int = 3
    imports: tuple[tuple[str, Imports], ...] = ()
    path: Path | None = None

    def imports_of(self, name: str) -> Imports:
        """When the imports of the hook ``name`` are made, relative to the root: the last glob that
        matches it says so."""
        for glob, imports in reversed(self.imports):
            if Glob.parse(glob).matches(name):
                return imports
        return "as-written"


def load_config(root: Path) -> Config:
    """The configuration of the work tree ``root``: the defaults where there is none.

    It is read from ``.hooks-compile.toml`` (the keys at the top level) or, where that is not
    there, from the table ``[tool.hooks-compile]`` of ``pyproject.toml``. Where both are there the
    dotfile alone counts; they are not merged.

    ``python`` takes names only (``python3``, ``python3.12``, ``python3.13t``, ``pypy3``), which
    are looked up on the user's PATH. A path is refused, inside of the work tree or out of it:
    compiling would start whatever program a pull request names. ``--python`` on the command line
    takes paths.

    Raises ConfigError with file, line where known, key and remedy for a file that can't be read
    or is no TOML, an unknown key, a wrong type, or a glob that could leave the root.
    """
    for name, table in ((DOTFILE, ()), (PYPROJECT, ("tool", TABLE))):
        path = root / name
        text = _read(path)
        # A broken pyproject.toml that does not mention us is other tools' concern.
        if text is not None and (not table or TABLE in text):
            found = _Reader(path, text, table).config()
            if found is not None:
                return found
    return Config()


def endless_name(text: str) -> int:
    """Return the line of a TOML text that keeps its reader busy for minutes; 0 for none."""
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if line.count(".") > _MOST_DOTS), 0)


def _read(path: Path) -> str | None:
    try:
        if not path.is_file():
            if path.is_symlink() or path.exists():
                raise ConfigError("is not a file", path=path, remedy=f"ls -ld '{path}'")
            return None
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is not UTF-8 (byte {error.start + 1}), which TOML has to be",
            path=path,
            remedy="save the file as UTF-8",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"can't be read: {error.strerror}", path=path, remedy=f"ls -ld '{path}'"
        ) from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """One file's text and the table in it that is ours (empty: the whole file)."""

    path: Path
    text: str
    table: tuple[str, ...]

    def config(self) -> Config | None:
        """What the table says, or None where it is not there."""
        settings = self._settings()
        if settings is None:
            return None
        readers: Mapping[str, Callable[[str, object], object]] = {
            "include": self._globs,
            "exclude": self._globs,
            "optimize": self._optimize,
            "python": self._python,
            "keep": self._keep,
            "imports": self._imports,
        }
        for key in settings:
            if key not in readers:
                raise self._unknown(key, list(readers))
        values = {key: readers[key](key, value) for key, value in settings.items()}
        return Config(**values, path=self.path)  # type: ignore[arg-type]  # each reader checks

    def _settings(self) -> dict[str, object] | None:
        import tomllib  # noqa: PLC0415 - 3 ms, and most projects say nothing

        if line := endless_name(self.text):
            raise ConfigError(
                f"line {line}: a name of too many parts", path=self.path, remedy="write tables"
            )
        try:
            value: object = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"is no valid TOML: {error}",
                path=self.path,
                remedy="mend the line named (after a merge: look for conflict markers)",
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
                raise self._error(
                    ".".join(self.table[: i + 1]),
                    "has to be a table",
                    f"[{'.'.join(self.table)}]",
                )
        return cast("dict[str, object]", value)

    def _globs(self, key: str, value: object) -> tuple[str, ...]:
        example = f'{key} = ["tools/hooks/*.py"]'
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._error(key, f"has to be a list of strings, not {_shown(value)}", example)
        self._require_globs(key, value, example)
        return tuple(value)

    def _require_globs(self, key: str, globs: Iterable[str], example: str) -> None:
        for text in globs:
            try:
                Glob.parse(text)
            except ValueError as error:
                raise self._error(key, f"has {text!r}, which {error}", example) from error

    def _optimize(self, key: str, value: object) -> Optimize:
        match value:
            case bool() | float():  # True and 1.0 equal 1
                pass
            case "auto" | 0 | 1 | 2:
                return value
        raise self._error(
            key, f'has to be "auto", 0, 1 or 2, not {_shown(value)}', f'{key} = "auto"'
        )

    def _python(self, key: str, value: object) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        example = f'{key} = "python3"'
        if not isinstance(names, list) or not names:
            raise self._error(
                key, f"has to be a string or a list of strings, not {_shown(value)}", example
            )
        for name in names:
            if not isinstance(name, str) or not _PYTHON.fullmatch(name):
                raise self._error(
                    key,
                    f"has {_shown(name)}; a configuration file, which comes with a clone, may only "
                    "name python, python3, python3.N, pypy or pypy3 from PATH",
                    f"{example}, or for a path: hooks-compile compile --python PATH",
                )
        return tuple(dict.fromkeys(names))

    def _keep(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self._error(
                key, f"has to be a whole number from 1 up, not {_shown(value)}", f"{key} = 3"
            )
        return value

    def _imports(self, key: str, value: object) -> tuple[tuple[str, Imports], ...]:
        table = value if isinstance(value, dict) else {"**": value}
        example = (
            f'{key} = "deferred", or for some hooks: '
            f'{key} = {{ ".claude/hooks/guard.py" = "deferred" }}'
        )
        self._require_globs(key, table, example)
        for imports in table.values():
            if imports not in ("as-written", "deferred"):
                raise self._error(
                    key,
                    f'has to be "as-written" or "deferred", not {_shown(imports)}',
                    example,
                )
        return tuple(cast("dict[str, Imports]", table).items())

    def _unknown(self, key: str, known: list[str]) -> ConfigError:
        import difflib  # noqa: PLC0415 - only where there is an error to explain

        if not self.table and key == "tool":
            return self._error(
                key,
                "is unknown",
                "write the keys at the top level: only pyproject.toml needs a table",
            )
        close = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
        if close:
            return self._error(key, "is unknown", f"did you mean {close[0]}?")
        return self._error(key, "is unknown", f"remove it; the keys are {', '.join(known)}")

    def _error(self, key: str, cause: str, remedy: str) -> ConfigError:
        line = self._line_of(key)
        where = f"line {line}: " if line else ""
        return ConfigError(f"{where}{key} {cause}", path=self.path, remedy=remedy)

    def _line_of(self, key: str) -> int | None:
        """Where ``key`` is set, as far as a look at the lines can tell; lines count from 1."""
        header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(_quoted, self.table)) + r"\s*\]")
        setting = re.compile(rf"\s*{_quoted(key)}\s*[=.]|\s*\[+\s*{_quoted(key)}\s*[\].]")
        inside = not self.table
        for number, line in enumerate(self.text.splitlines(), 1):
            if self.table and line.lstrip().startswith("["):
                inside = header.match(line) is not None
            elif inside and setting.match(line):
                return number
        return None


def _quoted(key: str) -> str:
    return rf"[\"']?{re.escape(key)}[\"']?"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
