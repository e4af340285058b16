"""What the commands of a line change for those behind them: the directory and the variables.

Only what happens for certain in every shell counts: behind ``[ -d x ] && cd x;`` the directory is
unknown, and behind ``source FILE`` any word may mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.syntax import (
    Parameter,
    assigned_value,
    declared_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.shell.syntax import SimpleCommand, Word

_CHANGING_DIRECTORY = frozenset({"cd", "chdir", "pushd", "popd"})
_NAMING = frozenset({"export", "readonly", "read", "unset"})
# Builtins that may change what the words behind them mean; the last two lines are zsh's.
_CHANGING = frozenset(
    {".", "source", "eval", "alias", "unalias", "set", "shopt", "hash", "enable", "getopts", "let"}
    | {"declare", "typeset", "local", "mapfile", "readarray", "builtin", "trap"}
    | {"autoload", "disable", "emulate", "float", "functions", "integer", "rehash", "setopt"}
    | {"sysread", "unhash", "unsetopt", "vared", "zmodload", "zparseopts"}
)
_UNCERTAIN = "a `cd` or an assignment in front of it may not run"
_HARMLESS_SETTINGS = frozenset({"-e", "-u", "-eu", "-euo", "-o", "pipefail"})


class Entered(NamedTuple):
    """A ``cd`` to ``word``; None if it can't be followed."""

    word: Word | None


class Assigned(NamedTuple):
    """A variable that gets the value ``word``; None if that is not known."""

    name: str
    word: Word | None


class State(NamedTuple):
    """What the commands in front have left for a command.

    ``effects`` are in their order, without a PATH that was only extended. ``doubt`` is the reason
    why nothing is certain any more, or "".
    """

    effects: tuple[Entered | Assigned, ...] = ()
    doubt: str = ""

    @property
    def changed(self) -> frozenset[str]:
        """The variables that were assigned."""
        return frozenset(each.name for each in self.effects if isinstance(each, Assigned))

    def behind(self, effect: Entered | Assigned) -> State:
        """Return this state with one more effect."""
        return self._replace(effects=(*self.effects, effect))

    def in_doubt(self, reason: str) -> State:
        """Return this state with the reason why nothing is certain."""
        return self._replace(doubt=self.doubt or reason)


def follow(commands: Iterable[SimpleCommand]) -> Iterator[tuple[SimpleCommand, State]]:
    """Yield each command of a line with the state that it starts in.

    In a list up to ``;`` only the first command runs for certain. Those behind ``&&`` run if those
    in front of them have run; behind the list nobody knows whether they did.
    """
    state = outset = State()
    around: list[State] = []  # in front of each `if` that is open
    operator, is_certain = ";", True
    for simple in commands:
        leaves = _program(simple) == "exit" and simple.operator in (";", "\n", "")
        if operator == "||" and state != outset and not leaves:
            state = state.in_doubt(_UNCERTAIN)
        if simple.part:
            if simple.part == "if":
                around.append(state)
            elif simple.part != "then" and state != around[-1]:
                state = state.in_doubt(_UNCERTAIN)
            if simple.part == "fi":
                around.pop()
            outset, operator = state, simple.operator or ";"
            continue
        yield simple, state
        # All of a pipeline but its end runs in other processes; under zsh the end does not.
        after = state if simple.operator == "|" else _state_behind(simple, state)
        is_certain = is_certain and (operator == ";" or after == state)
        if operator in ("|", "||") and after != state:
            after = after.in_doubt(_UNCERTAIN)
        state, operator = after, simple.operator
        if operator not in ("&&", "||", "|"):
            if not is_certain or (operator == "&" and state != outset):
                state = state.in_doubt(_UNCERTAIN)
            outset, operator, is_certain = state, ";", True


def only_extends_path(word: Word) -> bool:
    """Return whether ``word`` assigns PATH a value with the old PATH in it."""
    has_old = any(isinstance(part, Parameter) and part.name == "PATH" for part in word.parts)
    return has_old and declared_name(word) == "PATH"


def _program(simple: SimpleCommand) -> str | None:
    first = simple.words[0] if simple.words else None
    if first is None or first.text == "[":  # which is a pattern as an argument
        return ""
    return first.literal


def _state_behind(simple: SimpleCommand, state: State) -> State:
    """Return the state behind a command that runs in the shell's own process."""
    program, words = _program(simple), simple.words
    declared = [word for word in words[1:] if word.text[0] != "-"] if program in _NAMING else []
    for word in (*simple.assignments, *declared):
        name = declared_name(word)
        if name is None:
            return state.in_doubt(f"`{word.text}` may set any variable")
        if not only_extends_path(word):
            # In front of a special builtin an assignment stays, in front of all others it does not.
            is_kept = word in declared or not words
            state = state.behind(Assigned(name, assigned_value(word) if is_kept else None))
    if program in _CHANGING_DIRECTORY:
        plain = len(words) == 2 and words[0].text == "cd" and words[1].text[:1] not in ("-", "+")
        return state.behind(Entered(words[1] if plain else None))
    if program in _NAMING or _keeps_meanings(simple, program):
        return state
    return state.in_doubt(f"`{words[0].text}` may change what comes behind it")


def _keeps_meanings(simple: SimpleCommand, program: str | None) -> bool:
    """Return whether a command leaves all words their meaning: an external program always does."""
    if program is None:
        return "/" in simple.words[0].text
    texts = [word.text for word in simple.words[1:]]
    if program in (".", "source"):
        return len(texts) == 1 and texts[0].strip("\"'").endswith("/bin/activate")
    if program == "set":
        return _HARMLESS_SETTINGS.issuperset(texts)
    if program == "command":
        return texts[:1] == ["-v"]
    if program == "printf":
        return texts[:1] != ["-v"]
    return program not in _CHANGING
