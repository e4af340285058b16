/* Resumes a snapshot of a started Python, in the very process that executes this program.
 *
 *     RUNTIME/snapshots/loader PYTHON RUNTIME/launch.py SCRIPT [ARGUMENT...]
 *
 * does what `PYTHON RUNTIME/launch.py SCRIPT [ARGUMENT...]` does.  In this order:
 *
 * 1. Find the snapshot for this interpreter, this environment and this script.
 * 2. Check that nobody else could have written it, and that everything which the interpreter looked at
 *    while it started is unchanged.  Until then nothing is mapped.
 * 3. Map it at the addresses at which it was taken, and restore what the kernel knows of the process.
 * 4. Continue it.  It was taken in a read(2), whose result is now our words and our environment.
 *
 * Whatever does not fit ends in go_cold(): this process executes Python, as if we were not there.
 *
 * The program is freestanding and static: no C library, no dynamic loader, no start-up of its own.
 * hooks_compile/snapshots/snapshot_file.py writes what is read here.  */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

#include PROCESSOR /* "x86_64.h" or "aarch64.h", from the command of the compiler */

enum { /* of the headers in /usr/include/linux and asm-generic */
    AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, X_OK = 1, ENOENT = 2, ENOTDIR = 20,
    O_RDONLY = 0, O_WRONLY = 1, O_CREAT = 0100, O_EXCL = 0200, O_NONBLOCK = 04000, O_CLOEXEC = 02000000,
    S_IFMT = 0170000, S_IFREG = 0100000, OF_OTHERS = 077, /* bits of a mode */
    MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000, MAP_FIXED_NOREPLACE = 0x100000,
    AT_HWCAP = 16, AT_SECURE = 23, AT_HWCAP2 = 26, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_AS = 9,
    PR_SET_NAME = 15, PR_SET_MM = 35, PR_SET_MM_MAP = 14, RSEQ_FLAG_UNREGISTER = 1,
    SIGILL = 4, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGSEGV = 11, SIGSTOP = 19,
    SIGNALS = 64, SIG_IGN = 1, SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000,
    NOBODY = 65534, /* whom a user namespace shows as the owner of what belongs to a stranger */
    LONGEST_PATH = 4096, LARGEST_HEADER = 192 << 10, HUGE_PAGE = 2 << 20, MADV_HUGEPAGE = 14,
};

/* The format: this header, its tables, then pages.  A change of it is a change of MAGIC.  */
#define MAGIC "hcsnap2"
struct table {
    u32 at, count; /* `at` counts from the start of the file */
};
struct header {
    char magic[8];
    u64 checksum; /* of all behind it, up to header_size */
    u64 header_size, file_size;
    struct table segments, files, actions, thread_ids;
    u32 python, unused; /* where the path of the interpreter is, as the caller named it */
    u64 stack_limit, hwcap, hwcap2;
    char boot_id[40], process_name[16];
    u64 registers[REGISTERS];
    u64 buffer, buffer_size; /* of the read(2) in which it was taken */
    u64 environment;         /* the address of the C library's `environ` */
    u64 clear_tid, robust_list, robust_list_size, rseq, rseq_size, rseq_signature;
};
struct segment {
    u64 address, length, at;
    u32 protection, source;
};
enum { IN_SNAPSHOT, NEW_MEMORY, COPIED /* into a huge page */, IN_FILE /* and more: the number of the file */ };
struct file { /* which the interpreter looked at while it started */
    u64 device, inode, size, mtime, mtime_ns, ctime, ctime_ns, content;
    u32 path, how;
};
enum { IS_MISSING = 1, IS_LINK = 2, HAS_CONTENT = 4, IS_ONLY_PASSED = 8 };
struct action {
    u64 signal;
    struct kernel_sigaction what;
};

struct memory_map { /* struct prctl_mm_map of linux/prctl.h */
    u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
    u64 arg_start, arg_end, env_start, env_end, auxv;
    u32 auxv_size, exe_fd;
};

