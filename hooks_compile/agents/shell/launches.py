"""Where a command line launches Python: found by the shell's rules, never by a pattern.

A launch is certain if the line runs ``PYTHON [FLAGS] SCRIPT [ARGS]``, or a program by its path
(whose first line then says whether it is Python), in any of its simple commands, also behind
``exec``, ``env`` and ``timeout``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.effects import State, follow, only_extends_path
from hooks_compile.agents.shell.shell_words import Literal, Parameter, Word, assignment_name
from hooks_compile.agents.shell.syntax import NotUnderstoodError, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.agents.shell.shell_words import SimpleCommand

WRAPPER_NAME = "hook_wrapper.sh"  # as in hooks_compile.install.wrapper, whose import is slow
PYTHON_MARK = "--python="
SHEBANG_MARK = "--shebang"
UV_MARK = "--uv"  # or --uv=CMD
NO_PYTHON = "it does not launch a Python script"
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
# Letters that do not change which script runs: the same set as in the wrapper.
_FLAG = re.compile(r"-[BEIOPSbdqsuv]+|-[WX].+", re.DOTALL)
# Options of ``uv run`` that only say which environment is meant: the same sets as in uv.sh.
UV_SWITCHES = frozenset(
    {"-s", "--script", "-q", "--quiet", "--no-project", "--no-sync", "--frozen", "--locked"}
    | {"--offline", "--no-dev", "--no-config", "--no-progress", "--active"}
)
UV_OPTIONS_WITH_VALUE = frozenset({"-p", "--python", "--project", "--extra", "--group"})
_TIMEOUT_WITH_VALUE = frozenset({"-k", "-s", "--kill-after", "--signal"})
_SHELL_VARIABLES = frozenset(
    {"PATH", "ENV", "IFS", "CDPATH", "SHELLOPTS", "POSIXLY_CORRECT", "PWD", "OLDPWD", "SHLVL", "_"}
    | {"PPID", "RANDOM", "SRANDOM", "LINENO", "OPTIND", "OPTERR", "PS1", "PS2", "PS4"}
    | {"COMP_WORDBREAKS", "OSTYPE", "MACHTYPE", "CPUTYPE", "VENDOR", "TTY", "signals"}
)


class RefusedError(Exception):
    """A command, or a part of it, stays as it is; the message is the reason, one line."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch of a script.

    ``python`` is the word that names the interpreter, None if the script is run by its first line.
    ``state`` is what the commands in front have left. ``uv_run`` are the words ``uv`` and ``run``
    if they launch it.
    """

    python: Word | None
    script: Word
    state: State
    uv_run: tuple[Word, Word] | None = None


@dataclass(frozen=True, slots=True)
class WiredLaunch:
    """A launch that goes through the wrapper already: ``[sh] WRAPPER [MARK] WORD...``.

    ``start`` is where its first word begins, ``following`` the words behind the wrapper, ``state``
    what the commands in front have left, ``script`` None if it is not certain.
    """

    start: int
    wrapper: Word
    following: tuple[Word, ...]
    state: State

    @property
    def script(self) -> Word | None:
        """The script's word, None if there is none for certain."""
        words = self.following
        mark = words[0].text if words else ""
        try:
            if is_uv_mark(mark):
                return words[1 + _uv_script_position(words[1:])]
            marked = mark == SHEBANG_MARK or mark.startswith(PYTHON_MARK)
            words = words[1:] if marked else words
            return words[_script_position([word.literal for word in words])]
        except RefusedError:
            return None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a command line launches, and why other parts that look like Python are no launch."""

    launches: list[Launch] = field(default_factory=list)
    wired: list[WiredLaunch] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def find_launches(command: str) -> Reading:
    """Read a command line; one that is not understood as a whole launches nothing."""
    found = Reading()
    try:
        commands = parse(command)
    except NotUnderstoodError as error:
        found.reasons.append(f"not a plain command line: {error}")
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


def is_uv_mark(word: str) -> bool:
    """Return whether a word behind the wrapper says that the launch is one of ``uv run``."""
    return word == UV_MARK or word.startswith(f"{UV_MARK}=")


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
    while words and (program := _basename(words[0])) in ("exec", "env", "timeout", "gtimeout"):
        try:
            end = _prefix_end(program, words)
        except RefusedError:
            if _looks_like_python(words):
                raise
            return None
        assigned += words[:end]
        words = words[end:]
    if not words:
        return None
    launch = _plain_launch(words, state)
    if isinstance(launch, Launch):
        _require_certain(assigned, state)
    return launch


def _require_certain(assigned: Sequence[Word], state: State) -> None:
    if state.doubt:
        raise RefusedError(state.doubt)
    names = {assignment_name(word) for word in assigned if not only_extends_path(word)}
    if seen := sorted(filter(is_shell_variable, state.changed | names)):
        raise RefusedError(f"it sets {seen[0]}, which the wrapper's shell would see")


def _prefix_end(program: str, words: tuple[Word, ...]) -> int:
    """Return where the command begins that ``exec``, ``env`` or ``timeout`` runs."""
    position = 1
    takes_value = _TIMEOUT_WITH_VALUE if program.endswith("timeout") else frozenset()
    while position < len(words) and words[position].text.startswith("-"):
        if not takes_value:
            raise RefusedError(f"`{program}` with options")
        position += 2 if words[position].text in takes_value else 1
    if takes_value:
        if {"-v", "--verbose"} & {word.text for word in words[1:position]}:
            raise RefusedError(f"`{program} -v` tells the name of what it ends")
        if position < len(words) and words[position].literal is None:
            raise RefusedError(f"`{words[position].text}` is known only when it runs")
        return position + 1
    while program == "env" and position < len(words) and assignment_name(words[position]):
        position += 1
    return position


def _plain_launch(words: tuple[Word, ...], state: State) -> Launch | WiredLaunch | None:
    program = _basename(words[0])
    if program == WRAPPER_NAME:
        return WiredLaunch(words[0].start, words[0], words[1:], state)
    if program in _SHELLS and len(words) > 1 and _basename(words[1]) == WRAPPER_NAME:
        return WiredLaunch(words[0].start, words[1], words[2:], state)
    if program is None or program in _SHELLS | _RUNNERS | _OTHER_PREFIXES:
        if not _looks_like_python(words):
            return None
        if program == "uv" and len(words) > 1 and words[1].text == "run":
            return _uv_launch(words, state)
        raise RefusedError(_runner_reason(program, words))
    if PYTHON_NAME.fullmatch(program):
        script = words[1 + _script_position([word.literal for word in words[1:]])]
        if not _is_plain(words[0]):
            raise RefusedError(f"the interpreter `{words[0].text}` is not a plain word")
        return Launch(words[0], script, state)
    return Launch(None, words[0], state) if "/" in words[0].text else None


def _uv_launch(words: tuple[Word, ...], state: State) -> Launch:
    script = words[2 + _uv_script_position(words[2:])]
    if not _is_plain(words[0]):
        raise RefusedError(f"`{words[0].text}` is not a plain word")
    return Launch(words[0], script, state, (words[0], words[1]))


def _is_plain(word: Word) -> bool:
    """Return whether a word means the same behind ``--python=`` (``~`` and patterns do not)."""
    return all(isinstance(part, Literal | Parameter) for part in word.parts)


def _script_position(arguments: Sequence[str | None]) -> int:
    """Return which of Python's arguments is the script; None is one that is not known before."""
    position = 0
    while position < len(arguments):
        value = arguments[position]
        if value is None or not value.startswith("-"):
            if value == "":
                raise RefusedError("the script's name is empty")
            return position
        if value == "-":
            raise RefusedError("Python reads its program from standard input")
        if value.startswith("-c"):
            raise RefusedError("`-c` gives Python its program, there is no script")
        if value.startswith("-m"):
            raise RefusedError("`-m` runs a module, not a script")
        if value in ("-W", "-X"):
            position += 1
        elif not _FLAG.fullmatch(value):
            raise RefusedError(f"Python's flag `{value}`")
        position += 1
    raise RefusedError("Python is started without a script")


