"""What others wrote is shown, and no terminal obeys it."""

from __future__ import annotations

import os

import pytest

from hooks_compile import printable

SHOWN = [
    ("größe 漢字 👍", "größe 漢字 👍"),
    ("\x1b[m\x00\x7f", "\\x1b[m\\x00\\x7f"),
    ("\x9b2J", "\\x9b2J"),  # the one-byte form of ESC [
    ("a\u202eb\u2066", "a\\u202eb\\u2066"),
    ("a\u2028b\r", "a\\u2028b\\r"),
    (os.fsdecode(b"caf\xe9"), "caf\\udce9"),
    ("\U000e0041", "\\U000e0041"),
]


@pytest.mark.parametrize(("text", "shown"), [*SHOWN, ("a\n\tb", "a\\n\\tb")])
def test_one_line_shows_what_a_terminal_would_obey(text: str, shown: str) -> None:
    assert printable.one_line(text) == shown
    shown.encode()


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_of_several_lines_line_feeds_and_tabs_stay(text: str, shown: str) -> None:
    assert printable.lines(f"{text}\n\n\t{text}\n") == f"{shown}\n\n\t{shown}\n"
