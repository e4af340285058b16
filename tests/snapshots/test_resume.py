"""A resumed launch does what a cold one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.snapshot_machine import (
    NEEDS_LOADER,
    Machine,
    each_snapshot_interpreter,
    interpreters,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interpreters_found import Found

pytestmark = NEEDS_LOADER

GUARD = """\
import json, re, sys
from pathlib import Path
event = json.load(sys.stdin)
if re.search(r"rm\\s+-rf", event["command"]):
    print("blocked:", Path(event["command"]).name, file=sys.stderr)
    sys.exit(2)
print(json.dumps(event))
"""
ALL = """\
import sys
import os, json, re, subprocess, datetime, random, logging, tempfile, threading, hashlib, uuid
print(json.dumps([sys.argv, __name__, __file__, sys.path[0], sys.flags.isolated, sys.executable]))
"""


@each_snapshot_interpreter
def test_hooks_of_usual_shape_are_resumed_with_the_same_result(
    interpreter: Found, tmp_path: Path
) -> None:
    machine = Machine.create(tmp_path, interpreter)
    guard, other, small = (
        machine.write(GUARD, "guard.py"),
        machine.write(ALL, "all.py"),
        machine.write("print(1 / 0)\n", "small.py"),
    )
    machine.make()
    machine.make(guard)
    machine.make(other)
    for hook, stdin in (
        (guard, b'{"command": "ls"}'),
        (guard, b'{"command": "rm -rf /x/y"}'),
        (guard, b"no json"),
        (other, b""),
        (small, b""),
    ):
        cold = machine.user.source(hook, "a b", "\u00e9", stdin=stdin)
        warm = machine.launch(hook, "a b", "\u00e9", stdin=stdin)
        assert warm.shown == cold.shown
        assert (warm.resumed, warm.state) == (True, "hit"), warm


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with the newest Python."""
    return Machine.create(tmp_path, interpreters()[-1])


def test_an_edited_hook_is_compiled_as_in_a_cold_launch(machine: Machine) -> None:
    hook = machine.write("print('one')\n")
    machine.make()
    assert machine.launch(hook).stdout == b"one\n"
    hook.write_text("print('two')\n", encoding="utf-8")
    first, second = machine.launch(hook), machine.launch(hook)
    assert (first.resumed, first.state, first.stdout) == (True, "miss", b"two\n")
    assert (second.resumed, second.state, second.stdout) == (True, "hit", b"two\n")


def test_a_hook_never_sees_modules_that_it_does_not_import(machine: Machine) -> None:
    text = "import sys\n{}print(*sys.modules)\n"
    hook = machine.write(text.format("import json\n"))
    machine.make(hook)
    before = machine.launch(hook)
    assert before.resumed
    assert b"json" in before.stdout
    with hook.open("w") as file:  # the same file, with other content
        file.write(text.format(""))
    machine.user.compile(hook)
    after = machine.launch(hook)
    assert after.resumed
    assert sorted(after.stdout.split()) == sorted(machine.user.source(hook).stdout.split())


def test_a_hook_that_could_find_hidden_modules_gets_the_base(machine: Machine) -> None:
    hook = machine.write("import gc\nprint(len(gc.get_objects()) > 1000, gc.get_freeze_count())\n")
    machine.make(hook)
    machine.make()
    launched = machine.launch(hook, "a", "b")
    assert (launched.resumed, launched.stdout) == (True, b"True 0\n")


def test_a_source_that_does_not_compile_ends_as_under_python(machine: Machine) -> None:
    hook = machine.write("print('x')\n")
    machine.make()
    hook.write_text("def f(:\n", encoding="utf-8")
    warm = machine.launch(hook)
    assert warm.shown == machine.user.source(hook).shown
    assert warm.state == "source"


