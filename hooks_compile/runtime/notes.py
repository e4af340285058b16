"""What an entry notes for the launcher: the imports that a hook begins with, and its patterns.

Both are read off the compiled code. They only say what a launch may have ready: whatever they say,
the hook does the same.
"""

import functools
import marshal
import re
import sys
import warnings
from opcode import opname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict, Iterator, Optional, Set, Tuple, Union

    from hooks_compile.launcher.entry import Patterns

# Modules that hooks usually begin with. Importing them tells nobody anything, and leaves no object
# behind that does something at the end of the process; tests/compile_worker/test_notes.py looks.
MODULES = frozenset(
    (
        *("__future__", "abc", "argparse", "ast", "base64", "bisect", "calendar", "codecs"),
        *("collections", "configparser", "contextlib", "contextvars", "copy", "csv"),
        *("dataclasses", "datetime", "decimal", "difflib", "enum", "errno", "fcntl", "fnmatch"),
        *("fractions", "functools", "getopt", "getpass", "glob", "gzip", "hashlib", "heapq"),
        *("hmac", "html", "inspect", "io", "ipaddress", "itertools", "json", "logging", "math"),
        *("mimetypes", "numbers", "operator", "optparse", "os", "pathlib", "pickle", "platform"),
        *("pprint", "pwd", "queue", "random", "re", "reprlib", "secrets", "select", "shlex"),
        *("shutil", "signal", "socket", "sqlite3", "stat", "statistics", "string", "struct"),
        *("subprocess", "sys", "tarfile", "tempfile", "textwrap", "threading", "time"),
        *("tokenize", "tomllib", "traceback", "types", "typing", "unicodedata", "urllib"),
        *("uuid", "warnings", "weakref", "zipfile", "zlib", "zoneinfo"),
    )
)
# Those that compile regular expressions when they are imported, or whose imports do.
_WITH_PATTERNS = {
    *("argparse", "configparser", "dataclasses", "glob", "html", "http.client", "json", "locale"),
    *("logging", "optparse", "pathlib", "pickle", "platform", "pprint", "shlex", "string"),
    *("tempfile", "textwrap", "tokenize", "tomllib", "traceback", "typing", "urllib.error"),
    *("urllib.parse", "urllib.request", "uuid", "zipfile"),
}
# From this version on these import ``re`` only when they need it.
_LAZY_SINCE = {
    (3, 13): ("typing", "uuid"),
    (3, 14): ("locale", "optparse", "pickle", "pprint", "shlex", "string"),
    (3, 15): ("dataclasses", "pathlib", "tomllib"),
}
for _version, _names in _LAZY_SINCE.items():
    if sys.version_info >= _version:
        _WITH_PATTERNS.difference_update(_names)
if sys.version_info < (3, 11):
    _WITH_PATTERNS.remove("tomllib")  # it is new in 3.11
# What module code does until its imports are done: it imports, defines functions, and gives names
# to constants. BUILD_SET, MAKE_CELL and MAKE_FUNCTION prepare annotations in 3.14 and later.
_BEGINNING = frozenset(
    (
        *("BUILD_SET", "CACHE", "COPY", "DUP_TOP", "EXTENDED_ARG", "IMPORT_FROM", "IMPORT_NAME"),
        *("LOAD_COMMON_CONSTANT", "LOAD_CONST", "LOAD_SMALL_INT", "MAKE_CELL", "MAKE_FUNCTION"),
        *("NOP", "POP_TOP", "RESUME", "ROT_TWO", "SETUP_ANNOTATIONS", "STORE_NAME", "SWAP"),
    )
)
# More would make every launch slower than they can make the hook faster.
_MOST_PATTERNS = 128
_LONGEST_PATTERN = 400
_OF_BYTES = 1 << 20
# Every alternative begins with a character as it is: the search goes from one of these to the next.
_SPECIAL = re.compile(
    r"\\[1-9AbBdDnrsStwWZ.()\[\]{}*+?^$|/\-]|\(\?|\.[*+?]|\][*+?]|\)[*+?]|\[\^"
    r"|\]\{\d|\)\{\d|\^(?<![\s\S]\^)|\$$|\|(?<=\w\|)\w"
)
_FLAGS = {
    name: int(getattr(re, name))
    for name in (*"AIMSX", "ASCII", "IGNORECASE", "MULTILINE", "DOTALL", "VERBOSE")
}


