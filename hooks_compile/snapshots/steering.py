"""Runs an unmodified interpreter at addresses of our choice, up to the point of its snapshot.

The kernel places what it maps at random. In another process something else may lie where the
interpreter was, so a snapshot lies in a range where the kernel places nothing by itself. Before the
first instruction we move there what execve(2) has mapped. After that, each mmap(2) that leaves the
address to the kernel gets one of ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import resource
import struct
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.snapshots.processor import PROCESSOR
from hooks_compile.snapshots.snapshot_file import HUGE_PAGE, SignalAction, ThreadRecords
from hooks_compile.snapshots.snapshot_keys import Look
from hooks_compile.snapshots.system_calls import HARMLESS, OF_LINKS, PATH_FIRST, PATH_SECOND, Call
from hooks_compile.snapshots.tracee import PAGE, Registers, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.snapshots.processor import State
    from hooks_compile.snapshots.tracee import MemoryMap, Tracee

_LARGEST_STACK = 8 << 20
_LOWEST_MOVED = 1 << 32  # a program that is not position-independent has to be where it is
# So high that it can't grow: then malloc(3) uses mmap(2), also in the process that is resumed.
_HEAP_END = 0x7FFFF0000000
# A read from this descriptor is where the launcher waits: launcher/snapshot/stop.py.
STOP_FD = 1023

_MAP_FIXED, _MAP_ANONYMOUS, _MAP_NORESERVE, _MAP_FIXED_NOREPLACE = 0x10, 0x20, 0x4000, 0x100000
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2
_O_WRITING = 3  # O_WRONLY | O_RDWR
_AT_CWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_ARCH_SHSTK_ENABLE = 0x5001
# getauxval(3). AT_IGNORE hides an entry.
_AT_NULL, _AT_IGNORE, _AT_SYSINFO_EHDR = 0, 1, 33
_AUXILIARY_ADDRESSES = (3, 7, 9, 15, 24, 25, 31)
_C_LIBRARY_SIGNALS = (32, 33)


class Room(NamedTuple):
    """A range of addresses, divided into slots of one size."""

    start: int
    slot: int
    slots: int

    def any_slot(self) -> int:
        """Return where a slot begins, chosen at random."""
        return self.start + random.SystemRandom().randrange(self.slots) * self.slot


# The kernel maps from the end of the address space downwards, and position-independent programs at
# two thirds of it. The end is at 128 TiB or above, but at 512 GiB with some kernels for aarch64.
_ROOM = Room(16 << 40, 32 << 30, 512)
_SMALL_ROOM = Room(64 << 30, 8 << 30, 32)
_SMALL_END = 512 << 30


class Placed(NamedTuple):
    """Where an interpreter lies before its first instruction.

    ``stack`` are the bounds of its stack, ``low`` those of a program that could not be moved.
    """

    slot: range
    stack: tuple[int, int]
    low: tuple[int, int]

    @property
    def heap(self) -> int:
        """Where the first memory lies that the interpreter asks for."""
        return self.slot[len(self.slot) // 2]

    def holds(self, area: MemoryMap) -> bool:
        """Return whether a mapping is the interpreter's, and not one of the kernel."""
        return area.start in self.slot or self.low[0] <= area.start < self.low[1]


class Stopped(NamedTuple):
    """An interpreter that waits in the read of its snapshot.

    ``looks`` are the paths that it used, ``listed`` the directories that it opened.
    """

    placed: Placed
    state: State
    actions: Sequence[SignalAction]
    thread: ThreadRecords
    looks: Sequence[Look]
    listed: Sequence[str]


def run_to_stop(tracee: Tracee) -> Stopped:
    """Bring an interpreter into a slot, and run it up to its snapshot.

    Raises SnapshotError if it does something that can't be in a snapshot.
    """
    return _Steering(tracee, _place(tracee)).run()


