"""Text that others wrote, made safe to print: pure.

A clone chooses the names of its files and what stands in them, and a terminal obeys escape
sequences and puts text in another order (https://trojansource.codes) as it is told.
"""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return ``text`` on one line, with an escape for all that is not a sign to be seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def lines(text: str) -> str:
    """Return ``text`` the same way, but with its line feeds and tabs."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