def _uv_script_position(words: Sequence[Word]) -> int:
    """Return which of the words behind ``uv run`` is the script."""
    position = 0
    while position < len(words):
        word = words[position]
        if word.literal in UV_OPTIONS_WITH_VALUE:
            position += 1
        elif word.literal not in UV_SWITCHES:
            break
        position += 1
    if position >= len(words):
        raise RefusedError("`uv run` is given no script")
    if words[position].text.startswith("-"):
        raise RefusedError(f"uv's option `{words[position].text}`")
    options = {word.literal for word in words[:position]}
    last = words[position].parts[-1] if words[position].parts else None
    is_script = isinstance(last, Literal) and last.text.endswith(".py")
    if not is_script and options.isdisjoint(("-s", "--script")):
        raise RefusedError(f"`uv run` looks for a program `{words[position].text}`")
    return position


def _basename(word: Word) -> str | None:
    """Return the last component of the path that a word means; None if it is not known."""
    if word.literal is not None:
        return word.literal.rpartition("/")[2]
    last = word.parts[-1]
    if isinstance(last, Literal) and "/" in last.text:
        return last.text.rpartition("/")[2]
    return None


def _runner_reason(program: str | None, words: tuple[Word, ...]) -> str:
    if program is None:
        return f"the program `{words[0].text}` is known only when it runs"
    if program in _RUNNERS:
        return f"`{program}` chooses the interpreter"
    if program in _SHELLS and any(word.text.startswith("-") for word in words[1:2]):
        return f"`{program} {words[1].text}` runs another command line"
    if program in _SHELLS:
        return f"`{program}` runs a shell script"
    return f"it runs through `{program}`"


def _looks_like_python(words: tuple[Word, ...]) -> bool:
    return any(re.search(r"python|pypy|\.py\b", word.text) for word in words)
