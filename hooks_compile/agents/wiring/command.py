"""One command: put it on the wrapper, and take it off again.

The wired command holds all that is needed to restore the old one, so nothing has to be recorded:

    python3 -u X ARGS         sh WRAPPER -u X ARGS
    python X ARGS             sh WRAPPER --python=python X ARGS
    X ARGS                    sh WRAPPER --shebang X ARGS
    uv run --script X ARGS    sh WRAPPER --uv --script X ARGS
    bin/uv run X ARGS         sh WRAPPER --uv=bin/uv X ARGS

WRAPPER stands beside the script and is written with the folder of the script as it was written
there. It is run by ``sh`` and not by its execute bit, which archives, Windows and some file systems
drop: a guard that can't be started lets everything pass. A command whose old form does not come
back to the letter from its new one is left alone.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.launches import (
    NO_PYTHON,
    PYTHON_MARK,
    PYTHON_NAME,
    SHEBANG_MARK,
    UV_MARK,
    WRAPPER_NAME,
    Launch,
    Refusal,
    WiredLaunch,
    find_launches,
    is_uv_mark,
    wired_script,
)
from hooks_compile.agents.shell.shell_words import (
    Literal,
    Parameter,
    Pattern,
    Substitution,
    Tilde,
    Word,
)
from hooks_compile.agents.shell.values import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_Known = Literal | Parameter | Tilde
_PLAIN_PYTHON = "python3"  # what the wrapper runs when it is not told
# The lines that the wrapper takes for that of `uv run`.
_UV_LINE = re.compile(rb"#!/\S*/env -S uv run (?:(?:-q|--quiet) )?--script")
_WRAPPER_HEAD = b"hooks-compile wrapper"


@dataclass(frozen=True, slots=True)
class Script:
    """What stands at a path: the first bytes of a file, whether it is outside the project, and the
    folder around it, if any, that tools delete and make anew (a virtual environment)."""

    head: bytes
    outside: bool = False
    passing: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a command runs, as far as it is known before.

    ``look`` looks at a path: None where there is no regular file that can be read. ``starts`` are
    the folders it may start in (none where nobody knows), ``variables`` what the agent and the
    user's environment set, ``pastes`` the variables that the agent replaces itself, ``blocked`` the
    folders where the wrapper can't be written, with the reason.
    """

    look: Callable[[Path], Script | None]
    starts: tuple[Path, ...]
    variables: Mapping[str, str]
    pastes: frozenset[str]
    blocked: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters ``[start, end)`` of a command by ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A command's new form: the edits that lead to it, its scripts and the wrappers they need."""

    command: str
    edits: tuple[Edit, ...]
    scripts: tuple[Path, ...] = ()
    wrappers: tuple[Path, ...] = ()


def wire_command(command: str, around: Surroundings) -> Rewritten | Refusal | None:
    """The command with every certain launch on the wrapper; None where all of them are already."""
    reading = find_launches(command)
    if isinstance(reading, Refusal):
        return reading
    edits: list[Edit] = []
    scripts: list[Path] = []
    reasons = list(reading.reasons)
    for launch in reading.launches:
        placed = _place(launch, around)
        if isinstance(placed, Refusal):
            reasons.append(placed.reason)
        else:
            edits.append(_wiring_edit(launch, around.pastes))
            scripts.append(placed)
    if not edits:
        return None if reading.wired else Refusal(reasons[0] if reasons else NO_PYTHON)
    wired = apply_edits(command, edits)
    if apply_edits(wired, _unwiring_edits(wired)) != command:
        return Refusal("its old form would not come back to the letter")
    wrappers = dict.fromkeys(script.parent / WRAPPER_NAME for script in scripts)
    return Rewritten(wired, tuple(edits), tuple(scripts), tuple(wrappers))


def unwire_command(command: str, around: Surroundings) -> Rewritten | None:
    """The command without the wrapper; None where it has none, or a wrapper that is not ours."""
    reading = find_launches(command)
    if isinstance(reading, Refusal):
        return None
    ours = [launch for launch in reading.wired if _is_ours(launch, around)]
    edits = tuple(filter(None, (_unwiring_edit(launch) for launch in ours)))
    return Rewritten(apply_edits(command, edits), edits) if edits else None


