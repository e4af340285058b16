"""A resumed hook is inside the sandbox in which it was started, as its source is."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.snapshots.test_loader import NUMBERS
from tests.support.launches import TIMEOUT_S
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = NEEDS_LOADER

# What a sandbox changes, as far as a process can see it.
INSIDE = """\
import json, os, signal, socket, sys
import resource
def tried(call, *words):
    try:
        return repr(call(*words))
    except OSError as error:
        return repr(error)
status = [line for line in open("/proc/self/status") if line.startswith(
    ("Uid", "Gid", "Groups", "NStgid", "NSpid", "NSsid", "Cap", "NoNewPrivs", "Seccomp", "Sig"))
    and not line.startswith(("SigCgt", "SigQ", "NStgid", "NSpid"))]
print(json.dumps({
    "namespaces": {n: os.readlink(f"/proc/self/ns/{n}") for n in os.listdir("/proc/self/ns")},
    "mounts": open("/proc/self/mountinfo").read(), "root": tried(os.listdir, "/"),
    "cwd": tried(os.getcwd), "status": status, "parent": os.getppid(), "name": os.uname(),
    "network": tried(socket.if_nameindex), "maps": open("/proc/self/uid_map").read(),
    "cgroup": open("/proc/self/cgroup").read(), "session": os.getsid(0), "group": os.getpgrp(),
    "limits": [resource.getrlimit(n) for n in range(16)], "files": os.listdir("/proc/self/fd"),
    "writes": [os.access(place, os.W_OK) for place in ("/", "/tmp", "/usr", "/dev", "/usr/local")],
    "asks": tried(socket.create_connection, ("127.0.0.1", 9)), "umask": os.umask(0),
    "scheduled": [os.nice(0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
}))
"""
BOUND = ("--ro-bind", "/", "/", "--dev", "/dev")
SANDBOXES = {
    # as agents start what a model has written: read-only outside of the project, no network
    "bwrap": ["bwrap", *BOUND, "--proc", "/proc", "--unshare-all", "--die-with-parent"],
    "bwrap-session": [
        *("bwrap", *BOUND, "--proc", "/proc", "--unshare-pid", "--unshare-net", "--new-session"),
        *("--tmpfs", "/usr/local", "--hostname", "inside", "--unshare-uts", "--chdir", "/usr"),
    ],
    "bwrap-user": ["bwrap", *BOUND, "--unshare-user", "--uid", "1000", "--cap-drop", "ALL"],
    "unshare": ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--mount-proc"],
    "unshare-user": ["unshare", "--user", "--map-root-user", "--net"],
    "unshare-nobody": ["unshare", "--user"],
    "no-new-privileges": ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"],
    "nice": ["nice", "-n", "5", "taskset", "1", "setsid", "-w"],
}
# In this one the user's own files belong to somebody else.
COLD = {"unshare-nobody"}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with a base snapshot."""
    machine = Machine.create(tmp_path_factory.mktemp("machine"), interpreters()[-1])
    machine.make()
    return machine


def words_of(machine: Machine, hook: Path) -> list[str]:
    """The command of a launch."""
    launcher = machine.user.runtime / "launch.py"
    return [str(machine.snapshots.loader), machine.user.python, str(launcher), str(hook)]


@pytest.mark.parametrize("name", SANDBOXES)
def test_it_sees_what_its_source_sees(machine: Machine, name: str) -> None:
    sandbox = SANDBOXES[name]
    if shutil.which(sandbox[0]) is None:
        pytest.skip(f"needs {sandbox[0]}")
    hook = machine.write(INSIDE)
    # both in one sandbox: another one would have other namespaces
    loader, *words = words_of(machine, hook)
    both = '"$1" "$3" && HOOKS_COMPILE_TRACE=/dev/stdout "$0" "$@" && :'
    done = subprocess.run(
        [*sandbox, "sh", "-c", both, loader, *words],
        env=machine.user.environment(),
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if b"Operation not permitted" in done.stderr:
        pytest.skip(done.stderr.decode())
    assert (done.returncode, done.stderr) == (0, b"")
    source, trace, resumed = done.stdout.splitlines()
    left, right = json.loads(source), json.loads(resumed)
    assert {key: (left[key], right[key]) for key in left if left[key] != right[key]} == {}
    outside = machine.user.source(hook).stdout
    assert left != json.loads(outside), "it is a sandbox"
    assert trace.startswith(b"resumed\thit\t") != (name in COLD), trace


# seccomp(2), linux/filter.h, linux/seccomp.h: load the number; compare; return
PR_SET_SECCOMP, FILTER = 22, 2
REFUSE, ALLOW = 0x00050000, 0x7FFF0000
NEEDED = {59, 60, 231}  # execve, exit, exit_group: without them no process begins or ends


def refusing(number: int, error: int) -> Callable[[], None]:
    """What makes a system call fail in a process from now on, as a container's profile does."""
    steps = (
        (0x20, 0, 0, 0),
        (0x15, 0, 1, number),
        (0x06, 0, 0, REFUSE | error),
        (0x06, 0, 0, ALLOW),
    )
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    prctl = ctypes.CDLL(None).prctl

    def install() -> None:
        described = struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(program))
        if prctl(PR_SET_SECCOMP, FILTER, ctypes.c_char_p(described), 0, 0):
            os._exit(99)

    return install


USING_MUCH = """\
print("began", flush=True)
import os, sys, json, datetime, random, threading, time, signal
def tried(call, *words):
    try:
        return call(*words)
    except Exception as error:
        return repr(error)
print(tried(time.time) > 1e9, tried(time.monotonic) > 0, tried(time.localtime)[0] > 2020,
      datetime.datetime.now().year > 2020, len(tried(os.urandom, 3)), random.random() < 1,
      tried(os.getcwd), tried(os.listdir, "/"), tried(time.sleep, 0), tried(os.cpu_count),
      tried(signal.signal, signal.SIGUSR1, signal.SIG_IGN), tried(os.getuid), sys.argv[1:],
      tried(os.stat, "/") == tried(os.stat, "/"), tried(os.path.exists, __file__),
      type(tried(time.process_time)), sys.stdin.read())
worker = threading.Thread(target=print, args=("in a thread",))
worker.start()
worker.join()
"""


def test_a_filter_that_refuses_one_system_call(machine: Machine) -> None:
    hook = machine.write(USING_MUCH, "much.py")
    machine.make(hook)
    assert machine.launch(hook).resumed
    of_loader = sorted({*NUMBERS} - NEEDED)
    cold, wrong = set(), []
    for number in scaled(of_loader[::4], of_loader, sorted({*range(470)} - NEEDED)):
        for error in scaled([errno.EPERM], [errno.EPERM], [errno.EPERM, errno.ENOSYS]):
            before = refusing(number, error)
            source = machine.user.source(hook, "a", stdin=b"x", before=before)
            warm = machine.launch(hook, "a", stdin=b"x", before=before)
            if not warm.resumed:
                cold.add(NUMBERS.get(number, str(number)))
            # Python itself complains with addresses in it, or does not even begin
            is_hindered = source.stderr != b""
            is_same = warm.status == source.status if is_hindered else warm.shown == source.shown
            if not is_same and not (is_hindered and warm.resumed):
                wrong.append((number, error, warm, source))
    assert wrong == []
    assert machine.snapshots.crashes() == []
    # faccessat looks for a command on PATH, madvise is advice, mincore looks for a huge page
    always_right = {"write", "munmap", "getpid", "gettid", "tgkill", "unlinkat", "faccessat"}
    always_right |= {"madvise", "mincore"}
    assert cold >= set(map(NUMBERS.get, scaled([], of_loader, of_loader))) - always_right
