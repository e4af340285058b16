"""A configuration file's text: its hook commands on the wrapper, and off it again.

Pure functions over text; ``look`` looks at the disk for them. A command changes inside its quoted
literal, in the words that launch Python.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hooks_compile.agents.shell.launches import (
    WRAPPER_NAME,
    RefusedError,
    is_shell_variable,
    mentioned_words,
    suggested_command,
)
from hooks_compile.agents.shell.syntax import parse
from hooks_compile.agents.wiring.command import unwire_command, wired_wrappers
from hooks_compile.agents.wiring.documents import replace_values
from hooks_compile.agents.wiring.hooks import hooks_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks_compile.agents.clients.base import ConfigFile, Found, KeyPath
    from hooks_compile.agents.wiring.command import Rewritten, Surroundings
    from hooks_compile.agents.wiring.hooks import Hook, Look

    Act = Callable[[str, Surroundings], Rewritten | None]

_NOTHING: Mapping[Any, str] = MappingProxyType({})
_TWIN = "{} behind it is the same, and uninit would take that for its own: remove it first"
_WINDOWS = "Windows is in use here, and its shells have no sh: --posix changes it all the same"


class Change(NamedTuple):
    """A command that changes: its place, both forms and the wrappers that it needs.

    ``windows_shell`` names the shell that reads the command on Windows, which has no ``sh``; ""
    if the entry has a command of its own for Windows, or the agent brings a shell. ``added`` is the
    field of the entry that gets the old command for Windows, ``removed`` one that we had added.
    """

    where: str
    old: str
    new: str
    wrappers: tuple[Path, ...]
    windows_shell: str = ""
    added: str = ""
    removed: str = ""


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
    *,
    windows: bool = False,
    fixed: str = "",
) -> Result:
    """Return the text with ``act``, wire_command or unwire_command, done to each command.

    ``look``, ``environment`` and ``blocked`` are as for hooks_in. With ``windows`` commands stay
    that would fail under the shells of Windows. ``fixed`` is the reason why nothing in the file may
    change, one that the user can remove. Raises AgentConfigError if the text does not parse.
    """
    is_way_back = act is unwire_command
    hooks = list(hooks_in(text, config, look, environment, blocked))
    outcomes = {hook.found.path: _outcome(act, hook, fixed, windows=windows) for hook in hooks}
    edits = {
        hook.found.path: _edits(hook.found, outcome)
        for hook in hooks
        if isinstance(outcome := outcomes[hook.found.path], Change)
    }
    new = replace_values(text, config.path, edits)
    for path, reason in new.refused.items():
        if isinstance(outcome := outcomes[path], Change):
            outcomes[path] = Left(outcome.where, outcome.old, reason, outcome.new, is_way_back)
    return Result(
        new.text,
        tuple(each for each in outcomes.values() if isinstance(each, Change)),
        tuple(each for each in outcomes.values() if isinstance(each, Left)),
        0 if is_way_back else sum(each is None for each in outcomes.values()),
        tuple(path for hook in hooks for path in wired_wrappers(hook.line, hook.around)),
    )


def _outcome(act: Act, hook: Hook, fixed: str, *, windows: bool) -> Change | Left | None:
    """Return what becomes of a hook, None if it is as ``act`` would make it."""
    found, agent = hook.found, hook.config.agent
    try:
        if act is not unwire_command:
            _require_known_shell(found, hook.around)
        rewritten = act(hook.line, hook.around)
    except RefusedError as refused:
        return _left(hook, str(refused))
    if rewritten is None:
        return None
    change = _change(act, hook, rewritten)
    if agent.advice:
        paste = f"command: {json.dumps(rewritten.command, ensure_ascii=False)}"
        return Left(found.where, hook.line, agent.advice, paste)
    if act is not unwire_command and found.windows_twin == hook.line:
        return Left(found.where, hook.line, _TWIN.format(agent.windows_field))
    if reason := fixed or (_WINDOWS if windows and change.windows_shell else ""):
        return Left(found.where, hook.line, reason, rewritten.command, bool(fixed))
    return change


def _change(act: Act, hook: Hook, rewritten: Rewritten) -> Change:
    """Return what changes in a hook's entry, on Windows as well."""
    found, agent = hook.found, hook.config.agent
    change = Change(found.where, hook.line, *rewritten)
    if act is unwire_command:
        is_ours = found.windows_twin == rewritten.command
        return change._replace(removed=agent.windows_field if is_ours else "")
    if found.has_windows_command:
        return change
    if found.arguments is not None:
        return change._replace(windows_shell="what is on PATH")
    if agent.windows_field and WRAPPER_NAME not in hook.line:
        return change._replace(added=agent.windows_field)
    return change._replace(windows_shell=agent.windows_shell)


def _edits(found: Found, change: Change) -> dict[KeyPath, str | list[str] | None]:
    """Return what the fields of an entry have to become for a change, None for one to remove."""
    entry = found.path[:-1]
    if found.arguments is None:
        fields = {change.added: change.old, change.removed: None}
        return {found.path: change.new, **{(*entry, it): fields[it] for it in fields if it}}
    program, *arguments = (word.unquoted for it in parse(change.new) for word in it.words)
    return {found.path: program, (*entry, "args"): arguments}


def _require_known_shell(found: Found, around: Surroundings) -> None:
    """Raise RefusedError if a command is read by no shell that is understood here."""
    if found.foreign and found.arguments is None:
        raise RefusedError(f"it is read by {found.foreign}")
    for name in sorted(found.environment):
        if is_shell_variable(name) or name in around.variables:
            raise RefusedError(f"its entry sets {name}, which decides about the launch")


def _left(hook: Hook, reason: str) -> Left:
    """Return a command that stays, with a suggestion if it names a script of the project."""
    found, around = hook.found, hook.around
    stays = Left(found.where, found.command, reason)
    if reason in around.blocked.values():
        return stays._replace(is_removable=True)
    suggestion = suggested_command(found.command) if found.arguments is None else ""
    if suggestion and around.starts:
        words = mentioned_words([found.command], around.variables, around.starts[0])
        scripts = [around.look(around.starts[0] / word) for word in words if word.endswith(".py")]
        if any(script and not script.obstacle for script in scripts):
            return stays._replace(suggestion=suggestion)
    return stays