def wired_wrappers(command: str, around: Surroundings) -> tuple[Path, ...]:
    """The wrappers that a command calls already, beside scripts that are there and in the project.

    They are known also where the wrapper itself is gone.
    """
    reading = find_launches(command)
    launches = () if isinstance(reading, Refusal) else reading.wired
    scripts = (_wired_script(launch, around) for launch in launches)
    return tuple(dict.fromkeys(path.parent / WRAPPER_NAME for path in scripts if path))


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with all edits made; they must not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def shebang_refusal(head: bytes) -> str | None:
    """Why a file that is run by its first line is nothing for the wrapper; None where it is.

    Taken are ``#!/usr/bin/env PYTHON`` and ``#!/path/to/PYTHON`` without further options, and the
    usual ``#!/usr/bin/env -S uv run --script``: with more, the kernel and ``env`` have their own
    ways to split the line (execve(2), env(1)).
    """
    line = head.partition(b"\n")[0]
    if _UV_LINE.fullmatch(line):
        return None
    match = re.fullmatch(rb"#![ \t]*(/\S+)(?:[ \t]+(.*\S))?[ \t]*", line, re.DOTALL)
    if match is None:
        return NO_PYTHON if not line.startswith(b"#!") else _shebang_text(line)
    program = match[1].rpartition(b"/")[2].decode("utf-8", "replace")
    option = match[2].decode("utf-8", "replace") if match[2] else None
    if (program == "env" and option and PYTHON_NAME.fullmatch(option)) or (
        PYTHON_NAME.fullmatch(program) and option is None
    ):
        return None
    is_python = re.search(rb"python|pypy|\buv\b", line)
    return _shebang_text(line) if is_python else NO_PYTHON


def _shebang_text(line: bytes) -> str:
    return f"its first line is `{line.decode('utf-8', 'replace').rstrip()}`"


def _place(launch: Launch, around: Surroundings) -> Path | Refusal:
    """The script of a launch, as an existing file beside which the wrapper may stand."""
    variables = _variables(launch, around)
    name = expand(launch.script, variables)
    doubtful = _doubtful_default(launch.script, variables)
    if name is None or doubtful:
        return Refusal(doubtful or _unknown(launch.script, variables))
    candidates = [Path(name)] if name.startswith("/") else _behind_folders(launch, around)
    found = [(c / name, seen) for c in candidates if (seen := around.look(c / name))]
    if not candidates:
        return Refusal(f"`{name}` depends on the folder that the command starts in")
    if not found:
        return Refusal(f"there is no file `{name}`")
    path, script = found[0]
    return _script_refusal(launch, path, script, around) or path


def _variables(launch: Launch | WiredLaunch, around: Surroundings) -> dict[str, str]:
    """The variables that are known where a launch stands."""
    variables = dict(around.variables)
    if not launch.state.folders and len(around.starts) == 1:
        variables["PWD"] = str(around.starts[0])
    return {n: value for n, value in variables.items() if n not in launch.state.changed}


def _doubtful_default(word: Word, variables: Mapping[str, str]) -> str:
    """Why a ``${NAME:-default}`` may lead elsewhere when it runs, "" where it does not.

    Somebody may set a variable that is not set here; and the default is quoted in the new command.
    """
    for part in word.parts:
        if isinstance(part, Parameter) and part.operator:
            known = part.name in variables
            plain = all(
                re.fullmatch(r"[\w./@%+,:=-]*", it.text)
                if isinstance(it, Literal)
                else isinstance(it, Parameter) and not it.operator
                for it in part.argument
            )
            if not (known and plain):
                return f"`{part.text}` is known only when it runs"
    return ""


def _script_refusal(
    launch: Launch, path: Path, script: Script, around: Surroundings
) -> Refusal | None:
    reason = None
    if launch.python is None:
        reason = shebang_refusal(script.head)
    elif script.head.startswith(b"PK\x03\x04") or path.suffix == ".pyc":
        reason = f"`{path.name}` is no Python source"
    if reason is None and script.outside:
        reason = f"`{path}` is outside the project"
    if reason is None and script.passing:
        reason = f"it is in `{script.passing}`, which comes and goes"
    if reason is None and _folder_parts(launch.script) is None:
        reason = "the script's folder and name can't be told apart"
    if reason is None:
        reason = around.blocked.get(path.parent)
    return Refusal(reason) if reason else None


def _behind_folders(launch: Launch | WiredLaunch, around: Surroundings) -> list[Path]:
    """The folders that a command may run in, behind its ``cd`` commands."""
    variables = _variables(launch, around)
    folders = list(around.starts)
    for word in launch.state.folders:
        name = expand(word, variables) if word is not None else None
        if word is None or name is None or _doubtful_default(word, variables):
            return []
        starts = [Path("/")] if name.startswith("/") else folders
        # As `cd` goes: `link/..` is where the link is.
        folders = [Path(os.path.normpath(start / name)) for start in starts]
    return folders


