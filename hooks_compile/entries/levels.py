"""Which optimization level changes nothing about a source: pure, from bytes to a choice.

Level 1 takes away ``assert`` and makes ``__debug__`` false, level 2 takes away the docstrings too
(``python -O`` and ``-OO``, https://docs.python.org/3/using/cmdline.html#cmdoption-O). ``auto`` is
the highest level for which it is proven that no run of the source can tell the difference.

Two proofs are tried: ``level_words`` is fast and decides most sources, ``level_tree`` parses the
others. Neither answers higher than is proven.

Entries say which format they have, and not by which rules their level was proven. So a change of
the rules raises FORMAT in ``runtime/entry.py``: then no entry of the old rules verifies, and each
is made anew. ``tests/entries/test_formats.py`` asks for it.

What no look at one source can see: a file beside the hook that takes the name of a standard
library module, and what ``sitecustomize`` or ``PYTHONINSPECT`` of the environment add to a run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooks_compile.entries.level_words import BEST, quick
from hooks_compile.model import Level, LevelChoice, Optimize

if TYPE_CHECKING:
    from hooks_compile.entries.level_tree import Facts


def choose_level(source: bytes, requested: Optimize = "auto") -> LevelChoice:
    """Return the level for ``source`` and the reason, in a few words that name the line.

    A level that is asked for is obeyed. ``auto`` gives 2 where nothing can tell, 1 where something
    may read docstrings, 0 where there is an ``assert`` or ``__debug__``, where the source is not
    UTF-8 (PEP 263), and where only a parse could tell and the source does not parse.
    """
    if requested != "auto":
        return LevelChoice(requested, "forced")
    text = _decode(source)
    if isinstance(text, LevelChoice):
        return text
    return quick(text) or _precise(text)


def dropped(source: bytes, level: Level) -> list[str]:
    """Return what ``level`` takes away from ``source`` that a run could miss, one line for each.

    Empty where the level changes nothing. A source that can't be analysed yields one line that
    says so.
    """
    if level == 0:
        return []
    try:
        facts = _analyse(source)
    except _NOT_PARSED as error:
        return [f"can't tell: {_why_not_parsed(error)}"]
    lines = [f"{what} at line {line}" for line, what in sorted(facts.stripped)]
    if level == 2:
        lines += [f"docstrings: {what} at line {line}" for line, what in sorted(facts.readers)]
    return lines


def _precise(text: str) -> LevelChoice:
    try:
        facts = _analyse(text)
    except _NOT_PARSED as error:
        return LevelChoice(0, _why_not_parsed(error))
    for level, found in ((0, facts.stripped), (1, facts.readers)):
        if found:
            line, what = min(found)
            return LevelChoice(0 if level == 0 else 1, f"{what} at line {line}")
    return BEST


def _analyse(source: str | bytes) -> Facts:
    from hooks_compile.entries.level_tree import analyse  # noqa: PLC0415 - few sources need ast

    return analyse(source)


_NOT_PARSED: Final = (SyntaxError, ValueError, RecursionError, MemoryError)


def _why_not_parsed(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"does not parse: {error.msg} at line {error.lineno or 1}"
    return f"does not parse: {error or type(error).__name__}"


_COOKIE: Final = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
_UTF8: Final = re.compile(r"utf[-_]?8(?:[-_](?:sig|unix|dos|mac))?", re.IGNORECASE)


def _decode(source: bytes) -> str | LevelChoice:
    r"""Return the text with ``\n`` as its only line end, or why nothing above level 0 is safe."""
    source = source.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in source:
        return LevelChoice(0, "null bytes")
    for line in re.split(rb"[\r\n]", b"\n".join(source.split(b"\n", 2)[:2])):
        cookie = _COOKIE.match(line)
        if cookie and not _UTF8.fullmatch(cookie[1].decode("ascii")):
            return LevelChoice(0, f"encoding {cookie[1].decode('ascii')}")
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        line_number = source.count(b"\n", 0, error.start) + 1
        return LevelChoice(0, f"not UTF-8 at line {line_number}")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text
