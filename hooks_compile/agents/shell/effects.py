"""What the commands of a line change for those behind them: the directory and the variables.

Only what happens for certain in every shell counts: behind ``[ -d x ] && cd x;`` the directory is
unknown, and behind ``source FILE`` any word may mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.syntax import (
    Parameter,
    assigned_value,
    assignment_name,
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

    def behind(self, *effects: Entered | Assigned) -> State:
        """Return this state with more effects."""
        return self._replace(effects=(*self.effects, *effects))

    def in_doubt_since(self, outset: State) -> State:
        """Return this state if it is uncertain whether what came behind ``outset`` has run."""
        since = self.effects[len(outset.effects) :]
        unknown = dict.fromkeys(each._replace(word=None) for each in since)
        return self._replace(effects=(*outset.effects, *unknown))


class _List(NamedTuple):
    """A list of commands up to ``;``: where it began, how far it is, and the operator behind that.

    ``certain`` says that if it has ended, all of its effects since ``outset`` were made.
    """

    outset: State
    state: State
    before: str = ";"
    certain: bool = True

    def behind(self, after: State, operator: str, *, leaves: bool = False) -> _List:
        """Return the list behind one more command, which leaves the state ``after``."""
        if self.before in ("|", "||"):
            after = after.in_doubt_since(self.state)
        certain = self.certain and (leaves or self.before == ";" or after == self.state)
        if operator in ("&&", "||", "|"):
            return _List(self.outset, after, operator, certain)
        if operator == "&" or not certain:
            after = after.in_doubt_since(self.outset)
        return _List(after, after)


def follow(commands: Iterable[SimpleCommand]) -> Iterator[tuple[SimpleCommand, State]]:
    """Yield each command of a line with the state that it starts in."""
    current = _List(State(), State())
    around: list[_List] = []  # the lists that hold an `if` which is open
    for simple in commands:
        leaves = current.before == "||" and _ends_shell(simple)
        if current.before == "||" and not leaves:
            doubtful = current.state.in_doubt_since(current.outset)
            current = current._replace(state=doubtful, certain=False)
        if simple.part == "if":
            around.append(current)
            current = _List(current.state, current.state)
        elif simple.part in ("elif", "else"):
            doubtful = current.state.in_doubt_since(around[-1].state)
            current = _List(doubtful, doubtful)
        elif simple.part == "fi":
            after = current.state.in_doubt_since(around[-1].state)
            current = around.pop().behind(after, simple.operator)
        elif not simple.part:
            yield simple, current.state
            # All of a pipeline but its end runs in other processes; under zsh the end does not.
            piped = simple.operator == "|"
            after = current.state if piped else _state_behind(simple, current.state)
            current = current.behind(after, simple.operator, leaves=leaves)


def _ends_shell(simple: SimpleCommand) -> bool:
    return _program(simple) == "exit" and simple.operator in (";", "\n", "")


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
    # In front of a special builtin an assignment stays, in front of all others it does not.
    state = state.behind(
        *(
            Assigned(assignment_name(word), None if simple.words else assigned_value(word))
            for word in simple.assignments
            if not only_extends_path(word)
        )
    )
    program = _program(simple)
    if program in _CHANGING_DIRECTORY:
        words = simple.words
        plain = len(words) == 2 and words[0].text == "cd" and words[1].text[:1] not in ("-", "+")
        return state.behind(Entered(words[1] if plain else None))
    if program in _NAMING:
        return _with_names(simple, state)
    if state.doubt or _keeps_meanings(simple, program):
        return state
    return state._replace(doubt=f"`{simple.words[0].text}` may change what comes behind it")


def _with_names(simple: SimpleCommand, state: State) -> State:
    """Return the state behind ``export``, ``readonly``, ``read`` or ``unset``."""
    for word in simple.words[1:]:
        if word.text.startswith("-") or only_extends_path(word):
            continue
        if (name := declared_name(word)) is None:
            return state._replace(doubt=f"`{word.text}` may set any variable")
        state = state.behind(Assigned(name, assigned_value(word)))
    return state


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
