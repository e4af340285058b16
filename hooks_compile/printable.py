"""Text that others wrote, made safe to print: pure.

A clone chooses the names of its files and their content. A terminal obeys escape sequences in
them, and shows some text in another order (https://trojansource.codes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def one_line(text: str, *, kept: str = "") -> str:
    """Return ``text`` with an escape for each character that is not printable nor in ``kept``."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text
    )


def lines(text: str) -> str:
    """Return ``text`` the same way, but keep its line feeds and tabs."""
    return one_line(text, kept="\n\t")


def shown(path: Path, root: Path | None = None) -> str:
    """Return ``path`` on one line, relative to ``root`` if it is below it."""
    return one_line(str(path.relative_to(root) if root and path.is_relative_to(root) else path))
