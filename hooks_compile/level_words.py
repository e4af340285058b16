"""The fast proof of ``levels``: by words, without a parse. Pure.

Where a word that could read a docstring occurs nowhere, in code, strings or comments, nothing
reads one. Words that are common in prose, or harmless in most of their uses, are looked at more
closely. What is left undecided is for ``level_tree``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from hooks_compile.level_tables import (
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
from hooks_compile.model import LevelChoice

if TYPE_CHECKING:
    from collections.abc import Iterator

BEST: Final = LevelChoice(2, "no assert, nothing reads docstrings")
"""What is chosen where nothing can tell level 2 from level 0."""

_WORD: Final = re.compile(r"\w+", re.ASCII)
_LETTERLIKE: Final = re.compile(f"[{LETTERLIKE}]")

_FATAL: Final = READERS | {"assert", "metaclass", INSPECT_VARIABLE}
_CHECKED: Final = (
    BUILTIN_READERS | READER_ATTRIBUTES | LOG_FORMATTERS | {"class", "format", "getattr", "import"}
)
_NOTABLE: Final = _FATAL | _CHECKED

_GAP = r"(?:\s|\\\n|#[^\n]*\n)*"
"""What may stand between a dot and a name: white space, a continued line, comments."""
_ATTRIBUTE: Final = re.compile(rf"\.{_GAP}(?:{'|'.join(sorted(READER_ATTRIBUTES))})\b")
_BUILTIN: Final = re.compile(
    rf"(?<![\w.])(?:{'|'.join(sorted(BUILTIN_READERS))})\b(?![ \t]*=[^=])", re.ASCII
)

_FORMAT: Final = re.compile(rf"\.{_GAP}format\b")
_FIELD = r"\{\w*(?:![rsa])?(?::[^{}\"'\\\n]*)?\}"
_FORMAT_OF_LITERAL: Final = re.compile(
    r"(?:[(=,+:\[{]|\breturn)[ \t]*"
    rf"(?:\"(?:[^\"\\\n{{}}]|\{{\{{|\}}\}}|{_FIELD})+\"|'(?:[^'\\\n{{}}]|\{{\{{|\}}\}}|{_FIELD})+')"
    r"\.format\b"
)

_GETATTR: Final = re.compile(r"\bgetattr\b")
_GETATTR_OF_LITERAL: Final = re.compile(
    r"(?<![\w.])getattr\([^*()\"'\[\]{}#\\,]+,\s*([\"'])([A-Za-z_]\w*)\1\s*[,)]", re.ASCII
)

_FORMATTER: Final = re.compile(r"\bFormatter\b")
_TEXT = r"(?:\"[^\"\\\n]*\"|'[^'\\\n]*')"
_FORMATTER_OF_LITERALS: Final = re.compile(
    rf"\bFormatter\(\s*(?:fmt=)?{_TEXT}\s*(?:,\s*(?:datefmt=)?{_TEXT}\s*)?(?:,\s*)?\)"
)

_NAME = r"[A-Za-z_]\w*"
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_AS = rf"(?:[ \t]+as[ \t]+{_NAME})?"
_IMPORT_WORD: Final = re.compile(r"\bimport\b", re.ASCII)
_IMPORT: Final = re.compile(
    r"^[ \t\f]*(?:"
    r"#[^\n]*"
    rf"|import[ \t]+({_DOTTED}{_AS}(?:[ \t]*,[ \t]*{_DOTTED}{_AS})*)"
    rf"|from[ \t]+({_DOTTED})[ \t]+import[ \t]*(?:"
    rf"(?<=[ \t])({_NAME}{_AS}(?:[ \t]*,[ \t]*{_NAME}{_AS})*)"
    rf"|\((\s*{_NAME}(?:\s+as\s+{_NAME})?(?:\s*,\s*{_NAME}(?:\s+as\s+{_NAME})?)*\s*+,?\s*+)\)"
    r"))[ \t]*(?:#[^\n]*)?$",
    re.ASCII | re.MULTILINE,
)

_CLASS_WORD: Final = re.compile(r"\bclass\b", re.ASCII)
_CLASS: Final = re.compile(
    rf"^[ \t]*class[ \t]+{_NAME}[ \t]*(?:\([ \t]*({_NAME})?[ \t]*\)[ \t]*)?:",
    re.ASCII | re.MULTILINE,
)
_FAST_BASES: Final = EXCEPTIONS | LIBRARY_BASES | {"object"}


def quick(text: str) -> LevelChoice | None:
    """Decide from words alone; None where that is not enough."""
    if not text.isascii() and _LETTERLIKE.search(text):
        return None
    words = set(_WORD.findall(text))
    if _proves(text, text, words):
        return BEST
    without = _without_literals(text)
    if without is None:
        return None
    code, bare = without
    found = _certain(bare, words)
    if found is not None:
        return found
    if INSPECT_VARIABLE not in words and _proves(text, code, set(_WORD.findall(code))):
        return BEST
    return None


def _proves(text: str, code: str, words: set[str]) -> bool:
    """Whether nothing in the source can tell level 2 from level 0.

    ``text`` is the whole source, ``code`` the same or the source without comments and plain
    strings, ``words`` the words of ``code``. Every check holds for code wherever it stands, in
    strings and comments too, so it does not matter what of ``code`` is really code.
    """
    notable = words & _NOTABLE
    if not notable.isdisjoint(_FATAL) or any(map(is_strange_dunder, words)):
        return False
    checked = notable & _CHECKED
    return (
        (checked.isdisjoint(BUILTIN_READERS) or not _BUILTIN.search(code))
        and (checked.isdisjoint(READER_ATTRIBUTES) or not _ATTRIBUTE.search(code))
        and ("case" not in words or checked.isdisjoint(READER_ATTRIBUTES | {"format"}))
        and ("import" not in checked or _imports_are_known(code))
        and ("class" not in checked or _classes_are_plain(code, words))
        and ("getattr" not in checked or _getattr_is_literal(text))
        and ("format" not in checked or _format_is_literal(text))
        and (checked.isdisjoint(LOG_FORMATTERS) or _log_style_is_percent(text, words))
    )


def _imports_are_known(code: str) -> bool:
    in_statements = 0
    for match in _IMPORT.finditer(code):
        modules, package, names, more_names = match.groups()
        if modules or package:
            if modules:
                known = all(name.split()[0] in MODULES for name in modules.split(","))
            else:
                known = _from_is_known(package, (names or more_names).split(","))
            if not known:
                return False
        in_statements += len(_IMPORT_WORD.findall(match[0]))
    return in_statements == len(_IMPORT_WORD.findall(code))


def _from_is_known(package: str, names: list[str]) -> bool:
    return package in MODULES and all(
        is_harmless_import(package, name.split()[0]) for name in names if name.strip()
    )


def _classes_are_plain(code: str, words: set[str]) -> bool:
    """Whether every class statement has no base, or one whose metaclass is known and whose name
    nothing else in the source binds."""
    classes = list(_CLASS.finditer(code))
    if len(classes) != len(_CLASS_WORD.findall(code)):
        return False
    bases = {match[1] for match in classes if match[1]}
    if not bases:
        return True
    if not bases <= _FAST_BASES or "setattr" in words or "__class__" in words:
        return False
    return all(_is_only_read(name, code) for name in bases)


def _is_only_read(name: str, code: str) -> bool:
    every, reading = _uses(name)
    return len(every.findall(code)) == len(reading.findall(code))


@cache
def _uses(name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns for every use of a name, and for those that can't bind it anew."""
    before = (
        rf"\bclass[ \t]+{_NAME}[ \t]*\([ \t]*"
        rf"|\bexcept(?:[ \t]+|[ \t]*\([ \t]*)(?:{_DOTTED}[ \t]*,[ \t]*)*"
        r"|\braise[ \t]+"
        rf"|^[ \t]*from[ \t]+{_DOTTED}[ \t]+import[ \t]+(?:{_NAME}[ \t]*,[ \t]*)*"
    )
    every = re.compile(rf"\b{name}\b", re.ASCII)
    return every, re.compile(rf"(?:{before}){name}\b", re.ASCII | re.MULTILINE)


