/* What the loader needs to know of x86-64: system calls, the kernel's structures, registers. */

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
    SYS_READ = 0, SYS_WRITE = 1, SYS_CLOSE = 3, SYS_FSTAT = 5, SYS_MMAP = 9, SYS_MUNMAP = 11,
    SYS_BRK = 12, SYS_RT_SIGACTION = 13, SYS_PREAD64 = 17, SYS_MINCORE = 27, SYS_MADVISE = 28,
    SYS_GETPID = 39, SYS_EXECVE = 59, SYS_GETUID = 102, SYS_GETGID = 104, SYS_GETEUID = 107, SYS_GETEGID = 108,
    SYS_SIGALTSTACK = 131, SYS_PRCTL = 157, SYS_ARCH_PRCTL = 158, SYS_GETTID = 186, SYS_TIME = 201,
    SYS_SET_TID_ADDRESS = 218, SYS_TGKILL = 234, SYS_CLOCK_GETTIME = 228, SYS_EXIT_GROUP = 231,
    SYS_OPENAT = 257, SYS_NEWFSTATAT = 262, SYS_UNLINKAT = 263, SYS_FACCESSAT = 269,
    SYS_SET_ROBUST_LIST = 273, SYS_PRLIMIT64 = 302, SYS_RSEQ = 334,
};

/* include/uapi/asm-generic/fcntl.h */
enum { O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000 };

/* struct stat of stat(2): arch/x86/include/uapi/asm/stat.h. */
struct kernel_stat {
    u64 st_dev, st_ino, st_nlink;
    u32 st_mode, st_uid, st_gid, pad;
    u64 st_rdev, st_size, st_blksize, st_blocks;
    u64 st_atime, st_atime_ns, st_mtime, st_mtime_ns, st_ctime, st_ctime_ns;
    u64 unused[3];
};

/* struct sigaction of rt_sigaction(2), as the kernel has it. */
struct kernel_sigaction {
    u64 handler, flags, restorer, mask;
};

enum { SA_RESTORER = 0x04000000, ARCH_SET_FS = 0x1002 };

/* The registers in the header of a snapshot, in this order. */
enum {
    R15, R14, R13, R12, RBP, RBX, R10, R9, R8, RDX, RSI, RDI, RIP, RSP, FS_BASE,
    REGISTERS
};

static inline i64 system_call(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    i64 result;
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;
    register u64 r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Compilers call these two, also without a C library.  */
void *memcpy(void *to, const void *from, u64 size)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memset(void *to, int byte, u64 size)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

/* arch_prctl(2): the C library finds the data of its thread through FS. */
static inline i64 set_thread_pointer(const u64 *registers)
{
    return system_call(SYS_ARCH_PRCTL, ARCH_SET_FS, registers[FS_BASE], 0, 0, 0, 0);
}

#pragma GCC visibility push(hidden) /* no table of addresses between us and them */

/* Continues behind a system call that has returned `result`.  The kernel itself changes RCX and R11
 * in each system call, so nothing is restored there.  */
_Noreturn void continue_at(const u64 *registers, u64 result);

/* The end of a signal handler: rt_sigreturn(2). */
void return_from_signal(void);

#pragma GCC visibility pop

__asm__(".globl _start, continue_at, return_from_signal\n"
        "_start:\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call begin\n"
        "    hlt\n"
        "return_from_signal:\n"
        "    mov $15, %eax\n"
        "    syscall\n"
        "continue_at:\n"
        "    mov %rsi, %rax\n"
        "    mov 0(%rdi), %r15; mov 8(%rdi), %r14; mov 16(%rdi), %r13; mov 24(%rdi), %r12\n"
        "    mov 32(%rdi), %rbp; mov 40(%rdi), %rbx; mov 48(%rdi), %r10; mov 56(%rdi), %r9\n"
        "    mov 64(%rdi), %r8; mov 72(%rdi), %rdx; mov 80(%rdi), %rsi; mov 96(%rdi), %rcx\n"
        "    mov 104(%rdi), %rsp; mov 88(%rdi), %rdi\n"
        "    jmp *%rcx\n");
