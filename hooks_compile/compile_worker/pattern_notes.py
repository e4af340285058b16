"""Finds the regular expressions of a hook, and what ``re`` compiles them to."""

import marshal
import re
import sys
import time
import warnings
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, Dict, Iterator, Optional, Set, Tuple, Union

from hooks_compile.compile_worker.standard_modules import LAZY_SINCE, WITH_PATTERNS
from hooks_compile.launcher.annotations import Patterns

# Those that compile patterns when they are imported in this Python. tomllib is new in 3.11.
_WITH_PATTERNS = WITH_PATTERNS.difference(
    () if sys.version_info >= (3, 11) else ("tomllib",),
    *(lazy for version, lazy in LAZY_SINCE.items() if sys.version_info >= version),
)
_IS_CPYTHON = sys.implementation.name == "cpython"
# More would make every launch slower than they can make the hook faster.
_MOST_PATTERNS = 128
_LONGEST_PATTERN = 400
# A source that nobody has read may hold patterns that take ``re`` minutes: a wide range without
# case is compiled character by character.
_MOST_SECONDS = 1.0  # of the processor
_OF_WIDE_RANGES = re.compile(r"\\U|[^\0-\uffff]")
_OF_BYTES = 1 << 20
# What a string must hold to be worth it. Each alternative begins with a plain character, which the
# search finds fast.
_SPECIAL = re.compile(
    r"\\[1-9AbBdDnrsStwWZ.()\[\]{}*+?^$|/\-]|\(\?|\.[*+?]|\][*+?]|\)[*+?]|\[\^"
    r"|\]\{\d|\)\{\d|\^(?<![\s\S]\^)|\$$|\|(?<=\w\|)\w"
)
_FLAGS = {
    name: int(getattr(re, name))
    for name in (*"AIMSX", "ASCII", "IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE")
}


def patterns_of(code: CodeType) -> Patterns:
    """Return the regular expressions among the constants of ``code``, as ``re`` compiles them.

    A string that only looks like one is of no use, and does no harm.
    """
    names, texts = _names_and_texts(code)
    if "re" not in names or not _IS_CPYTHON:
        return {}
    used = {_FLAGS[name] for name in names & set(_FLAGS)}
    combined = 0
    for flag in used:
        combined |= flag
    ready: Patterns = {}
    end = time.process_time() + _MOST_SECONDS
    for text in texts:
        if len(text) > _LONGEST_PATTERN or _OF_WIDE_RANGES.search(text):
            continue
        for flags in sorted({0, combined} | used) if _SPECIAL.search(text) else ():
            if len(ready) == _MOST_PATTERNS or time.process_time() > end:
                return ready
            data = _compiled(text, flags)
            if data is not None:
                ready[text, flags] = data
    return ready


def _names_and_texts(code: CodeType) -> Tuple[Set[str], Dict[str, None]]:
    """Return the names and the strings of ``code`` and of all code in it, in order."""
    names: Set[str] = set()
    texts: Dict[str, None] = {}
    waiting: Any = [code]
    for each in waiting:  # it grows
        if type(each) is str:
            texts[each] = None
        elif type(each) is type(code):
            names.update(each.co_names)
            waiting += each.co_consts
        elif type(each) in (tuple, frozenset):
            waiting += each
    return names, texts


def library_patterns(name: str) -> Patterns:
    """Return the regular expressions that importing ``name`` leaves in modules and classes.

    The module is imported here: all that are named in MODULES can be.
    """
    if name not in _of_library:
        found: Patterns = {}
        if name in _WITH_PATTERNS and _IS_CPYTHON:
            import _sre  # type: ignore[import-not-found] # noqa: PLC0415 - CPython's, without a stub

            for value in _values(__import__(name)):
                value = getattr(value, "__self__", value)  # noqa: PLW2901 - a method of a pattern
                if type(value) is re.Pattern:
                    pattern = value.pattern
                    flags = int(value.flags & ~re.UNICODE)
                    data = _compiled(pattern, flags)
                    if data and _sre.compile(pattern, *marshal.loads(data)) == value:
                        found[key_of(pattern, flags)] = data
            if name == "argparse":  # it compiles some when it is used, too
                loader: Any = sys.modules[name].__loader__
                found.update(patterns_of(loader.get_code(name)))
        _of_library[name] = found
    return _of_library[name]


def key_of(pattern: Union[str, bytes], flags: int) -> Tuple[str, int]:
    """Return the key of a pattern.

    A dictionary with both text and bytes as keys would make Python warn under ``-b``.
    """
    if isinstance(pattern, bytes):
        return pattern.decode("latin-1"), flags | _OF_BYTES
    return pattern, flags


def _values(module: Any) -> Iterator[Any]:
    """Yield the values of a module, of its classes, and of the modules that it has imported."""
    waiting, seen = [module], {module.__name__}
    for each in waiting:  # it grows
        for value in list(vars(each).values()):
            yield value
            if isinstance(value, type):
                yield from list(vars(value).values())
            home = value if isinstance(value, type(sys)) else sys.modules.get(_home(value))
            if home is not None and home.__name__ not in seen:
                seen.add(home.__name__)
                waiting.append(home)


def _home(value: Any) -> str:
    """Return the name of the module that a class or a function is from, "" for other values."""
    name = getattr(value, "__module__", None) if callable(value) else None
    return name if type(name) is str else ""


_of_library: Dict[str, Patterns] = {}
_known: Dict[Tuple[str, int], Optional[bytes]] = {}


def _compiled(pattern: Union[str, bytes], flags: int) -> Optional[bytes]:
    """Return the marshalled arguments of ``_sre.compile``; None if Python refuses or warns."""
    key = key_of(pattern, flags)
    if key not in _known:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                _known[key] = marshal.dumps(_arguments(pattern, flags))
            except Exception:  # whatever the hook meets, or a string that is no pattern
                _known[key] = None
    return _known[key]


def _arguments(pattern: Union[str, bytes], flags: int) -> Tuple[Any, ...]:
    """Return what ``re`` gives to ``_sre.compile`` behind the pattern: its own code says it."""
    if sys.version_info >= (3, 11):
        compiler = re._compiler  # type: ignore[attr-defined] # typeshed lacks it
    else:
        import sre_compile as compiler  # noqa: PLC0415 - deprecated later
    sre = SimpleNamespace(compile=lambda _pattern, *arguments: arguments)
    compile_pattern = FunctionType(compiler.compile.__code__, {**vars(compiler), "_sre": sre})
    all_flags, words, *groups = compile_pattern(pattern, flags)
    return (int(all_flags), list(map(int, words)), *groups)  # some are named
