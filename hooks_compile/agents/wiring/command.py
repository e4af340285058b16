"""One command: put on the wrapper, and taken off again.

The wired command holds all that is needed to restore the old one, so nothing has to be recorded:

    python3 -u X ARGS         sh WRAPPER -u X ARGS
    python X ARGS             sh WRAPPER --python=python X ARGS
    X ARGS                    sh WRAPPER --shebang X ARGS
    uv run --script X ARGS    sh WRAPPER --uv --script X ARGS
    bin/uv run X ARGS         sh WRAPPER --uv=bin/uv X ARGS

WRAPPER is beside the script and is written with the script's directory as that was written. ``sh``
runs it, and not its execute bit, which archives, Windows and some file systems drop: a guard that
can't be started lets everything pass. A command whose old form would not come back to the letter
stays.
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
    RefusedError,
    find_launches,
    is_uv_mark,
)
from hooks_compile.agents.shell.shell_words import Literal, Parameter, Tilde, expand
from hooks_compile.agents.wiring.documents import Edit
from hooks_compile.agents.wiring.surroundings import directory_parts, unknown_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hooks_compile.agents.shell.launches import Launch, WiredLaunch
    from hooks_compile.agents.shell.shell_words import Word
    from hooks_compile.agents.wiring.surroundings import Script, Surroundings

_PLAIN_PYTHON = "python3"  # what the wrapper runs without a mark
# The lines that the wrapper takes for that of `uv run`.
_UV_LINE = re.compile(rb"#!/\S*/env -S uv run (?:(?:-q|--quiet) )?--script")
_WRAPPER_HEAD = b"hooks-compile wrapper"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command stays as it is, in one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A command's new form: the edits that lead to it, its scripts and the wrappers they need."""

    command: str
    edits: tuple[Edit, ...]
    scripts: tuple[Path, ...] = ()
    wrappers: tuple[Path, ...] = ()


def wire_command(command: str, around: Surroundings) -> Rewritten | Refusal | None:
    """Return the command with every certain launch on the wrapper; None if all of them are."""
    reading = find_launches(command)
    edits: list[Edit] = []
    scripts: list[Path] = []
    reasons = list(reading.reasons)
    for launch in reading.launches:
        try:
            scripts.append(_find_script(launch, around))
            edits.append(_wiring_edit(launch, around.pastes))
        except RefusedError as refused:
            reasons.append(str(refused))
    if not edits:
        return None if reading.wired else Refusal(reasons[0] if reasons else NO_PYTHON)
    wired = apply_edits(command, edits)
    back = filter(None, map(_unwiring_edit, find_launches(wired).wired))
    if apply_edits(wired, back) != command:
        return Refusal("its old form would not come back to the letter")
    wrappers = dict.fromkeys(script.parent / WRAPPER_NAME for script in scripts)
    return Rewritten(wired, tuple(edits), tuple(scripts), tuple(wrappers))


def unwire_command(command: str, around: Surroundings) -> Rewritten | None:
    """Return the command without the wrapper; None if it has none, or one that is not ours."""
    ours = (launch for launch in find_launches(command).wired if _is_ours(launch, around))
    edits = tuple(filter(None, map(_unwiring_edit, ours)))
    return Rewritten(apply_edits(command, edits), edits) if edits else None


def wired_wrappers(command: str, around: Surroundings) -> tuple[Path, ...]:
    """Return the wrappers that a command calls beside scripts in the project, there or not."""
    scripts = (_wired_script(launch, around) for launch in find_launches(command).wired)
    return tuple(dict.fromkeys(path.parent / WRAPPER_NAME for path in scripts if path))


