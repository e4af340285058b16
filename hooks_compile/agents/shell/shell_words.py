"""What a shell command line is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_DECLARED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=)?")


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters that stand for themselves; ``quoted`` when a quote or backslash protects them."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$NAME``, ``${NAME}`` or ``${NAME<operator><argument>}``; unquoted, its value is split."""

    text: str
    name: str
    quoted: bool
    operator: str = ""
    argument: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """``$(...)`` or ``$((...))``: a value that nobody knows before the command runs."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Tilde:
    """``~`` or ``~user`` at the start of a word."""

    user: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where the value is not known: an unquoted ``*``, ``?``, ``[`` or brace, and what zsh alone
    reads in its own way, as ``=name``, ``$~name``, ``$name[``, ``$name:h`` and ``$nameé``."""

    text: str


Part = Literal | Parameter | Substitution | Tilde | Pattern


@dataclass(frozen=True, slots=True)
class Word:
    """One word: ``text`` as typed, at ``[start, end)`` of the command, and what it is made of."""

    start: int
    end: int
    text: str
    parts: tuple[Part, ...]

    @property
    def literal(self) -> str | None:
        """The word's value where no expansion is involved, else None."""
        if all(isinstance(part, Literal) for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Literal))
        return None


@dataclass(frozen=True, slots=True)
class Redirection:
    """``2>>FILE`` and its like: the operator with its number, and the word behind it."""

    start: int
    end: int
    operator: str
    target: Word


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """``A=b WORD... >FILE``, and the operator behind it ("" for the last command)."""

    assignments: tuple[Word, ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    operator: str


def assignment_name(word: Word) -> str:
    """The variable of an ``A=b`` word, "" where the word is no assignment."""
    match = _ASSIGNMENT.match(word.text)
    return match.group()[:-1] if match else ""


def declared_name(word: Word) -> str | None:
    """The variable that a word of ``export``, ``read`` or ``unset`` names, with or without a value;
    None where that is known only when it runs."""
    text = ""
    for part in word.parts:
        if not isinstance(part, Literal):
            break
        text += part.text
    match = _DECLARED.match(text)
    is_name = match is not None and (match[2] or text == match[1] == word.literal)
    return match[1] if match is not None and is_name else None
