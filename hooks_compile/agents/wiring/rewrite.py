"""A configuration file's text: its hook commands on the wrapper, and off it again.

Pure functions over text; ``look`` looks at the disk for them. A command changes inside its quoted
literal, in the words that launch Python.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.agents.shell.launches import (
    RefusedError,
    is_shell_variable,
    mentioned_words,
    suggested_command,
)
from hooks_compile.agents.wiring.command import Surroundings, unwire_command, wired_wrappers
from hooks_compile.agents.wiring.documents import read_settings, replace_strings
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
    left: list[Left] = []
    wired = 0
    wrappers: list[Path] = []
    for found in config.agent.commands(read_settings(text, config.path)):
        around = surroundings(found, config, look, environment, blocked)
        wrappers += wired_wrappers(found.command, around)
        try:
            _require_known_shell(found, around)
            rewritten = act(found.command, around)
        except RefusedError as refused:
            left.append(_left(found, str(refused), around))
            continue
        if rewritten is None:
            wired += 1
            continue
        shell = "" if found.has_windows_command else config.agent.windows_shell
        changes[found.path] = Change(found.where, found.command, *rewritten, shell)
    is_way_back = act is unwire_command
    if is_way_back:
        left, wired = [], 0  # they are as init left them
    new = replace_strings(text, config.path, {key: each.new for key, each in changes.items()})
    for key, reason in new.refused.items():
        change = changes.pop(key)
        left.append(Left(change.where, change.old, reason, change.new, is_way_back))
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
    home = {"HOME": environment["HOME"]} if environment.get("HOME") else {}
    return Surroundings(look, starts, {**home, **config.variables}, config.agent.pastes, blocked)


def _require_known_shell(found: Found, around: Surroundings) -> None:
    """Raise RefusedError if a command is read by no shell that is understood here."""
    if found.arguments is not None:
        # Without a shell the agent itself would have to find `sh`, which Windows does not have.
        raise RefusedError("it is started without a shell, from a list of arguments")
    if found.foreign:
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