static u8 header_bytes[LARGEST_HEADER] __attribute__((aligned(4096)));
#define header ((struct header *)header_bytes)
#define TEXT(at) ((const char *)header_bytes + (at))
#define TABLE(which) ((const void *)(header_bytes + header->which.at))
static char **words, **environment; /* PYTHON launch.py SCRIPT ...; each list ends in 0 */
static u64 word_count, environment_hash, hwcap, hwcap2, is_secure, is_traced, is_unwanted, is_for_base;
static char python[LONGEST_PATH], path[LONGEST_PATH]; /* of the interpreter; of the snapshot */
static u64 directory_length;                          /* of RUNTIME/snapshots/ in `path` */
static u64 ignored;                                   /* signals that the caller ignores: bits */
static u64 mapped, acting, has_rseq;                  /* what go_cold() has to undo */
extern char __executable_start[], etext[], edata[], end[]; /* ld(1) */

/* System calls, each as in section 2 of the manual.  A negative result is an errno.  */
#define CALL1(number, a) system_call(number, (u64)(a), 0, 0, 0, 0, 0)
#define CALL2(number, a, b) system_call(number, (u64)(a), (u64)(b), 0, 0, 0, 0)
#define CALL3(number, a, b, c) system_call(number, (u64)(a), (u64)(b), (u64)(c), 0, 0, 0)
#define CALL4(number, a, b, c, d) system_call(number, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define OPEN_AT(directory, name, flags) CALL4(SYS_OPENAT, directory, name, (flags) | O_CLOEXEC, 0600)
#define SET_ACTION(signal, new, old) CALL4(SYS_RT_SIGACTION, signal, new, old, 8)
#define RSEQ(flags) CALL4(SYS_RSEQ, header->rseq, header->rseq_size, flags, header->rseq_signature)

/* --- Strings --- */
static u64 length_of(const char *text)
{
    const char *end_of_text = text;
    while (*end_of_text)
        end_of_text++;
    return (u64)(end_of_text - text);
}

static int is_equal(const char *one, const char *other, u64 length)
{
    for (; length && *one == *other; one++, other++)
        length--;
    return !length;
}

static int begins_with(const char *text, const char *with)
{
    for (; *with && *text == *with; text++)
        with++;
    return !*with;
}

/* Puts `text` behind the first `at` bytes of a buffer of LONGEST_PATH bytes.  Returns the new length, and
 * LONGEST_PATH - 1 at most: a path of that length is refused by the kernel.  */
static u64 append(char *buffer, u64 at, const char *text)
{
    while (*text && at < LONGEST_PATH - 1)
        buffer[at++] = *text++;
    buffer[at] = 0;
    return at;
}

