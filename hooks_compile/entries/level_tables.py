"""What the proofs of ``levels`` know about the language and the standard library.

The module table was made by reading every use of ``__doc__``, ``inspect`` and ``pydoc`` in the
standard libraries of CPython 3.8 to 3.13 and PyPy; ``tests/entries/test_levels.py`` repeats
the parts that a program can repeat for every interpreter that it finds.
"""

from __future__ import annotations

import builtins
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES: Final = _words("""
    __future__ abc argparse array ast asyncio atexit base64 binascii bisect bz2 calendar cmath
    codecs collections collections.abc colorsys concurrent concurrent.futures configparser
    contextlib contextvars copy csv curses datetime decimal difflib email email.header
    email.message email.mime email.mime.multipart email.mime.text email.parser email.policy
    email.utils enum errno fcntl filecmp fileinput fnmatch fractions functools genericpath getopt
    getpass glob graphlib grp gzip hashlib heapq hmac html html.entities html.parser http
    http.client http.cookiejar http.cookies http.server imaplib io ipaddress itertools json
    json.decoder json.encoder keyword linecache locale logging logging.handlers lzma math
    mimetypes mmap msvcrt netrc ntpath numbers opcode operator optparse os os.path pathlib platform
    plistlib posix posixpath pprint pwd queue quopri random re readline reprlib resource sched
    secrets select selectors shlex shutil signal smtplib socket socketserver sqlite3 ssl stat
    statistics string struct subprocess symtable sys syslog tarfile tempfile termios textwrap
    threading time token tokenize tomllib traceback tty types typing unicodedata urllib
    urllib.error urllib.parse urllib.request urllib.response urllib.robotparser uuid warnings
    weakref webbrowser xml xml.etree xml.etree.ElementTree zipfile zlib zoneinfo
""")
"""Modules that neither read the docstrings of the code that uses them in a way that shows, nor
run code that arrives as text."""

KEPT_OUT: Final = frozenset(
    {"concurrent.interpreters", "logging.config", "xml.dom", "xml.parsers", "xml.sax"}
)
"""Submodules of the packages above that are left out because they run text or import by name;
the other submodules may be named in ``from PACKAGE import NAME``."""

BUILTIN_READERS: Final = frozenset(
    {
        "__import__",
        "breakpoint",
        "compile",
        "dir",
        "eval",
        "exec",
        "globals",
        "help",
        "locals",
        "vars",
    }
)
"""Builtin functions that read docstrings, list a namespace, or run or make code from text."""

READERS: Final = _words("""
    ForwardRef StackSummary _LazyAnnotationLib _make_forward_ref StrFormatStyle TracebackException
    _STYLES _eval_type _test_simple_enum attrgetter capture_locals dataclass evaluate_forward_ref
    format_map get_field get_type_hints getdoc getallocatedblocks getrefcount methodcaller
    remote_exec setprofile setprofile_all_threads settrace settrace_all_threads singledispatch
    singledispatchmethod vformat ag_code ag_frame cr_code cr_frame f_back f_builtins f_code
    f_globals f_lasti f_locals f_trace gi_code gi_frame tb_frame tb_lasti co_code co_consts
    co_lines co_lnotab co_linetable co_positions co_stacksize
""")
"""Names that, whatever they belong to, may lead to a docstring or to the code that holds one:
frames and code objects, attributes by a computed name, annotations evaluated as code."""

READER_ATTRIBUTES: Final = _words("""
    _dataclasses _inspect _lazy_annotationlib annotationlib bdb bltns builtins codeop ctypes
    dataclasses dis doctest gc importlib inspect marshal modules monitoring pdb pickle pkgutil
    pydoc runpy sysconfig unittest zipimport
""")
"""Attributes under which modules of the table hold a module that is not in it (``enum.bltns``),
and ``sys.modules``."""

LOG_FORMATTERS: Final = frozenset({"Formatter", "basicConfig"})
"""What takes a ``style``: with ``{`` it formats attributes of what is logged, by a text."""

INSPECT_VARIABLE: Final = "PYTHONINSPECT"
"""Set by a script, it opens the interactive interpreter on the script's names at its end."""

