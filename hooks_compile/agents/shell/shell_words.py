"""What a shell command line is made of, and what its words stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_DECLARED = re.compile(r"""["']?([A-Za-z_][A-Za-z0-9_]*)(?:\+?=|["']?$)""")


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters that mean themselves, without their quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$NAME``, ``${NAME}`` or ``${NAME<operator><argument>}``; unquoted, its value is split."""

    text: str
    name: str
    quoted: bool
    operator: str = ""
    argument: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Tilde:
    """``~`` at the start of a word."""

    text: str = "~"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part whose value is known only when the command runs.

    It is ``~user``, ``$(...)`` or ``$((...))``, or a pattern: an unquoted ``*``, ``?``, ``[`` or
    brace, and what zsh alone expands, as ``=name``, ``$~name``, ``$name[``, ``$name:h``.
    """

    text: str


Part = Literal | Parameter | Tilde | Unknown


class SplitPath(NamedTuple):
    """The parts of a word up to its last slash, and the name behind it."""

    directory: list[Part]
    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word: ``text`` as typed, at ``[start, end)`` of the command, and its parts."""

    start: int
    end: int
    text: str
    parts: tuple[Part, ...]

    @property
    def literal(self) -> str | None:
        """The word's value if no expansion is involved, else None."""
        return self.unquoted if all(isinstance(part, Literal) for part in self.parts) else None

    @property
    def unquoted(self) -> str:
        """The word without its quotes; expansions are as typed."""
        return "".join(part.text for part in self.parts)

    @property
    def path(self) -> SplitPath | None:
        """The word as a path; None if its last slash or its name are in an expansion."""
        name = ""
        for number, part in reversed([*enumerate(self.parts)]):
            if not isinstance(part, Literal):
                return None
            directory, slash, rest = part.text.rpartition("/")
            name = rest + name
            if slash:
                return SplitPath([*self.parts[:number], Literal(directory + slash)], name)
        return SplitPath([], name)


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """``A=b WORD...``, and the operator behind it ("" for the last command)."""

    assignments: tuple[Word, ...]
    words: tuple[Word, ...]
    operator: str


def assignment_name(word: Word) -> str:
    """Return the variable of an ``A=b`` word, "" if the word is no assignment."""
    match = _ASSIGNMENT.match(word.text)
    return match.group()[:-1] if match else ""


def declared_name(word: Word) -> str | None:
    """Return the variable that a word of ``export``, ``read`` or ``unset`` names.

    None if that is known only when the command runs.
    """
    match = _DECLARED.match(word.text)
    return match[1] if match else None


def expand(word: Word, variables: Mapping[str, str]) -> str | None:
    """Return a word's value with the given variables; None if it depends on anything else.

    ``~`` is the variable HOME. A variable without a value is unknown unless the word brings a
    default (``${NAME:-default}``).
    """
    return _joined(word.parts, variables)


def value_of(part: Part, variables: Mapping[str, str]) -> str | None:
    """Return the value of one part of a word, as :func:`expand` does for all of them."""
    match part:
        case Literal(text):
            return text
        case Tilde():
            return variables.get("HOME")
        case Parameter(_, name, _, "" | "?" | ":?"):
            return variables.get(name)
        case Parameter(_, name, _, "-" | ":-", argument):
            return variables.get(name) or _joined(argument, variables)
    return None


def _joined(parts: Iterable[Part], variables: Mapping[str, str]) -> str | None:
    values = [value_of(part, variables) for part in parts]
    known = [value for value in values if value is not None]
    return "".join(known) if len(known) == len(values) else None
