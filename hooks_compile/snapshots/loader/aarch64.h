/* What the loader needs to know of aarch64: system calls, the kernel's structures, registers. */

/* include/uapi/asm-generic/unistd.h.  There is no time(2): gettimeofday(2) stands for it. */
enum {
    SYS_UNLINKAT = 35, SYS_FACCESSAT = 48, SYS_OPENAT = 56, SYS_CLOSE = 57, SYS_READ = 63, SYS_WRITE = 64,
    SYS_PREAD64 = 67, SYS_NEWFSTATAT = 79, SYS_FSTAT = 80, SYS_EXIT_GROUP = 94, SYS_SET_TID_ADDRESS = 96,
    SYS_SET_ROBUST_LIST = 99, SYS_CLOCK_GETTIME = 113, SYS_TGKILL = 131, SYS_SIGALTSTACK = 132,
    SYS_RT_SIGACTION = 134, SYS_PRCTL = 167, SYS_TIME = 169, SYS_GETPID = 172, SYS_GETUID = 174,
    SYS_GETEUID = 175, SYS_GETGID = 176, SYS_GETEGID = 177, SYS_GETTID = 178, SYS_BRK = 214, SYS_MUNMAP = 215,
    SYS_EXECVE = 221, SYS_MMAP = 222, SYS_MINCORE = 232, SYS_MADVISE = 233, SYS_PRLIMIT64 = 261, SYS_RSEQ = 293,
};

/* arch/arm64/include/uapi/asm/fcntl.h */
enum { O_DIRECTORY = 040000, O_NOFOLLOW = 0100000 };

/* struct stat of stat(2): include/uapi/asm-generic/stat.h. */
struct kernel_stat {
    u64 st_dev, st_ino;
    u32 st_mode, st_nlink, st_uid, st_gid;
    u64 st_rdev, pad, st_size;
    u32 st_blksize, pad2;
    u64 st_blocks, st_atime, st_atime_ns, st_mtime, st_mtime_ns, st_ctime, st_ctime_ns, unused;
};

/* struct sigaction of rt_sigaction(2), as the kernel has it. */
struct kernel_sigaction {
    u64 handler, flags, restorer, mask;
};

enum { SA_RESTORER = 0x04000000, PR_PAC_SET_ENABLED_KEYS = 60, PAC_KEYS = 15 };

/* The registers in the header of a snapshot: x0 to x30, and these. */
enum {
    SP = 31, PC, THREAD_POINTER, D8, D15 = D8 + 7,
    REGISTERS
};

static inline i64 system_call(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    register i64 x8 __asm__("x8") = number;
    register u64 x0 __asm__("x0") = a;
    register u64 x1 __asm__("x1") = b;
    register u64 x2 __asm__("x2") = c;
    register u64 x3 __asm__("x3") = d;
    register u64 x4 __asm__("x4") = e;
    register u64 x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return (i64)x0;
}

/* Compilers call these two, also without a C library.  */
void *memcpy(void *to, const void *from, u64 size)
{
    void *result = to;
    __asm__ volatile("1: cbz %2, 2f; ldrb w9, [%1], #1; strb w9, [%0], #1; sub %2, %2, #1; b 1b; 2:"
                     : "+r"(to), "+r"(from), "+r"(size) : : "x9", "memory");
    return result;
}

void *memset(void *to, int byte, u64 size)
{
    void *result = to;
    __asm__ volatile("1: cbz %1, 2f; strb %w2, [%0], #1; sub %1, %1, #1; b 1b; 2:"
                     : "+r"(to), "+r"(size) : "r"(byte) : "memory");
    return result;
}

/* The C library finds the data of its thread through TPIDR_EL0.  Return addresses in the snapshot are not
 * signed, and this process has keys of its own: prctl(2), which fails if the processor signs nothing.  */
static inline i64 set_thread_pointer(const u64 *registers)
{
    system_call(SYS_PRCTL, PR_PAC_SET_ENABLED_KEYS, PAC_KEYS, 0, 0, 0, 0);
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(registers[THREAD_POINTER]));
    return 0;
}

#pragma GCC visibility push(hidden) /* no table of addresses between us and them */

/* Continues behind a system call that has returned `result`.  A veneer may change x16 and x17 in any call
 * of a function, so x17 is free to hold the address.  A `ret` needs no landing pad there.  */
_Noreturn void continue_at(const u64 *registers, u64 result);

/* The end of a signal handler: rt_sigreturn(2). */
void return_from_signal(void);

#pragma GCC visibility pop

__asm__(".globl _start, continue_at, return_from_signal\n"
        "_start:\n"
        "    mov x0, sp; bl begin; brk #1\n"
        "return_from_signal:\n"
        "    mov x8, #139; svc #0\n"
        "continue_at:\n"
        "    mov x17, x0; mov x0, x1\n"
        "    ldr x1, [x17, #248]; mov sp, x1\n"
        "    ldp d8, d9, [x17, #272]; ldp d10, d11, [x17, #288]\n"
        "    ldp d12, d13, [x17, #304]; ldp d14, d15, [x17, #320]\n"
        "    ldp x1, x2, [x17, #8]; ldp x3, x4, [x17, #24]; ldp x5, x6, [x17, #40]; ldp x7, x8, [x17, #56]\n"
        "    ldp x9, x10, [x17, #72]; ldp x11, x12, [x17, #88]; ldp x13, x14, [x17, #104]\n"
        "    ldp x15, x16, [x17, #120]; ldp x18, x19, [x17, #144]; ldp x20, x21, [x17, #160]\n"
        "    ldp x22, x23, [x17, #176]; ldp x24, x25, [x17, #192]; ldp x26, x27, [x17, #208]\n"
        "    ldp x28, x29, [x17, #224]; ldr x30, [x17, #240]; ldr x17, [x17, #256]\n"
        "    ret x17\n");
