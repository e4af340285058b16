"""The system calls that an interpreter may make while it starts."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from hooks_compile.snapshots.processor import AARCH64, PROCESSOR


class Call(IntEnum):
    """Each leaves nothing in the kernel that a resumed process would lack, or is made again then.

    The numbers are those of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and of aarch64
    (include/uapi/asm-generic/unistd.h), None if it has no such call. A call that makes a descriptor
    is here as well: at the stop only the streams may be open.
    """

    def __new__(cls, x86_64: int, aarch64: int | None) -> Self:
        """Take the number of this processor; a call that it lacks gets one that is not used."""
        number = x86_64
        if PROCESSOR is AARCH64:
            number = ~x86_64 if aarch64 is None else aarch64
        member = int.__new__(cls, number)
        member._value_ = number
        return member

    READ = 0, 63
    OPEN = 2, None
    CLOSE = 3, 57
    STAT = 4, None
    FSTAT = 5, 80
    LSTAT = 6, None
    POLL = 7, None
    LSEEK = 8, 62
    MMAP = 9, 222
    MPROTECT = 10, 226
    MUNMAP = 11, 215
    BRK = 12, 214
    RT_SIGACTION = 13, 134
    RT_SIGPROCMASK = 14, 135
    IOCTL = 16, 29
    PREAD64 = 17, 67
    ACCESS = 21, None
    MREMAP = 25, 216
    MADVISE = 28, 233
    DUP = 32, 23
    GETPID = 39, 172
    UNAME = 63, 160
    FCNTL = 72, 25
    GETCWD = 79, 17
    READLINK = 89, None
    GETTIMEOFDAY = 96, 169
    GETRLIMIT = 97, 163
    GETRUSAGE = 98, 165
    SYSINFO = 99, 179
    GETUID = 102, 174
    GETGID = 104, 176
    GETEUID = 107, 175
    GETEGID = 108, 177
    GETPPID = 110, 173
    GETPGRP = 111, None
    GETPGID = 121, 155
    GETGROUPS = 115, 158
    GETRESUID = 118, 148
    GETRESGID = 120, 150
    ARCH_PRCTL = 158, None
    GETTID = 186, 178
    TIME = 201, None
    FUTEX = 202, 98
    SCHED_GETAFFINITY = 204, 123
    GETDENTS64 = 217, 61
    SET_TID_ADDRESS = 218, 96
    CLOCK_GETTIME = 228, 113
    CLOCK_GETRES = 229, 114
    OPENAT = 257, 56
    NEWFSTATAT = 262, 79
    READLINKAT = 267, 78
    FACCESSAT = 269, 48
    PPOLL = 271, 73
    SET_ROBUST_LIST = 273, 99
    EPOLL_CREATE1 = 291, 20
    PRLIMIT64 = 302, 261
    GETRANDOM = 318, 278
    STATX = 332, 291
    RSEQ = 334, 293
    PIDFD_OPEN = 434, 434
    FACCESSAT2 = 439, 439


HARMLESS = frozenset(Call)
PATH_FIRST = frozenset((Call.OPEN, Call.STAT, Call.LSTAT, Call.ACCESS, Call.READLINK))
"""Those whose first argument is a path."""

PATH_SECOND = frozenset(
    (
        *(Call.OPENAT, Call.NEWFSTATAT, Call.READLINKAT, Call.FACCESSAT, Call.STATX),
        Call.FACCESSAT2,
    )
)
"""Those that take a directory and a path in it."""

OF_LINKS = frozenset((Call.LSTAT, Call.READLINK, Call.READLINKAT))
"""Those that mean a symbolic link itself."""
