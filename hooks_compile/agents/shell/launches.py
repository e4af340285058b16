"""Where a command line launches Python: found by the shell's rules, never by a pattern.

A launch is certain if the line runs ``PYTHON [FLAGS] SCRIPT [ARGS]``, or a program by its path
(whose first line then says whether it is Python), in any of its simple commands, also behind
``exec``, ``env`` and ``timeout``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.effects import State, follow, only_extends_path
from hooks_compile.agents.shell.syntax import (
    NotUnderstoodError,
    Unknown,
    Word,
    assignment_name,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.agents.shell.syntax import SimpleCommand

WRAPPER_NAME = "hook_wrapper.sh"  # as in hooks_compile.install.wrapper, whose import is slow
PYTHON_MARK = "--python="
SHEBANG_MARK = "--shebang"
UV_MARK = "--uv"  # or --uv=CMD
BESIDE_MARK = "--beside="
NO_PYTHON = "it does not launch a Python script"
PYTHON_NAME = re.compile(r"(?:python|pypy)(?:3(?:\.[0-9]+t?)?)?(?:\.exe)?")

_VARIABLE = re.compile(r"\$\{(\w+)(?::?-[^{}]*)?\}|\$(\w+)")
_TOPLEVEL = re.compile(r"\$\(\s*git rev-parse --show-toplevel[^()]*\)")
_LAUNCH_BY_HAND = re.compile(
    r"""(?<![\w=/.-])(python3?)((?:\s+-[A-Za-z]+)*)\s+"""
    r"""("[^"]*/[^"/]+\.py"|'[^']*/[^'/]+\.py'|(?:\$\([^()]*\)|[^\s;&|"'()<>])*/[^\s;&|"'()<>/]+\.py)"""
    r"""(?![\w./])"""
)
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
# Letters that do not change which script runs: the same set as in the wrapper.
_FLAG = re.compile(r"-[BEIOPSbdqsuv]+|-[WX].+", re.DOTALL)
# Options of ``uv run`` that only say which environment is meant: the same sets as in uv.sh.
UV_SWITCHES = frozenset(
    {"-s", "--script", "-q", "--quiet", "--no-project", "--no-sync", "--frozen", "--locked"}
    | {"--offline", "--no-dev", "--no-config", "--no-progress", "--active"}
)
UV_OPTIONS_WITH_VALUE = frozenset({"-p", "--python", "--project", "--extra", "--group"})
_TIMEOUT_OPTIONS_WITH_VALUE = ("-k", "-s", "--kill-after", "--signal")
_SHELL_VARIABLES = frozenset(
    {"PATH", "ENV", "IFS", "CDPATH", "SHELLOPTS", "POSIXLY_CORRECT", "PWD", "OLDPWD", "SHLVL", "_"}
    | {"PPID", "RANDOM", "SRANDOM", "LINENO", "OPTIND", "OPTERR", "PS1", "PS2", "PS4"}
    | {"COMP_WORDBREAKS", "OSTYPE", "MACHTYPE", "CPUTYPE", "VENDOR", "TTY", "signals"}
)


class RefusedError(Exception):
    """A command, or a part of it, stays as it is; the message is the reason, one line."""


class Launch(NamedTuple):
    """One launch of a script.

    ``python`` is the word that names the interpreter, None if the script is run by its first line.
    ``state`` is what the commands in front have left. ``uv_run`` is the word ``run`` behind ``uv``
    if uv launches it. ``arguments`` are the words behind the script.
    """

    python: Word | None
    script: Word
    state: State
    uv_run: Word | None = None
    arguments: tuple[Word, ...] = ()


class WiredLaunch(NamedTuple):
    """A launch that goes through the wrapper already: ``[sh] WRAPPER [MARK] WORD...``.

    ``first`` is its first word, ``following`` are the words behind the wrapper, ``state`` is what
    the commands in front have left.
    """

    first: Word
    wrapper: Word
    following: tuple[Word, ...]
    state: State


class Reading(NamedTuple):
    """What a command line launches, and why other parts that look like Python are no launch."""

    launches: list[Launch]
    wired: list[WiredLaunch]
    reasons: list[str]


def find_launches(command: str) -> Reading:
    """Read a command line; one that is not understood as a whole launches nothing."""
    found = Reading([], [], [])
    try:
        commands = parse(command)
    except NotUnderstoodError as error:
        found.reasons.append(f"it is no plain command line: {error}")
        return found
    for simple, state in follow(commands):
        try:
            launch = _launch_of(simple, state)
        except RefusedError as refused:
            found.reasons.append(str(refused))
            continue
        if isinstance(launch, Launch):
            found.launches.append(launch)
        elif launch is not None:
            found.wired.append(launch)
    return found


def mentioned_words(
    texts: Iterable[str], variables: Mapping[str, str | None], root: Path
) -> Iterator[str]:
    """Yield what may be a path in commands that need not be understood: their words, read roughly.

    ``$(git rev-parse --show-toplevel)`` is taken for ``root``.
    """
    for text in texts:
        rough = _TOPLEVEL.sub(lambda _: str(root), text)
        rough = _VARIABLE.sub(lambda match: variables.get(match[1] or match[2]) or "", rough)
        rough = rough.replace("~/", (variables.get("HOME") or "~") + "/")
        yield from filter(None, re.split(r"[\s;|&()<>\"'`]+", re.sub(r"[\"']", "", rough)))


def suggested_command(command: str) -> str:
    """Return the command with each ``python3 DIR/X.py`` on the wrapper beside it, "" without one.

    It is a suggestion for a person: nobody has checked that it does the same.
    """
    suggested = _LAUNCH_BY_HAND.sub(_on_wrapper, command)
    return suggested if suggested != command else ""


def is_shell_variable(name: str) -> bool:
    """Return whether a variable changes which ``sh`` runs the wrapper, or how it behaves.

    Also if the shell changes the variable. dash, bash, busybox and zsh were looked at.
    """
    return name in _SHELL_VARIABLES or name.startswith(("BASH", "EPOCH"))


def _launch_of(simple: SimpleCommand, state: State) -> Launch | WiredLaunch | None:
    """Return what one simple command launches, None if that is no Python.

    Raises RefusedError if it is Python and nothing that the wrapper can launch.
    """
    words = simple.words
    assigned = list(simple.assignments)
    while words and (program := _program(words[0])) in ("exec", "env", "timeout"):
        end = 1
        while (option := words[end].text if end < len(words) else "").startswith("-"):
            if program != "timeout" or option in ("-v", "--verbose"):  # it prints the program
                raise RefusedError(f"`{program}` with options")
            end += 2 if option in _TIMEOUT_OPTIONS_WITH_VALUE else 1
        end += program == "timeout"
        while program == "env" and end < len(words) and assignment_name(words[end]):
            end += 1
        assigned += words[:end]
        words = words[end:]
    if not words:
        return None
    launch = _plain_launch(words, state)
    if isinstance(launch, Launch):
        names = {assignment_name(word) for word in assigned if not only_extends_path(word)}
        if seen := sorted(filter(is_shell_variable, state.changed | names)):
            raise RefusedError(f"it sets {seen[0]}, which the wrapper's shell would see")
    return launch


def _plain_launch(words: tuple[Word, ...], state: State) -> Launch | WiredLaunch | None:
    program = _program(words[0])
    if program == WRAPPER_NAME:
        return WiredLaunch(words[0], words[0], words[1:], state)
    if program in _SHELLS and len(words) > 1 and _program(words[1]) == WRAPPER_NAME:
        return WiredLaunch(words[0], words[1], words[2:], state)
    is_uv = program == "uv" and len(words) > 1 and words[1].text == "run"
    if is_uv or (program and PYTHON_NAME.fullmatch(program)):
        run = words[1] if is_uv else None
        script = _uv_script(words[2:]) if is_uv else _script(words[1:])
        # They mean something else behind `--python=`.
        if any(isinstance(part, Unknown) or part.text == "~" for part in words[0].parts):
            raise RefusedError(f"the program `{words[0].text}` is not a plain word")
        return Launch(words[0], script, state, run, words[words.index(script) + 1 :])
    if "/" in words[0].text and program not in _SHELLS:
        return Launch(None, words[0], state, arguments=words[1:])
    if any(re.search(r"python|pypy|\.py\b", word.text) for word in words):
        raise RefusedError(f"it runs through `{words[0].text}`")
    return None


def _script(arguments: Sequence[Word]) -> Word:
    """Return which of Python's arguments is the script."""
    words = iter(arguments)
    for word in words:
        value = word.literal
        if value is None or not value.startswith("-"):
            return word
        if value in ("-W", "-X"):
            next(words, None)
        elif not _FLAG.fullmatch(value):
            raise RefusedError(f"Python is started with `{value[:2]}`, which names no plain script")
    raise RefusedError("Python is started without a script")


def _uv_script(arguments: Sequence[Word]) -> Word:
    """Return which of the words behind ``uv run`` is the script."""
    words = iter(arguments)
    is_script = False
    for word in words:
        text = word.unquoted
        is_script = is_script or text in ("-s", "--script")
        if text in UV_OPTIONS_WITH_VALUE:
            next(words, None)
        elif text not in UV_SWITCHES:
            if text.startswith("-") or "://" in text or not (is_script or text.endswith(".py")):
                break
            return word
    raise RefusedError("only uv knows what these words of `uv run` mean")


def _program(word: Word) -> str | None:
    """Return the name of the program that a word means; None if it is not known."""
    return word.path.name if word.path else None


def _on_wrapper(match: re.Match[str]) -> str:
    python, flags, script = match.groups()
    directory, _, name = script.rpartition("/")
    quote = name[-1] if name.endswith(("'", '"')) else ""
    mark = "" if python == "python3" else f" --python={python}"
    return f"sh {directory}/{WRAPPER_NAME}{quote}{mark}{flags} {script}"
