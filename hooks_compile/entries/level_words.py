"""The fast proof of ``levels``: by words, without a parse. Pure.

Where a word that could read a docstring occurs nowhere, in code, strings or comments, nothing
reads one. Words that are common in prose, or harmless in most of their uses, are looked at more
closely. What is left undecided is for ``level_tree``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hooks_compile.entries.level_scan import without_literals
from hooks_compile.entries.level_tables import (
    BUILTIN_READERS,
    EXCEPTIONS,
    INSPECT_VARIABLE,
    LETTERLIKE,
    LIBRARY_BASES,
    LOG_FORMATTERS,
    MODULES,
    READER_ATTRIBUTES,
    READERS,
    is_harmless_import,
    is_harmless_name,
    is_strange_dunder,
)
from hooks_compile.model import Level, LevelChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEST: Final = LevelChoice(2, "no assert, nothing reads docstrings")
"""What is chosen where nothing can tell level 2 from level 0."""


def quick(text: str) -> LevelChoice | None:
    """Decide from words alone; None where that is not enough, or where it would take long."""
    is_long = len(text) > _LONG and max(map(len, text.split("\n"))) > _LONG
    if is_long or (not text.isascii() and _LETTERLIKE.search(_beyond_ascii(text))):
        return None
    words = _words(text)
    if _proves(text, text, words):
        return BEST
    found = _certain(text, words, _seems_code)
    if found is not None:
        return found
    bare = without_literals(text)
    if bare is None:
        return None
    found = _certain(bare.statements, words, lambda *_: True)
    inspects = INSPECT_VARIABLE in words
    if found is None and not inspects and _proves(text, bare.code, _words(bare.code)):
        return BEST
    return found


# --- words -------------------------------------------------------------------------------------

_FATAL: Final = READERS | {"assert", "metaclass", INSPECT_VARIABLE}
_LOOKED_AT: Final = frozenset({"case", "class", "format", "getattr", "import", "setattr", "style"})
_NOTABLE: Final = frozenset(
    word.encode()
    for word in _FATAL | BUILTIN_READERS | READER_ATTRIBUTES | LOG_FORMATTERS | _LOOKED_AT
)
_UNDERSCORED: Final = re.compile(rb" (__[^ ]*)")
_LETTERLIKE: Final = re.compile(f"[{LETTERLIKE}]")
# What stands before a word on its line is looked at for each word: a parse takes less on a line
# of a thousand words.
_LONG: Final = 2000


def _is_word_character(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")


_BETWEEN_WORDS: Final = bytes(
    code if _is_word_character(chr(code)) else ord(" ") for code in range(256)
)


_ASCII: Final = bytes(range(128))


def _beyond_ascii(text: str) -> str:
    return text.encode().translate(None, _ASCII).decode()


def _words(text: str) -> set[str]:
    """Return the words that may mean something; letters beyond ASCII end a word."""
    data = b" " + text.encode().translate(_BETWEEN_WORDS)
    dunders = (word for word in _UNDERSCORED.findall(data) if word.endswith(b"__"))
    return {word.decode() for word in _NOTABLE.intersection(data.split()).union(dunders)}


def _occurrences(word: str, text: str) -> Iterator[int]:
    """Yield where a word stands in a text by itself, not as a part of a longer one."""
    position = text.find(word)
    while position >= 0:
        end = position + len(word)
        if not (
            _is_word_character(text[position - 1 : position])
            or _is_word_character(text[end : end + 1])
        ):
            yield position
        position = text.find(word, end)


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _before(text: str, position: int) -> str:
    """Return what stands before a position on its line."""
    return text[_line_start(text, position) : position]


# --- the proof ---------------------------------------------------------------------------------


def _proves(text: str, code: str, words: set[str]) -> bool:
    """Whether nothing in the source can tell level 2 from level 0.

    ``text`` is the whole source, ``code`` the same or the source without comments and plain
    strings, ``words`` the words of ``code``. Every check holds for code wherever it stands, in
    strings and comments too, so it does not matter what of ``code`` is really code.
    """
    if not words.isdisjoint(_FATAL) or any(map(is_strange_dunder, words)):
        return False
    return (
        not any(_is_read(name, code) for name in words & BUILTIN_READERS)
        and not any(_is_attribute(name, code) for name in words & READER_ATTRIBUTES)
        and ("case" not in words or words.isdisjoint(READER_ATTRIBUTES | {"format"}))
        and ("import" not in words or _imports_are_known(code))
        and ("class" not in words or _classes_are_plain(code, words))
        and ("getattr" not in words or _getattr_is_literal(text))
        and ("format" not in words or _format_is_literal(text))
        and (words.isdisjoint(LOG_FORMATTERS) or _log_style_is_percent(text, words))
    )


_APART: Final = re.compile(r"[ \t]*=[^=]")
"""What follows a name that is a keyword argument or assigned to."""


def _is_read(name: str, code: str) -> bool:
    """Whether a name may stand for the builtin: neither an attribute nor a keyword argument."""
    return any(
        code[position - 1 : position] != "." and not _APART.match(code, position + len(name))
        for position in _occurrences(name, code)
    )


def _is_attribute(name: str, code: str) -> bool:
    """Whether a name may stand behind a dot: on its line, or first on it and so perhaps behind
    one at the end of an earlier line."""
    befores = (_before(code, position).strip() for position in _occurrences(name, code))
    return any(not before or before[-1] == "." for before in befores)


_NAME: Final = r"[A-Za-z_]\w*"
_DOTTED: Final = rf"{_NAME}(?:\.{_NAME})*"
_AS: Final = rf"(?:[ \t]+as[ \t]+{_NAME})?"
_IMPORT: Final = re.compile(
    r"[ \t\f]*(?:"
    r"#[^\n\"']*"
    rf"|import[ \t]+({_DOTTED}{_AS}(?:[ \t]*,[ \t]*{_DOTTED}{_AS})*)"
    rf"|from[ \t]+({_DOTTED})[ \t]+import[ \t]*(?:"
    rf"(?<=[ \t])({_NAME}{_AS}(?:[ \t]*,[ \t]*{_NAME}{_AS})*)"
    rf"|\((\s*{_NAME}(?:\s+as\s+{_NAME})?(?:\s*,\s*{_NAME}(?:\s+as\s+{_NAME})?)*\s*+,?\s*+)\)"
    r"))[ \t]*(?:#[^\n\"']*)?$",
    re.ASCII | re.MULTILINE,
)
"""A line that is a comment or an import statement and nothing else, in code or in a string: a
quote could end a string, and code follow."""


def _imports_are_known(code: str) -> bool:
    """Whether every import is a plain statement that names modules of the table."""
    end = 0
    for position in _occurrences("import", code):
        if position < end:
            continue
        match = _IMPORT.match(code, _line_start(code, position))
        if match is None:
            return False
        modules, package, names, more_names = match.groups()
        if modules and not all(name.split()[0] in MODULES for name in modules.split(",")):
            return False
        if package and not _from_is_known(package, (names or more_names).split(",")):
            return False
        end = match.end()
    return True


def _from_is_known(package: str, names: list[str]) -> bool:
    return package in MODULES and all(
        is_harmless_import(package, name.split()[0]) for name in names if name.strip()
    )


_FAST_BASES: Final = EXCEPTIONS | LIBRARY_BASES | {"object"}
_CLASS: Final = re.compile(
    rf"[ \t]*class[ \t]+{_NAME}[ \t]*(?:\([ \t]*({_NAME})?[ \t]*\)[ \t]*)?:", re.ASCII
)


def _classes_are_plain(code: str, words: set[str]) -> bool:
    """Whether every class statement has no base, or one whose metaclass is known and whose name
    nothing else in the source binds."""
    bases = set()
    for position in _occurrences("class", code):
        match = _CLASS.match(code, _line_start(code, position))
        if match is None:
            return False
        if match[1]:
            bases.add(match[1])
    if not bases:
        return True
    if not bases <= _FAST_BASES or "setattr" in words or "__class__" in words:
        return False
    return all(_is_only_read(name, code) for name in bases)


_READING: Final = re.compile(
    rf"(?:\bclass[ \t]+{_NAME}[ \t]*\([ \t]*"
    rf"|\bexcept(?:[ \t]+|[ \t]*\([ \t]*)(?:{_DOTTED}[ \t]*,[ \t]*)*"
    r"|\braise[ \t]+"
    rf"|^[ \t]*from[ \t]+{_DOTTED}[ \t]+import[ \t]+(?:{_NAME}[ \t]*,[ \t]*)*)\Z",
    re.ASCII,
)
"""What stands before a name that is not bound anew there."""


def _is_only_read(name: str, code: str) -> bool:
    return all(_READING.search(_before(code, position)) for position in _occurrences(name, code))


_GETATTR_OF_LITERAL: Final = re.compile(
    r"getattr\([^*()\"'\[\]{}#\\,]+,\s*([\"'])([A-Za-z_]\w*)\1\s*[,)]", re.ASCII
)


def _getattr_is_literal(text: str) -> bool:
    matches = (_GETATTR_OF_LITERAL.match(text, at) for at in _occurrences("getattr", text))
    return all(match is not None and is_harmless_name(match[2]) for match in matches)


_FIELD: Final = r"\{\w*(?:![rsa])?(?::[^{}\"'\\\n]*)?\}"
_LITERAL_AND_DOT: Final = re.compile(
    r"(?:[(=,+:\[{]|\breturn)[ \t]*"
    rf"(?:\"(?:[^\"\\{{}}]|\{{\{{|\}}\}}|{_FIELD})+\"|'(?:[^'\\{{}}]|\{{\{{|\}}\}}|{_FIELD})+')"
    r"\.\Z"
)


def _format_is_literal(text: str) -> bool:
    """Whether every ``.format`` is that of one string literal without attributes in its fields.

    What stands before the literal, on the same line, says that it is the whole of it.
    """
    for position in _occurrences("format", text):
        before = _before(text, position)
        stripped = before.strip()
        if not stripped or (stripped[-1] == "." and not _LITERAL_AND_DOT.search(before)):
            return False
    return True


_TEXT: Final = r"(?:\"[^\"\\\n]*\"|'[^'\\\n]*')"
_FORMATTER_OF_LITERALS: Final = re.compile(
    rf"Formatter\(\s*(?:fmt=)?{_TEXT}\s*(?:,\s*(?:datefmt=)?{_TEXT}\s*)?(?:,\s*)?\)"
)


def _log_style_is_percent(text: str, words: set[str]) -> bool:
    """Whether every log format is surely one with ``%``, the default."""
    return (
        "style" not in words
        and "**" not in text
        and all(_FORMATTER_OF_LITERALS.match(text, at) for at in _occurrences("Formatter", text))
    )


# --- certain reasons for a lower level ---------------------------------------------------------

_CALL: Final = re.compile(r"[ \t]*\(")


def _certain(text: str, words: set[str], is_code: Callable[[str, int], bool]) -> LevelChoice | None:
    """Return the choice where a source shows a reason for a lower level: one that ``is_code``.

    ``words`` are those of the whole source: without ``assert`` and ``__debug__`` anywhere, level 1
    is safe.
    """
    level: Level = 1
    reasons = [
        (position, word)
        for word in words & {"assert", "__debug__"}
        for position in _occurrences(word, text)
    ]
    if reasons:
        level = 0
    elif words.isdisjoint({"assert", "__debug__"}):
        reasons = [*_unknown_imports(text), *_certain_reads(text, words)]
    for position, what in sorted(reasons):
        if is_code(text, position):
            line = text.count("\n", 0, position) + 1
            return LevelChoice(level, f"{what} at line {line}")
    return None


def _seems_code(text: str, position: int) -> bool:
    """Whether a place in a source is in no string and no comment, as far as a look tells.

    Where it errs, a source gets a lower level than it could have.
    """
    before = _before(text, position)
    return not (
        "#" in before
        or "'" in before
        or '"' in before
        or text.count('"""', 0, position) % 2
        or text.count("'''", 0, position) % 2
    )


def _certain_reads(statements: str, words: set[str]) -> Iterator[tuple[int, str]]:
    for word in words & {"__doc__", "__dict__"}:
        yield from ((position, word) for position in _occurrences(word, statements))
    for word in words & BUILTIN_READERS:
        for position in _occurrences(word, statements):
            before = _before(statements, position).rstrip()
            is_call = _CALL.match(statements, position + len(word))
            if is_call and before[-1:] != "." and before[-3:] != "def":
                yield position, word


def _unknown_imports(statements: str) -> Iterator[tuple[int, str]]:
    for position in _occurrences("import", statements):
        match = _IMPORT.match(statements, _line_start(statements, position))
        named = (match[1] or match[2]) if match else None
        if named:
            modules = [name.split()[0] for name in named.split(",")]
            yield from ((position, f"imports {name}") for name in modules if name not in MODULES)
