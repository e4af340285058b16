"""One command: put on the wrapper, and taken off again.

The wired command holds all that is needed to restore the old one, so nothing has to be recorded:

    python3 -u X ARGS         sh WRAPPER -u X ARGS
    python X ARGS             sh WRAPPER --python=python X ARGS
    X ARGS                    sh WRAPPER --shebang X ARGS
    uv run --script X ARGS    sh WRAPPER --uv --script X ARGS
    bin/uv run X ARGS         sh WRAPPER --uv=bin/uv X ARGS
    python "$(...)"/X ARGS    sh "$(...)"/WRAPPER --python=python --beside=X ARGS

The last form runs ``$(...)`` once: the wrapper adds its own directory to the name. WRAPPER is
beside the script and is written with the script's directory as that was written. ``sh`` runs it,
and not its execute bit, which archives, Windows and some file systems drop: a guard that can't be
started lets everything pass. A command whose old form would not come back to the letter stays.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.effects import Assigned
from hooks_compile.agents.shell.launches import (
    BESIDE_MARK,
    NO_PYTHON,
    PYTHON_MARK,
    PYTHON_NAME,
    SHEBANG_MARK,
    UV_MARK,
    WRAPPER_NAME,
    RefusedError,
    find_launches,
)
from hooks_compile.agents.shell.syntax import TOPLEVEL, Literal, Parameter, expand, value_of
from hooks_compile.project import shebang

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooks_compile.agents.shell.launches import Launch, WiredLaunch
    from hooks_compile.agents.shell.syntax import Part, SplitPath, Word

_PLAIN_PYTHON = "python3"  # what the wrapper runs without a mark
# The kernel and env(1) have their own ways to split a line with more options.
_FIRST_LINE = re.compile(
    rb"#![ \t]*/(?:\S*/)?(?:env[ \t]+)?" + PYTHON_NAME.pattern.encode() + rb"[ \t]*"
    rb"|#!/\S*/env -S uv run (?:(?:-q|--quiet) )?--script"
)
_WRAPPER_HEAD = b"hooks-compile wrapper"
_PLAIN_NAME = re.compile(r'(.*/)([\w.+-]+)("?)', re.DOTALL)  # of a script that --beside names
Edit = tuple[int, int, str]
"""A text that replaces the characters ``[start, end)`` of another one."""


class Script(NamedTuple):
    """What is at a path: the first bytes of a file, and why the wrapper can't launch it, or ""."""

    head: bytes
    obstacle: str = ""


class Surroundings(NamedTuple):
    """Where a command runs.

    ``look`` returns what is at a path, None if that is nothing that Python could run. ``starts``
    are the directories that the command may start in (none if nobody knows). ``variables`` are what
    the agent and the user's environment set (None for a value that may be another one), ``pastes``
    those that the agent replaces itself. ``blocked`` are the directories that can't have the
    wrapper, with the reason.
    """

    look: Callable[[Path], Script | None]
    starts: tuple[Path, ...]
    variables: Mapping[str, str | None]
    pastes: frozenset[str]
    blocked: Mapping[Path, str]

    def paths(self, word: Word, launch: Launch | WiredLaunch) -> list[Path]:
        """Return where the file may be that a word of a launch names.

        Raises RefusedError if that is known only when the command runs.
        """
        variables: dict[str, str | None] = dict(self.variables)
        directories = list(self.starts)
        variables["PWD"] = str(directories[0]) if len(directories) == 1 else None
        for effect in launch.state.effects:
            assigned = None if launch.state.doubt else effect.word
            value = expand(assigned, variables) if assigned else None
            if isinstance(effect, Assigned):
                variables[effect.name] = value
                if effect.name.startswith("GIT_"):
                    variables[TOPLEVEL] = None
                continue
            if value is None:
                directories = []
            else:
                starts = [Path("/")] if value.startswith("/") else directories
                # As `cd` does it: `link/..` is the directory that holds the link.
                directories = [Path(os.path.normpath(start / value)) for start in starts]
            variables["PWD"] = str(directories[0]) if len(directories) == 1 else None
            variables[TOPLEVEL] = None
        name = expand(word, variables)
        if name is None:
            unknown = (part.text for part in word.parts if value_of(part, variables) is None)
            raise RefusedError(f"`{next(unknown)}` is known only when the command runs")
        if name.startswith("/"):
            return [Path(name)]
        if not directories:
            raise RefusedError(f"`{name}` depends on the directory that the command starts in")
        return [directory / name for directory in directories]

    def possible_paths(self, word: Word, launch: Launch | WiredLaunch) -> list[Path]:
        """Return the same; nothing if it is known only when the command runs."""
        with suppress(RefusedError):
            return self.paths(word, launch)
        return []


