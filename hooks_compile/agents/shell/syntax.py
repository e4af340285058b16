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

RESERVED = frozenset(
    {"!", "{", "}", "if", "then", "elif", "else", "fi", "for", "in", "do", "done", "while", "until"}
    | {"case", "esac", "[[", "]]", "coproc", "function", "select", "time"}  # the last are bash's
)
_BLANK = " \t"
_META = " \t\n;&|<>()"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IO_NUMBER = re.compile(r"[0-9]+(?=[<>])")
_REDIRECTION = re.compile(r"&>>|&>|<&|>&|<>|>\||>>|<|>")
_PARAMETER_OPERATOR = re.compile(r":?[-=?+]")
_TILDE = re.compile(r"~([A-Za-z0-9._-]*)(?=[/\s;&|<>()]|$)")


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
        """Return the next character after line continuations, "" at the end."""
        while self.text.startswith("\\\n", self.pos):
            self.pos += 2
        return self.text[self.pos : self.pos + 1]

    def _skip_blanks(self) -> None:
        while (char := self._char()) and char in _BLANK:
            self.pos += 1
        if char == "#":
            end = self.text.find("\n", self.pos)
            self.pos = len(self.text) if end < 0 else end

    def _skip_blank_lines(self) -> None:
        self._skip_blanks()
        while self._char() == "\n":
            self.pos += 1
            self._skip_blanks()

    def _simple_command(self) -> SimpleCommand:
        assignments: list[Word] = []
        words: list[Word] = []
        redirected = False
        while True:
            self._skip_blanks()
            if self._skip_redirection():
                redirected = True
                continue
            char = self._char()
            if not char or char in _META:
                break
            word = self._word()
            if not words and assignment_name(word):
                assignments.append(word)
            else:
                words.append(word)
        if words and words[0].text in RESERVED:
            raise NotUnderstoodError(f"`{words[0].text}` begins a compound command")
        if char in ("(", ")"):
            raise NotUnderstoodError(f"`{char}`: a subshell or a function")
        if not (assignments or words or redirected):
            raise NotUnderstoodError(f"no command before `{self._char()}`")
        return SimpleCommand(tuple(assignments), tuple(words), self._operator())

    def _operator(self) -> str:
        char = self._char()
        if not char:
            return ""
        self.pos += 1
        following = self._char()
        if char in ("&", "|") and following == char:
            self.pos += 1
            return char * 2
        if char + following in (";;", "|&"):
            raise NotUnderstoodError(f"`{char}{following}`")
        return char

    def _skip_redirection(self) -> bool:
        self._char()
        number = _IO_NUMBER.match(self.text, self.pos)
        start = number.end() if number else self.pos
        if self.text.startswith("<<", start):
            raise NotUnderstoodError("a here-document (`<<`)")
        operator = _REDIRECTION.match(self.text, start)
        if operator is None or (number and operator.group().startswith("&")):
            return False
        self.pos = operator.end()
        if self._char() == "(":
            raise NotUnderstoodError(f"a process substitution (`{operator.group()}(`)")
        while (char := self._char()) and char in _BLANK:
            self.pos += 1
        if not char or char in _META:
            raise NotUnderstoodError(f"no file behind `{operator.group()}`")
        self._word()
        return True

    def _word(self) -> Word:
        self._char()
        start = self.pos
        parts = _Parts()
        if match := _TILDE.match(self.text, start):
            parts.add(Tilde(match[1]))
            self.pos = match.end()
        end = self.pos
        while (char := self._char()) and char not in _META:
            self._piece(char, parts)
            end = self.pos
        return Word(start, end, self.text[start:end], parts())

    def _piece(self, char: str, parts: _Parts) -> None:
        """Read one character, quote or expansion outside of quotes."""
        if char == "'":
            end = self.text.find("'", self.pos + 1)
            if end < 0:
                raise NotUnderstoodError("a quote (') that is not closed")
            parts.text(self.text[self.pos + 1 : end], quoted=True)
            self.pos = end + 1
        elif char == '"':
            self._double_quotes(parts)
        elif char == "\\":
            if self.pos + 1 >= len(self.text):
                raise NotUnderstoodError("a backslash at the end")
            parts.text(self.text[self.pos + 1], quoted=True)
            self.pos += 2
        elif char == "`":
            raise NotUnderstoodError("a command substitution in backticks")
        elif char == "$":
            self._dollar(parts, quoted=False)
        else:
            if char in "*?[{}" or (char in "~=" and parts.are_empty()):
                parts.add(Unknown(char, is_pattern=True))
            else:
                parts.text(char, quoted=False)
            self.pos += 1

    def _double_quotes(self, parts: _Parts) -> None:
        self.pos += 1
        parts.text("", quoted=True)
        while (char := self._char()) != '"':
            if not char:
                raise NotUnderstoodError('a quote (") that is not closed')
            if char == "`":
                raise NotUnderstoodError("a command substitution in backticks")
            if char == "$":
                self._dollar(parts, quoted=True)
                continue
            if char == "\\" and self.text[self.pos + 1 : self.pos + 2] in tuple('$`"\\'):
                self.pos += 1
                char = self.text[self.pos]
            parts.text(char, quoted=True)
            self.pos += 1
        self.pos += 1

    def _dollar(self, parts: _Parts, *, quoted: bool) -> None:
        start = self.pos
        self.pos += 1
        self._refuse_continuation()
        char = self._char()
        if char == "{":
            parts.add(self._braced(start, quoted=quoted))
        elif char == "(":
            self._skip_parentheses()
            parts.add(Unknown(self.text[start : self.pos]))
        elif match := _NAME.match(self.text, self.pos):
            self.pos = match.end()
            parts.add(Parameter(self.text[start : self.pos], match.group(), quoted))
            self._refuse_continuation()
            following = self._char()
            if following and (following in ":[" or (following.isalnum() and following > "\x7f")):
                parts.add(Unknown(following, is_pattern=True))
        elif char and char in "@*#?-$!0123456789":
            self.pos += 1
            parts.add(Parameter(self.text[start : self.pos], char, quoted))
        elif char in ("'", '"') and not quoted:
            raise NotUnderstoodError(f"`${char}`, which only some shells know")
        elif char and char not in _META + "\"'/":
            parts.add(Unknown("$", is_pattern=True))
        else:
            parts.text("$", quoted=quoted)

    def _refuse_continuation(self) -> None:
        """Shells differ on where a name ends that a line end cuts."""
        if self.text.startswith("\\\n", self.pos):
            raise NotUnderstoodError("a line end beside a variable's name")

    def _braced(self, start: int, *, quoted: bool) -> Parameter:
        """Read ``${...}``, from its brace on."""
        self.pos += 1
        match = _NAME.match(self.text, self.pos)
        if match is None:
            raise NotUnderstoodError("a `${...}` that is no plain variable")
        self.pos = match.end()
        if self._char() == "}":
            self.pos += 1
            return Parameter(self.text[start : self.pos], match.group(), quoted)
        operator = _PARAMETER_OPERATOR.match(self.text, self.pos)
        if operator is None:
            raise NotUnderstoodError(f"an operation inside `${{{match.group()}...}}`")
        self.pos = operator.end()
        argument = _Parts()
        while (char := self._char()) != "}":
            if not char:
                raise NotUnderstoodError("a `${` that is not closed")
            if char in "'\"\\`" or (char in "<>()" and not quoted):
                raise NotUnderstoodError(f"quotes inside `${{{match.group()}...}}`")
            if char == "$":
                self._dollar(argument, quoted=quoted)
                continue
            argument.text(char, quoted=quoted)
            self.pos += 1
        self.pos += 1
        text = self.text[start : self.pos]
        return Parameter(text, match.group(), quoted, operator.group(), argument())

    def _skip_parentheses(self) -> None:
        """Skip to the end of the parentheses that open here, with respect to quotes.

        Only plain contents are followed: a ``case`` or a comment may hold a lone parenthesis.
        """
        depth = 0
        inner = _Parts()
        while True:
            char = self._char()
            if not char:
                raise NotUnderstoodError("a `$(` that is not closed")
            if char == "#" or self.text.startswith(("<<", "case"), self.pos):
                raise NotUnderstoodError("a `$(...)` with more than plain commands inside")
            if char not in "()":
                self._piece(char, inner)
                continue
            depth += 1 if char == "(" else -1
            self.pos += 1
            if not depth:
                return


class _Parts:
    """The parts of a word; neighbouring characters of one kind are one part."""

    def __init__(self) -> None:
        self._parts: list[Part] = []

    def __call__(self) -> tuple[Part, ...]:
        return tuple(self._parts)

    def are_empty(self) -> bool:
        return all(isinstance(part, Literal) and not part.text for part in self._parts)

    def add(self, part: Part) -> None:
        self._parts.append(part)

    def text(self, text: str, *, quoted: bool) -> None:
        last = self._parts[-1] if self._parts else None
        if isinstance(last, Literal) and last.quoted == quoted:
            self._parts[-1] = Literal(last.text + text, quoted)
        else:
            self._parts.append(Literal(text, quoted))