def _getattr_is_literal(text: str) -> bool:
    literal = [match[2] for match in _GETATTR_OF_LITERAL.finditer(text)]
    return len(literal) == len(_GETATTR.findall(text)) and all(map(is_harmless_name, literal))


def _format_is_literal(text: str) -> bool:
    return len(_FORMAT.findall(text)) == len(_FORMAT_OF_LITERAL.findall(text))


def _log_style_is_percent(text: str, words: set[str]) -> bool:
    """Whether every log format is surely one with ``%``, the default."""
    return (
        "style" not in words
        and "**" not in text
        and len(_FORMATTER.findall(text)) == len(_FORMATTER_OF_LITERALS.findall(text))
    )


# --- code without its strings ----------------------------------------------------------------

_LITERAL: Final = re.compile(
    r"#[^\n]*|(?:(?<!\w)([rRfFtT]{1,2}))?(?:"
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')",
    re.DOTALL,
)
_FIELDS_CLOSED: Final = re.compile(
    r"""(?:[^{}]|\{\{|\}\}|\{(?:[^{}'"]|'[^'{}\\]+'|"[^"{}\\]+"|\{[^{}'"]*\})*\})*+"""
)
_QUOTE: Final = re.compile("[\"']")


def _without_literals(text: str) -> tuple[str, str] | None:
    """Return the source without comments and strings, twice, line for line: with the formatted
    strings, because they hold code, and without them.

    None where one of them may hold a string with its own quotes, a comment or a line end
    (PEP 701): this scan would take the rest of the source for what it is not.
    """
    code: list[str] = []
    bare: list[str] = []
    end = 0
    for match in _LITERAL.finditer(text):
        between = text[end : match.start()]
        end = match.end()
        if _QUOTE.search(between):
            return None
        literal = match[0]
        prefix = match[1]
        blank = '""' + "\n" * literal.count("\n") if literal[0] != "#" else ""
        formatted = bool(prefix) and prefix.lower() != "r"
        if formatted and ("#" in literal or not _FIELDS_CLOSED.fullmatch(literal)):
            return None
        code += (between, literal if formatted else blank)
        bare += (between, blank)
    rest = text[end:]
    if _QUOTE.search(rest):
        return None
    return "".join([*code, rest]), "".join([*bare, rest])