def named_wrappers(launch: WiredLaunch, around: Surroundings) -> list[Path]:
    """Return where the wrapper of a launch may be; none if that is known only when it runs."""
    name = expand(launch.wrapper, around.variables_at(launch))
    return [Path(os.path.normpath(path)) for path in around.paths(name, launch)] if name else []


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made; they must not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def shebang_refusal(head: bytes) -> str | None:
    """Return why the wrapper can't launch a file by its first line, None if it can.

    It can for ``#!/usr/bin/env PYTHON`` and ``#!/path/to/PYTHON`` without further options, and for
    the usual ``#!/usr/bin/env -S uv run --script``: the kernel and ``env`` have their own ways to
    split more (execve(2), env(1)).
    """
    line = head.partition(b"\n")[0]
    if _UV_LINE.fullmatch(line):
        return None
    match = re.fullmatch(rb"#![ \t]*(/\S+)(?:[ \t]+(.*\S))?[ \t]*", line, re.DOTALL)
    if match is not None:
        program = match[1].rpartition(b"/")[2].decode("utf-8", "replace")
        option = match[2].decode("utf-8", "replace") if match[2] else ""
        name = option if program == "env" and option else program if not option else ""
        if PYTHON_NAME.fullmatch(name):
            return None
    if not line.startswith(b"#!") or (match and not re.search(rb"python|pypy|\buv\b", line)):
        return NO_PYTHON
    return f"its first line is `{line.decode('utf-8', 'replace').rstrip()}`"


def _find_script(launch: Launch, around: Surroundings) -> Path:
    """Return the script of a launch: a file that may have the wrapper beside it."""
    variables = around.variables_at(launch)
    if reason := unknown_reason(launch.script, variables):
        raise RefusedError(reason)
    name = expand(launch.script, variables) or ""
    paths = around.paths(name, launch)
    if not paths:
        raise RefusedError(f"`{name}` depends on the directory that the command starts in")
    for path in paths:
        if script := around.look(path):
            if reason := _obstacle(launch, path, script, around):
                raise RefusedError(reason)
            return path
    raise RefusedError(f"there is no file `{name}`")


def _obstacle(launch: Launch, path: Path, script: Script, around: Surroundings) -> str:
    """Return why the wrapper can't launch a script or can't be beside it, "" if it can."""
    is_archive = script.head.startswith(b"PK\x03\x04") or path.suffix == ".pyc"
    shebang = shebang_refusal(script.head) if launch.python is None else None
    linked = f" is a symlink to `{script.outside}`," if script.outside != str(path) else " is"
    reasons = [
        (shebang, shebang),
        (script.is_directory, f"`{path.name}` is a directory, which Python runs as a whole"),
        (is_archive and launch.python, f"`{path.name}` is no Python source"),
        (script.outside, f"`{path}`{linked} outside the project"),
        (script.passing, f"it is in `{script.passing}`, which comes and goes"),
        (
            directory_parts(launch.script) is None,
            "the script's directory and name can't be told apart",
        ),
        (path.parent in around.blocked, around.blocked.get(path.parent)),
    ]
    return next((str(reason) for applies, reason in reasons if applies), "")


def _wrapper_word(script: Word, pastes: frozenset[str]) -> str:
    """Return the wrapper beside a script, as a word that stays one whatever its variables hold."""
    word = ""
    plain = ""
    for part in directory_parts(script) or [Literal("./")]:
        if isinstance(part, Literal):
            plain += part.text
            continue
        word += _quoted(plain) + _quoted_expansion(part, pastes)
        plain = ""
    return word + _quoted(plain) + WRAPPER_NAME


def _quoted(text: str) -> str:
    """Return text for a shell, its slashes outside of quotes: `~` needs a plain one behind it."""
    return "/".join(shlex.quote(name) if name else "" for name in text.split("/"))


def _quoted_expansion(part: Parameter | Tilde, pastes: frozenset[str]) -> str:
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
    if launch.uv_run is not None:
        name, run = launch.uv_run
        mark = UV_MARK if name.text == "uv" else f"{UV_MARK}={name.text}"
        return Edit(start, run.end, f"{front} {mark}")
    if launch.python.text == _PLAIN_PYTHON:
        return Edit(start, end, front)
    return Edit(start, start, f"{front} {PYTHON_MARK}")


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
    """Return the script of a launch that has the wrapper beside it; None if it is not certain."""
    name = expand(launch.script, around.variables_at(launch)) if launch.script else None
    wrappers = named_wrappers(launch, around)
    for path in around.paths(name, launch) if name else ():
        seen = around.look(path)
        beside = Path(os.path.normpath(path.parent)) / WRAPPER_NAME
        if seen and not seen.outside and not seen.is_directory and beside in wrappers:
            return path
    return None


def _is_ours(launch: WiredLaunch, around: Surroundings) -> bool:
    """Return whether the wrapper is ours, or missing: then nothing else can be meant."""
    found = [seen for path in named_wrappers(launch, around) if (seen := around.look(path))]
    return not found or _WRAPPER_HEAD in found[0].head