STATE = """\
import sys
import os, json, signal, locale, time, warnings, threading, resource, random, logging
main = threading.main_thread()
streams = [(s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.isatty(),
            s.fileno(), s.newlines, repr(s.buffer), s.buffer.raw.name, s.buffer.raw.mode,
            s.buffer.raw.closefd, s is getattr(sys, "__%s__" % n))
           for n, s in (("stdin", sys.stdin), ("stdout", sys.stdout), ("stderr", sys.stderr))]
status = open("/proc/self/status").read().split("\\n")
del os.environ["HOOKS_COMPILE_TRACE"]
fds = sorted(os.listdir("/proc/self/fd"))  # before a child leaves its pipe to the collector
seen = {
    "argv": sys.argv, "orig": getattr(sys, "orig_argv", None), "flags": repr(sys.flags),
    "path": sys.path, "executable": [sys.executable, sys.prefix, sys.base_prefix],
    "environ": dict(os.environ), "order": list(os.environ), "streams": streams,
    "child": os.popen("env; ulimit -a; cat /proc/$PPID/cmdline; cat /proc/$PPID/comm").read(),
    "signals": [repr(signal.getsignal(n)) for n in range(1, 65)],
    "status": [l for l in status if l.startswith(("Groups", "Name", "Threads", "Umask", "NoNew",
               "Seccomp", "Cap", "SigIgn", "SigBlk", "ShdPnd"))],
    "locale": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding()],
    "time": [time.tzname, time.timezone, time.strftime("%Z")],
    "filters": repr(warnings.filters), "limit": sys.getrecursionlimit(),
    "thread": [main.native_id == os.getpid(), threading.current_thread() is main,
               threading.active_count(), main.name],
    "cwd": os.getcwd(), "ids": [os.getpgrp() == os.getpid(), os.getppid() == int(os.environ["P"])],
    "fds": fds,
    "modules": sorted(sys.modules), "main": sorted(globals()),
    "limits": [resource.getrlimit(n) for n in range(16)], "doc": __doc__, "spec": __spec__,
    "started": time.time() - logging._startTime / (1e9 if logging._startTime > 1e12 else 1) < 5,
    "loader": repr(type(__loader__)), "in": sys.stdin.read(),
}
json.dump(seen, sys.stdout, indent=1, sort_keys=True)
"""


def different(one: bytes, other: bytes) -> dict[str, tuple[object, object]]:
    """The keys of two JSON objects that differ."""
    left, right = json.loads(one), json.loads(other)
    return {key: (left[key], right[key]) for key in left if left[key] != right[key]}


@each_snapshot_interpreter
def test_a_process_looks_as_after_a_cold_start(interpreter: Found, tmp_path: Path) -> None:
    machine = Machine.create(tmp_path, interpreter)
    hook = machine.write(STATE)
    machine.make(hook)
    user = machine.user.with_env(P=str(os.getpid()), SPECIAL="\u00e9 \n x", EMPTY="")
    machine = Machine(user, machine.directory, machine.snapshots)

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
        os.umask(0o027)

    for before in (None, ignore):
        how = {"cwd": tmp_path, "stdin": b"text", "before": before}
        cold = user.launch(hook, "x", flags=(), **how)
        warm = machine.launch(hook, "x", **how)
        assert warm.resumed, warm
        assert (warm.status, warm.stderr) == (0, b"")
        assert different(cold.stdout, warm.stdout) == {}


