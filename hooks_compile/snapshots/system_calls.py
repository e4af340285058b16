"""The system calls that an interpreter may make while it starts. x86-64 Linux."""

from __future__ import annotations

from enum import IntEnum


class Call(IntEnum):
    """Each leaves nothing in the kernel that a resumed process would lack, or is made again then.

    Numbers are those of arch/x86/entry/syscalls/syscall_64.tbl. A call that makes a descriptor is
    here as well: at the stop only the streams may be open.
    """

    READ = 0
    OPEN = 2
    CLOSE = 3
    STAT = 4
    FSTAT = 5
    LSTAT = 6
    POLL = 7
    LSEEK = 8
    MMAP = 9
    MPROTECT = 10
    MUNMAP = 11
    BRK = 12
    RT_SIGACTION = 13
    RT_SIGPROCMASK = 14
    IOCTL = 16
    PREAD64 = 17
    ACCESS = 21
    MREMAP = 25
    MADVISE = 28
    DUP = 32
    GETPID = 39
    UNAME = 63
    FCNTL = 72
    GETCWD = 79
    READLINK = 89
    GETTIMEOFDAY = 96
    GETRLIMIT = 97
    GETRUSAGE = 98
    SYSINFO = 99
    GETUID = 102
    GETGID = 104
    GETEUID = 107
    GETEGID = 108
    GETPPID = 110
    GETPGRP = 111
    GETGROUPS = 115
    GETRESUID = 118
    GETRESGID = 120
    ARCH_PRCTL = 158
    GETTID = 186
    TIME = 201
    FUTEX = 202
    SCHED_GETAFFINITY = 204
    GETDENTS64 = 217
    SET_TID_ADDRESS = 218
    CLOCK_GETTIME = 228
    CLOCK_GETRES = 229
    OPENAT = 257
    NEWFSTATAT = 262
    READLINKAT = 267
    FACCESSAT = 269
    SET_ROBUST_LIST = 273
    EPOLL_CREATE1 = 291
    PRLIMIT64 = 302
    GETRANDOM = 318
    STATX = 332
    RSEQ = 334
    PIDFD_OPEN = 434
    FACCESSAT2 = 439


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
