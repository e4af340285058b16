"""Whatever a process is given by its caller and its system: a launch is cold, or right."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots.tracee import SnapshotError, Tracee
from tests.support.launches import TIMEOUT_S, WRAPPER
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.launches import Launched

pytestmark = NEEDS_LOADER

HOOK = """\
import json, re, sys
print("began", flush=True)
event = {"given": sys.argv[1:], "read": sys.stdin.read()}
text = json.dumps(event) * 100
blocks = [bytearray(1 << 20) for _ in range(4)]
print(len(re.findall("given", text)), sum(map(len, blocks)))
sys.exit(2)
"""
ENDS_WITH = 2


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine whose hook has a snapshot."""
    machine = Machine.create(tmp_path_factory.mktemp("machine"), interpreters()[-1])
    machine.make(machine.write(HOOK))
    return machine


def hook_of(machine: Machine) -> Path:
    """Its hook."""
    return machine.directory / "hooks" / "hook.py"


def words_of(machine: Machine) -> list[str]:
    """The command of a launch of the hook, without the loader."""
    return [
        *(machine.user.python, str(machine.user.runtime / "launch.py")),
        *(str(hook_of(machine)), "a"),
    ]


def require_right(machine: Machine, before: Callable[[], object], name: object) -> Launched:
    """The launch shows what its source shows; return it."""
    hook = hook_of(machine)
    source = machine.user.source(hook, "a", stdin=b"x", before=before)
    warm = machine.launch(hook, "a", stdin=b"x", before=before)
    if source.status == ENDS_WITH:  # else Python itself does not work like this
        assert warm.shown == source.shown, name
    else:
        assert warm.status != ENDS_WITH, name
    return warm


def limiting(what: int, value: int) -> Callable[[], None]:
    """What sets a limit of a process."""
    return lambda: resource.setrlimit(what, (value, value))


@pytest.mark.parametrize(
    ("what", "values", "is_resumed"),
    [
        ("RLIMIT_AS", [n << 20 for n in (8, 16, 64, 1 << 14)], False),
        ("RLIMIT_DATA", [n << 20 for n in (2, 64, 1 << 14)], False),
        ("RLIMIT_STACK", [n << 17 for n in (1, 2, 63, 128)] + [resource.RLIM_INFINITY], False),
        ("RLIMIT_NOFILE", [*range(5)], False),
        ("RLIMIT_NOFILE", [5, 6, 1023, 1024], True),
        ("RLIMIT_FSIZE", [0], True),
        ("RLIMIT_NPROC", [1], True),
        ("RLIMIT_CORE", [0], True),
        ("RLIMIT_MEMLOCK", [0], True),
        ("RLIMIT_SIGPENDING", [0], True),
        ("RLIMIT_CPU", [20], True),
    ],
)
def test_limits(machine: Machine, what: str, values: Sequence[int], is_resumed: bool) -> None:
    for value in values:
        warm = require_right(machine, limiting(getattr(resource, what), value), value)
        # a trace can't be written to a file that may not grow
        assert warm.resumed == (is_resumed and what != "RLIMIT_FSIZE"), (value, warm)


# personality(2), linux/personality.h: what setarch(8) sets
PERSONALITIES = {
    "UNAME26": 0x20000,
    "ADDR_NO_RANDOMIZE": 0x40000,
    "MMAP_PAGE_ZERO": 0x100000,
    "ADDR_COMPAT_LAYOUT": 0x200000,
    "READ_IMPLIES_EXEC": 0x400000,
    "ADDR_LIMIT_32BIT": 0x800000,
    "SHORT_INODE": 0x1000000,
    "STICKY_TIMEOUTS": 0x4000000,
    "ADDR_LIMIT_3GB": 0x8000000,
    "PER_LINUX32": 8,
    "all": 0xDF60008,
}


def test_personalities(machine: Machine) -> None:
    libc = ctypes.CDLL(None)
    for name, flags in PERSONALITIES.items():

        def become(flags: int = flags) -> None:
            libc.personality(flags)

        require_right(machine, become, name)