def _place(tracee: Tracee) -> Placed:
    """Move the dynamic loader, the program and the stack, which execve(2) has mapped."""
    maps = tracee.maps()
    registers = tracee.registers()
    top = registers[PROCESSOR.stack]
    stack = next(area for area in maps if area.start <= top < area.end)
    words = list(tracee.read_words(top, (stack.end - top) // 8))
    auxiliary = _auxiliary_at(words)
    vdso = next(
        words[n + 1] for n in range(auxiliary, len(words) - 1, 2) if words[n] == _AT_SYSINFO_EHDR
    )
    code = next(area for area in maps if area.start == vdso)
    instruction = tracee.instruction_in(code.start, code.end)

    if PROCESSOR.first_call:
        with contextlib.suppress(SnapshotError):  # the processor does not sign addresses
            tracee.call(instruction, *PROCESSOR.first_call)

    room = _ROOM if stack.end > _SMALL_END else _SMALL_ROOM
    slot = room.any_slot()
    size = _stack_size()
    flags = 2 | _MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED_NOREPLACE
    tracee.call(instruction, Call.MMAP, slot, size, 3, flags, -1, 0)
    moves = [(stack.start, stack.end, slot + size - stack.end)]
    low = [0, 0]
    at = slot + room.slot // 8
    for group in _programs(maps):
        first, behind = group[0].start, group[-1].end
        if first < _LOWEST_MOVED:
            low = [first, behind]
            continue
        for area in group:
            length = area.end - area.start
            flags = _MREMAP_MAYMOVE | _MREMAP_FIXED
            tracee.call(
                instruction, Call.MREMAP, area.start, length, length, flags, at + area.start - first
            )
        moves.append((first, behind, at - first))
        at += behind - first + PAGE

    def moved(value: int) -> int:
        return next((value + by for start, end, by in moves if start <= value < end), value)

    end = next(n for n in range(auxiliary, len(words), 2) if words[n] == _AT_NULL)
    words[1:auxiliary] = map(moved, words[1:auxiliary])
    for n in range(auxiliary, end, 2):
        if words[n] == _AT_SYSINFO_EHDR:
            words[n] = _AT_IGNORE  # each process has its own vdso
        elif words[n] in _AUXILIARY_ADDRESSES:
            words[n + 1] = moved(words[n + 1])
    for name in (PROCESSOR.stack, PROCESSOR.program_counter):
        registers[name] = moved(registers[name])
    tracee.write(registers[PROCESSOR.stack], struct.pack(f"<{len(words)}Q", *words))
    tracee.set_registers(registers)
    return Placed(range(slot, slot + room.slot), (slot, slot + size), (low[0], low[1]))


def _auxiliary_at(words: Sequence[int]) -> int:
    """Return where the auxiliary vector begins on a new stack: behind arguments and environment."""
    at = words[0] + 2
    while words[at]:
        at += 1
    return at + 1


def _stack_size() -> int:
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return (_LARGEST_STACK if limit == resource.RLIM_INFINITY else limit) + (1 << 20)


def _programs(maps: Sequence[MemoryMap]) -> list[list[MemoryMap]]:
    """Return the mappings of each file, with the memory behind them that belongs to it."""
    groups: list[list[MemoryMap]] = []
    for area in maps:
        if area.path.startswith("/"):
            if groups and groups[-1][0].path == area.path:
                groups[-1].append(area)
            else:
                groups.append([area])
        elif groups and area.start == groups[-1][-1].end and not area.path.startswith("[v"):
            groups[-1].append(area)  # .bss, which may be called [heap]
    return groups


class _Steering:
    """One run of an interpreter, system call by system call."""

    def __init__(self, tracee: Tracee, placed: Placed) -> None:
        self._tracee = tracee
        self._placed = placed
        self._next_file = placed.slot[len(placed.slot) // 4]
        self._next_memory = placed.heap
        self._actions: dict[int, SignalAction] = {}
        self._clear_tid = 0
        self._robust = (0, 0)
        self._rseq = (0, 0, 0)
        self._looks: dict[Look, None] = {}
        self._listed: dict[str, None] = {}

    def run(self) -> Stopped:
        while True:
            registers = self._tracee.next_stop()
            if registers.number == Call.READ and registers.arguments[0] == STOP_FD:
                return self._stopped()
            self._require_harmless(registers.number, registers.arguments)
            self._note(registers.number, registers.arguments)
            changed = self._steered(registers.number, registers.arguments)
            if not changed:
                self._tracee.next_stop()
                continue
            before = Registers(registers)
            registers.set_arguments(changed)
            self._tracee.set_registers(registers)
            after = self._tracee.next_stop()
            # code that was compiled around the system call may rely on its registers
            for name in PROCESSOR.arguments:
                if name != PROCESSOR.result:
                    after[name] = before[name]
            if before.number == Call.BRK:
                after[PROCESSOR.result] = _HEAP_END
            self._tracee.set_registers(after)

    def _steered(self, number: int, arguments: Sequence[int]) -> dict[int, int]:
        """Choose the address of what is mapped next; return the arguments that change, if any."""
        if number == Call.MMAP and not arguments[3] & (_MAP_FIXED | _MAP_FIXED_NOREPLACE):
            size = -(-arguments[1] // PAGE) * PAGE
            if arguments[3] & _MAP_ANONYMOUS:
                address, self._next_memory = self._next_memory, self._next_memory + size
            else:
                if size >= HUGE_PAGE // 2:  # then huge pages may be mapped
                    self._next_file = -(-self._next_file // HUGE_PAGE) * HUGE_PAGE
                address, self._next_file = self._next_file, self._next_file + size
            return {0: address}
        if number == Call.MREMAP and arguments[3] & 3 == _MREMAP_MAYMOVE:
            address = self._next_memory
            self._next_memory += -(-arguments[2] // PAGE) * PAGE
            return {3: arguments[3] | _MREMAP_FIXED, 4: address}
        if number == Call.BRK:
            return {0: 1}  # asks for the end of the heap and changes nothing
        return {}

    def _require_harmless(self, number: int, arguments: Sequence[int]) -> None:
        is_harmless = number in HARMLESS
        if number == Call.ARCH_PRCTL and arguments[0] == _ARCH_SHSTK_ENABLE:
            is_harmless = False
        if number in (Call.OPEN, Call.OPENAT):
            flags = arguments[1] if number == Call.OPEN else arguments[2]
            is_harmless = not flags & _O_WRITING
        if not is_harmless:
            raise SnapshotError(
                f"the interpreter does more than usual while it starts (system call {number}): "
                "a .pth file or a sitecustomize may do it"
            )

    def _note(self, number: int, arguments: Sequence[int]) -> None:
        """Note what has to be done again when a snapshot is resumed, and what it depends on."""
        if number == Call.SET_TID_ADDRESS:
            self._clear_tid = arguments[0]
        elif number == Call.SET_ROBUST_LIST:
            self._robust = arguments[0], arguments[1]
        elif number == Call.RSEQ:
            self._rseq = arguments[0], arguments[1], arguments[3]
        elif (
            number == Call.RT_SIGACTION and arguments[1] and arguments[0] not in _C_LIBRARY_SIGNALS
        ):
            action = SignalAction(arguments[0], *self._tracee.read_words(arguments[1], 4))
            self._actions[arguments[0]] = action
        elif number in PATH_FIRST:
            path = self._tracee.read_text(arguments[0])
            self._look(path, number in OF_LINKS, arguments[1] if number == Call.OPEN else 0)
        elif number in PATH_SECOND:
            self._note_second(number, arguments)

    def _note_second(self, number: int, arguments: Sequence[int]) -> None:
        path = self._tracee.read_text(arguments[1])
        if not path:
            return  # AT_EMPTY_PATH: the descriptor itself
        if ctypes.c_int(arguments[0] & 0xFFFFFFFF).value != _AT_CWD and path[0] != "/":
            raise SnapshotError("the interpreter opens a file relative to a directory")
        flags = arguments[3] if number == Call.NEWFSTATAT else 0
        if number == Call.STATX:
            flags = arguments[2]
        is_link = number in OF_LINKS or bool(flags & _AT_SYMLINK_NOFOLLOW)
        self._look(path, is_link, arguments[2] if number == Call.OPENAT else 0)

    def _look(self, path: str, is_link: bool, open_flags: int) -> None:
        self._looks[Look(path, is_link)] = None
        if open_flags & os.O_DIRECTORY:
            self._listed[path] = None

    def _stopped(self) -> Stopped:
        state = self._tracee.state()
        if not PROCESSOR.is_usual(state):
            raise SnapshotError("the interpreter has changed a register that is not restored")
        return Stopped(
            self._placed,
            state,
            [action for action in self._actions.values() if action.handler],
            ThreadRecords(
                self._clear_tid,
                *self._robust,
                *self._rseq,
                ids=self._thread_ids(state.thread_pointer + PROCESSOR.thread_block),
            ),
            list(self._looks),
            list(self._listed),
        )

    def _thread_ids(self, block: int) -> tuple[int, ...]:
        """Return where ``struct pthread`` of the C library holds the id of the thread."""
        words = struct.unpack("<576I", self._tracee.read(block, 2304))
        found = tuple(block + 4 * n for n, word in enumerate(words) if word == self._tracee.pid)
        if not 1 <= len(found) <= 4:
            raise SnapshotError("the C library keeps the id of the thread in an unknown place")
        return found
