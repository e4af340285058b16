"""What the commands of a line leave behind for those that follow: a folder, variables, doubt.

Only what certainly happens in every shell counts: behind ``[ -d x ] && cd x;`` nobody knows the
folder, behind ``cd x &`` it is the old one, and behind ``source FILE`` any word may mean anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hooks_compile.agents.shell.shell_words import Parameter, assignment_name, declared_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.shell.shell_words import SimpleCommand, Word

_FOLDER_COMMANDS = frozenset({"cd", "chdir", "pushd", "popd"})
_NAMING = frozenset({"export", "readonly", "read", "unset"})
_LEAVING = frozenset({"exit", "return"})
# Builtins that may change what the words behind them mean; those in the last lines are zsh's.
_CHANGING = frozenset(
    {".", "source", "eval", "alias", "unalias", "set", "shopt", "hash", "enable", "getopts", "let"}
    | {"declare", "typeset", "local", "mapfile", "readarray"}
    | {"autoload", "disable", "emulate", "float", "functions", "integer", "rehash", "setopt"}
    | {"sysread", "unhash", "unsetopt", "vared", "zmodload", "zparseopts"}
)
_NOT_ITSELF = _CHANGING | _NAMING | _FOLDER_COMMANDS
_HARMLESS_SETTINGS = frozenset({"-e", "-u", "-eu", "-ue", "-euo", "-o", "+e", "+u", "pipefail"})


@dataclass(frozen=True, slots=True)
class State:
    """What a command meets.

    ``folders`` are the words of the ``cd`` commands in front, None in the place of one that can't
    be followed. ``changed`` are the variables that were set in front, without a PATH that was only
    added to. ``doubt`` says why nothing is certain any more, "" where it is.
    """

    folders: tuple[Word | None, ...] = ()
    changed: frozenset[str] = frozenset()
    doubt: str = ""

    def but_not_its_folder(self, outset: State) -> State:
        """This state where it is not certain that folders were entered since ``outset``."""
        if self.folders == outset.folders:
            return self
        return replace(self, folders=(*outset.folders, None))


def follow(commands: Iterable[SimpleCommand]) -> Iterator[tuple[SimpleCommand, State]]:
    """Each command of a line with the state that it meets."""
    state = State()
    for and_or in _and_or_lists(commands):
        outset = before_failure = state
        before = ""
        certain = True  # whether all folders that this list enters have been entered at its end
        for simple in and_or:
            if before == "||":
                before_failure = state
                state = state.but_not_its_folder(outset)
                certain = False
            yield simple, state
            if simple.operator != "|":  # else it runs in a process of its own
                entered = _behind(simple, state)
                certain = certain and (before == "" or entered.folders == state.folders)
                # The last command of a pipeline runs in the shell's own process under zsh only.
                state = entered.but_not_its_folder(state) if before in ("|", "||") else entered
            if before == "||" and _program(simple) in _LEAVING:
                state, certain = before_failure, True  # only who did not fail comes further
            before = simple.operator
        if before == "&" and len(and_or) == 1:
            state = outset
        elif before == "&" or not certain:  # zsh runs `cd a &&` of `cd a && b &` in its own process
            state = state.but_not_its_folder(outset)


def only_adds_to_path(word: Word) -> bool:
    """Whether an assignment gives PATH a value with the old PATH in it: what was found still is."""
    grows = any(isinstance(part, Parameter) and part.name == "PATH" for part in word.parts)
    return grows and declared_name(word) == "PATH"


def _and_or_lists(commands: Iterable[SimpleCommand]) -> Iterator[list[SimpleCommand]]:
    """The line in parts that ``;``, ``&`` or a line end closes."""
    part: list[SimpleCommand] = []
    for simple in commands:
        part.append(simple)
        if simple.operator not in ("&&", "||", "|"):
            yield part
            part = []


def _program(simple: SimpleCommand) -> str | None:
    first = simple.words[0] if simple.words else None
    if first is None or first.text == "[":  # which is a pattern as an argument
        return ""
    return first.literal


def _behind(simple: SimpleCommand, state: State) -> State:
    """The state behind a command that runs in the shell's own process."""
    lasting = (word for word in simple.assignments if not only_adds_to_path(word))
    state = replace(state, changed=state.changed.union(map(assignment_name, lasting)))
    program = _program(simple)
    if program in _FOLDER_COMMANDS:
        return replace(state, folders=(*state.folders, _entered(simple)))
    if program in _NAMING:
        return _with_names(simple, state)
    if state.doubt or not _is_unforeseeable(simple):
        return state
    return replace(state, doubt=f"`{simple.words[0].text}` may change what comes behind it")


def _entered(simple: SimpleCommand) -> Word | None:
    words = simple.words
    plain = len(words) == 2 and words[0].text == "cd" and not words[1].text.startswith(("-", "+"))
    return words[1] if plain else None


def _with_names(simple: SimpleCommand, state: State) -> State:
    """The state behind ``export``, ``readonly``, ``read`` or ``unset``."""
    keeps_values = _program(simple) in ("export", "readonly")
    names = set()
    for word in simple.words[1:]:
        name = declared_name(word)
        if word.text.startswith("-") or only_adds_to_path(word):
            continue
        if name is None:
            return replace(state, doubt=f"`{word.text}` may set any variable")
        if not (keeps_values and name == word.literal):
            names.add(name)
    return replace(state, changed=state.changed | names)


def _is_unforeseeable(simple: SimpleCommand) -> bool:
    """Whether a command may change what words mean: a program of its own never does."""
    words = simple.words
    program = _program(simple)
    texts = [word.text for word in words[1:]]
    if program is None:
        return "/" not in words[0].text
    if program in ("command", "builtin"):
        asks = texts[:1] in ([], ["-v"], ["-V"])
        return not asks and (words[1].literal is None or words[1].literal in _NOT_ITSELF)
    harmless = {
        "set": all(text in _HARMLESS_SETTINGS for text in texts),
        ".": len(texts) == 1 and texts[0].strip("\"'").endswith("/bin/activate"),
        "printf": texts[:1] != ["-v"],
        # These run at each command, and can tell its words.
        "trap": not {"DEBUG", "ERR"} & set(texts),
    }
    harmless["source"] = harmless["."]
    return not harmless.get(program, program not in _CHANGING)
