"""Finds a symbol of a loaded program: see elf(5)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC_64_LITTLE = b"\x7fELF\x02\x01"
_SHARED_OBJECT = 3  # ET_DYN: its addresses count from where it is loaded
_DYNAMIC_SYMBOLS = 11  # SHT_DYNSYM
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")


def address_of(name: bytes, loaded: Iterable[tuple[str, int]]) -> int:
    """Return the address of a symbol in the first file that defines it, 0 if none does.

    ``loaded`` gives each file with the address of its first byte, in the order of the dynamic
    loader's search: a program may have its own copy of a variable of the C library.
    """
    for path, start in loaded:
        data = Path(path).read_bytes()
        if not data.startswith(_MAGIC_64_LITTLE):
            continue
        value = _defined_value(name, data)
        if value:
            (kind,) = struct.unpack_from("<H", data, 16)
            return value + (start if kind == _SHARED_OBJECT else 0)
    return 0


def _defined_value(name: bytes, data: bytes) -> int:
    """Return the value of a symbol that a file defines, 0 if it does not."""
    (sections_at,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [_SECTION.unpack_from(data, sections_at + n * size) for n in range(count)]
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind != _DYNAMIC_SYMBOLS:
            continue
        texts = sections[link][4]
        for at in range(offset, offset + length, _SYMBOL.size):
            text, _, _, section, value, _ = _SYMBOL.unpack_from(data, at)
            if section and data.startswith(name + b"\0", texts + text):
                return int(value)
    return 0
