"""The format of a snapshot: what ``loader/loader.c`` reads, with the same names.

A header with its tables comes first, then the pages. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.snapshots.processor import PROCESSOR
from hooks_compile.snapshots.snapshot_keys import IS_LINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.snapshots.snapshot_keys import KeyedPath

MAGIC = b"hcsnap2\0"
LARGEST_HEADER = 192 << 10
PAGE = 4096
HUGE_PAGE = 2 << 20
"""What the kernel maps as one, if address and offset in the file agree in what is below it."""
_WORD = (1 << 64) - 1
_CHECKSUM_PRIME = 0x9E3779B97F4A7C15
_HEADER = struct.Struct(f"<8s 3Q 8I 2I 3Q 40s16s {PROCESSOR.saved_count}Q 2Q Q 6Q")
_SEGMENT = struct.Struct("<3Q2I")
_FILE = struct.Struct("<8Q2I")
_ACTION = struct.Struct("<5Q")
_THREAD_ID = struct.Struct("<Q")
_IN_SNAPSHOT, _NEW_MEMORY, _COPIED, _IN_FILE = range(4)
_CHECKSUM_AT, _CHECKED_FROM = 8, 16


class Segment(NamedTuple):
    """Memory from ``address`` on.

    It holds ``data``; or what the file ``path``, one of the keys, has at ``offset``; or zeros.
    With ``is_copied`` a launch copies the data instead of mapping the file.
    """

    address: int
    length: int
    protection: int
    data: bytes = b""
    path: str = ""
    offset: int = 0
    is_copied: bool = False

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + self.length


class SignalAction(NamedTuple):
    """What rt_sigaction(2) has set for a signal."""

    signal: int
    handler: int
    flags: int
    restorer: int
    mask: int


class ThreadRecords(NamedTuple):
    """What the kernel knows of the thread: addresses, and the words that hold the thread's id."""

    clear_tid: int
    robust_list: int
    robust_list_size: int
    rseq: int
    rseq_size: int
    rseq_signature: int
    ids: tuple[int, ...]


class Machine(NamedTuple):
    """What the machine and its limits were."""

    stack_limit: int
    hwcap: int
    hwcap2: int
    boot_id: str


class Part(NamedTuple):
    """Bytes of a snapshot from the offset ``at`` on. Between parts there is nothing."""

    at: int
    data: bytes


class Image(NamedTuple):
    """A stopped interpreter; ``environ`` is the address of the C library's variable.

    ``registers`` are in the order of the loader's header for the processor, ``buffer`` is that of
    the read(2) it waits in.
    """

    python: str
    process_name: str
    registers: tuple[int, ...]
    buffer: int
    buffer_size: int
    environ: int
    segments: Sequence[Segment]
    actions: Sequence[SignalAction]
    thread: ThreadRecords
    keys: Sequence[KeyedPath]
    machine: Machine


def pack(image: Image) -> list[Part]:
    """Return the bytes of a snapshot. Raises ValueError for a header that is too large."""
    size = _header_size(image)
    if size > LARGEST_HEADER:
        raise ValueError("the snapshot depends on too many files")
    tables = _Tables(_HEADER.size)
    offsets = _place_data(image.segments, size)
    # a file is named by its number among the keys, which counts from _IN_FILE on
    numbers = {key.path: n + _IN_FILE for n, key in enumerate(image.keys) if not key.how & IS_LINK}
    rows = []
    for segment, at in zip(image.segments, offsets, strict=True):
        if segment.path:
            source, at = numbers[segment.path], segment.offset  # noqa: PLW2901 - not in this file
        elif segment.data:
            source = _COPIED if segment.is_copied else _IN_SNAPSHOT
        else:
            source, at = _NEW_MEMORY, 0  # noqa: PLW2901 - as above
        rows.append(_SEGMENT.pack(segment.address, segment.length, at, segment.protection, source))
    tables.add(rows)
    place_of_texts = _place_of_texts(image)
    texts = _Texts(place_of_texts)
    tables.add(
        [
            _FILE.pack(*key.numbers, key.content, texts.place(key.path), key.how)
            for key in image.keys
        ]
    )
    tables.add([_ACTION.pack(*action) for action in image.actions])
    tables.add([_THREAD_ID.pack(address) for address in image.thread.ids])
    fixed = _HEADER.pack(
        MAGIC,
        0,
        size,
        max((at + len(each.data) for at, each in zip(offsets, image.segments, strict=True))),
        *tables.places,
        texts.place(image.python),
        0,
        image.machine.stack_limit,
        image.machine.hwcap,
        image.machine.hwcap2,
        image.machine.boot_id.encode(),
        image.process_name.encode()[:15],
        *image.registers,
        image.buffer,
        image.buffer_size,
        image.environ,
        *image.thread[:6],
    )
    header = bytearray(b"".join((fixed, *tables.parts, texts.content)).ljust(size, b"\0"))
    struct.pack_into("<Q", header, _CHECKSUM_AT, checksum(header))
    parts = [Part(0, bytes(header))]
    for at, segment in sorted(zip(offsets, image.segments, strict=True)):
        if parts[-1].at + len(parts[-1].data) == at:
            parts[-1] = Part(parts[-1].at, parts[-1].data + segment.data)
        elif segment.data:
            parts.append(Part(at, segment.data))
    return parts


def _place_data(segments: Sequence[Segment], at: int) -> list[int]:
    """Return where the data of each segment is in the file: from ``at`` on, the large ones last.

    A large one is where the kernel can map it in huge pages: page faults are fewer and cheaper.
    """
    offsets = {}
    for segment in sorted(segments, key=lambda each: len(each.data) >= HUGE_PAGE // 2):
        if len(segment.data) >= HUGE_PAGE // 2:
            at += (segment.address - at) % HUGE_PAGE
        offsets[segment.address] = at
        at += len(segment.data)
    return [offsets[segment.address] for segment in segments]


def checksum(header: bytes | bytearray) -> int:
    """Return the checksum of all that is behind it in a header."""
    value = 1
    for (word,) in struct.iter_unpack("<Q", header[_CHECKED_FROM:]):
        value = (value ^ word) * _CHECKSUM_PRIME & _WORD
    return value


class _Tables:
    """Tables, one behind the other, from ``at`` on."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.places: list[int] = []  # offset and count of each
        self.parts: list[bytes] = []

    def add(self, rows: Sequence[bytes]) -> None:
        self.places += [self._at, len(rows)]
        self.parts += rows
        self._at += sum(map(len, rows))


class _Texts:
    """Texts that end in a NUL, from ``at`` on."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.content = b""

    def place(self, text: str) -> int:
        place = self._at + len(self.content)
        self.content += text.encode("utf-8", "surrogateescape") + b"\0"
        return place


def _place_of_texts(image: Image) -> int:
    return (
        _HEADER.size
        + _SEGMENT.size * len(image.segments)
        + _FILE.size * len(image.keys)
        + _ACTION.size * len(image.actions)
        + _THREAD_ID.size * len(image.thread.ids)
    )


def _header_size(image: Image) -> int:
    texts = [image.python, *(key.path for key in image.keys)]
    length = sum(len(text.encode("utf-8", "surrogateescape")) + 1 for text in texts)
    return -(-(_place_of_texts(image) + length) // PAGE) * PAGE
