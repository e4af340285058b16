"""The entry format: bytes in, bytes out, one implementation for tool, worker and launcher.

An entry is a checked-hash ``.pyc`` (PEP 552) with a trailer behind the code::

    magic number (4) | flags 0b11 (4) | PEP 552 hash of the source (8)
    | marshalled code | marshalled notes for the launcher
    | length of the marshalled code (4) | FORMAT (2) | settings (2) | tag (16)

The tag is keyed with 128 bits that never leave the machine and covers the level, the source and
every byte before the tag. PEP 552's own hash has 64 bits and no secret: it decides nothing here.
The name is keyed too, so that users and containers that share a directory never write the same
file. Integers are little-endian. Nothing is unmarshalled before its tag has verified.

This module runs in the hook's interpreter, CPython 3.8 and later or PyPy, and in the tool's. It
imports only what the bare interpreter has loaded.
"""

import _imp
import marshal
from _frozen_importlib_external import MAGIC_NUMBER
from types import CodeType
from typing import Dict, Tuple, Union

from hooks_compile.launcher.annotations import Notes

CACHE_DIRECTORY = "__pycache_opt__"
FORMAT = b"h8"
# The settings of an entry are two bytes. Who chose the level: a launch (always level 0, as Python),
# the rules of "auto", or the user.
AS_PYTHON = b"p"
PROVEN = b"a"
FORCED = b"f"
# When imports are made.
AS_WRITTEN = b"w"
DEFERRED = b"d"
KEY_SIZE = 16
TAG_SIZE = 16
_HEADER_SIZE = 16
TRAILER_SIZE = 8 + TAG_SIZE
_CHECKED_HASH = b"\x03\x00\x00\x00"
NO_NOTES: Notes = ((), (), {}, False)


def keyed_hash(key: bytes, *message: Union[bytes, memoryview]) -> bytes:
    """Return 16 bytes: SipHash of the parts of a message under each half of the 16-byte ``key``.

    The interpreter has this function built in for PEP 552: no import, and it takes microseconds. It
    uses 64 bits of a key, few enough to search for. So the whole key is also in front of the
    message: nobody can search for one half alone.
    """
    whole = b"".join((key, *message))
    first = _imp.source_hash(_half(key, 0), whole)
    return first + _imp.source_hash(_half(key, 8), whole)


def _half(key: bytes, start: int) -> int:
    # source_hash takes a C long and uses only its bits
    return int.from_bytes(key[start : start + 8], "little", signed=True)


def entry_names(key: bytes, source: bytes, script_name: str, cache_tag: str) -> Dict[int, str]:
    """Return the name of the entry of ``source`` for each level, in the order of a search.

    Only ``.py`` is dropped from ``script_name``: the content distinguishes ``guard`` and
    ``guard.py``.
    """
    stem = script_name[:-3] if script_name.endswith(".py") else script_name
    digest = _imp.source_hash(_half(key, 0), key + b"name " + source).hex()
    return {level: f"{stem}.{cache_tag}.opt-{level}.{digest}.pyc" for level in (2, 1, 0)}


def tag(key: bytes, level: int, body: Union[bytes, memoryview], source: bytes) -> bytes:
    """Return the 16 bytes that only a holder of ``key`` can put behind ``body`` for ``source``.

    The lengths are at the beginning, so that no two pairs of body and source make the same message.
    A digit is the first byte, so that no message is one that :func:`entry_names` makes.
    """
    lengths = b"%d %d %d " % (level, len(body), len(source))
    return keyed_hash(key, lengths, body, source)


def pack(
    key: bytes, level: int, settings: bytes, code: CodeType, notes: Notes, source: bytes
) -> bytes:
    """Return the bytes of the entry for ``source``, whose code at ``level`` is ``code``.

    ``settings`` is for example PROVEN + AS_WRITTEN.
    """
    marshalled = marshal.dumps(code)
    body = MAGIC_NUMBER + _CHECKED_HASH
    body += _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), source)
    body += marshalled + marshal.dumps(notes)
    body += len(marshalled).to_bytes(4, "little") + FORMAT + settings
    return body + tag(key, level, body, source)


def verifies(key: bytes, level: int, data: bytes, source: bytes) -> bool:
    """Return whether a holder of ``key`` made ``data`` as the entry of ``source`` at ``level``."""
    return (
        len(data) >= _HEADER_SIZE + TRAILER_SIZE
        and data.startswith(MAGIC_NUMBER)
        and data[4 - TRAILER_SIZE : 6 - TRAILER_SIZE] == FORMAT
        and data[-TAG_SIZE:] == tag(key, level, memoryview(data)[:-TAG_SIZE], source)
    )


def require_text(source: bytes) -> None:
    """Raise UnicodeDecodeError for bytes that Python accepts from memory, but not from a file.

    They are in a comment and no UTF-8, and no cookie (PEP 263) names another encoding.
    """
    head = source[:200].lower()
    if b"coding" not in head or b"utf" in head:
        source.decode()


def settings_of(data: bytes) -> bytes:
    """Return the two bytes of settings of an entry that :func:`verifies`."""
    return data[6 - TRAILER_SIZE : -TAG_SIZE]


def unpack(data: bytes) -> Tuple[CodeType, Notes]:
    """Return the code of an entry that :func:`verifies`, and the notes for the launcher."""
    end = _HEADER_SIZE + int.from_bytes(data[-TRAILER_SIZE : 4 - TRAILER_SIZE], "little")
    view = memoryview(data)  # a slice of it is no copy
    return marshal.loads(view[_HEADER_SIZE:end]), marshal.loads(view[end:-TRAILER_SIZE])
