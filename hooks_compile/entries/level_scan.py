"""A source without its strings and comments, by one regular expression. Pure.

Formatted strings are kept where asked for, because they hold code. The scan is exact or refuses:
what it takes for the end of a literal is the end of it, under every version of Python.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Bare(NamedTuple):
    """A source without comments and strings, line for line: ``code`` still has the formatted
    strings, ``statements`` has none."""

    code: str
    statements: str


def without_literals(text: str) -> Bare | None:
    r"""Take comments and strings out of a source whose only line end is ``\n``.

    None where a formatted string may hold a string with its own quotes, a comment or a line end
    (PEP 701): the scan would not see where it ends. Code that Python can't read may come out
    wrong.
    """
    pieces = _LITERAL.split(text)
    formatted: list[tuple[int, str]] = []
    for index in range(1, len(pieces), 2):
        literal = pieces[index]
        if literal[0] == "#":
            pieces[index] = ""
            continue
        before = pieces[index - 1]
        if before[-1:] in _PREFIX_LETTERS and _PREFIX.search(before[-3:]):
            if "#" in literal or not _FIELDS_CLOSED.fullmatch(literal):
                return None
            formatted.append((index, literal))
        pieces[index] = '""' if "\n" not in literal else '""' + "\n" * literal.count("\n")
    left = "".join(pieces[::2])
    if '"' in left or "'" in left:
        return None
    statements = "".join(pieces)
    for index, literal in formatted:
        pieces[index] = literal
    return Bare("".join(pieces), statements)


_LITERAL: Final = re.compile(
    r"(#[^\n]*"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')",
    re.DOTALL,
)

_PREFIX_LETTERS: Final = frozenset("fFtTrR")
_PREFIX: Final = re.compile(r"(?<!\w)(?:[ft]r?|r[ft])\Z", re.IGNORECASE)

_FIELDS_CLOSED: Final = re.compile(
    r"""(?:[^{}]|\{\{|\}\}|\{(?:[^{}'"]|'[^'{}\\]+'|"[^"{}\\]+"|\{[^{}'"]*\})*\})*+"""
)
"""A formatted string all of whose fields end before it does. Where a quote inside a field is that
of the string, the match for the string ends inside the field, and this one fails; strings in
fields may hold no brace, so none is counted that is not one."""
