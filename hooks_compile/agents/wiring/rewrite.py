"""A configuration file's text: its hook commands on the wrapper, and off it again.

Pure functions over text; ``look`` looks at the disk for them. A command changes inside its quoted
literal, in the words that launch Python.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.agents.shell.launches import (
    RefusedError,
    is_shell_variable,
    mentioned_words,
    suggested_command,
)
from hooks_compile.agents.shell.syntax import TOPLEVEL
from hooks_compile.agents.wiring.arguments import command_line, words_of
from hooks_compile.agents.wiring.command import Surroundings, unwire_command, wired_wrappers
from hooks_compile.agents.wiring.documents import read_settings, replace_values
from hooks_compile.errors import AgentConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile, Found, KeyPath
    from hooks_compile.agents.wiring.command import Rewritten, Script

    Look = Callable[[Path], Script | None]
    Act = Callable[[str, Surroundings], Rewritten | None]

_NOTHING: Mapping[Any, str] = MappingProxyType({})


class Change(NamedTuple):
    """A command that changes: its place, both forms and the wrappers that it needs.

    ``windows_shell`` names the shell that reads the command on Windows, which has no ``sh``; ""
    if the entry has a command of its own for Windows, or the agent brings a shell.
    """

    where: str
    old: str
    new: str
    wrappers: tuple[Path, ...]
    windows_shell: str


class Left(NamedTuple):
    """A command that stays as it is, and why, in one line.

    ``suggestion`` is what a person may want to write there instead, "" if nothing is known.
    ``is_removable`` says that the user can remove the reason.
    """

    where: str
    command: str
    reason: str
    suggestion: str = ""
    is_removable: bool = False


class Result(NamedTuple):
    """The new text and what was done.

    ``wired`` is the number of commands that were on the wrapper before and still are;
    ``wrappers`` those that commands called before, beside each script that is there.
    """

    text: str
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    wired: int = 0
    wrappers: tuple[Path, ...] = ()


def rewrite(
    act: Act,
    text: str,
    config: ConfigFile,
    look: Look,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOTHING,
) -> Result:
    """Return the text with ``act``, wire_command or unwire_command, done to each command.

    ``look`` is as in Surroundings, ``environment`` holds HOME, ``blocked`` names directories that
    can't have the wrapper, with the reason. Raises AgentConfigError if the text does not parse.
    """
    changes: dict[KeyPath, Change] = {}
    edits: dict[KeyPath, dict[KeyPath, str | list[str]]] = {}
    left: list[Left] = []
    wired = 0
    wrappers: list[Path] = []
    is_way_back = act is unwire_command
    for found in config.agent.commands(read_settings(text, config.path)):
        around = surroundings(found, config, look, environment, blocked)
        line = command_line(found, config.variables)
        wrappers += wired_wrappers(line, around)
        try:
            _require_known_shell(found, around)
            rewritten = act(line, around)
        except RefusedError as refused:
            left.append(_left(found, str(refused), around))
            continue
        if rewritten is None:
            wired += 1
            continue
        shell = config.agent.windows_shell if found.arguments is None else "what is on PATH"
        shell = "" if found.has_windows_command or is_way_back else shell
        changes[found.path] = Change(found.where, line, *rewritten, shell)
        edits[found.path] = _edits(found, rewritten.command)
    if is_way_back:
        left, wired = [], 0  # they are as init left them
    new = replace_values(text, config.path, _all(edits))
    for path, own in [*edits.items()]:
        if reasons := [new.refused[key] for key in own if key in new.refused]:
            change = changes.pop(path)
            del edits[path]
            left.append(Left(change.where, change.old, reasons[0], change.new, is_way_back))
    if new.refused:  # a command and its arguments change together or not at all
        new = replace_values(text, config.path, _all(edits))
    return Result(new.text, tuple(changes.values()), tuple(left), wired, tuple(wrappers))


def readable_commands(config: ConfigFile, content: bytes) -> list[Found]:
    """Return the commands in a file's content; none if it can't be read: who wires it says so."""
    if config.path.suffix == ".toml" and b"hooks" not in content:  # reading it is slow
        return []
    try:
        return list(config.agent.commands(read_settings(content.decode(), config.path)))
    except (AgentConfigError, UnicodeDecodeError):
        return []


def surroundings(
    found: Found,
    config: ConfigFile,
    look: Look,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOTHING,
) -> Surroundings:
    """Return where a command of a configuration file runs; the arguments are those of rewrite."""
    starts = tuple(start / (found.cwd or "") for start in config.starts)
    variables: dict[str, str | None] = dict.fromkeys(environment)  # the agent's may differ
    variables["HOME"] = environment.get("HOME") or None
    toplevels = {_work_tree(start) for start in starts}
    variables[TOPLEVEL] = toplevels.pop() if len(toplevels) == 1 else None
    variables.update(config.variables)
    return Surroundings(look, starts, variables, config.agent.pastes, blocked)


def _work_tree(start: Path) -> str | None:
    """Return the root of the work tree around a directory, as git finds it; git does not run."""
    real = start.resolve()
    roots = (each for each in (real, *real.parents) if os.path.lexists(each / ".git"))
    return next(map(str, roots), None)


def _edits(found: Found, line: str) -> dict[KeyPath, str | list[str]]:
    """Return what a command and its arguments have to become for a new command line."""
    if found.arguments is None:
        return {found.path: line}
    program, *arguments = words_of(line)
    return {found.path: program, (*found.path[:-1], "args"): arguments}


def _all(
    edits: Mapping[KeyPath, Mapping[KeyPath, str | list[str]]],
) -> dict[KeyPath, str | list[str]]:
    return {key: value for own in edits.values() for key, value in own.items()}


def _require_known_shell(found: Found, around: Surroundings) -> None:
    """Raise RefusedError if a command is read by no shell that is understood here."""
    if found.foreign and found.arguments is None:
        raise RefusedError(f"it is read by {found.foreign}")
    for name in sorted(found.environment):
        if is_shell_variable(name) or name in around.variables:
            raise RefusedError(f"its entry sets {name}, which decides about the launch")


def _left(found: Found, reason: str, around: Surroundings) -> Left:
    """Return a command that stays, with a suggestion if it names a script of the project."""
    if reason in around.blocked.values():
        return Left(found.where, found.command, reason, is_removable=True)
    suggestion = suggested_command(found.command) if found.arguments is None else ""
    if suggestion and around.starts:
        words = mentioned_words([found.command], around.variables, around.starts[0])
        scripts = [around.look(around.starts[0] / word) for word in words if word.endswith(".py")]
        if any(script and not script.obstacle for script in scripts):
            return Left(found.where, found.command, reason, suggestion)
    return Left(found.where, found.command, reason)
