"""The entry format: bytes in, bytes out, one implementation for tool, worker and launcher.

An entry is a checked-hash ``.pyc`` (PEP 552) with a trailer behind the code::

    magic number (4) | flags 0b11 (4) | PEP 552 hash of the source (8)
    | marshalled code | marshalled notes for the launcher
    | length of the marshalled code (4) | FORMAT (2) | imports (1) | who chose the level (1)
    | tag (16)

The tag is keyed with 128 bits that never leave the machine and covers the level, the source and
every byte before the tag. PEP 552's own hash has 64 bits and no secret: it decides nothing here.
The name is keyed too, so that users and containers that share a folder never write the same file.
Integers are little-endian. Nothing is unmarshalled before its tag has verified.

The launcher executes this file in the hook's interpreter, CPython 3.8 and later or PyPy: it
imports only what the bare interpreter has loaded.
"""

import _imp
import marshal
from _frozen_importlib_external import MAGIC_NUMBER

# ``typing`` is not loaded in a bare interpreter; type checkers take the name for true all the same.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Dict, Tuple

    # what Python warns of when it compiles the source: (category's name, message, line)
    Warnings = Tuple[Tuple[str, str, int], ...]
    # regular expressions, compiled: (pattern, flags) to marshalled arguments of _sre.compile
    Patterns = Dict[Tuple[str, int], bytes]
    # ... and the modules that the source imports before it does anything else
    Notes = Tuple[Warnings, Tuple[str, ...], Patterns]

FOLDER = "__pycache_opt__"
FORMAT = b"h5"
# Who chose the level: nobody (level 0, compiled by a launch), the rules of "auto", or the user.
AS_PYTHON = b"p"
PROVEN = b"a"
FORCED = b"f"
# What became of the imports: left as written, as nobody asked for more; put off until their first
# use, as the user asked (the code is then to be made ready, see lazy.py); or asked for in vain.
AS_WRITTEN = b"w"
DEFERRED = b"d"
NOT_DEFERRED = b"n"
KEY_SIZE = 16
TAG_SIZE = 16
_HEADER_SIZE = 16
_TRAILER_SIZE = 8 + TAG_SIZE
_CHECKED_HASH = b"\x03\x00\x00\x00"
NO_NOTES: "Notes" = ((), (), {})


def keyed_hash(key: bytes, message: bytes) -> bytes:
    """Return 16 bytes: SipHash of ``message`` under each half of the 16-byte ``key``.

    It is the function behind PEP 552, built into the interpreter: no import, microseconds. It takes
    64 bits of a key, few enough to search for; with the whole key in front of the message, nobody
    who searches can try one half alone.
    """
    message = key + message
    first = _imp.source_hash(_half(key, 0), message)
    return first + _imp.source_hash(_half(key, 8), message)


def _half(key: bytes, start: int) -> int:
    # source_hash takes a C long and uses its bits: signed or not is one
    return int.from_bytes(key[start : start + 8], "little", signed=True)


def entry_prefix(script_name: str, cache_tag: str) -> str:
    """Return what the names of all entries of a script for one kind of interpreter begin with.

    Only ``.py`` is dropped from ``script_name``: ``guard`` and ``guard.py`` stay apart by content.
    """
    stem = script_name[:-3] if script_name.endswith(".py") else script_name
    return f"{stem}.{cache_tag}.opt-"


def entry_suffix(key: bytes, source: bytes) -> str:
    """Return what the name of the entry for ``source`` ends with, behind its level."""
    digest = _imp.source_hash(_half(key, 0), key + b"name " + source)
    return f".{digest.hex()}.pyc"


def tag(key: bytes, level: int, body: bytes, source: bytes) -> bytes:
    """Return the 16 bytes that only a holder of ``key`` can put behind ``body`` for ``source``.

    The lengths come first, so that no two (body, source) pairs make the same message, and a digit
    comes first of all, so that no message is that of a name.
    """
    lengths = b"%d %d %d " % (level, len(body), len(source))
    return keyed_hash(key, b"".join((lengths, body, source)))


def pack(
    key: bytes,
    level: int,
    choice: bytes,
    code: "CodeType",
    notes: "Notes",
    source: bytes,
    imports: bytes = AS_WRITTEN,
) -> bytes:
    """Return the bytes of the entry for ``source``, of which ``code`` is the form at ``level``.

    ``choice`` is AS_PYTHON, PROVEN or FORCED, ``imports`` is AS_WRITTEN, DEFERRED or NOT_DEFERRED.
    """
    marshalled = marshal.dumps(code)
    body = b"".join(
        (
            MAGIC_NUMBER,
            _CHECKED_HASH,
            _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), source),
            marshalled,
            marshal.dumps(notes),
            len(marshalled).to_bytes(4, "little"),
            FORMAT,
            imports,
            choice,
        )
    )
    return body + tag(key, level, body, source)


def verifies(key: bytes, level: int, data: bytes, source: bytes) -> bool:
    """Tell whether ``data`` is an entry for ``source`` at ``level`` made by a holder of ``key``."""
    return (
        len(data) >= _HEADER_SIZE + _TRAILER_SIZE
        and data.startswith(MAGIC_NUMBER)
        and data[4 - _TRAILER_SIZE : 6 - _TRAILER_SIZE] == FORMAT
        and data[-TAG_SIZE:] == tag(key, level, data[:-TAG_SIZE], source)
    )


def require_text(source: bytes) -> None:
    """Raise UnicodeDecodeError for bytes that Python takes from memory, but not from a file.

    They are no UTF-8 and in a comment, and no cookie (PEP 263) says what else they are.
    """
    head = source[:200].lower()
    if b"coding" not in head or b"utf" in head:
        source.decode()


def choice_of(data: bytes) -> bytes:
    """Return who chose the level of an entry that :func:`verifies`."""
    return data[7 - _TRAILER_SIZE : -TAG_SIZE]


def imports_of(data: bytes) -> bytes:
    """Return what became of the imports in an entry that :func:`verifies`."""
    return data[6 - _TRAILER_SIZE : 7 - _TRAILER_SIZE]


def unpack(data: bytes) -> "Tuple[CodeType, Notes]":
    """Return the code of an entry that :func:`verifies`, and the notes for the launcher."""
    end = _HEADER_SIZE + int.from_bytes(data[-_TRAILER_SIZE : 4 - _TRAILER_SIZE], "little")
    return marshal.loads(data[_HEADER_SIZE:end]), marshal.loads(data[end:-_TRAILER_SIZE])