def test_a_library_that_is_loaded_before_all_others(machine: Machine, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    source, library = tmp_path / "pre.c", tmp_path / "pre.so"
    source.write_text(
        "#include <unistd.h>\n"
        '__attribute__((constructor)) static void said(void) { write(2, "loaded\\n", 7); }\n'
        "int isatty(int fd) { return fd == 1; }\n",
        encoding="utf-8",
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    user = machine.user.with_env(LD_PRELOAD=str(library))
    other = Machine(user, machine.directory, machine.snapshots)
    warm = require_right(other, lambda: None, "LD_PRELOAD")
    assert not warm.resumed
    assert warm.stderr.startswith(b"loaded\n")


@pytest.mark.parametrize("how", ["strace", "gdb", "ourselves"])
def test_under_a_debugger(machine: Machine, how: str, tmp_path: Path) -> None:
    loader = str(machine.snapshots.loader)
    expected = machine.user.source(hook_of(machine), "a")
    if how == "ourselves":
        trace = tmp_path / "trace"
        env = {**machine.user.environment(), "HOOKS_COMPILE_TRACE": str(trace)}
        with (
            pytest.raises(SnapshotError, match=r"ended early \(status 0x200"),
            Tracee(loader, [loader, *words_of(machine)], env) as tracee,
        ):
            while True:
                tracee.next_stop()
        assert trace.read_text("utf-8").startswith("resumed\thit\t")
        return
    if shutil.which(how) is None:
        pytest.skip(f"needs {how}")
    debugger = {
        "strace": ["strace", "-f", "-o", os.devnull],
        "gdb": ["gdb", "-nx", "-batch", "-ex", "run", "-ex", "quit $_exitcode", "--args"],
    }[how]
    done = subprocess.run(
        [*debugger, loader, *words_of(machine)],
        env=machine.user.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == expected.status
    assert expected.stdout in done.stdout


@contextmanager
def memory_group(name: str, megabytes: int) -> Iterator[Path]:
    """A control group with that much memory; its file for processes. Skips where none can be."""
    for root, limit, processes in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "tasks"),
        ("/sys/fs/cgroup", "memory.max", "cgroup.procs"),
    ):
        group = Path(root, name)
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(megabytes << 20))
        except OSError:
            group.rmdir()
            continue
        try:
            yield group / processes
        finally:
            group.rmdir()
        return
    pytest.skip("no control group for memory can be made here")


def test_a_control_group_with_little_memory(machine: Machine) -> None:
    seen = set()
    for megabytes in scaled((64,), (4, 10, 64), (2, 4, 6, 8, 10, 12, 14, 16, 24, 64)):
        with memory_group(f"hooks-compile-{os.getpid()}", megabytes) as processes:

            def enter(processes: Path = processes) -> None:
                processes.write_text(str(os.getpid()))

            hook = hook_of(machine)
            source = machine.user.source(hook, "a", before=enter)
            warm = machine.launch(hook, "a", before=enter)
        seen.add(warm.resumed)
        killed = (-signal.SIGKILL, b"began\n", b""), (-signal.SIGKILL, b"", b"")
        assert warm.shown == source.shown or warm.shown in killed, (megabytes, warm, source)
    assert True in seen


def test_it_is_not_in_the_page_cache(machine: Machine) -> None:
    place = machine.snapshots.place(machine.user.python, machine.user.environment())
    for path in place.directory.iterdir():
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
    assert require_right(machine, lambda: None, "cold cache").resumed


def test_a_directory_in_which_nothing_can_be_executed(machine: Machine) -> None:
    """bash and dash notice it; busybox and root's zsh execute what they can't."""
    runtime = machine.user.runtime
    setup = (
        f'mount --bind "{runtime}" "{runtime}" && mount -o remount,bind,noexec "{runtime}" '
        '&& exec "$@"'
    )
    hook = hook_of(machine)
    wrapped = [str(WRAPPER), f"--python={machine.user.python}", str(hook), "a"]
    for shell in ("sh", "bash"):
        words = ["unshare", "--mount", "sh", "-c", setup, "sh", shell, *wrapped]
        warm = machine.user.run(words)
        if warm.status in (1, 32) and b"mount" in warm.stderr + b"unshare":
            pytest.skip("needs the right to mount")
        assert not warm.resumed
        assert warm.state == "hit"
        assert warm.shown == machine.user.source(hook, "a").shown
