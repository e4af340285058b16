"""JSON read with its positions: every value knows the span of text that it stands in.

Settings files are edited by people: comments, trailing commas, a byte order mark and any line ends
are read and stay where they are. What leaves a doubt about which value counts (a key that is there
twice, text behind the end) is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from hooks_compile.agents.clients.base import Json, KeyPath

MAX_DEPTH = 100
_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_PIECE = re.compile(
    r'[^"\\\x00-\x1f]|\\["\\/bfnrt]'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
)


class JsonTextError(ValueError):
    """The text is no JSON: ``line`` and ``column`` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        """Keep the reason, one line for a person, and the place."""
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Node:
    """A value at ``[start, end)`` of the text; a string's span includes its quotes."""

    start: int
    end: int
    value: dict[str, Node] | list[Node] | str | float | bool | None

    def plain(self) -> Json:
        """The value as Python objects, without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def read(text: str) -> Node:
    """The value that the text holds, with positions.

    Raises:
        JsonTextError: no JSON, not even with comments and trailing commas; a key twice in one
            object; deeper than ``MAX_DEPTH``.
    """
    return _Reader(text).document()


class JsonDocument:
    """A JSON text whose strings can be replaced in place."""

    def __init__(self, text: str) -> None:
        """Read the text. Raises JsonTextError as :func:`read` does."""
        self.text = text
        self.root = read(text)
        self.settings = self.root.plain()

    def node(self, path: KeyPath) -> Node:
        """The value at a path of ``settings``. Raises KeyError or IndexError where it is not."""
        node = self.root
        for key in path:
            match node.value, key:
                case dict() as members, str():
                    node = members[key]
                case list() as items, int():
                    node = items[key]
                case _:
                    raise KeyError(key)
        return node

    def offsets(self, path: KeyPath) -> list[int]:
        """Where each character of a string starts in the text, and where the last one ends."""
        node = self.node(path)
        inside = _PIECE.finditer(self.text, node.start + 1, node.end - 1)
        return [*(match.start() for match in inside), node.end - 1]

    def encode(self, path: KeyPath, text: str) -> str:
        """Characters as they are written inside the string at a path, non-ASCII ones kept."""
        return json.dumps(text, ensure_ascii=False)[1:-1]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 1 if text.startswith("\ufeff") else 0
        self.depth = 0

    def document(self) -> Node:
        self._space()
        node = self._value()
        self._space()
        if self.pos != len(self.text):
            self._fail("text behind the end of the value")
        return node

    def _fail(self, reason: str) -> NoReturn:
        before = self.text[: self.pos]
        line = before.count("\n") + 1
        raise JsonTextError(reason, line, self.pos - (before.rfind("\n") + 1) + 1)

    def _space(self) -> None:
        match = _SPACE.match(self.text, self.pos)
        self.pos = match.end() if match else self.pos

    def _value(self) -> Node:
        start = self.pos
        char = self.text[start : start + 1]
        if char == '"':
            value = self._string()
            return Node(start, self.pos, value)
        if char in ("{", "["):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self._fail(f"nested deeper than {MAX_DEPTH}")
            self.pos += 1
            inner = self._object() if char == "{" else self._array()
            self.depth -= 1
            return Node(start, self.pos, inner)
        match = _SCALAR.match(self.text, start)
        if match is None:
            self._fail("a value was expected" if char else "the text ends too early")
        try:
            scalar = json.loads(match.group())
        except ValueError:  # Python limits the digits of an integer
            self._fail("a number with too many digits")
        self.pos = match.end()
        return Node(start, self.pos, scalar)

    def _string(self) -> str:
        start = self.pos
        self.pos += 1
        while match := _PIECE.match(self.text, self.pos):
            self.pos = match.end()
        if self.text[self.pos : self.pos + 1] != '"':
            self._fail("a string that is not closed, or a character that may not be in it")
        self.pos += 1
        value = json.loads(self.text[start : self.pos])
        assert isinstance(value, str)  # noqa: S101 - what a quoted literal is, for the type checker
        return value

    def _next(self, closing: str) -> bool:
        """Whether one more item follows; goes behind the comma or the closing bracket."""
        self._space()
        if self.text.startswith(",", self.pos):
            self.pos += 1
            self._space()
            if not self.text.startswith(closing, self.pos):
                return True
        if not self.text.startswith(closing, self.pos):
            self._fail(f"`,` or `{closing}` was expected")
        self.pos += 1
        return False

    def _object(self) -> dict[str, Node]:
        members: dict[str, Node] = {}
        self._space()
        if self.text.startswith("}", self.pos):
            self.pos += 1
            return members
        while True:
            if not self.text.startswith('"', self.pos):
                self._fail("a key was expected")
            start = self.pos
            key = self._string()
            if key in members:
                self.pos = start
                self._fail(f"the key {json.dumps(key)} is there twice")
            self._space()
            if not self.text.startswith(":", self.pos):
                self._fail("`:` was expected")
            self.pos += 1
            self._space()
            members[key] = self._value()
            if not self._next("}"):
                return members

    def _array(self) -> list[Node]:
        items: list[Node] = []
        self._space()
        if self.text.startswith("]", self.pos):
            self.pos += 1
            return items
        while True:
            items.append(self._value())
            if not self._next("]"):
                return items
