"""Shell command lines, read by the rules of POSIX (XCU 2, Shell Command Language).

:func:`parse` returns every word with its exact span of the text, so that a caller can replace one
word and keep every other byte. ``if`` is understood; all other compound commands are refused, as
are functions, here-documents, backticks, constructs of one shell only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPLEVEL = "$(git rev-parse --show-toplevel)"
"""The name by which the root of the work tree is looked up among the variables."""

_RESERVED = frozenset(
    {"!", "{", "}", "if", "then", "elif", "else", "fi", "for", "in", "do", "done", "while", "until"}
    | {"case", "esac", "[[", "]]", "coproc", "function", "select", "time"}  # the last are bash's
)
_META = " \t\n;&|<>()"
_BLANK = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
_PART = re.compile(r"(?:if|then|elif|else|fi)(?=[ \t\n;&|<>()]|\Z)")
_OPERATOR = re.compile(r"&&|\|\||[;&|\n]")
_REDIRECTION = re.compile(r"(?:[0-9]*(?:<&|>&|<>|>\||>>|<|>)|&>>?)(?:[ \t]|\\\n)*")
_TILDE = re.compile(r"~([A-Za-z0-9._-]*)(?=[/\s;&|<>()]|$)")
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|\\(?P<escaped>[^\n])|(?P<quote>")|(?P<pattern>[*?\[{}])"""
    r"""|(?P<plain>[^\s;&|<>()'"\\`$*?\[{}]+|[^\S \t\n]+)"""
)
_IN_QUOTES = re.compile(r"""(?:[^"\\`$]|\\[^\n])+""")
_ESCAPED = re.compile(r"""\\([$`"\\])""")
_PARAMETER = re.compile(
    r"""\$(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\$(?P<special>[@*#?$!0-9-])"""
    r"""|\$\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[-=?+])(?P<argument>[^{}'"\\`]*))?\}"""
)
_MORE_IN_ZSH = re.compile(r"[:\[]|[^\0-\x7f]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_DECLARED = re.compile(r"""["']?([A-Za-z_][A-Za-z0-9_]*)(?:\+?=|["']?$)""")
# Substitutions whose value is known, and defaults that mean the same in quotes.
_ASKS_GIT = (
    r"\$\(\s*git\s+rev-parse\s+--show-toplevel(?:\s+2>\s*/dev/null)?"
    r"(?:\s*\|\|\s*(?:pwd|echo\s+\.|true))?\s*\)"
)
_ANY_SUBSTITUTION = re.compile(
    r"""\$\((?:[^()'"`\\#<$]|<(?!<)|\$[\w{]|'[^']*'|"[^"`\\()]*")*\)|\$\(\([\w+*/% -]*\)\)"""
)
_SUBSTITUTION = re.compile(rf"(?P<git>{_ASKS_GIT})|\$\(\s*pwd\s*\)")
_REFUSED = {
    "{": "a `${...}` that is more than a variable and its default",
    "(": "a `$(...)` with more than plain commands inside",
}
_PLAIN = re.compile(rf"(?:[\w./@%+,:=$-]|{_SUBSTITUTION.pattern})*")


class Literal(NamedTuple):
    """Characters that mean themselves, without their quotes."""

    text: str


class Parameter(NamedTuple):
    """``$NAME``, ``${NAME}`` or ``${NAME<operator><argument>}``; unquoted, its value is split.

    ``~`` at the start of a word is the parameter HOME, ``$(pwd)`` is PWD, and a usual
    ``$(git rev-parse --show-toplevel)`` is TOPLEVEL.
    """

    text: str
    name: str
    quoted: bool
    operator: str = ""
    argument: str = ""


class Unknown(NamedTuple):
    """A part whose value is known only when the command runs.

    It is ``~user``, most of ``$(...)``, ``$((...))``, or a pattern: an unquoted ``*``, ``?``,
    ``[`` or brace, and what zsh alone expands, as ``=name``, ``$~name``, ``$name[``, ``$name:h``.
    """

    text: str


Part = Literal | Parameter | Unknown


class SplitPath(NamedTuple):
    """The parts of a word up to its last slash, and the name behind it."""

    directory: list[Part]
    name: str


class Word(NamedTuple):
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


class SimpleCommand(NamedTuple):
    """``A=b WORD...``, and the operator behind it ("" for the last command).

    ``part`` is "" but for an item without words: the ``if``, ``then``, ``elif``, ``else`` or ``fi``
    that the next commands belong to.
    """

    assignments: tuple[Word, ...]
    words: tuple[Word, ...]
    operator: str
    part: str = ""


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


def assigned_value(word: Word) -> Word | None:
    """Return what an ``A=b`` word assigns; None if that is known only when the command runs."""
    match = _ASSIGNMENT.match(word.text)
    first = word.parts[0]
    if match is None or not isinstance(first, Literal) or "~" in word.text:
        return None
    rest = Literal(first.text[match.end() :])
    return Word(
        word.start + match.end(), word.end, word.text[match.end() :], (rest, *word.parts[1:])
    )


def expand(word: Word, variables: Mapping[str, str | None]) -> str | None:
    """Return a word's value with the given variables; None if it depends on anything else."""
    values = [value_of(part, variables) for part in word.parts]
    known = [value for value in values if value is not None]
    return "".join(known) if len(known) == len(values) else None


def value_of(part: Part, variables: Mapping[str, str | None]) -> str | None:
    """Return the value of one part of a word, as :func:`expand` does for all of them.

    A variable whose value is None has one that is not known. One that is missing is not set. A
    default that would mean something else in quotes is not known either.
    """
    if isinstance(part, Literal):
        return part.text
    if not isinstance(part, Parameter) or not _PLAIN.fullmatch(part.argument):
        return None
    value = variables.get(part.name)
    is_missing = part.name not in variables or (value == "" and part.operator == ":-")
    if is_missing and part.operator in ("-", ":-"):
        (default,) = parse(f'"{part.argument}"')
        return expand(default.words[0], variables)
    return value if part.operator in ("", "?", ":?", "-", ":-") else None


class NotUnderstoodError(ValueError):
    """The command line uses something that :func:`parse` refuses; the message says what."""


def parse(command: str) -> tuple[SimpleCommand, ...]:
    """Return the simple commands of a command line, in order; none for a blank line or a comment.

    Raises NotUnderstoodError if the line is no list of simple commands. The order of the parts of
    an ``if`` is left to the shell.
    """
    return _Parser(command).commands()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0

    def commands(self) -> tuple[SimpleCommand, ...]:
        found: list[SimpleCommand] = []
        depth = 0  # how many `if` are open
        self._skip_blank_lines()
        while self._char():
            part = self._take(_PART)
            depth += {"if": 1, "fi": -1}.get(part, 0)
            if depth < (part in ("then", "elif", "else")):
                raise NotUnderstoodError(f"`{part}` without an `if`")
            is_plain = part in ("", "fi")
            command = self._simple(part) if is_plain else SimpleCommand((), (), "", part)
            found.append(command)
            self._skip_blank_lines()
            if command.operator in ("&&", "||", "|") and not self._char():
                raise NotUnderstoodError(f"nothing behind `{command.operator}`")
        if depth:
            raise NotUnderstoodError("`if` without its end")
        return tuple(found)

    def _char(self) -> str:
        return self.text[self.pos : self.pos + 1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Return what matches here and go behind it, "" if nothing does."""
        match = pattern.match(self.text, self.pos)
        self.pos = match.end() if match else self.pos
        return match[0] if match else ""

    def _skip_blank_lines(self) -> None:
        self._take(_BLANK)
        while self._char() == "\n":
            self.pos += 1
            self._take(_BLANK)

    def _simple(self, part: str) -> SimpleCommand:
        """Read a simple command, or what is behind the ``fi`` that is ``part``."""
        assignments: list[Word] = []
        words: list[Word] = []
        redirected = False
        self._take(_BLANK)
        while (is_redirection := self._skip_redirection()) or self._char() not in _META:
            redirected = redirected or is_redirection
            if not is_redirection:
                word = self._word()
                (words if words or not assignment_name(word) else assignments).append(word)
            self._take(_BLANK)
        if words and words[0].text in _RESERVED:
            raise NotUnderstoodError(f"`{words[0].text}` begins a compound command")
        if not (assignments or words or redirected or part):
            raise NotUnderstoodError(f"no plain command before `{self._char()}`")
        return SimpleCommand(tuple(assignments), tuple(words), self._take(_OPERATOR), part)

    def _skip_redirection(self) -> bool:
        operator = self._take(_REDIRECTION).strip()
        if operator and self._char() in _META:  # as in here-documents and `<(a)`
            raise NotUnderstoodError(f"no file behind `{operator}`")
        if operator:
            self._word()
        return bool(operator)

    def _word(self) -> Word:
        start = self.pos
        parts: list[Part] = []
        if tilde := self._take(_TILDE):
            home = Parameter(tilde, "HOME", quoted=False)
            parts.append(home if tilde == "~" else Unknown(tilde))
        while (char := self._char()) and char not in _META:
            self._piece(parts)
        return Word(start, self.pos, self.text[start : self.pos], tuple(parts))

    def _piece(self, parts: list[Part]) -> None:
        """Read a run of plain characters, a quote or an expansion outside of quotes."""
        match = _PIECE.match(self.text, self.pos)
        if match is None:
            if self._char() != "$":
                raise NotUnderstoodError(f"`{self._char()}` without its end, or a backtick")
            self._dollar(parts, quoted=False)
            return
        self.pos = match.end()
        text = match[match.lastgroup or 0]
        if match.lastgroup == "quote":
            self._double_quotes(parts)
        elif match["pattern"] or (match["plain"] and text[0] in "~=" and not parts):
            parts.append(Unknown(text))
        else:
            parts.append(Literal(text))

    def _double_quotes(self, parts: list[Part]) -> None:
        while (char := self._char()) != '"':
            if char == "$":
                self._dollar(parts, quoted=True)
            elif text := self._take(_IN_QUOTES):
                parts.append(Literal(_ESCAPED.sub(r"\1", text)))
            else:
                raise NotUnderstoodError('`"` without its end, or a backtick')
        self.pos += 1

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        if match := _PARAMETER.match(self.text, self.pos):
            self.pos = match.end()
            name = match["name"] or match["special"] or match["braced"]
            operator, argument = match["operator"] or "", match["argument"] or ""
            parts.append(Parameter(match[0], name, quoted, operator, argument))
            if match["name"] and (more := _MORE_IN_ZSH.match(self.text, self.pos)):
                parts.append(Unknown(more[0]))
            return
        if text := self._take(_ANY_SUBSTITUTION):
            known = _SUBSTITUTION.fullmatch(text)
            name = TOPLEVEL if known and known["git"] else "PWD"
            parts.append(Parameter(text, name, quoted) if known else Unknown(text))
            return
        self.pos += 1
        char = self._char()
        if char in ("{", "("):
            raise NotUnderstoodError(_REFUSED[char])
        if char in ("'", '"') and not quoted:
            raise NotUnderstoodError(f"`${char}`, which only some shells know")
        is_unknown = char and char not in _META + "\"'/"
        parts.append(Unknown("$") if is_unknown else Literal("$"))
