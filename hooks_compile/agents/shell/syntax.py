"""Shell command lines, read by the rules of POSIX (XCU 2, Shell Command Language).

:func:`parse` returns every word with its exact span of the text, so that a caller can replace one
word and keep every other byte. It refuses what is more than a list of simple commands: compound
commands, functions, here-documents, backticks, constructs of one shell only.
"""

from __future__ import annotations

import re

from hooks_compile.agents.shell.shell_words import (
    Literal,
    Parameter,
    Part,
    SimpleCommand,
    Tilde,
    Unknown,
    Word,
    assignment_name,
)

_RESERVED = frozenset(
    {"!", "{", "}", "if", "then", "elif", "else", "fi", "for", "in", "do", "done", "while", "until"}
    | {"case", "esac", "[[", "]]", "coproc", "function", "select", "time"}  # the last are bash's
)
_META = " \t\n;&|<>()"
_BLANK = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
_OPERATOR = re.compile(r"&&|\|\||;;|\|&|[;&|\n]")
_REDIRECTION = re.compile(r"(?:[0-9]*(?:<&|>&|<>|>\||>>|<|>)|&>>?)(?:[ \t]|\\\n)*")
_HERE_DOCUMENT = re.compile(r"[0-9]*<<")
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
_UNCLOSED = {
    "'": "a quote (') that is not closed",
    "\\": "a backslash at the end of a line",
    "`": "a command substitution in backticks",
}


class NotUnderstoodError(ValueError):
    """The command line uses something that :func:`parse` refuses; the message says what."""


def parse(command: str) -> tuple[SimpleCommand, ...]:
    """Return the simple commands of a command line, in order; none for a blank line or a comment.

    Raises NotUnderstoodError if the line is no list of simple commands, or no shell would run it.
    """
    try:
        return _Parser(command).commands()
    except RecursionError:
        raise NotUnderstoodError("it is nested too deeply") from None


