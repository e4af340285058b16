"""``uv run`` and the wrapper in its place, side by side: what a hook and an agent can see."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.interpreters_found import Found, each_interpreter
from tests.support.launches import WRAPPER
from tests.support.processes import is_running
from tests.support.repositories import write
from tests.support.tiers import scaled
from tests.support.uv_machine import BLOCK, REPORT, WHO, Machine, asked

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = [
    "print('no', file=sys.stderr)\nsys.exit(2)\n",
    "sys.exit('größe')\n",
    "def inner():\n    return 1 / 0\n\ninner()\n",
    "import atexit\natexit.register(print, 'bye')\nprint(input())\n",
    "def (\n",
    "import os\nos.close(1)\nprint('gone')\n",
]
PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = []\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.create(tmp_path.resolve() / "machine")


def same_as_uv(machine: Machine, *words: str | Path, **how: object) -> None:
    """Compare what both show: where uv is asked, where the code is compiled, and at a hit."""
    machine.uv(*words, **how)  # the environment is there from now on
    old = machine.uv(*words, **how)
    for _ in ("recorded", "compiled", "a hit"):
        new = machine.wrapped(*words, **how)
        assert new.shown == old.shown
    assert new.state == "hit"


@each_interpreter
def test_a_hook_sees_what_uv_shows_it(interpreter: Found, tmp_path: Path) -> None:
    machine = Machine.create(tmp_path.resolve() / "machine", interpreter)
    machine = machine.with_env(UV_PYTHON=str(machine.bin / "python3"), A="ö", ZZ="1", a="2")
    hook = machine.hook(REPORT)
    same_as_uv(machine, "--script", hook, "a b", "", "--x", stdin="größe".encode())
    same_as_uv(machine, "hook.py", limit=64)


def test_switched_off_a_recorded_launch_runs_the_source(machine: Machine) -> None:
    hook = machine.hook(REPORT)
    same_as_uv(machine, "--script", hook, "a b")
    off = machine.with_env(HOOKS_COMPILE="off")
    launched = off.wrapped("--script", hook, "a b")
    assert launched.state == "source"
    assert launched.shown == off.uv("--script", hook, "a b").shown


def test_a_hook_ends_as_under_uv(machine: Machine) -> None:
    machine.recorded("--script", machine.hook(""))
    for ending in ENDINGS:
        hook = machine.hook("import sys\n" + ending)
        old = machine.uv("--script", hook, stdin=b"line\n")
        for _ in ("a miss", "a hit"):
            new = machine.wrapped("--script", hook, stdin=b"line\n")
            assert new.shown == old.shown
        assert new.state == ("source" if ending == "def (\n" else "hit")


WORDS = [
    ["--script", "hook.py"],
    ["-s", "./hook.py", "a"],
    ["hook.py", "--flag", "-c"],
    ["--quiet", "hook.py"],
    ["-q", "--script", "no suffix"],
    ["--no-project", "hook.py"],
    ["--offline", "--python", "3", "hook.py"],
    ["--project", "other", "hook.py"],
]


@pytest.mark.parametrize("words", WORDS[:: scaled(2, 1, 1)], ids=" ".join)
def test_the_options_that_are_understood_give_what_uv_gives(
    machine: Machine, words: list[str]
) -> None:
    name = "no suffix" if "no suffix" in words else "hook.py"
    write(machine.work / "other/pyproject.toml", PROJECT)
    machine.hook(REPORT, name)
    same_as_uv(machine, *words)
    machine.hook(WHO, name)
    assert not asked(machine.wrapped(*words))


def test_a_path_may_have_any_bytes_and_lead_through_links(machine: Machine) -> None:
    for name in ("grö ße/hö'ok $x*.py", "new\nline/a.py"):
        same_as_uv(machine, machine.hook(REPORT, name))
    odd = machine.hook(REPORT, os.fsdecode(b"\xff/\xfe.py"))  # uv refuses it
    assert machine.wrapped(odd).shown == machine.uv(odd).shown
    target = machine.hook(REPORT, "target/hook.py")
    link = machine.work / "link.py"
    link.symlink_to(target)
    directory = machine.work / "directory"
    directory.symlink_to("target")
    same_as_uv(machine, link)
    same_as_uv(machine, "hook.py", cwd=directory)


def test_a_hook_of_a_project_runs_in_its_environment(machine: Machine) -> None:
    write(machine.work / "pyproject.toml", PROJECT)
    hook = machine.hook(REPORT, "hooks/hook.py", block="")
    same_as_uv(machine, hook)
    same_as_uv(machine, "hook.py", cwd=hook.parent)
    machine.hook(WHO, "hooks/hook.py", block="")
    assert not asked(machine.wrapped(hook))


def test_a_hook_without_metadata_or_project_runs_under_the_python_on_path(
    machine: Machine,
) -> None:
    hook = machine.hook(REPORT, block="")
    same_as_uv(machine, hook)
    machine.hook(WHO, block="")
    assert not asked(machine.wrapped(hook))


def test_a_hook_without_metadata_or_project_runs_in_the_environment_beside_it(
    machine: Machine,
) -> None:
    subprocess.run(["uv", "venv", "-q"], env=machine.environment(), cwd=machine.work, check=True)
    hook = machine.hook(REPORT, "hooks/hook.py", block="")
    same_as_uv(machine, hook)
    machine.hook(WHO, "hooks/hook.py", block="")
    launched = machine.wrapped(hook)
    assert not asked(launched)
    assert str(machine.work / ".venv").encode() in launched.stdout


def test_a_hook_started_by_a_hook_is_counted_by_uv(machine: Machine) -> None:
    inner = machine.hook(REPORT, "inner.py")
    outer = machine.hook(f"import os\nos.execvp('uv', ['uv', 'run', '--script', {str(inner)!r}])\n")
    same_as_uv(machine, "--script", outer)


def test_the_environment_of_somebody_else_is_told_to_uv_and_to_us(machine: Machine) -> None:
    hook = machine.hook(REPORT)
    activated = machine.with_env(VIRTUAL_ENV=str(machine.root / "elsewhere"), PYTHONPATH="/x:")
    same_as_uv(activated, hook)
    same_as_uv(machine, hook)
    machine.hook(WHO)
    for each in (machine, activated):  # both are kept
        assert not asked(each.wrapped(hook))


def test_what_uv_says_at_each_launch_is_said(machine: Machine) -> None:
    write(machine.work / "pyproject.toml", PROJECT)
    hook = machine.hook("print(1)\n", block="")
    activated = machine.with_env(VIRTUAL_ENV=str(machine.root / "elsewhere"))
    activated.uv(hook)
    old = activated.uv(hook)
    assert b"VIRTUAL_ENV" in old.stderr
    for _ in range(3):
        assert activated.wrapped(hook).shown == old.shown


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"][: scaled(2, 4, 4)])
def test_streams_that_are_closed_are_what_uv_makes_of_them(machine: Machine, closed: str) -> None:
    out = machine.root / "out"
    streams = "[[s and os.fstat(s.fileno()).st_rdev, s and s.mode] for s in streams]"
    hook = machine.hook(
        "import os, sys\nstreams = [sys.stdin, sys.stdout, sys.stderr]\n"
        f"print({streams}, sorted(os.listdir('/proc/self/fd')), file=open({str(out)!r}, 'w'))\n"
    )

    def seen(command: str) -> str:
        assert machine.run(["sh", "-c", f"{command} {hook} {closed}"]).status == 0
        return out.read_text()

    seen("uv run")
    old = seen("uv run")
    for _ in range(3):
        assert seen(f"sh {WRAPPER} --uv") == old


def test_a_script_is_run_by_its_first_line(machine: Machine) -> None:
    for options in ("--script", "--quiet --script", "-q --script")[: scaled(2, 3, 3)]:
        first = f"#!/usr/bin/env -S uv run {options}\n"
        hook = machine.hook(REPORT, "first-line", block=first + BLOCK)
        hook.chmod(0o755)
        machine.run([str(hook)])
        old = machine.run([str(hook), "a b"])
        for _ in range(3):
            new = machine.run(["sh", str(WRAPPER), "--shebang", str(hook), "a b"])
            assert new.shown == old.shown
        assert new.state == "hit"


def test_many_first_launches_at_once(machine: Machine) -> None:
    hook = machine.hook("print('ran')\n")
    words = ["sh", str(WRAPPER), "--uv", "--script", str(hook)]
    started = [
        subprocess.Popen(
            words,
            env=machine.environment(),
            cwd=machine.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(8)
    ]
    shown = [process.communicate() for process in started]
    assert [out for out, _ in shown] == [b"ran\n"] * 8
    assert machine.wrapped("--script", hook).state == "hit"
    assert [path.name for path in machine.record(hook).parent.iterdir()] == ["hook.py.uv"]


# What differs, and is in docs/uv.md


def test_a_hook_that_dies_by_a_signal_is_seen_to_do_so(machine: Machine) -> None:
    hook = machine.hook("import os\nos.kill(os.getpid(), 15)\n")
    assert machine.uv("--script", hook).status == 128 + 15
    assert machine.recorded("--script", hook).status == -15


def test_the_agent_is_the_parent_of_the_hook(machine: Machine) -> None:
    hook = machine.hook("import os\nprint(os.getpid(), os.getppid())\n")
    machine.recorded("--script", hook)
    words = ["sh", str(WRAPPER), "--uv", "--script", str(hook)]
    with subprocess.Popen(
        words, env=machine.environment(), cwd=machine.work, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        pids = process.stdout.read().split()
    assert pids == [b"%d" % process.pid, b"%d" % os.getpid()]


def test_a_hook_does_not_outlive_what_the_agent_kills(machine: Machine) -> None:
    told = machine.root / "pid"
    text = f"import os, time\nprint(os.getpid(), file=open({str(told)!r}, 'w'))\n"
    hook = machine.hook(text)
    machine.recorded(hook)
    machine.hook(text + "time.sleep(30)\n")
    for words, outlives in ((["uv", "run"], True), (["sh", str(WRAPPER), "--uv"], False)):
        told.unlink()
        process = subprocess.Popen(
            [*words, str(hook)], env=machine.environment(), cwd=machine.work, start_new_session=True
        )
        while not (told.exists() and told.read_text()):
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert is_running(int(told.read_text())) is outlives
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(told.read_text()), signal.SIGKILL)
