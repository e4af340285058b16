"""What the commands of a line change for those behind them: the directory and the variables.

Only what happens for certain in every shell counts: behind ``[ -d x ] && cd x;`` the directory is
unknown, and behind ``source FILE`` any word may mean anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.shell.syntax import Parameter, assignment_name, declared_name

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


class State(NamedTuple):
    """What the commands in front have left for a command.

    ``directories`` are the words of their ``cd`` commands, with None for one that can't be
    followed. ``changed`` are the variables that they set, without a PATH that was only extended.
    ``doubt`` is the reason why nothing is certain any more, or "".
    """

    directories: tuple[Word | None, ...] = ()
    changed: frozenset[str] = frozenset()
    doubt: str = ""

    def in_doubt_of_directory(self, outset: State) -> State:
        """Return this state if it is uncertain whether a directory was entered since ``outset``."""
        if self.directories == outset.directories:
            return self
        return self._replace(directories=(*outset.directories, None))


def follow(commands: Iterable[SimpleCommand]) -> Iterator[tuple[SimpleCommand, State]]:
    """Yield each command of a line with the state that it starts in."""
    state = outset = State()
    before = ";"
    certain = True  # whether all directories since `outset` were entered if this list has ended
    for simple in commands:
        if before == "||":
            state, certain = state.in_doubt_of_directory(outset), False
        yield simple, state
        # All of a pipeline but its end runs in other processes; under zsh the end does not.
        after = state if simple.operator == "|" else _state_behind(simple, state)
        if before in ("|", "||"):
            after = after.in_doubt_of_directory(state)
        certain = certain and (before == ";" or after.directories == state.directories)
        state, before = after, simple.operator
        if before not in ("&&", "||", "|"):
            if before == "&" or not certain:
                state = state.in_doubt_of_directory(outset)
            outset, before, certain = state, ";", True


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
    lasting = (word for word in simple.assignments if not only_extends_path(word))
    state = state._replace(changed=state.changed.union(map(assignment_name, lasting)))
    program = _program(simple)
    if program in _CHANGING_DIRECTORY:
        words = simple.words
        plain = len(words) == 2 and words[0].text == "cd" and words[1].text[:1] not in ("-", "+")
        return state._replace(directories=(*state.directories, words[1] if plain else None))
    if program in _NAMING:
        return _with_names(simple, state)
    if state.doubt or _keeps_meanings(simple, program):
        return state
    return state._replace(doubt=f"`{simple.words[0].text}` may change what comes behind it")


def _with_names(simple: SimpleCommand, state: State) -> State:
    """Return the state behind ``export``, ``readonly``, ``read`` or ``unset``."""
    names = set()
    for word in simple.words[1:]:
        if word.text.startswith("-") or only_extends_path(word):
            continue
        if (name := declared_name(word)) is None:
            return state._replace(doubt=f"`{word.text}` may set any variable")
        names.add(name)
    return state._replace(changed=state.changed | names)


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