class Rewritten(NamedTuple):
    """A command's new form, and the wrappers that it needs beside its scripts."""

    command: str
    wrappers: tuple[Path, ...] = ()


def wire_command(command: str, around: Surroundings) -> Rewritten | None:
    """Return the command with every certain launch on the wrapper; None if all of them are.

    Raises RefusedError if it stays for another reason.
    """
    reading = find_launches(command)
    edits: list[Edit] = []
    wrappers: dict[Path, None] = {}
    reasons: list[str] = []
    for launch in reading.launches:
        try:
            script = _find_script(launch, around)
            edits.append(_wiring_edit(command, launch, around.pastes))
            wrappers[script.parent / WRAPPER_NAME] = None
        except RefusedError as refused:
            reasons.append(str(refused))
    if not edits:
        if reading.wired:
            return None
        raise RefusedError([*reasons, *reversed(reading.reasons), NO_PYTHON][0])
    wired = edited(command, edits)
    if _unwired(wired) != command:
        raise RefusedError("its old form would not come back to the letter")
    return Rewritten(wired, tuple(wrappers))


def unwire_command(command: str, around: Surroundings) -> Rewritten | None:
    """Return the command without the wrapper; None if it has none, or one that is not ours."""
    old = _unwired(command, is_ours=lambda launch: _is_ours(launch, around))
    return Rewritten(old) if old != command else None


def wired_wrappers(command: str, around: Surroundings) -> list[Path]:
    """Return the wrappers that a command calls beside scripts in the project, there or not."""
    launches = find_launches(command).wired
    named = [path for each in launches for path in around.possible_paths(each.wrapper, each)]
    beside: tuple[Path, ...] = ()
    with suppress(RefusedError):
        again = wire_command(_unwired(command), around._replace(blocked={})) if named else None
        beside = again.wrappers if again else ()
    return [path for path in beside if os.path.normpath(path) in map(os.path.normpath, named)]


def launches_of(command: str) -> list[Launch]:
    """Return the launches of a command, on the wrapper or not."""
    return find_launches(_unwired(command)).launches


def shebang_refusal(head: bytes) -> str:
    """Return why the wrapper can't launch a file by its first line, "" if it can.

    It can for ``#!/usr/bin/env PYTHON`` and ``#!/path/to/PYTHON`` without further options, and for
    the usual ``#!/usr/bin/env -S uv run --script``.
    """
    line = head.partition(b"\n")[0]
    if _FIRST_LINE.fullmatch(line):
        return ""
    if shebang.is_python(line):
        return f"its first line is `{line.decode('utf-8', 'replace').rstrip()}`"
    return NO_PYTHON


def _find_script(launch: Launch, around: Surroundings) -> Path:
    """Return the script of a launch: a file that may have the wrapper beside it."""
    if launch.state.doubt:
        raise RefusedError(launch.state.doubt)
    for path in around.paths(launch.script, launch):
        if script := around.look(path):
            if reason := _obstacle(launch, path, script, around):
                raise RefusedError(reason)
            return path
    raise RefusedError(f"there is no file `{launch.script.unquoted}`")


def _obstacle(launch: Launch, path: Path, script: Script, around: Surroundings) -> str:
    """Return why the wrapper can't launch a script or can't be beside it, "" if it can."""
    if launch.python is None and (refusal := shebang_refusal(script.head)):
        return refusal
    if script.obstacle:
        return script.obstacle
    if script.head.startswith(b"PK\x03\x04") or path.suffix == ".pyc":
        return f"`{path.name}` is no Python source"
    if launch.script.path is None or not launch.script.path.name:  # `hook.py/` is no file
        return "the script's directory and name can't be told apart"
    return around.blocked.get(path.parent, "")