def noted(code: "CodeType") -> "Tuple[Tuple[str, ...], Patterns]":
    """Return the modules to import ahead of a hook's code, and the patterns to have ready.

    If these modules compile patterns, ``re`` comes first, so that they find them ready. One key,
    of the empty pattern, says which version of Python the patterns are of.
    """
    imports = leading_imports(code)
    of_library: Patterns = {}
    for name in imports:
        of_library.update(library_patterns(name))
    if of_library:
        imports = ("re", *[name for name in imports if name != "re"])
    ready = {**patterns(code), **of_library}
    if ready:
        ready["", sys.hexversion] = b""
    return imports, ready


def leading_imports(code: "CodeType") -> "Tuple[str, ...]":
    """Return the modules of MODULES that a module's code imports before it does anything else."""
    names = []
    loaded: Any = [0, 0]
    for name, argument in _beginning(code):
        if name == "LOAD_CONST":
            loaded.append(code.co_consts[argument])
        elif name == "LOAD_SMALL_INT":
            loaded.append(argument)
        elif name == "LOAD_COMMON_CONSTANT":  # None and the like: never a level
            loaded.append(None)
        elif name == "STORE_NAME" and code.co_names[argument] == "__lazy_modules__":
            break  # the imports behind it may be lazy (PEP 810)
        elif name == "IMPORT_NAME":
            module, is_lazy = _imported(code, argument)
            if is_lazy:
                continue
            if loaded[-2] or module.partition(".")[0] not in MODULES:
                break
            if module not in names and module not in sys.builtin_module_names:
                names.append(module)
    return tuple(names)


def _beginning(code: "CodeType") -> "Iterator[Tuple[str, int]]":
    """Give the instructions at the beginning of ``code`` that are in _BEGINNING: name, argument."""
    words = code.co_code
    argument = 0
    for place in range(0, len(words), 2):  # dis.get_instructions looks at the whole code first
        name = opname[words[place]]
        argument = argument << 8 | words[place + 1]
        if name == "EXTENDED_ARG":
            continue
        if name not in _BEGINNING:
            break
        yield name, argument
        argument = 0


def _imported(code: "CodeType", argument: int) -> "Tuple[str, bool]":
    """Return the module that IMPORT_NAME imports, and whether the import is lazy (PEP 810)."""
    if sys.version_info >= (3, 15):  # the lowest bit says lazy, the next one never lazy
        return code.co_names[argument >> 2], bool(argument & 1)
    return code.co_names[argument], False


def patterns(code: "CodeType") -> "Patterns":
    """Return the regular expressions among the constants of ``code``, as ``re`` compiles them.

    A string that only looks like one is of no use, and does no harm.
    """
    names, texts = _names_and_texts(code)
    if "re" not in names or not _can_compile():
        return {}
    used = {_FLAGS[name] for name in names & set(_FLAGS)}
    combined = 0
    for flag in used:
        combined |= flag
    ready: Patterns = {}
    for text in texts:
        if len(text) <= _LONGEST_PATTERN and _SPECIAL.search(text):
            for flags in sorted({0, combined} | used):
                data = _compiled(text, flags)
                if data is not None and len(ready) < _MOST_PATTERNS:
                    ready[text, flags] = data
    return ready


def _names_and_texts(code: "CodeType") -> "Tuple[Set[str], Dict[str, None]]":
    """Return the names and the strings of ``code`` and of all code in it, in their order."""
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


