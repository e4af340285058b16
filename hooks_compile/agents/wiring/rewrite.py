"""A configuration file's text: its hook commands on the wrapper, and off it again.

Pure functions over text: what has to be looked at on disk comes in as ``look``. Only the words of a
command that launch Python change; every other byte of the text stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hooks_compile.agents.shell.launches import Refusal, shell_sees
from hooks_compile.agents.wiring.command import (
    Edit,
    Rewritten,
    Surroundings,
    apply_edits,
    unwire_command,
    wire_command,
    wired_wrappers,
)
from hooks_compile.agents.wiring.json_text import JsonDocument, JsonTextError
from hooks_compile.agents.wiring.toml_text import TomlDocument, TomlTextError
from hooks_compile.errors import AgentConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile, Found, KeyPath
    from hooks_compile.agents.wiring.command import Script

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOWHERE: Mapping[Path, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """A command that changes: its place, both forms, its scripts and the wrappers they need."""

    where: str
    old: str
    new: str
    scripts: tuple[Path, ...] = ()
    wrappers: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A command that stays as it is, and why, in one line."""

    where: str
    command: str
    reason: str


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


def load(text: str, path: Path) -> JsonDocument | TomlDocument:
    """Read a configuration file's text, as TOML or JSON by the file's name.

    Raises:
        AgentConfigError: it does not parse.
    """
    try:
        return TomlDocument(text) if path.suffix == ".toml" else JsonDocument(text)
    except (JsonTextError, TomlTextError) as error:
        raise AgentConfigError(
            f"it does not parse: {error}", path=path, remedy="mend the file, then run this again"
        ) from error


def wire(
    text: str,
    config: ConfigFile,
    look: Callable[[Path], Script | None],
    *,
    environment: Mapping[str, str] = _NOTHING,
    blocked: Mapping[Path, str] = _NOWHERE,
) -> Result:
    """The text with every certain launch of a script on the wrapper beside that script.

    ``look`` looks at a path (None where no regular file is), ``environment`` gives HOME,
    ``blocked`` names folders where the wrapper can't be written, with the reason.

    Raises:
        AgentConfigError: the text does not parse.
    """
    document = load(text, config.path)
    edits: list[Edit] = []
    changes: dict[KeyPath, Change] = {}
    left: list[Left] = []
    wired: list[str] = []
    wrappers: list[Path] = []
    for found in config.agent.commands(document.settings):
        around = _surroundings(found, config, look, environment, blocked)
        outcome = _unread(found, around) or wire_command(found.command, around)
        moved = None
        if isinstance(outcome, Rewritten):
            moved = _in_text(document, found, outcome, reversible=True)
        if isinstance(outcome, Rewritten) and not isinstance(moved, Refusal):
            edits += moved or []
            changes[found.path] = _change(found, outcome)
        elif outcome is None:
            wired.append(found.where)
            wrappers += wired_wrappers(found.command, around)
        else:
            refusal = moved if isinstance(moved, Refusal) else outcome
            reason = refusal.reason if isinstance(refusal, Refusal) else ""
            left.append(Left(found.where, found.command, reason))
    new = apply_edits(text, edits)
    _require_only(changes, new, document, config)
    return Result(new, tuple(changes.values()), tuple(left), tuple(wired), tuple(wrappers))


def unwire(
    text: str,
    config: ConfigFile,
    look: Callable[[Path], Script | None],
    *,
    environment: Mapping[str, str] = _NOTHING,
) -> Result:
    """The text with every command off the wrapper: ``unwire(wire(text).text).text == text``.

    A wrapper that is there and is not ours stays.

    Raises:
        AgentConfigError: the text does not parse.
    """
    document = load(text, config.path)
    edits: list[Edit] = []
    changes: dict[KeyPath, Change] = {}
    left: list[Left] = []
    wrappers: list[Path] = []
    for found in config.agent.commands(document.settings):
        around = _surroundings(found, config, look, environment, _NOWHERE)
        outcome = None if _unread(found, around) else unwire_command(found.command, around)
        if outcome is None:
            continue
        moved = _in_text(document, found, outcome, reversible=False)
        if isinstance(moved, Refusal):
            left.append(Left(found.where, found.command, moved.reason))
        else:
            edits += moved
            changes[found.path] = _change(found, outcome)
            wrappers += wired_wrappers(found.command, around)
    new = apply_edits(text, edits)
    _require_only(changes, new, document, config)
    return Result(new, tuple(changes.values()), tuple(left), wrappers=tuple(wrappers))


def _surroundings(
    found: Found,
    config: ConfigFile,
    look: Callable[[Path], Script | None],
    environment: Mapping[str, str],
    blocked: Mapping[Path, str],
) -> Surroundings:
    starts = tuple(start / (found.cwd or "") for start in config.starts)
    home = {"HOME": environment["HOME"]} if environment.get("HOME") else {}
    variables = {**home, **config.variables}
    return Surroundings(look, starts, variables, config.agent.pastes, blocked)


def _unread(found: Found, around: Surroundings) -> Refusal | None:
    """Why a command is read by no shell that is understood here."""
    if found.arguments is not None:
        # Without a shell the agent itself would have to find `sh`, which Windows does not have.
        return Refusal("it is started without a shell, from a list of arguments")
    if found.foreign:
        return Refusal(f"it is read by {found.foreign}")
    decisive = sorted(n for n in found.environment if shell_sees(n) or n in around.variables)
    return (
        Refusal(f"its entry sets {decisive[0]}, which decides about the launch")
        if decisive
        else None
    )


def _in_text(
    document: JsonDocument | TomlDocument, found: Found, rewritten: Rewritten, *, reversible: bool
) -> list[Edit] | Refusal:
    """A command's edits as edits of the text; refused where the text would not come back."""
    try:
        offsets = document.offsets(found.path)
    except TomlTextError as error:
        return Refusal(f"its text can't be changed in place: {error}")
    moved: list[Edit] = []
    for edit in rewritten.edits:
        start, end = offsets[edit.start], offsets[edit.end]
        new = document.encode(found.path, edit.text)
        old = document.encode(found.path, found.command[edit.start : edit.end])
        if new is None:
            return Refusal("its string has quotes that can't hold the new command")
        if reversible and document.text[start:end] != old:
            return Refusal("it is written with escapes that would not come back")
        moved.append(Edit(start, end, new))
    return moved


def _change(found: Found, rewritten: Rewritten) -> Change:
    return Change(
        found.where, found.command, rewritten.command, rewritten.scripts, rewritten.wrappers
    )


def _require_only(
    changes: Mapping[KeyPath, Change],
    text: str,
    before: JsonDocument | TomlDocument,
    config: ConfigFile,
) -> None:
    """Read the new text again: nothing but the changed commands may differ."""
    after = load(text, config.path).settings
    for path, change in changes.items():
        inner: Any = after
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = change.old if inner[path[-1]] == change.new else None
    if after != before.settings:  # pragma: no cover - no text is known that gets here
        raise AgentConfigError("its commands would not read back as meant", path=config.path)
