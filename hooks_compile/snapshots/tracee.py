"""A process under ptrace(2) that stops at each of its system calls."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from hooks_compile.errors import HooksCompileError
from hooks_compile.snapshots.processor import PROCESSOR, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

PAGE = 4096
LONGEST_LIFE_S = 60
# linux/ptrace.h
_TRACEME, _SINGLESTEP, _SYSCALL, _GETREGSET, _SETREGSET = 0, 9, 24, 0x4204, 0x4205
_GENERAL, _FLOATING = 1, 2  # NT_PRSTATUS and NT_PRFPREG of elf.h
_LARGEST_NOTE = 1024
_SETOPTIONS, _TRACESYSGOOD, _EXITKILL = 0x4200, 1, 0x100000
_WALL = 0x40000000
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_LARGEST_ERRNO = 4095
_NO_SYSCALL = (1 << 64) - 1
_WORD = (1 << 64) - 1
_REGISTERS = struct.Struct(f"<{len(PROCESSOR.registers)}Q")


class SnapshotError(HooksCompileError):
    """No snapshot can be made here, or of this interpreter."""


class Registers(dict[str, int]):
    """The general registers of a thread by name."""

    @property
    def number(self) -> int:
        """Which system call it makes."""
        return self[PROCESSOR.number]

    @property
    def arguments(self) -> tuple[int, ...]:
        """The six arguments of that system call."""
        return tuple(self[name] for name in PROCESSOR.arguments)

    def set_arguments(self, arguments: Mapping[int, int]) -> None:
        """Change arguments, by their number from 0 on."""
        for n, value in arguments.items():
            self[PROCESSOR.arguments[n]] = value & _WORD


class MemoryMap(NamedTuple):
    """One line of ``/proc/PID/maps``; ``protection`` is as in mmap(2)."""

    start: int
    end: int
    protection: int
    is_shared: bool
    offset: int
    path: str


class Tracee:
    """A program that was started under ptrace, stopped before its first instruction.

    It is killed when the context is left, or after a minute.
    """

    def __init__(self, program: str, words: Sequence[str], env: Mapping[str, str]) -> None:
        """Start ``program`` in ``/`` with ``/dev/null`` as its streams.

        Raises SnapshotError if it can't be traced.
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [
            ctypes.c_long,
            ctypes.c_long,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._libc.ptrace.restype = ctypes.c_long
        self.pid = os.fork()
        if not self.pid:
            self._become(program, words, env)
        self._is_alive = True
        self._memory = -1
        # It ends for the reader of its states, whatever it waits for.
        self._limit = threading.Timer(LONGEST_LIFE_S, os.kill, (self.pid, signal.SIGKILL))
        self._limit.start()
        try:
            if not os.WIFSTOPPED(self._wait()):
                raise SnapshotError(
                    "the interpreter can't be started under ptrace(2)",
                    path=Path(program),
                    remedy="allow ptrace (container profile, kernel.yama.ptrace_scope), or: "
                    "hooks-compile snapshot off",
                )
            self._ptrace(_SETOPTIONS, 0, _TRACESYSGOOD | _EXITKILL)
            self._memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill the process."""
        self.kill()

    def kill(self) -> None:
        """Kill the process, if it lives."""
        self._limit.cancel()
        self._limit.join()
        if self._is_alive:
            os.kill(self.pid, signal.SIGKILL)
            while self._is_alive:
                self._wait()
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def _become(self, program: str, words: Sequence[str], env: Mapping[str, str]) -> None:
        """Execute ``program`` in this new process."""
        try:
            for number in range(1, signal.NSIG):
                if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
                os.set_inheritable(stream, True)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.chdir("/")
            os.umask(0o077)
            os.setsid()
            if self._libc.ptrace(_TRACEME, 0, None, None) == 0:
                os.execve(program, list(words), dict(env))  # noqa: S606 - the user's interpreter
        finally:
            os._exit(126)

    def _wait(self) -> int:
        _, status = os.waitpid(self.pid, _WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            self._is_alive = False
        return status

    def _ptrace(self, request: int, address: int, data: int) -> None:
        if self._libc.ptrace(request, self.pid, address, data) < 0:
            code = ctypes.get_errno()
            raise SnapshotError(
                f"ptrace(2) is refused: {os.strerror(code)}",
                remedy="allow ptrace (container profile, kernel.yama.ptrace_scope), or: "
                "hooks-compile snapshot off",
            )

    def _note(self, kind: int) -> bytes:
        """Return a set of registers, which elf.h calls a note: PTRACE_GETREGSET of ptrace(2)."""
        content = ctypes.create_string_buffer(_LARGEST_NOTE)
        vector = (ctypes.c_ulong * 2)(ctypes.addressof(content), _LARGEST_NOTE)
        self._ptrace(_GETREGSET, kind, ctypes.addressof(vector))
        return content.raw[: vector[1]]

    def registers(self) -> Registers:
        """Return the general registers."""
        values = _REGISTERS.unpack(self._note(_GENERAL))
        return Registers(zip(PROCESSOR.registers, values, strict=True))

    def set_registers(self, registers: Registers) -> None:
        """Set the general registers."""
        content = ctypes.create_string_buffer(_REGISTERS.pack(*registers.values()))
        vector = (ctypes.c_ulong * 2)(ctypes.addressof(content), _REGISTERS.size)
        self._ptrace(_SETREGSET, _GENERAL, ctypes.addressof(vector))

    def state(self) -> State:
        """Return all registers."""
        general = self.registers()
        if PROCESSOR.thread_note:
            (thread,) = struct.unpack_from("<Q", self._note(PROCESSOR.thread_note))
        else:
            thread = general["fs_base"]
        return State(general, self._note(_FLOATING), thread)

    def read(self, address: int, size: int) -> bytes:
        """Return ``size`` bytes of the memory at ``address``."""
        parts = []
        while size:
            part = os.pread(self._memory, size, address)
            if not part:
                raise SnapshotError(f"its memory at {address:#x} can't be read")
            parts.append(part)
            address += len(part)
            size -= len(part)
        return b"".join(parts)

    def read_text(self, address: int) -> str:
        """Return the text at ``address``, which ends in a NUL."""
        text = b""
        while b"\0" not in text:
            end = (address + len(text)) // PAGE * PAGE + PAGE
            text += self.read(address + len(text), end - address - len(text))
        return os.fsdecode(text.partition(b"\0")[0])

    def read_words(self, address: int, count: int) -> tuple[int, ...]:
        """Return ``count`` 64-bit numbers at ``address``."""
        return struct.unpack(f"<{count}Q", self.read(address, 8 * count))

    def write(self, address: int, data: bytes) -> None:
        """Write ``data`` to the memory at ``address``."""
        while data:
            written = os.pwrite(self._memory, data, address)
            data = data[written:]
            address += written

    def maps(self) -> list[MemoryMap]:
        """Return what is mapped now, as in proc_pid_maps(5)."""
        found = []
        for line in (
            Path(f"/proc/{self.pid}/maps").read_text("utf-8", "surrogateescape").splitlines()
        ):
            span, bits, offset, _, _, *path = line.split(None, 5)
            start, end = (int(number, 16) for number in span.split("-"))
            protection = ("r" in bits) | ("w" in bits) << 1 | ("x" in bits) << 2
            is_shared, name = "s" in bits, path[0] if path else ""
            found.append(MemoryMap(start, end, protection, is_shared, int(offset, 16), name))
        return found

    def instruction_in(self, start: int, end: int) -> int:
        """Return the address of a system call instruction in executable memory."""
        return start + self.read(start, end - start).index(PROCESSOR.instruction)

    def call(self, instruction: int, number: int, *arguments: int) -> int:
        """Let it execute a system call by the ``instruction``; return the result.

        Raises SnapshotError if the call fails.
        """
        before = self.registers()
        registers = Registers(before)
        if PROCESSOR.in_call:
            registers[PROCESSOR.in_call] = _NO_SYSCALL
        registers[PROCESSOR.chosen], registers[PROCESSOR.program_counter] = number, instruction
        registers.set_arguments(dict(enumerate(arguments)))
        self.set_registers(registers)
        self._ptrace(_SINGLESTEP, 0, 0)
        self._wait()
        result = ctypes.c_long(self.registers()[PROCESSOR.result]).value
        self.set_registers(before)
        if -_LARGEST_ERRNO <= result < 0:
            raise SnapshotError(f"system call {number} failed: {os.strerror(-result)}")
        return result

    def next_stop(self) -> Registers:
        """Let it run to the begin or the end of its next system call; return its registers.

        Raises SnapshotError if it ends.
        """
        delivered = 0
        while True:
            self._ptrace(_SYSCALL, 0, delivered)
            status = self._wait()
            if not self._is_alive:
                raise SnapshotError(f"the interpreter ended early (status {status:#x})")
            delivered = os.WSTOPSIG(status)
            if delivered == _SYSCALL_STOP:
                return self.registers()
