"""Where a command line launches Python: understood by the shell's rules, never by a pattern.

A launch is certain where the line runs ``PYTHON [FLAGS] SCRIPT [ARGS]``, or a program by its path
(whose first line then decides whether it is Python), in any of its simple commands, also behind
``exec``, ``env`` and ``timeout``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.effects import State, follow, only_adds_to_path
from hooks_compile.agents.shell.shell_words import (
    Literal,
    Parameter,
    SimpleCommand,
    Word,
    assignment_name,
)
from hooks_compile.agents.shell.syntax import NotUnderstoodError, parse
from hooks_compile.runtime import uv

if TYPE_CHECKING:
    from collections.abc import Sequence

WRAPPER_NAME = "hook_wrapper.sh"  # as in hooks_compile.install.wrapper, whose import is slow
PYTHON_MARK = "--python="
SHEBANG_MARK = "--shebang"
UV_MARK = "--uv"  # or --uv=CMD

PYTHON_NAME = re.compile(r"(?:python|pypy)(?:3(?:\.[0-9]+t?)?)?(?:\.exe)?")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_RUNNERS = frozenset(
    {"uv", "uvx", "poetry", "pipenv", "pdm", "hatch", "rye", "conda", "micromamba", "pixi", "mise"}
    | {"asdf", "pyenv", "py"}
)
_OTHER_PREFIXES = frozenset(
    {"nohup", "nice", "ionice", "setsid", "stdbuf", "sudo", "xargs", "command", "builtin", "eval"}
    | {"flock", "chronic", "time", "cmd", "cmd.exe", "powershell", "pwsh", "powershell.exe"}
)
# Letters that change nothing about which script runs: the same set as in the wrapper.
_FLAG = re.compile(r"-[BEIOPSbdqsuv]+|-[WX].+", re.DOTALL)
_TIMEOUT_WITH_VALUE = frozenset({"-k", "-s", "--kill-after", "--signal"})
_SHELL_VARIABLES = frozenset(
    {"PATH", "ENV", "IFS", "CDPATH", "SHELLOPTS", "POSIXLY_CORRECT", "PWD", "OLDPWD", "SHLVL", "_"}
    | {"PPID", "RANDOM", "SRANDOM", "LINENO", "OPTIND", "OPTERR", "PS1", "PS2", "PS4"}
    | {"COMP_WORDBREAKS", "OSTYPE", "MACHTYPE", "CPUTYPE", "VENDOR", "TTY", "signals"}
)

NO_PYTHON = "it does not launch a Python script"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command stays as it is, in one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch of a script.

    ``python`` is the word that names the interpreter, None where the script is run by its first
    line. ``state`` is what the commands in front have left. ``uv`` are the words ``uv`` and ``run``
    where they launch it.
    """

    python: Word | None
    script: Word
    state: State
    uv: tuple[Word, Word] | None = None


@dataclass(frozen=True, slots=True)
class WiredLaunch:
    """A launch that goes through the wrapper already: ``[sh] WRAPPER [MARK] WORD...``.

    ``start`` is where its first word begins, ``following`` the words behind the wrapper, ``state``
    what the commands in front have left.
    """

    start: int
    wrapper: Word
    following: tuple[Word, ...]
    state: State