def library_patterns(name: str) -> "Patterns":
    """Return the regular expressions that importing ``name`` leaves in modules and classes.

    The module is imported here: all that are named in MODULES can be.
    """
    if name not in _of_library:
        found: Patterns = {}
        if name in _WITH_PATTERNS and _can_compile():
            import _sre  # type: ignore[import-not-found] # noqa: PLC0415 - CPython's, without a stub

            for value in _values(__import__(name), set()):
                value = getattr(value, "__self__", value)  # noqa: PLW2901 - a method of a pattern
                if type(value) is re.Pattern:
                    pattern = value.pattern
                    flags = int(value.flags & ~re.UNICODE)
                    data = _compiled(pattern, flags)
                    if data and _sre.compile(pattern, *marshal.loads(data)) == value:
                        found[key_of(pattern, flags)] = data
            if name == "argparse":  # it compiles some when it is used, too
                loader: Any = sys.modules[name].__loader__
                found.update(patterns(loader.get_code(name)))
        _of_library[name] = found
    return _of_library[name]


def key_of(pattern: "Union[str, bytes]", flags: int) -> "Tuple[str, int]":
    """Return what a pattern is found by.

    Python would warn, if it is started with ``-b``, where text and bytes were keys together.
    """
    if isinstance(pattern, bytes):
        return pattern.decode("latin-1"), flags | _OF_BYTES
    return pattern, flags


def _values(module: "Any", seen: "Set[str]") -> "Iterator[Any]":
    """Give the values of a module, of its classes, and of the modules that it has imported."""
    seen.add(module.__name__)
    for value in list(vars(module).values()):
        yield value
        if isinstance(value, type):
            yield from list(vars(value).values())
        home = value if isinstance(value, type(sys)) else sys.modules.get(_home(value))
        if home is not None and home.__name__ not in seen:
            yield from _values(home, seen)


def _home(value: "Any") -> str:
    """Return the name of the module that a class or a function is from, "" for other values."""
    name = getattr(value, "__module__", None) if callable(value) else None
    return name if type(name) is str else ""


_of_library: "Dict[str, Patterns]" = {}
_known: "Dict[Tuple[str, int], Optional[bytes]]" = {}


def _compiled(pattern: "Union[str, bytes]", flags: int) -> "Optional[bytes]":
    """Return the marshalled arguments of ``_sre.compile``; None where Python complains."""
    key = key_of(pattern, flags)
    if key not in _known:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                _known[key] = marshal.dumps(_arguments(pattern, flags))
            except Exception:  # whatever the hook meets, or a string that is no pattern
                _known[key] = None
    return _known[key]


def _arguments(pattern: "Union[str, bytes]", flags: int) -> "Tuple[Any, ...]":
    """Return what ``re`` gives to ``_sre.compile`` behind the pattern (``sre_compile.compile``)."""
    compiler = _compiler()
    parser = compiler._parser if sys.version_info >= (3, 11) else compiler.sre_parse
    parsed = parser.parse(pattern, flags)
    state = parsed.state
    groups = [None] * state.groups
    for name, number in state.groupdict.items():
        groups[number] = name
    return (
        int(flags | state.flags),
        [int(word) for word in compiler._code(parsed, flags)],  # some are named
        state.groups - 1,
        dict(state.groupdict),
        tuple(groups),
    )


def _compiler() -> "Any":
    if sys.version_info >= (3, 11):
        return re._compiler  # type: ignore[attr-defined] # typeshed lacks it
    import sre_compile  # noqa: PLC0415 - deprecated later

    return sre_compile


@functools.lru_cache(maxsize=1)
def _can_compile() -> bool:
    """Tell whether :func:`_arguments` makes what this interpreter's ``re`` makes."""
    if sys.implementation.name != "cpython":
        return False
    import _sre  # noqa: PLC0415 - CPython's

    try:
        for pattern, flags in ((r"^(?P<a>b+)|[^c-e]\s*$", 0), (r"rm\s+-r(f)?", 2), ("é.|ß", 26)):
            if _sre.compile(pattern, *_arguments(pattern, flags)) != re.compile(pattern, flags):
                return False
    except (AttributeError, TypeError, ValueError):
        return False
    return True
