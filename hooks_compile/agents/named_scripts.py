"""The scripts that the agents' configuration files name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hooks_compile.agents.clients.places import config_files
from hooks_compile.agents.shell.launches import Reading, find_launches, wired_script
from hooks_compile.agents.shell.syntax import NotUnderstoodError, parse
from hooks_compile.agents.shell.values import expand
from hooks_compile.agents.wiring.json_text import read
from hooks_compile.files import read_bytes
from hooks_compile.project import shebang
from hooks_compile.project.config import endless_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hooks_compile.agents.clients.base import ConfigFile, Found, Json
    from hooks_compile.agents.shell.shell_words import Word

_VARIABLE = re.compile(r"\$\{(\w+)(?::?-[^{}]*)?\}|\$(\w+)")
_TOPLEVEL = re.compile(r"\$\(\s*git rev-parse --show-toplevel[^()]*\)")


def named_scripts(
    root: Path, *, home: Path | None = None, listed: Iterable[str] | None = None
) -> list[tuple[Path, str]]:
    """The existing Python scripts that hook and status line commands name, with the file that does.

    ``root`` is a project; with ``home`` the user's own configuration counts too; ``listed`` is as
    for :func:`~hooks_compile.agents.clients.places.config_files`.
    Only scripts inside the project (for
    user's files: inside the home folder) are given, as absolute paths without symlinks, each once.
    A configuration file that can't be read names nothing: reporting it is up to those who wire it.
    """
    scripts: dict[Path, str] = {}
    for config in config_files(root, home, listed=listed):
        for found in _commands(config):
            for script in _scripts(found, config, home):
                scripts.setdefault(script, f"named by {config.origin}")
    return list(scripts.items())


def _commands(config: ConfigFile) -> list[Found]:
    try:
        text = read_bytes(config.path).decode()
        settings = _toml(text) if config.path.suffix == ".toml" else read(text).plain()
    except (OSError, ValueError, RecursionError):  # not there, not UTF-8, not what its name says
        return []
    return list(config.agent.commands(settings))


def _toml(text: str) -> Json:
    if "hooks" not in text or endless_name(text):
        return None
    import tomllib  # noqa: PLC0415 - slow, and most projects have no TOML file

    return cast("Json", tomllib.loads(text))


def _scripts(found: Found, config: ConfigFile, home: Path | None) -> Iterator[Path]:
    variables = dict(config.variables)
    if home is not None:
        variables["HOME"] = str(home)
    folders = [start / (found.cwd or "") for start in config.starts] or [config.root]
    launched = list(_launched(found, variables))
    named = list(_existing(launched, folders, config.root))
    # Where the launch is not understood, whatever looks like a Python file is named.
    yield from named or _existing(_mentioned(found, variables, config.root), folders, config.root)


def _existing(names: Iterable[str], folders: list[Path], root: Path) -> Iterator[Path]:
    names = list(dict.fromkeys(names))
    folders = [*folders, *(f / name for name in names for f in folders if (f / name).is_dir())]
    inside = root.resolve()
    for name in names:
        for folder in folders:
            path = Path(os.path.normpath(folder / name))
            if _is_python(path) and (real := path.resolve()).is_relative_to(inside):
                yield real


def _launched(found: Found, variables: Mapping[str, str]) -> Iterator[str]:
    """The scripts of the command's launches, and the folders that it goes to before."""
    if found.arguments is not None:
        return
    reading = find_launches(found.command)
    if not isinstance(reading, Reading):
        return
    words: list[Word | None] = []
    for launch in reading.launches:
        words += [launch.script, *launch.state.folders]
    for wired in reading.wired:
        words += [wired_script(wired), *wired.state.folders]
    for word in words:
        if word is not None and (name := expand(word, variables)):
            yield name


def _mentioned(found: Found, variables: Mapping[str, str], root: Path) -> Iterator[str]:
    """What may be a path in a command: its words, read by the shell's rules and roughly."""
    for text in (found.command, *(found.arguments or ())):
        try:
            words = [word for command in parse(text) for word in command.words]
        except NotUnderstoodError:
            words = []
        yield from filter(None, (expand(word, variables) for word in words))
        rough = _TOPLEVEL.sub(lambda _: str(root), text)
        rough = _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), rough)
        rough = rough.replace("~/", variables.get("HOME", "~") + "/")
        yield from filter(None, re.split(r"[\s;|&()<>\"'`]+", re.sub(r"[\"']", "", rough)))


def _is_python(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        if path.suffix in (".py", ".pyw"):
            return True
        with path.open("rb") as stream:
            return shebang.is_python(stream.read(shebang.HEAD))
    except (OSError, ValueError):  # ValueError: a name with a NUL
        return False