def _unknown(word: Word, variables: Mapping[str, str]) -> str:
    """What keeps a word's value from being known."""
    for part in word.parts:
        if isinstance(part, Substitution):
            return f"`{part.text}` is known only when it runs"
        if isinstance(part, Pattern):
            return f"`{word.text}` is a pattern"
        if isinstance(part, Parameter) and expand(Word(0, 0, "", (part,)), variables) is None:
            return f"`{part.text}` is known only when it runs"
    return f"`{word.text}` is known only when it runs"


def _folder_parts(word: Word) -> list[_Known] | None:
    """The parts of a word up to the last slash; None where that slash is in a variable's value."""
    parts = list(word.parts)
    while parts:
        part = parts.pop()
        if not isinstance(part, Literal):
            return None
        folder, slash, _ = part.text.rpartition("/")
        if slash:
            known = [part for part in parts if isinstance(part, Literal | Parameter | Tilde)]
            return [*known, Literal(folder + slash)]
    return []


def _wrapper_word(script: Word, pastes: frozenset[str]) -> str:
    """The wrapper beside a script, as a word that stays one word whatever its variables hold."""
    word = ""
    plain = ""
    for part in _folder_parts(script) or [Literal("./")]:
        if isinstance(part, Literal):
            plain += part.text
            continue
        word += _quoted(plain) + _expansion(part, pastes)
        plain = ""
    return word + _quoted(plain) + WRAPPER_NAME


def _quoted(text: str) -> str:
    """Text for a shell, with slashes outside of quotes: behind `~` a quoted one does not count."""
    return "/".join(shlex.quote(name) if name else "" for name in text.split("/"))


def _expansion(part: Parameter | Tilde, pastes: frozenset[str]) -> str:
    if isinstance(part, Tilde):
        return f"~{part.user}"
    if part.text == f"${part.name}" and part.name in pastes and not part.quoted:
        return part.text
    return f'"{part.text}"'


def _wiring_edit(launch: Launch, pastes: frozenset[str]) -> Edit:
    front = f"sh {_wrapper_word(launch.script, pastes)}"
    if launch.python is None:
        start = launch.script.start
        return Edit(start, start, f"{front} {SHEBANG_MARK} ")
    start, end = launch.python.start, launch.python.end
    if launch.uv is not None:
        name, run = launch.uv
        named = UV_MARK if name.text == "uv" else f"{UV_MARK}={name.text}"
        return Edit(start, run.end, f"{front} {named}")
    if launch.python.text == _PLAIN_PYTHON:
        return Edit(start, end, front)
    return Edit(start, start, f"{front} {PYTHON_MARK}")


def _unwiring_edits(command: str) -> list[Edit]:
    reading = find_launches(command)
    launches = () if isinstance(reading, Refusal) else reading.wired
    return [edit for launch in launches if (edit := _unwiring_edit(launch))]


def _unwiring_edit(launch: WiredLaunch) -> Edit | None:
    if not launch.following:
        return None
    first = launch.following[0]
    if first.text == SHEBANG_MARK and len(launch.following) > 1:
        return Edit(launch.start, launch.following[1].start, "")
    if first.text.startswith(PYTHON_MARK):
        return Edit(launch.start, first.start + len(PYTHON_MARK), "")
    if is_uv_mark(first.text):
        name = first.text[len(UV_MARK) + 1 :] or "uv"
        return Edit(launch.start, first.end, f"{name} run")
    return Edit(launch.start, launch.wrapper.end, _PLAIN_PYTHON)


def _wired_script(launch: WiredLaunch, around: Surroundings) -> Path | None:
    """The script of a launch that the wrapper stands beside; None where that is not certain."""
    word = wired_script(launch)
    if word is None:
        return None
    variables = _variables(launch, around)
    script, wrapper = (expand(each, variables) for each in (word, launch.wrapper))
    if script is None or wrapper is None:
        return None
    absolute = script.startswith("/") and wrapper.startswith("/")
    for folder in [Path("/")] if absolute else _behind_folders(launch, around):
        seen = around.look(folder / script)
        beside = os.path.normpath((folder / script).parent)
        if seen and not seen.outside and os.path.normpath((folder / wrapper).parent) == beside:
            return folder / script
    return None


def _is_ours(launch: WiredLaunch, around: Surroundings) -> bool:
    """Whether the wrapper is ours, or not there to tell: then nothing else can be meant."""
    name = expand(launch.wrapper, _variables(launch, around))
    if name is None:
        return True
    folders = [Path("/")] if name.startswith("/") else _behind_folders(launch, around)
    found = [seen for folder in folders if (seen := around.look(folder / name))]
    return not found or _WRAPPER_HEAD in found[0].head