@pytest.mark.parametrize(
    "closed", [(0,), (1,), (2,), (0, 1, 2)], ids=lambda closed: "-".join(map(str, closed))
)
def test_closed_streams_are_none(machine: Machine, closed: tuple[int, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"
    hook = machine.write(
        f"import sys\nopen({str(out)!r}, 'w').write(repr([sys.stdin, sys.stdout, sys.stderr]))\n"
    )
    machine.make(hook)

    def close() -> None:
        for number in closed:
            os.close(number)

    cold = machine.user.source(hook, before=close)
    expected = out.read_text()
    warm = machine.launch(hook, before=close)
    assert warm.resumed
    assert (warm.status, out.read_text()) == (cold.status, expected)


def test_a_stdin_that_is_a_directory_is_left_to_python(machine: Machine) -> None:
    hook = machine.write("print('ran')\n")
    machine.make()
    directory = os.open("/", os.O_RDONLY)
    try:
        shown = []
        for words in (
            [machine.user.python, str(hook)],
            [
                *(str(machine.snapshots.loader), machine.user.python),
                *(str(machine.user.runtime / "launch.py"), str(hook)),
            ],
        ):
            done = subprocess.run(
                words,
                stdin=directory,
                capture_output=True,
                env=machine.user.environment(),
                check=False,
            )
            shown.append((done.returncode, done.stdout, done.stderr.splitlines()[0]))
    finally:
        os.close(directory)
    assert shown[0] == shown[1]


def test_randomness_is_new_in_each_launch(machine: Machine) -> None:
    hook = machine.write(
        "import sys\nimport random, uuid, tempfile, secrets, os\n"
        "print(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()),"
        " secrets.token_hex(4), os.urandom(4).hex())\n"
    )
    machine.make(hook)
    launches = [machine.launch(hook) for _ in range(5)]
    assert all(launch.resumed for launch in launches)
    columns = zip(*(launch.stdout.split() for launch in launches), strict=True)
    assert all(len(set(column)) == 5 for column in columns)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_a_hook_dies_of_a_signal_as_it_would_have(machine: Machine, number: signal.Signals) -> None:
    hook = machine.write(f"import os\nprint('x', flush=True)\nos.kill(os.getpid(), {number})\n")
    machine.make(hook)
    warm = machine.launch(hook)
    assert warm.resumed
    assert warm.shown == machine.user.source(hook).shown
    assert warm.status == -number
    assert machine.snapshots.crashes() == [], "nobody but the hook has sent it"


@each_snapshot_interpreter
def test_a_locale_that_python_coerces_is_in_the_environment(
    interpreter: Found, tmp_path: Path
) -> None:
    machine = Machine.create(tmp_path, interpreter)
    user = machine.user.with_env(LANG="C")
    machine = Machine(user, machine.directory, machine.snapshots)
    hook = machine.write(
        "import os, subprocess, sys\nprint(os.environ.get('LC_CTYPE'), sys.stdout.errors)\n"
        "del os.environ['HOOKS_COMPILE_TRACE']\nsubprocess.run(['/usr/bin/env'])\n"
    )
    machine.make()
    cold, warm = user.launch(hook, flags=()), machine.launch(hook)
    assert warm.resumed
    assert sorted(warm.stdout.splitlines()) == sorted(cold.stdout.splitlines())


def test_unbuffered_streams_stay_so(machine: Machine) -> None:
    user = machine.user.with_env(PYTHONUNBUFFERED="1")
    machine = Machine(user, machine.directory, machine.snapshots)
    hook = machine.write(
        "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr):\n"
        "    print(s.write_through, s.line_buffering, repr(s.buffer))\n"
    )
    machine.make()
    cold, warm = user.source(hook), machine.launch(hook)
    assert warm.resumed
    assert warm.shown == cold.shown


def test_many_words_and_a_large_environment(machine: Machine) -> None:
    hook = machine.write(
        "import os, sys\nprint(len(sys.argv), sum(map(len, os.environ.values())))\n"
    )
    machine.make()
    for size, is_resumed in ((50_000, True), (130_000, False)):
        user = machine.user.with_env(**{f"V{n}": "x" * 1000 for n in range(size // 1000)})
        at = Machine(user, machine.directory, machine.snapshots)
        words = [str(n) for n in range(2000)]
        warm = at.launch(hook, *words)
        assert warm.stdout == user.source(hook, *words).stdout
        assert warm.resumed == is_resumed, warm.reason


def test_the_wrapper_resumes(machine: Machine) -> None:
    hook = machine.write("import sys\nprint('ran', sys.argv)\nsys.exit(3)\n")
    machine.make(hook)
    warm = machine.user.wrapped(hook, "a")
    assert (warm.resumed, warm.state, warm.status) == (True, "hit", 3)
    machine.snapshots.remove()
    cold = machine.user.wrapped(hook, "a")
    assert (cold.resumed, cold.state) == (False, "hit")
    assert cold.shown == warm.shown


def test_python_is_found_on_path_as_a_shell_does(machine: Machine, tmp_path: Path) -> None:
    hook = machine.write("import sys\nprint(sys.executable, sys.orig_argv[0])\n")
    machine.make()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "python3").mkdir()
    directory = os.path.dirname(machine.user.python)  # noqa: PTH120 - a string for PATH
    loader, launcher = str(machine.snapshots.loader), str(machine.user.runtime / "launch.py")
    user = machine.user.with_env(PATH=f"{tmp_path}/empty:{tmp_path}/none:{directory}:/usr/bin")
    warm = user.run([loader, "python3", launcher, str(hook)])
    assert warm.resumed
    assert warm.stdout.decode() == f"{machine.user.python} python3\n"
    gone = user.run([loader, "no-such-python", launcher, str(hook)])
    assert gone.status == 127
    assert b"no-such-python" in gone.stderr