_STATEMENT = r"(?:^|[:;])[ \t\f]*"
_ASSERT: Final = re.compile(rf"{_STATEMENT}(assert)\b|\b(__debug__)\b", re.MULTILINE)
_READS: Final = re.compile(
    rf"\b(__doc__|__dict__)\b|(?<![\w.])(?<!def )({'|'.join(sorted(BUILTIN_READERS))})[ \t]*\("
)


def _certain(code: str, words: set[str]) -> LevelChoice | None:
    """Return the choice where ``code``, free of all strings, shows a reason for a lower level."""
    if "assert" in words or "__debug__" in words:
        match = _ASSERT.search(code)
        if match is None:
            return None
        return LevelChoice(0, f"{match[1] or match[2]} at line {_line(code, match.start(1))}")
    reasons = [*_unknown_imports(code)]
    match = _READS.search(code)
    if match is not None:
        reasons.append((match.start(), match[1] or match[2]))
    if not reasons:
        return None
    position, what = min(reasons)
    return LevelChoice(1, f"{what} at line {_line(code, position)}")


def _unknown_imports(code: str) -> Iterator[tuple[int, str]]:
    for match in _IMPORT.finditer(code):
        modules, package, _, _ = match.groups()
        position = match.start() + len(match[0]) - len(match[0].lstrip())
        named = modules or package or ""
        for name in named.split(",") if named else ():
            module = name.split()[0]
            if module not in MODULES:
                yield position, f"imports {module}"


def _line(code: str, position: int) -> int:
    return code.count("\n", 0, position) + 1
