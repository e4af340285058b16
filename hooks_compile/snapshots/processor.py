"""What differs between processors: registers, and the notes of ptrace(2) that hold them.

The rest is in a header of the loader for each of them: ``loader/x86_64.h``, ``loader/aarch64.h``.
"""

from __future__ import annotations

import platform
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEFAULT_MXCSR, _MXCSR_FLAGS = 0x1F80, 0x3F
_DEFAULT_X87_CONTROL = 0x37F


class State(NamedTuple):
    """The registers of a thread: ``general`` ones by name, and the bytes of NT_PRFPREG."""

    general: Mapping[str, int]
    floating: bytes
    thread_pointer: int


class Processor(NamedTuple):
    """Names and numbers of one kind of processor.

    ``registers`` are those of NT_PRSTATUS in their order. A system call has its ``number`` and its
    ``arguments`` in registers, returns its ``result`` in one, and is made by ``instruction``. A
    tracer sets ``chosen`` to choose the number, and ``in_call`` to say that none is in progress.
    """

    registers: tuple[str, ...]
    arguments: tuple[str, ...]
    number: str
    chosen: str
    in_call: str
    result: str
    stack: str
    program_counter: str
    instruction: bytes
    # Which note of elf.h holds the thread pointer; 0: it is the register fs_base.
    thread_note: int
    # Where struct pthread of the C library begins, from the thread pointer on.
    thread_block: int
    # A system call, with its arguments, that is made before the first instruction of a program.
    first_call: tuple[int, ...]
    # What the header of a snapshot holds, in the order of the loader's header.
    saved: Callable[[State], tuple[int, ...]]
    saved_count: int
    # Whether nothing else differs from a new process.
    is_usual: Callable[[State], bool]


def _saved_x86_64(state: State) -> tuple[int, ...]:
    names = (
        *("r15", "r14", "r13", "r12", "rbp", "rbx", "r10", "r9", "r8", "rdx", "rsi", "rdi"),
        *("rip", "rsp", "fs_base"),
    )
    return tuple(state.general[name] for name in names)


def _is_usual_x86_64(state: State) -> bool:
    """Look at the control words of x87 and SSE (struct user_fpregs_struct), and at GS."""
    (control,) = struct.unpack_from("<H", state.floating, 0)
    (mxcsr,) = struct.unpack_from("<I", state.floating, 24)
    is_default = control == _DEFAULT_X87_CONTROL and mxcsr & ~_MXCSR_FLAGS == _DEFAULT_MXCSR
    return is_default and not state.general["gs_base"]


def _saved_aarch64(state: State) -> tuple[int, ...]:
    """Return x0 to x30, sp, pc, the thread pointer, and d8 to d15, which a function preserves.

    The kernel shows a 0 instead of x7, in which read(2) of the C library keeps nothing.
    """
    floating = (struct.unpack_from("<Q", state.floating, 16 * n)[0] for n in range(8, 16))
    general = tuple(state.general[name] for name in AARCH64.registers[:33])
    return (*general, state.thread_pointer, *floating)


def _is_usual_aarch64(state: State) -> bool:
    """Look at FPCR (struct user_fpsimd_state)."""
    (control,) = struct.unpack_from("<I", state.floating, 516)
    return bool(control == 0)


X86_64 = Processor(
    registers=(
        *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx"),
        *("rdx", "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base"),
        *("gs_base", "ds", "es", "fs", "gs"),
    ),
    arguments=("rdi", "rsi", "rdx", "r10", "r8", "r9"),
    number="orig_rax",
    chosen="rax",
    in_call="orig_rax",
    result="rax",
    stack="rsp",
    program_counter="rip",
    instruction=b"\x0f\x05",  # syscall
    thread_note=0,
    thread_block=0,
    first_call=(),
    saved=_saved_x86_64,
    saved_count=15,
    is_usual=_is_usual_x86_64,
)
AARCH64 = Processor(
    registers=(*(f"x{n}" for n in range(31)), "sp", "pc", "pstate"),
    arguments=("x0", "x1", "x2", "x3", "x4", "x5"),
    number="x8",
    chosen="x8",
    in_call="",
    result="x0",
    stack="sp",
    program_counter="pc",
    instruction=b"\x01\x00\x00\xd4",  # svc #0
    thread_note=0x401,  # NT_ARM_TLS
    thread_block=-2304,
    # prctl(PR_PAC_SET_ENABLED_KEYS, all, none): each process signs return addresses with keys of
    # its own, so those in a snapshot may not be signed
    first_call=(167, 60, 15, 0, 0, 0),
    saved=_saved_aarch64,
    saved_count=42,
    is_usual=_is_usual_aarch64,
)
PROCESSOR = AARCH64 if platform.machine() == "aarch64" else X86_64
