"""Chooses the optimization level of a source for ``optimize = "auto"``. Pure.

Level 1 drops ``assert`` and makes ``__debug__`` false. Level 2 drops docstrings as well. ``auto``
is 2 if the source has no word that could make this visible, else 0. Words count wherever they are:
in code, strings or comments. So many a source gets 0 that could have 2. That costs it next to
nothing, and the rule stays short.

One source can't show everything: a file beside the hook may have the name of a standard module,
and PYTHONINSPECT or ``sitecustomize`` may look at the hook's docstrings.

The rule is part of the entry format: whoever changes it raises FORMAT in ``launcher/entry.py``.
"""

import re
import unicodedata
from typing import Iterator, NamedTuple, Set, Tuple

from hooks_compile.compile_worker.standard_modules import MODULES, names


class LevelChoice(NamedTuple):
    """A level, and the reason for it in a few words."""

    level: int
    reason: str


# Names that may lead to a docstring, to a namespace with one, or to code made from text.
_TELLING = names(
    """
    assert metaclass getattr attrgetter methodcaller getdoc get_field get_type_hints _eval_type
    ForwardRef _make_forward_ref evaluate_forward_ref singledispatch singledispatchmethod vformat
    format_map style _STYLES StrFormatStyle Formatter basicConfig wraps update_wrapper
    capture_locals StackSummary TracebackException getrefcount getallocatedblocks settrace
    setprofile settrace_all_threads setprofile_all_threads monitoring remote_exec PYTHONINSPECT
    _test_simple_enum annotationlib _lazy_annotationlib _LazyAnnotationLib bdb bltns builtins codeop
    ctypes dataclass dataclasses _dataclasses dis doctest gc importlib inspect _inspect marshal
    modules pdb pickle pkgutil pydoc runpy sysconfig unittest zipimport
    """
)
_HARMLESS_DUNDERS = names(
    """
    __aenter__ __aexit__ __all__ __author__ __bool__ __call__ __contains__ __delitem__ __enter__
    __eq__ __exit__ __file__ __future__ __getitem__ __hash__ __init__ __iter__ __len__ __lt__
    __main__ __name__ __new__ __next__ __pycache__ __pycache_opt__ __repr__ __setitem__ __str__
    __version__
    """
)
# Names with a meaning for Python, and attributes of frames, tracebacks, generators and code.
_ODD = re.compile(r"__\w+__|(?:ag|co|cr|f|gi|tb)_[a-z]+")
# Builtins that count if they are neither an attribute nor a keyword argument.
_BUILTINS = names("breakpoint compile dir eval exec globals help locals vars")
_WORD = re.compile(r"\w+")
# A line that is an import, as far as it decides what is imported. A quote could end a string, so
# there is none behind it.
_IMPORT = re.compile(
    r"\s*(?:from[ \t]+([\w.]+)[ \t]+import\b(?!.*\bimport\b)"
    r"|import[ \t]+([\w., \t]+)(?:#[^\"']*)?$)"
)
# The beginning of a class without a base: a base could read the docstring.
_CLASS = re.compile(r"\s*class[ \t]+\w+[ \t]*:")
_COOKIE = re.compile(rb"#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_UTF8 = re.compile(rb"utf[-_]?8(?:[-_].*)?", re.IGNORECASE)


def choose_level(source: bytes) -> LevelChoice:
    """Return 2 if no run of ``source`` can depend on the level, else 0."""
    for first_line in re.split(rb"\r\n|\r|\n", source, maxsplit=2)[:2]:
        cookie = _COOKIE.search(first_line)
        if cookie and not _UTF8.fullmatch(cookie[1]):
            return LevelChoice(0, f"encoding {cookie[1].decode()}")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return LevelChoice(0, f"not UTF-8 at line {line}")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)  # as Python does with names (PEP 3131)
    words = set(_WORD.findall(text))
    telling = min((*_telling_words(words, text), *_telling_lines(text)), default=None)
    if telling is None:
        return LevelChoice(2, "nothing in it depends on the level")
    return LevelChoice(0, "line {}: {}".format(*telling))


def _telling_words(words: Set[str], text: str) -> Iterator[Tuple[int, str]]:
    """Yield the line and the text of each word that may depend on the level."""
    odd = {word for word in words - _HARMLESS_DUNDERS if "_" in word[:3] and _ODD.fullmatch(word)}
    # A pattern that begins with its word is searched for fast.
    patterns = {word: rf"{word}\b(?<!\w{word})" for word in words & _TELLING | odd}
    for word in words & _BUILTINS:
        patterns[word] = rf"{word}\b(?<![.\w]{word})(?!\s*=(?!=))"
    if "format" in words:
        patterns["format of a text"] = r"\.\s*format\b|format\s*=(?!=)"
    if {"logging", "config"} <= words:  # it imports what a text names
        patterns["perhaps logging.config"] = r"config\b(?<!\wconfig)"
    for what, pattern in patterns.items():
        match = re.search(pattern, text)
        if match:
            yield text.count("\n", 0, match.start()) + 1, what


def _telling_lines(text: str) -> Iterator[Tuple[int, str]]:
    """Yield the number and the fault of each line with an import or a class that is not checked."""
    is_continued = False
    for number, line in enumerate(text.split("\n"), 1):
        if _has_word("class", line) and not _CLASS.match(line):
            yield number, "a class with a base, or in a form that is not checked"
        if _has_word("import", line):
            match = None if is_continued else _IMPORT.match(line)
            if not match:
                yield number, "an import in a form that is not checked"
            for part in (match[1] or match[2]).split(",") if match else ():
                module = (part.split() or [""])[0]
                if module.partition(".")[0] not in MODULES:
                    yield number, f"imports {module}, which is not checked"
        is_continued = line.endswith("\\")


def _has_word(word: str, line: str) -> bool:
    return word in line and word in _WORD.findall(line)