class _Parser:
    def __init__(self, text: str) -> None:
        if "\0" in text:
            raise NotUnderstoodError("a NUL character")
        self.text = text
        self.pos = 0

    def commands(self) -> tuple[SimpleCommand, ...]:
        found: list[SimpleCommand] = []
        self._skip_blank_lines()
        while self._char():
            command = self._simple_command()
            found.append(command)
            self._skip_blank_lines()
            if command.operator in ("&&", "||", "|") and not self._char():
                raise NotUnderstoodError(f"nothing behind `{command.operator}`")
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

    def _simple_command(self) -> SimpleCommand:
        assignments: list[Word] = []
        words: list[Word] = []
        redirected = False
        self._take(_BLANK)
        while (is_redirection := self._skip_redirection()) or self._char() not in f"\0{_META}":
            redirected = redirected or is_redirection
            if not is_redirection:
                word = self._word()
                (words if words or not assignment_name(word) else assignments).append(word)
            self._take(_BLANK)
        if words and words[0].text in _RESERVED:
            raise NotUnderstoodError(f"`{words[0].text}` begins a compound command")
        if self._char() in ("(", ")"):
            raise NotUnderstoodError(f"`{self._char()}`: a subshell or a function")
        if not (assignments or words or redirected):
            raise NotUnderstoodError(f"no command before `{self._char()}`")
        operator = self._take(_OPERATOR)
        if operator in (";;", "|&"):
            raise NotUnderstoodError(f"`{operator}`")
        return SimpleCommand(tuple(assignments), tuple(words), operator)

    def _skip_redirection(self) -> bool:
        if _HERE_DOCUMENT.match(self.text, self.pos):
            raise NotUnderstoodError("a here-document (`<<`)")
        operator = self._take(_REDIRECTION).strip()
        if operator and self._char() == "(":
            raise NotUnderstoodError(f"a process substitution (`{operator}(`)")
        if operator and (not self._char() or self._char() in _META):
            raise NotUnderstoodError(f"no file behind `{operator}`")
        if operator:
            self._word()
        return bool(operator)

    def _word(self) -> Word:
        start = self.pos
        parts: list[Part] = []
        if tilde := self._take(_TILDE):
            parts.append(Tilde() if tilde == "~" else Unknown(tilde))
        while (char := self._char()) and char not in _META:
            self._piece(parts)
        return Word(start, self.pos, self.text[start : self.pos], tuple(parts))

    def _piece(self, parts: list[Part]) -> None:
        """Read a run of plain characters, a quote or an expansion outside of quotes."""
        match = _PIECE.match(self.text, self.pos)
        if match is None:
            if self._char() != "$":
                raise NotUnderstoodError(_UNCLOSED[self._char()])
            self._dollar(parts, quoted=False)
            return
        self.pos = match.end()
        text = match[match.lastgroup or 0]
        if match.lastgroup == "quote":
            self._double_quotes(parts)
        elif match["pattern"] or (match["plain"] and text[0] in "~=" and not parts):
            parts.append(Unknown(text))
        else:
            _add_text(parts, text)

    def _double_quotes(self, parts: list[Part]) -> None:
        while (char := self._char()) != '"':
            if char == "$":
                self._dollar(parts, quoted=True)
            elif text := self._take(_IN_QUOTES):
                _add_text(parts, _ESCAPED.sub(r"\1", text))
            else:
                raise NotUnderstoodError(_UNCLOSED.get(char, 'a quote (") that is not closed'))
        self.pos += 1

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        start = self.pos
        if match := _PARAMETER.match(self.text, start):
            self.pos = match.end()
            parts.append(_parameter(match, quoted=quoted))
            if match["name"] and self.text.startswith("\\\n", self.pos):  # shells differ
                raise NotUnderstoodError("a line end beside a variable's name")
            if match["name"] and (more := _MORE_IN_ZSH.match(self.text, self.pos)):
                parts.append(Unknown(more[0]))
            return
        self.pos += 1
        char = self._char()
        if char == "{":
            raise NotUnderstoodError("a `${...}` that is more than a variable and its default")
        if char == "(":
            self._skip_parentheses()
            parts.append(Unknown(self.text[start : self.pos]))
        elif char in ("'", '"') and not quoted:
            raise NotUnderstoodError(f"`${char}`, which only some shells know")
        elif char and char not in _META + "\"'/":
            parts.append(Unknown("$"))
        else:
            _add_text(parts, "$")

    def _skip_parentheses(self) -> None:
        """Skip to the end of the parentheses that open here, with respect to quotes.

        Only plain contents are followed: a ``case`` or a comment may hold a lone parenthesis.
        """
        depth = 0
        inner: list[Part] = []
        while char := self._char():
            if char == "#" or self.text.startswith(("<<", "case"), self.pos):
                raise NotUnderstoodError("a `$(...)` with more than plain commands inside")
            if char in _META:
                depth += {"(": 1, ")": -1}.get(char, 0)
                self.pos += 1
            else:
                self._piece(inner)
            if not depth:
                return
        raise NotUnderstoodError("a `$(` that is not closed")


def _parameter(match: re.Match[str], *, quoted: bool) -> Parameter:
    name = match["name"] or match["special"] or match["braced"]
    argument: list[Part] = []
    text = match["argument"] or ""
    position = 0
    for inner in _PARAMETER.finditer(text):
        _add_text(argument, text[position : inner.start()])
        argument.append(_parameter(inner, quoted=quoted))
        position = inner.end()
    _add_text(argument, text[position:])
    return Parameter(match[0], name, quoted, match["operator"] or "", tuple(argument))


def _add_text(parts: list[Part], text: str) -> None:
    """Add characters to the parts of a word; neighbouring ones are one part."""
    if parts and isinstance(parts[-1], Literal):
        parts[-1] = Literal(parts[-1].text + text)
    elif text:
        parts.append(Literal(text))