static u64 append_hex(char *buffer, u64 at, u64 value)
{
    char text[17] = {0};
    for (int n = 0; n < 16; n++)
        text[n] = "0123456789abcdef"[value >> (60 - 4 * n) & 15];
    return append(buffer, at, text);
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/.  Nobody gains by a collision: whoever chooses the
 * environment of a process can have it run anything.  */
#define FNV_BASIS 14695981039346656037UL
static u64 hash_bytes(const void *bytes, u64 size, u64 hash)
{
    for (const u8 *byte = bytes; size--; byte++)
        hash = (hash ^ *byte) * 1099511628211UL;
    return hash;
}

/* --- Going cold --- */
/* Executes Python, as the wrapper would have without us.  A failure may come at any point, so what is
 * mapped is unmapped first: under vm.overcommit_memory=2 execve(2) may need its memory, and the kernel
 * kills a process whose rseq(2) area has vanished.  Handlers vanish in execve(2), but a signal that
 * Python ignores would stay ignored.  */
static _Noreturn void go_cold(const char *reason)
{
    static char message[LONGEST_PATH];
    static const struct kernel_sigaction default_action;
    const struct action *actions = TABLE(actions);
    const struct segment *segments = TABLE(segments);
    if (has_rseq)
        RSEQ(RSEQ_FLAG_UNREGISTER);
    while (acting--)
        if (!(ignored >> (actions[acting].signal - 1) & 1))
            SET_ACTION(actions[acting].signal, &default_action, 0);
    while (mapped--)
        CALL2(SYS_MUNMAP, segments[mapped].address, segments[mapped].length);

    if (is_traced) { /* the launcher writes the trace; begin() has made this place free */
        append(message, append(message, 0, "HOOKS_COMPILE_COLD="), reason);
        *--environment = message;
    }
    if (python[0])
        CALL3(SYS_EXECVE, python, words, environment);
    /* A shell has the message and the exit status for what can't be executed. */
    char *shell[word_count + 4];
    shell[0] = "sh", shell[1] = "-c", shell[2] = "exec \"$0\" \"$@\"";
    for (u64 n = 0; n <= word_count; n++)
        shell[n + 3] = words[n];
    CALL3(SYS_EXECVE, "/bin/sh", shell, environment);
    CALL1(SYS_EXIT_GROUP, 127);
    __builtin_unreachable();
}

/* --- Which snapshot --- */
/* Puts the path of the interpreter into `python`, as a shell finds it on PATH; "" if it is not there.  */
static void find_python(const char *name, const char *search)
{
    struct kernel_stat status;
    append(python, 0, name);
    for (const char *c = name; *c; c++)
        if (*c == '/')
            return;
    for (; *search; search += *search == ':') {
        u64 at = 0;
        for (; *search && *search != ':'; search++)
            if (at < LONGEST_PATH - 2)
                python[at++] = *search;
        append(python, append(python, at, "/"), name);
        if (at && !CALL4(SYS_NEWFSTATAT, AT_FDCWD, python, &status, 0)
            && (status.st_mode & S_IFMT) == S_IFREG && !CALL3(SYS_FACCESSAT, AT_FDCWD, python, X_OK))
            return;
    }
    python[0] = 0;
}

/* Returns whether an environment variable may change how Python starts, or what it then holds.
 * snapshot_keys.py has the same list.  */
static int is_keyed(const char *entry)
{
    static const char keyed[][20] = {
        "GCONV_", "GLIBC_", "HOME=", "LANG", "LC_", "LD_", "LOCPATH=", "MALLOC_", "NLSPATH=",
        "OPENSSL_", "PYTHON", "SETUPTOOLS_", "TZ", "_PYTHON", "__PYVENV_LAUNCHER__"};
    for (u64 n = 0; n < sizeof keyed / sizeof keyed[0]; n++)
        if (begins_with(entry, keyed[n]))
            return 1;
    return 0;
}

/* Reads the environment, and returns PATH.  */
static const char *read_environment(void)
{
    const char *search = "";
    for (char **entry = environment; *entry; entry++) {
        if (is_keyed(*entry)) /* the sum does not depend on their order */
            environment_hash += hash_bytes(*entry, length_of(*entry), FNV_BASIS);
        else if (begins_with(*entry, "PATH="))
            search = *entry + 5;
        else if (begins_with(*entry, "HOOKS_COMPILE_TRACE="))
            is_traced = 1;
        else if (begins_with(*entry, "HOOKS_COMPILE_SNAPSHOT=0"))
            is_unwanted = 1;
    }
    return search;
}

static void require_private(i64 file)
{
    struct kernel_stat status;
    if (CALL2(SYS_FSTAT, file, &status) || status.st_uid != (u64)CALL1(SYS_GETEUID, 0)
        || status.st_mode & OF_OTHERS)
        go_cold("others can write to the snapshots");
}

static i64 enter_directory(i64 above, const char *name, u64 flags, const char *reason)
{
    i64 directory = OPEN_AT(above, name, O_RDONLY | O_DIRECTORY | flags);
    if (above >= 0)
        CALL1(SYS_CLOSE, above);
    if (directory < 0)
        go_cold(reason);
    require_private(directory);
    return directory;
}

/* Opens the snapshot for the script: its own in a test or after a crash, else the standard one, else the
 * base.  Each directory is opened in the one before, so that nobody can exchange one in between.  */
static i64 open_snapshot(const char *launcher, const char *script)
{
    static const char missing[] = "no snapshot for this interpreter and environment";
    u64 name, at = append(path, 0, launcher);
    if (at < 10 || !is_equal(path + at - 10, "/launch.py", 10))
        go_cold("the launcher has another name");
    path[at - 9] = 0;
    i64 directory = enter_directory(AT_FDCWD, path, 0, "no runtime directory");
    directory = enter_directory(directory, "snapshots", O_NOFOLLOW, "snapshots are off");
    name = directory_length = append(path, at - 9, "snapshots/");
    u64 key = hash_bytes(python, length_of(python), FNV_BASIS) ^ environment_hash;
    at = append_hex(path, name, key * 1099511628211UL);
    directory = enter_directory(directory, path + name, O_NOFOLLOW, missing);

    name = at = append(path, at, "/");
    append(path, name, "standard"); /* what a crash turns off if the script has no identity */
    struct kernel_stat status;
    i64 file = -ENOENT;
    if (!begins_with(script, "--uv=") && !CALL4(SYS_NEWFSTATAT, AT_FDCWD, script, &status, 0)) {
        at = append(path, append_hex(path, name, status.st_dev), "-");
        append_hex(path, at, status.st_ino);
        file = OPEN_AT(directory, path + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    }
    for (u64 n = is_for_base; n < 2 && file == -ENOENT; n++)
        file = OPEN_AT(directory, n ? "base" : "standard", O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    CALL1(SYS_CLOSE, directory);
    if (file < 0)
        go_cold(missing);
    return file;
}

/* --- Whether it may be used --- */
static int is_within(const struct table *table, u64 size)
{
    return table->at % 8 == 0 && table->at + table->count * size <= header->header_size;
}

static u64 checksum(void)
{
    u64 sum = 1;
    for (u64 n = 2; n < header->header_size / 8; n++)
        sum = (sum ^ ((const u64 *)header_bytes)[n]) * 0x9e3779b97f4a7c15UL;
    return sum;
}

static void read_header(i64 file)
{
    struct kernel_stat status;
    require_private(file);
    if (CALL2(SYS_FSTAT, file, &status) || (status.st_mode & S_IFMT) != S_IFREG)
        go_cold("the snapshot is no file");
    if (!status.st_size) /* see record_crash() */
        go_cold("the snapshot is off: a hook crashed");
    if (CALL4(SYS_PREAD64, file, header_bytes, 4096, 0) != 4096
        || !is_equal(header->magic, MAGIC, sizeof MAGIC) || header->header_size < 4096
        || header->header_size > LARGEST_HEADER || header->header_size % 4096
        || header->file_size != status.st_size)
        go_cold("the snapshot is damaged or of another version");
    u64 rest = header->header_size - 4096;
    if (CALL4(SYS_PREAD64, file, header_bytes + 4096, rest, 4096) != (i64)rest
        || checksum() != header->checksum || !is_within(&header->segments, sizeof(struct segment))
        || !is_within(&header->files, sizeof(struct file))
        || !is_within(&header->actions, sizeof(struct action))
        || !is_within(&header->thread_ids, 8) || header->python >= header->header_size)
        go_cold("the snapshot is damaged");
}

static void check_machine(void)
{
    char boot_id[36];
    u64 limits[2];
    i64 file = OPEN_AT(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY); /* random(4) */
    if (file < 0 || CALL3(SYS_READ, file, boot_id, 36) != 36 || !is_equal(boot_id, header->boot_id, 36))
        go_cold("the snapshot is of before the last boot");
    CALL1(SYS_CLOSE, file);
    if (hwcap != header->hwcap || hwcap2 != header->hwcap2)
        go_cold("the processor is another");
    /* the stack has the size that its limit allowed; and more is mapped than after a start */
    const u64 wanted[][2] = {{RLIMIT_STACK, header->stack_limit}, {RLIMIT_AS, ~0UL}, {RLIMIT_DATA, ~0UL}};
    for (u64 n = 0; n < 3; n++)
        if (CALL4(SYS_PRLIMIT64, 0, wanted[n][0], 0, limits) || limits[0] != wanted[n][1])
            go_cold(n ? "memory is limited" : "the stack limit is another");
    /* a start has the vdso(7), and sees that brk(2) fails */
    if (CALL2(SYS_CLOCK_GETTIME, 0, limits) || CALL1(SYS_TIME, 0) < 0 || CALL1(SYS_BRK, 0) < 0)
        go_cold("a filter refuses system calls");
    if (!is_equal(TEXT(header->python), python, length_of(python) + 1))
        go_cold("the snapshot is of another interpreter");
}

static u64 hash_of_file(const char *name)
{
    u8 bytes[4096];
    u64 hash = FNV_BASIS;
    i64 file = OPEN_AT(AT_FDCWD, name, O_RDONLY | O_NONBLOCK), size;
    while ((size = CALL3(SYS_READ, file, bytes, sizeof bytes)) > 0)
        hash = hash_bytes(bytes, (u64)size, hash);
    CALL1(SYS_CLOSE, file);
    return hash;
}

static int is_same(const struct file *then, const struct kernel_stat *now)
{
    if (now->st_ino != then->inode || now->st_dev != then->device)
        return 0;
    return then->how & IS_ONLY_PASSED /* a directory that nobody listed */
           || (now->st_size == then->size && now->st_mtime == then->mtime
               && now->st_mtime_ns == then->mtime_ns && now->st_ctime == then->ctime
               && now->st_ctime_ns == then->ctime_ns);
}

static void check_files(void)
{
    const struct file *file = TABLE(files), *behind = file + header->files.count;
    struct kernel_stat now;
    for (; file < behind; file++) {
        const char *name = TEXT(file->path);
        u64 flags = file->how & IS_LINK ? AT_SYMLINK_NOFOLLOW : 0;
        i64 error = CALL4(SYS_NEWFSTATAT, AT_FDCWD, name, &now, flags);
        if (file->how & IS_MISSING ? error != -ENOENT && error != -ENOTDIR : error || !is_same(file, &now))
            go_cold(name);
        if (file->how & HAS_CONTENT && hash_of_file(name) != file->content)
            go_cold(name);
    }
}

/* --- Crashes --- */
/* Writes crash.1, crash.2 or crash.3, and turns off the snapshot by an empty file in its place.  The third
 * crash turns off all.  Errors are ignored: in a sandbox that can't write there nothing is recorded.  */
static void record_crash(int signal)
{
    static char record[LONGEST_PATH];
    char text[] = {(char)('0' + signal / 10), (char)('0' + signal % 10), '\t'};
    for (const char *number = "1\0002\0003"; *number; number += 2) {
        path[directory_length - 1] = 0;
        append(record, append(record, append(record, 0, path), "/crash."), number);
        path[directory_length - 1] = '/';
        i64 file = OPEN_AT(AT_FDCWD, record, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
        if (file < 0)
            continue;
        CALL3(SYS_WRITE, file, text, sizeof text);
        CALL3(SYS_WRITE, file, words[2], length_of(words[2]));
        CALL1(SYS_CLOSE, file);
        append(record, directory_length, "loader");
        if (*number == '3')
            CALL3(SYS_UNLINKAT, AT_FDCWD, record, 0);
        break;
    }
    CALL3(SYS_UNLINKAT, AT_FDCWD, path, 0);
    CALL1(SYS_CLOSE, OPEN_AT(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW));
}

/* Handles fatal signals.  Until the hook begins, a crash ends in a cold launch.  The launcher takes
 * SIGABRT back when the hook begins, so its handler tells us which of both it is.  After that the signal
 * is recorded if the kernel has raised it, and the hook dies of it as it would have.  */
static void crashed(int signal, const int *info)
{
    static const struct kernel_sigaction default_action;
    struct kernel_sigaction of_abort;
    if (SET_ACTION(SIGABRT, 0, &of_abort) || of_abort.handler == (u64)crashed)
        go_cold("the snapshot crashed before the hook began");
    int is_of_kernel = info[2] > 0; /* si_code, sigaction(2) */
    if (is_of_kernel)
        record_crash(signal);
    SET_ACTION((u64)signal, &default_action, 0);
    if (!is_of_kernel) /* else the instruction fails again when we return */
        CALL3(SYS_TGKILL, CALL1(SYS_GETPID, 0), CALL1(SYS_GETTID, 0), signal);
}

/* Installs our handler, and reads which signals the caller ignores.  32 and 33 are the C library's own:
 * posix_spawn(3) may leave them ignored.  */
static void take_signals(void)
{
    static u8 stack_bytes[65536] __attribute__((aligned(16)));
    const u64 stack[] = {(u64)stack_bytes, 0, sizeof stack_bytes}; /* stack_t of sigaltstack(2) */
    const struct kernel_sigaction action = {
        (u64)crashed, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER, (u64)return_from_signal, 0};
    const u64 fatal = 1UL << SIGILL | 1UL << SIGABRT | 1UL << SIGBUS | 1UL << SIGFPE | 1UL << SIGSEGV;
    if (CALL2(SYS_SIGALTSTACK, stack, 0))
        go_cold("sigaltstack is refused");
    for (u64 signal = 1; signal <= SIGNALS; signal++) {
        struct kernel_sigaction old;
        if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
            continue;
        int is_fatal = signal < 32 && fatal >> signal & 1;
        if (SET_ACTION(signal, is_fatal ? &action : 0, &old) || (is_fatal && old.handler == SIG_IGN))
            go_cold("a signal can't be handled");
        if (old.handler == SIG_IGN)
            ignored |= 1UL << (signal - 1);
    }
}

/* --- Resuming --- */
/* Opens a program or library that is mapped as it is, and checks once more that it is the same.  */
static i64 open_file(u32 number)
{
    const struct file *file = TABLE(files);
    struct kernel_stat now;
    if (number >= header->files.count)
        go_cold("the snapshot is damaged");
    i64 opened = OPEN_AT(AT_FDCWD, TEXT(file[number].path), O_RDONLY);
    if (opened < 0 || CALL2(SYS_FSTAT, opened, &now) || !is_same(file + number, &now))
        go_cold(TEXT(file[number].path));
    return opened;
}

/* Copies what launches write to into a huge page: that takes less time than a page fault for each small page.
 * If the kernel gives a small page, the snapshot is mapped as usual: madvise(2), mincore(2).  */
static int copy_segment(i64 snapshot, const struct segment *segment)
{
    volatile u8 is_huge = 0, *address = (u8 *)segment->address;
    CALL3(SYS_MADVISE, address, segment->length, MADV_HUGEPAGE);
    *address = 0;
    CALL3(SYS_MINCORE, address + segment->length / 2, 1, &is_huge);
    if (is_huge)
        return CALL4(SYS_PREAD64, snapshot, address, segment->length, segment->at) == (i64)segment->length;
    return system_call(SYS_MMAP, segment->address, segment->length, segment->protection,
                       MAP_PRIVATE | MAP_FIXED, (u64)snapshot, segment->at) == (i64)segment->address;
}

static void map_segments(i64 snapshot)
{
    const struct segment *segment = TABLE(segments);
    for (; mapped < header->segments.count; segment++, mapped++) {
        const u32 source = segment->source;
        i64 file = source >= IN_FILE ? open_file(source - IN_FILE) : source == IN_SNAPSHOT ? snapshot : -1;
        u64 flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (file < 0 ? MAP_ANONYMOUS | MAP_NORESERVE : 0);
        i64 address = system_call(SYS_MMAP, segment->address, segment->length, segment->protection,
                                  flags, (u64)file, segment->at);
        if (source >= IN_FILE)
            CALL1(SYS_CLOSE, file);
        if (address != (i64)segment->address || (source == COPIED && !copy_segment(snapshot, segment)))
            go_cold("memory is refused");
        if (file >= 0 && segment->length >= HUGE_PAGE) /* what has left the page cache comes back large */
            CALL3(SYS_MADVISE, address, segment->length, MADV_HUGEPAGE);
    }
    CALL1(SYS_CLOSE, snapshot);
}

/* Gives the interpreter what its read(2) returns: the number of words, the ignored signals as bits, the
 * words, and the environment, each with its NUL.  Returns the size.  */
static u64 fill_buffer(void)
{
    u64 *numbers = (u64 *)header->buffer, at = 2 * sizeof(u64);
    char *buffer = (char *)header->buffer;
    numbers[0] = word_count;
    numbers[1] = ignored;
    for (int part = 0; part < 2; part++)
        for (char **text = part ? environment : words; *text; text++) {
            u64 length = length_of(*text) + 1;
            if (at + length > header->buffer_size)
                go_cold("the command and its environment are long");
            __builtin_memcpy(buffer + at, *text, length);
            at += length;
        }
    *(char ***)header->environment = environment;
    return at;
}

/* Lets ps(1) show what it would have shown: PR_SET_MM_MAP of prctl(2), proc_pid_cmdline(5).  */
static void describe_process(const u64 *stack, const char *end_of_words, const char *end_of_environment)
{
    u64 heap = ((u64)end + 0xffff) & ~0xfffUL;
    const struct memory_map map = {
        .start_code = (u64)__executable_start, .end_code = (u64)etext, .start_data = (u64)etext,
        .end_data = (u64)edata, .start_brk = heap, .brk = heap, .start_stack = (u64)stack,
        .arg_start = (u64)words[0], .arg_end = (u64)end_of_words, .env_start = (u64)end_of_words,
        .env_end = (u64)end_of_environment, .exe_fd = ~0U};
    if (CALL2(SYS_PRCTL, PR_SET_NAME, header->process_name)
        || CALL4(SYS_PRCTL, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map))
        go_cold("prctl is refused");
}

/* Restores what the kernel keeps for a thread: set_tid_address(2), set_robust_list(2), rseq(2).  */
static void restore_thread(void)
{
    i64 thread = CALL1(SYS_SET_TID_ADDRESS, header->clear_tid);
    const u64 *places = TABLE(thread_ids);
    for (u64 n = 0; n < header->thread_ids.count; n++)
        *(u32 *)places[n] = (u32)thread;
    if (thread < 0 || set_thread_pointer(header->registers)
        || (header->robust_list
            && CALL2(SYS_SET_ROBUST_LIST, header->robust_list, header->robust_list_size)))
        go_cold("the thread can't be restored");
    if (header->rseq && RSEQ(0))
        go_cold("rseq is refused");
    has_rseq = header->rseq != 0;
}

static void restore_signal_actions(void)
{
    const struct action *action = TABLE(actions);
    for (; acting < header->actions.count; action++, acting++)
        if (!(ignored >> (action->signal - 1) & 1) && SET_ACTION(action->signal, &action->what, 0))
            go_cold("a signal can't be handled");
}

/* The first function.  `stack` holds the number of words, the words, 0, the environment, 0, and the
 * auxiliary vector: execve(2), getauxval(3).  */
_Noreturn void begin(u64 *stack)
{
    u64 count = stack[0];
    if (count < 4)
        CALL1(SYS_EXIT_GROUP, 127);
    words = (char **)(stack + 1);
    environment = words + count + 1;
    word_count = count - 1;
    is_for_base = (u64)is_equal(words[0], "base", 5); /* launcher/snapshot/begin.py */
    for (u64 n = 0; n < count; n++) /* without our own name: this frees the place that go_cold() takes */
        words[n] = words[n + 1];
    const char *end_of_words = words[word_count - 1] + length_of(words[word_count - 1]) + 1;
    const char *end_of_environment = end_of_words;
    find_python(words[0], read_environment());
    const u64 *auxiliary = (const u64 *)environment;
    for (; *auxiliary; auxiliary++)
        end_of_environment = (const char *)*auxiliary + length_of((const char *)*auxiliary) + 1;
    for (auxiliary++; auxiliary[0]; auxiliary += 2)
        if (auxiliary[0] == AT_HWCAP)
            hwcap = auxiliary[1];
        else if (auxiliary[0] == AT_HWCAP2)
            hwcap2 = auxiliary[1];
        else if (auxiliary[0] == AT_SECURE)
            is_secure = auxiliary[1];
    u64 user = (u64)CALL1(SYS_GETEUID, 0);
    if (is_unwanted)
        go_cold("HOOKS_COMPILE_SNAPSHOT=0");
    if (python[0] != '/')
        go_cold("the interpreter has no absolute path");
    if (words[2][0] == '-' && !begins_with(words[2], "--uv="))
        go_cold("the script has the name of an option");
    if (is_secure || user != (u64)CALL1(SYS_GETUID, 0) || user == NOBODY
        || CALL1(SYS_GETEGID, 0) != CALL1(SYS_GETGID, 0))
        go_cold("this process has rights of another user");
    i64 file = open_snapshot(words[1], words[2]);
    read_header(file);
    check_machine();
    check_files();
    take_signals();
    map_segments(file);
    u64 size = fill_buffer();
    describe_process(stack, end_of_words, end_of_environment);
    restore_thread();
    restore_signal_actions();
    continue_at(header->registers, size);
}
