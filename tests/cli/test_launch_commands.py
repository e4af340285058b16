"""Launches from the command line, and what is said about them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.cli import launch_commands
from tests.support.launches import User
from tests.support.repositories import write
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path)


def explained(user: User, hook: Path, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    words = launch_commands.wrapper_command(str(hook), [], user.python)
    return launch_commands.explain(words, {**user.environment(), **(env or {})})


def test_the_command_is_our_own_copy_of_the_wrapper_under_sh() -> None:
    shell, script, *rest = launch_commands.wrapper_command("hook.py", ["-x", "a b"], None)
    assert shell == "/bin/sh"
    assert Path(script).name == "hook_wrapper.sh"
    assert rest == ["hook.py", "-x", "a b"]
    assert launch_commands.wrapper_command("hook.py", [], "python3.12")[2:] == [
        "--python=python3.12",
        "hook.py",
    ]


def test_each_path_that_a_launch_takes_is_told_with_its_reason(user: User, tmp_path: Path) -> None:
    hook = write(tmp_path / "hook.py", "raise SystemExit(3)\n")
    assert explained(user, hook) == (3, "miss: the hook was compiled for this launch (no entry)")
    assert explained(user, hook) == (3, "hit: the hook ran from its entry (level 0)")
    user.compile(hook)
    assert explained(user, hook) == (3, "hit: the hook ran from its entry (level 2)")
    status, text = explained(user, hook, {"PYTHONOPTIMIZE": "1"})
    assert status == 3
    assert text.startswith("source: the hook was left to plain Python (")
    status, text = explained(user, hook, {"HOOKS_COMPILE_HOME": str(tmp_path / "none")})
    assert status == 3
    assert text.endswith("because the wrapper found no launcher: hooks-compile runtime")


def test_the_users_own_trace_is_left_alone(user: User, tmp_path: Path) -> None:
    hook = write(tmp_path / "hook.py", "pass\n")
    trace = tmp_path / "trace"
    explained(user, hook, {"HOOKS_COMPILE_TRACE": str(trace)})
    assert not trace.exists()


def test_a_reason_that_is_not_utf8_is_told(user: User, tmp_path: Path) -> None:
    hook = write(tmp_path / os.fsdecode(b"caf\xe9.py"), "pass\n")
    assert explained(user, hook)[1].startswith("miss: ")


def test_death_by_a_signal_is_a_negative_status(user: User, tmp_path: Path) -> None:
    hook = write(tmp_path / "hook.py", "import os; os.kill(os.getpid(), 9)\n")
    assert explained(user, hook)[0] == -signal.SIGKILL


def test_an_interrupt_handler_is_restored_and_not_inherited(user: User, tmp_path: Path) -> None:
    hook = write(
        tmp_path / "hook.py",
        "import signal, sys\n"
        "sys.exit(signal.getsignal(signal.SIGINT) is not signal.default_int_handler)\n",
    )
    before = signal.getsignal(signal.SIGINT)
    assert explained(user, hook)[0] == 0
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGPIPE"][: scaled(2, 3, 3)])
def test_a_signal_is_died_by_and_a_status_is_passed_on(name: str) -> None:
    assert launch_commands.end_like(255) == 255
    number = getattr(signal, name)
    program = f"from hooks_compile.cli.launch_commands import end_like; end_like(-{int(number)})"
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -number


def test_the_wrapper_of_the_command_takes_paths_with_spaces(user: User, tmp_path: Path) -> None:
    hook = write(tmp_path / "a directory" / "the hook.py", "import sys; print(sys.argv[1:])\n")
    words = launch_commands.wrapper_command(str(hook), ["a b", ""], user.python)
    done = user.run(["sh", "-c", shlex.join(words)])
    assert done.stdout == b"['a b', '']\n"
