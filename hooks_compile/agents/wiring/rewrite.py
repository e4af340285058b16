"""A configuration file's text: its hook commands on the wrapper, and off it again.

Pure functions over text; ``look`` looks at the disk for them. A command changes inside its quoted
literal, in the words that launch Python. The new text is parsed again: nothing else may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hooks_compile.agents.shell.launches import RefusedError, is_shell_variable
from hooks_compile.agents.shell.mentions import mentioned_words, suggested_command
from hooks_compile.agents.wiring.command import (
    Refusal,
    Rewritten,
    apply_edits,
    unwire_command,
    wire_command,
    wired_wrappers,
)
from hooks_compile.agents.wiring.documents import Edit, locate, read_settings
from hooks_compile.agents.wiring.surroundings import Surroundings
from hooks_compile.errors import AgentConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile, Found, Json
    from hooks_compile.agents.wiring.documents import Quoted
    from hooks_compile.agents.wiring.surroundings import Script

    Look = Callable[[Path], Script | None]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOWHERE: Mapping[Path, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """A command that changes: its place, both forms, its scripts and the wrappers they need.

    ``windows_shell`` names the shell that reads the command on Windows, which has no ``sh``; ""
    if the entry has a command of its own for Windows, or the agent brings a shell.
    """

    found: Found
    new: str
    edits: tuple[Edit, ...]
    scripts: tuple[Path, ...] = ()
    wrappers: tuple[Path, ...] = ()
    windows_shell: str = ""

    @property
    def where(self) -> str:
        """The command's place, for a person."""
        return self.found.where

    @property
    def old(self) -> str:
        """The command as it was."""
        return self.found.command


@dataclass(frozen=True, slots=True)
class Left:
    """A command that stays as it is, and why, in one line.

    ``suggestion`` is what a person may want to write there instead, "" if nothing is known.
    """

    where: str
    command: str
    reason: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The new text and what was done.

    ``wired`` are the places of commands that were on the wrapper before and still are;
    ``wrappers`` those that commands called before, beside each script that is there.
    """

    text: str
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    wired: tuple[str, ...] = ()
    wrappers: tuple[Path, ...] = ()


def wire(
    text: str,
    config: ConfigFile,
    look: Look,
    *,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOWHERE,
) -> Result:
    """Return the text with every certain launch of a script on the wrapper beside that script.

    ``look`` is as in Surroundings, ``environment`` holds HOME, ``blocked`` names directories that
    can't have the wrapper, with the reason. Raises AgentConfigError if the text does not parse.
    """
    around = partial(
        surroundings, config=config, look=look, environment=environment, blocked=blocked
    )
    return _rewrite(text, config, around, wire_command)


def unwire(
    text: str, config: ConfigFile, look: Look, *, environment: Mapping[str, str] = _NOTHING
) -> Result:
    """Return the text with every command off the wrapper, as it was before :func:`wire`.

    A wrapper that is there and is not ours stays. Raises AgentConfigError if the text does not
    parse.
    """
    around = partial(surroundings, config=config, look=look, environment=environment)
    return _rewrite(text, config, around, unwire_command)


def surroundings(
    found: Found,
    config: ConfigFile,
    look: Look,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOWHERE,
) -> Surroundings:
    """Return where a command of a configuration file runs; the arguments are those of wire."""
    starts = tuple(start / (found.cwd or "") for start in config.starts)
    home = {"HOME": environment["HOME"]} if environment.get("HOME") else {}
    return Surroundings(look, starts, {**home, **config.variables}, config.agent.pastes, blocked)


def _rewrite(
    text: str,
    config: ConfigFile,
    around_of: Callable[[Found], Surroundings],
    act: Callable[[str, Surroundings], Rewritten | Refusal | None],
) -> Result:
    """Return the text with ``act`` done to each command, as far as the text allows it."""
    settings = read_settings(text, config.path)
    changes: list[Change] = []
    left: list[Left] = []
    wired: list[str] = []
    wrappers: list[Path] = []
    for found in config.agent.commands(settings):
        around = around_of(found)
        outcome = _foreign(found, around) or act(found.command, around)
        if isinstance(outcome, Rewritten):
            changes.append(_change(found, outcome, config))
        elif isinstance(outcome, Refusal):
            left.append(_left(found, outcome.reason, around))
        else:
            wired.append(found.where)
        wrappers += wired_wrappers(found.command, around)
    is_wiring = act is wire_command
    if not is_wiring:
        left, wired = [], []  # they are as init left them
    edits: list[Edit] = []
    done: list[Change] = []
    places = locate(text, config.path, settings, [change.found.path for change in changes])
    for change, quoted in zip(changes, places, strict=True):
        try:
            edits.append(_new_literal(quoted, change, reversible=is_wiring))
            done.append(change)
        except RefusedError as refused:
            left.append(Left(change.where, change.old, str(refused)))
    new = apply_edits(text, edits)
    _require_only(done, new, settings, config)
    return Result(new, tuple(done), tuple(left), tuple(wired), tuple(wrappers))


def _foreign(found: Found, around: Surroundings) -> Refusal | None:
    """Return why a command is read by no shell that is understood here."""
    if found.arguments is not None:
        # Without a shell the agent itself would have to find `sh`, which Windows does not have.
        return Refusal("it is started without a shell, from a list of arguments")
    if found.foreign:
        return Refusal(f"it is read by {found.foreign}")
    for name in sorted(found.environment):
        if is_shell_variable(name) or name in around.variables:
            return Refusal(f"its entry sets {name}, which decides about the launch")
    return None


def _change(found: Found, rewritten: Rewritten, config: ConfigFile) -> Change:
    shell = "" if found.has_windows_command else config.agent.windows_shell
    return Change(
        found, rewritten.command, rewritten.edits, rewritten.scripts, rewritten.wrappers, shell
    )


def _left(found: Found, reason: str, around: Surroundings) -> Left:
    """Return a command that stays, with a suggestion if it names a script of the project."""
    root = around.starts[0] if around.starts else None
    suggestion = suggested_command(found.command) if root and found.arguments is None else ""
    if root and suggestion:
        words = mentioned_words(found.command, around.variables, root)
        scripts = [around.look(root / word) for word in words if word.endswith(".py")]
        if not any(it and not (it.outside or it.passing or it.is_directory) for it in scripts):
            suggestion = ""
    return Left(found.where, found.command, reason, suggestion)


def _new_literal(quoted: Quoted | None, change: Change, *, reversible: bool) -> Edit:
    """Return the edit of the text that changes a command's quoted literal."""
    if quoted is None:
        reason = "it goes over several lines or has rare escapes"
        raise RefusedError(f"its text can't be changed in place: {reason}")
    literal = quoted.edited(change.edits)
    if literal is None:
        raise RefusedError("its string has quotes that can't hold the new command")
    if reversible and not quoted.is_plain(change.old, change.edits):
        raise RefusedError("it is written with escapes that would not come back")
    return Edit(quoted.start, quoted.start + len(quoted.text), literal)


def _require_only(changes: list[Change], text: str, before: Json, config: ConfigFile) -> None:
    """Read the new text again: nothing but the changed commands may differ."""
    after = read_settings(text, config.path)
    for change in changes:
        inner: Any = after
        *keys, last = change.found.path
        for key in keys:
            inner = inner[key]
        inner[last] = change.old if inner[last] == change.new else None
    if after != before:  # pragma: no cover - no text is known that gets here
        raise AgentConfigError("its commands would not read back as meant", path=config.path)