@dataclass(frozen=True, slots=True)
class Reading:
    """What a command line launches, and why other parts that look like Python are no launch."""

    launches: tuple[Launch, ...] = ()
    wired: tuple[WiredLaunch, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    launches: list[Launch] = field(default_factory=list)
    wired: list[WiredLaunch] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def find_launches(command: str) -> Reading | Refusal:
    """Read a command line; a Refusal where the line as a whole is not understood."""
    try:
        commands = parse(command)
    except NotUnderstoodError as error:
        return Refusal(f"not a plain command line: {error.reason}")
    found = _Found()
    for simple, state in follow(commands):
        _classify(simple, state, found)
    return Reading(tuple(found.launches), tuple(found.wired), tuple(found.reasons))


def script_position(arguments: Sequence[str | None]) -> int | Refusal:
    """Where the script stands among the arguments of a Python; None is an argument that is known
    only when the command runs, and counts as the script."""
    position = 0
    while position < len(arguments):
        value = arguments[position]
        if value is None or not value.startswith("-"):
            return position if value != "" else Refusal("the script's name is empty")
        if value == "-":
            return Refusal("Python reads its program from standard input")
        if value.startswith("-c"):
            return Refusal("`-c` gives Python its program, there is no script")
        if value.startswith("-m"):
            return Refusal("`-m` runs a module, not a script")
        if value in ("-W", "-X"):
            position += 1
        elif not _FLAG.fullmatch(value):
            return Refusal(f"Python's flag `{value}`")
        position += 1
    return Refusal("Python is started without a script")


def basename(word: Word) -> str | None:
    """The last component of the path that a word stands for; None where it is not known."""
    last = word.parts[-1] if word.parts else None
    if word.literal is not None:
        return word.literal.rpartition("/")[2]
    if isinstance(last, Literal) and "/" in last.text:
        return last.text.rpartition("/")[2]
    return None


def _classify(simple: SimpleCommand, state: State, found: _Found) -> None:
    """Add what one simple command launches, or why it launches nothing that counts."""
    words = simple.words
    assigned = list(simple.assignments)
    position = 0
    while position < len(words):
        program = basename(words[position])
        following = _behind_prefix(program, words, position)
        if following is None:
            break
        if isinstance(following, Refusal):
            if _looks_like_python(words[position:]):
                found.reasons.append(following.reason)
            return
        assigned += words[position:following]
        position = following
    if position >= len(words):
        return
    outcome = _outcome(words[position:], state)
    if isinstance(outcome, Launch):
        outcome = _doubt(assigned, state) or outcome
    if isinstance(outcome, Launch):
        found.launches.append(outcome)
    elif isinstance(outcome, WiredLaunch):
        found.wired.append(outcome)
    elif isinstance(outcome, Refusal):
        found.reasons.append(outcome.reason)


def _doubt(assigned: Sequence[Word], state: State) -> Refusal | None:
    """Why a launch is not certain, or the wrapper's shell would not leave the hook what it has."""
    if state.doubt:
        return Refusal(state.doubt)
    names = {assignment_name(word) for word in assigned if not only_adds_to_path(word)}
    seen = sorted(filter(shell_sees, state.changed | names))
    return Refusal(f"it sets {seen[0]}, which the wrapper's shell would see") if seen else None


def _behind_prefix(program: str | None, words: tuple[Word, ...], at: int) -> int | Refusal | None:
    """Where the command stands that ``exec``, ``env`` or ``timeout`` runs; None for any other."""
    if program not in ("exec", "env", "timeout", "gtimeout"):
        return None
    position = at + 1
    takes_value = _TIMEOUT_WITH_VALUE if program in ("timeout", "gtimeout") else frozenset()
    while position < len(words) and words[position].text.startswith("-"):
        if not takes_value:
            return Refusal(f"`{program}` with options")
        position += 2 if words[position].text in takes_value else 1
    if takes_value:
        options = [word.text for word in words[at + 1 : position]]
        if any(option in ("-v", "--verbose") for option in options):
            return Refusal(f"`{program} -v` tells the name of what it ends")
        if position < len(words) and words[position].literal is None:
            return Refusal(f"`{words[position].text}` is known only when it runs")
        return position + 1
    while program == "env" and position < len(words) and assignment_name(words[position]):
        position += 1
    return position


def _outcome(words: tuple[Word, ...], state: State) -> Launch | WiredLaunch | Refusal | None:
    program = basename(words[0])
    if wired := _wired(program, words, state):
        return wired
    if program == "uv" and _looks_like_python(words):
        return _uv_launch(words, state)
    if program is None or program in _SHELLS | _RUNNERS | _OTHER_PREFIXES:
        return _runner_refusal(program, words) if _looks_like_python(words) else None
    if PYTHON_NAME.fullmatch(program):
        return _python_launch(words, state)
    if "/" in words[0].text:
        return Launch(None, words[0], state)
    return None


def _wired(program: str | None, words: tuple[Word, ...], state: State) -> WiredLaunch | None:
    if program == WRAPPER_NAME:
        return WiredLaunch(words[0].start, words[0], words[1:], state)
    if program in _SHELLS and len(words) > 1 and basename(words[1]) == WRAPPER_NAME:
        return WiredLaunch(words[0].start, words[1], words[2:], state)
    return None


def _python_launch(words: tuple[Word, ...], state: State) -> Launch | Refusal:
    position = script_position([word.literal for word in words[1:]])
    if isinstance(position, Refusal):
        return position
    if not all(isinstance(part, Literal | Parameter) for part in words[0].parts):
        # Behind `--python=` a shell would expand neither `~` nor a pattern.
        return Refusal(f"the interpreter `{words[0].text}` is not a plain word")
    return Launch(words[0], words[1 + position], state)


def uv_script_position(words: Sequence[Word]) -> int | Refusal:
    """Where the script stands among the words behind ``uv run``."""
    position = 0
    while position < len(words):
        word = words[position]
        if word.literal in uv.WITH_VALUE:
            position += 1
        elif word.literal not in uv.SWITCHES:
            break
        position += 1
    if position >= len(words):
        return Refusal("`uv run` is given no script")
    if words[position].text.startswith("-"):
        return Refusal(f"uv's option `{words[position].text}`")
    options = {word.literal for word in words[:position]}
    last = words[position].parts[-1] if words[position].parts else None
    is_script = isinstance(last, Literal) and last.text.endswith(".py")
    if not is_script and options.isdisjoint(("-s", "--script")):
        return Refusal(f"`uv run` looks for a program `{words[position].text}`")
    return position


def wired_script(launch: WiredLaunch) -> Word | None:
    """The script of a launch through the wrapper, None where it has none for certain."""
    words = launch.following
    mark = words[0].text if words else ""
    position: int | Refusal
    if is_uv_mark(mark):
        words = words[1:]
        position = uv_script_position(words)
    else:
        if mark == SHEBANG_MARK or mark.startswith(PYTHON_MARK):
            words = words[1:]
        position = script_position([word.literal for word in words])
    return words[position] if isinstance(position, int) else None


def is_uv_mark(word: str) -> bool:
    """Whether a word tells the wrapper that the launch is one of ``uv run``."""
    return word == UV_MARK or word.startswith(f"{UV_MARK}=")


def _uv_launch(words: tuple[Word, ...], state: State) -> Launch | Refusal:
    if len(words) < 2 or words[1].text != "run":
        return _runner_refusal("uv", words)
    position = uv_script_position(words[2:])
    if isinstance(position, Refusal):
        return position
    if not all(isinstance(part, Literal | Parameter) for part in words[0].parts):
        # behind `--uv=` a shell would expand neither `~` nor a pattern
        return Refusal(f"`{words[0].text}` is not a plain word")
    return Launch(words[0], words[2 + position], state, (words[0], words[1]))


def _runner_refusal(program: str | None, words: tuple[Word, ...]) -> Refusal:
    if program is None:
        return Refusal(f"the program `{words[0].text}` is known only when it runs")
    if program in _RUNNERS:
        return Refusal(f"`{program}` chooses the interpreter")
    if program in _SHELLS and any(word.text.startswith("-") for word in words[1:2]):
        return Refusal(f"`{program} {words[1].text}` runs another command line")
    if program in _SHELLS:
        return Refusal(f"`{program}` runs a shell script")
    return Refusal(f"it runs through `{program}`")


def _looks_like_python(words: tuple[Word, ...]) -> bool:
    return any(re.search(r"python|pypy|\.py\b", word.text) for word in words)


def shell_sees(name: str) -> bool:
    """Whether a variable changes which ``sh`` the wrapper runs in, how that behaves, or what of the
    variable gets through it: what dash, bash, busybox and zsh do with it was looked at."""
    return name in _SHELL_VARIABLES or name.startswith(("BASH", "EPOCH"))