def _unwired(command: str, *, is_ours: Callable[[WiredLaunch], bool] = lambda _: True) -> str:
    wired = filter(is_ours, find_launches(command).wired)
    return edited(command, (_unwiring_edit(command, launch) for launch in wired))


def edited(text: str, edits: Iterable[Edit | None]) -> str:
    """Return the text with all edits made; they must not overlap."""
    for start, end, new in sorted(filter(None, edits), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _wrapper_word(script: SplitPath | None, pastes: frozenset[str]) -> str:
    """Return the wrapper beside a script, as a word that stays one whatever its variables hold."""
    parts = script.directory if script else []
    return "".join(_quoted(part, pastes) for part in parts or [Literal("./")]) + WRAPPER_NAME


def _quoted(part: Part, pastes: frozenset[str]) -> str:
    if isinstance(part, Literal):  # its slashes outside of quotes: `~` needs a plain one behind it
        return "/".join(shlex.quote(name) if name else "" for name in part.text.split("/"))
    is_pasted = isinstance(part, Parameter) and not part.quoted and part.name in pastes
    if part.text == "~" or (is_pasted and "{" not in part.text):
        return part.text
    return f'"{part.text}"'


def _wiring_edit(command: str, launch: Launch, pastes: frozenset[str]) -> Edit:
    """Return what puts a launch on the wrapper. Raises RefusedError if it could not come back."""
    script = launch.script
    program, mark, start = "", SHEBANG_MARK, script.start
    if launch.python is not None:
        program, start = launch.python.text, launch.python.start
        mark = "" if program == _PLAIN_PYTHON else f"{PYTHON_MARK}{program}"
    end = start + len(program)
    if launch.uv_run is not None:
        mark = UV_MARK if program == "uv" else f"{UV_MARK}={program}"
        end = launch.uv_run.end
    mark = mark and f" {mark}"
    if any("$(" in part.text for part in script.parts if not isinstance(part, Literal)):
        gap, plain = command[end : script.start], _PLAIN_NAME.fullmatch(script.text)
        if gap.strip() or plain is None:
            reason = "only a plain name can be behind `$(...)`, and no option in front of it"
            raise RefusedError(reason)
        wrapper = f"{plain[1]}{WRAPPER_NAME}{plain[3]}"
        return (start, script.end, f"sh{gap or ' '}{wrapper}{mark} {BESIDE_MARK}{plain[2]}")
    return (start, end, f"sh {_wrapper_word(script.path, pastes)}{mark}{'' if program else ' '}")


def _unwiring_edit(command: str, launch: WiredLaunch) -> Edit | None:
    """Return what takes a launch off the wrapper, None if it launches nothing."""
    first, wrapper = launch.first, launch.wrapper
    marks = [*takewhile(lambda word: word.text.startswith("--"), launch.following[:2])]
    directory, found, behind = wrapper.text.rpartition(WRAPPER_NAME)
    if not (launch.following and found):
        return None
    mark = marks[0].text if marks else ""
    if mark == SHEBANG_MARK and len(launch.following) > 1:
        program = ""
    elif mark.startswith(PYTHON_MARK):
        program = mark.removeprefix(PYTHON_MARK)
    elif f"{mark}=".startswith(f"{UV_MARK}="):
        program = f"{mark[len(UV_MARK) + 1 :] or 'uv'} run"
    else:
        program, mark = _PLAIN_PYTHON, ""
    for beside in marks:
        if beside.text.startswith(BESIDE_MARK):
            gap = program and (command[first.end : wrapper.start] or " ")
            script = f"{directory}{beside.text.removeprefix(BESIDE_MARK)}{behind}"
            return (first.start, beside.end, f"{program}{gap}{script}")
    if not program:
        return (first.start, launch.following[1].start, "")
    return (first.start, marks[0].end if mark else wrapper.end, program)


def _is_ours(launch: WiredLaunch, around: Surroundings) -> bool:
    """Return whether the wrapper is ours, or missing: then nothing else can be meant."""
    paths = around.possible_paths(launch.wrapper, launch)
    found = [seen for path in paths if (seen := around.look(path))]
    return not found or _WRAPPER_HEAD in found[0].head