_OPERATORS = _words("add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or")

SAFE_DUNDERS: Final = frozenset(
    f"__{name}__"
    for name in _words("""
        abs aenter aexit aiter all anext annotations author await bool bytes call cause ceil class
        class_getitem complex contains copy copyright credits date deepcopy del delete delitem
        email enter eq exit file float floor format fspath future ge get getattr getitem gt hash
        hooks index init init_subclass instancecheck int invert iter le len length_hint license lt
        main maintainer missing mocks module mro name ne neg new next pos post_init pycache
        pycache_opt qualname repr reversed round set set_name setitem sizeof snapshots status str
        subclasscheck subclasshook tests title traceback trunc version version_info
    """)
    | _OPERATORS
    | {f"r{name}" for name in _OPERATORS}
    | {f"i{name}" for name in _OPERATORS}
)
"""Names with two underscores on both sides that lead to no docstring. All others may."""

CLASS_BUILTINS: Final = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and name != "type"
)
"""Builtin classes: their metaclass is ``type``, which shows a class body to nobody."""

EXCEPTIONS: Final = frozenset(
    name
    for name in CLASS_BUILTINS
    if isinstance(vars(builtins)[name], type) and issubclass(vars(builtins)[name], BaseException)
)
"""The builtin exceptions."""

LIBRARY_BASES: Final = frozenset(
    {"ABC", "Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "Protocol", "StrEnum", "TypedDict"}
)
"""Base classes of the standard library that scripts use most; their metaclasses were read."""

METACLASSES: Final = frozenset({"ABCMeta", "EnumMeta", "EnumType"})
"""Metaclasses of the standard library that show a class body to nobody."""

CLASS_MAKERS: Final = frozenset({"NamedTuple", "namedtuple"})
"""Functions of the standard library whose result is a class with the metaclass ``type``."""

GENERIC_BASES: Final = _words("""
    AbstractSet Callable Collection Container Deque DefaultDict Dict Generator Generic Iterable
    Iterator List Mapping MutableMapping MutableSequence MutableSet OrderedDict Protocol Sequence
    Set Tuple Queue PathLike defaultdict deque dict frozenset list set tuple
""")
"""Classes that may be a base with a subscript: the class behind ``X[...]`` is X itself."""

LETTERLIKE: Final = (
    "\u00aa\u00ba\u0132\u0133\u017f\u01c7-\u01cc\u01f1-\u01f3\u02b0-\u02e4\u1d00-\u1dbf"
    "\u2070-\u209f\u2100-\u218b\u2c7c\u2c7d\ua700-\ua7ff\ufb00-\ufb06\ufe33\ufe34"
    "\ufe4d-\ufe4f\uff10-\uff19\uff21-\uff3a\uff3f\uff41-\uff5a\U00010780-\U000107bf"
    "\U0001cc00-\U0001cebf\U0001d400-\U0001d7ff\U0001fbf0-\U0001fbf9"
)
"""Characters that Python may read as ASCII letters in a name (PEP 3131: names are compared in
their NFKC form), as ranges for a character class, rounded up to blocks."""


def is_harmless_name(name: str) -> bool:
    """Whether an attribute of this name leads to no docstring, whatever it belongs to."""
    return (
        name not in READERS
        and name not in READER_ATTRIBUTES
        and name not in LOG_FORMATTERS
        and name != "format"
        and not is_strange_dunder(name)
    )


def is_strange_dunder(name: str) -> bool:
    """Whether Python gives the name a meaning that may lead to a docstring.

    Python gives one to ASCII names only: ``__größe__`` is a name like any other.
    """
    return name[:2] == name[-2:] == "__" and name.isascii() and name not in SAFE_DUNDERS


def is_harmless_import(package: str, name: str) -> bool:
    """Whether ``from PACKAGE import NAME`` of a package in ``MODULES`` gives nothing that reads
    docstrings."""
    return (
        (is_harmless_name(name) or name in LOG_FORMATTERS)
        and name != "__main__"
        and f"{package}.{name}" not in KEPT_OUT
    )
