"""The command line tool as a user has it: on PATH, with a home and a ``python3`` of their own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.install import runtime_directory, wrapper
from tests.support.launches import default_interpreter
from tests.support.repositories import write
from tests.support.tiers import coverage_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOK = ".claude/hooks/hook.py"
TIMEOUT_S = 100
# What the tool, the wrapper and the remedies in our messages call.
_COMMANDS = ("chmod", "cat", "git", "head", "id", "ls", "mkdir", "mv", "rm", "sh", "sleep")


@dataclass(frozen=True, slots=True)
class Done:
    """What a process that has ended showed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A user in a directory: ``env`` is all that their processes see."""

    cwd: Path
    env: Mapping[str, str]

    @classmethod
    def create(cls, cwd: Path, directory: Path, python: Path | None = None) -> Tool:
        """Give a user who works in ``cwd`` what they have on PATH, in ``directory``.

        ``python`` is the ``python3`` of a virtual environment; without it ``python3`` leads to the
        interpreter of most tests.
        """
        bin_directory = directory / "bin"
        bin_directory.mkdir()
        for name in _COMMANDS:
            found = shutil.which(name)
            if found is None:
                pytest.fail(f"{name} is needed by the tests")
            (bin_directory / name).symlink_to(found)
        write(
            bin_directory / "hooks-compile",
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hooks_compile "$@"\n',
            executable=True,
        )
        env = {
            "PATH": str(bin_directory),
            "LANG": "C.UTF-8",
            "HOME": str(directory / "user"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOOKS_COMPILE_HOME": str(directory / "runtime"),
            **coverage_variables(),
        }
        tool = cls(cwd, env)
        tool.home.mkdir(exist_ok=True)
        if python is not None:
            return tool.with_environment_of(python)
        tool.link_python(default_interpreter().executable)
        return tool

    @property
    def bin(self) -> Path:
        """The last directory on PATH, and the only one without virtual environments."""
        return Path(self.env["PATH"].rpartition(os.pathsep)[2])

    @property
    def home(self) -> Path:
        """The user's home directory."""
        return Path(self.env["HOME"])

    @property
    def runtime(self) -> Path:
        """The user's runtime directory."""
        return runtime_directory.location(self.env)

    def link_python(self, python: Path) -> None:
        """Let ``python3`` be ``python`` from now on."""
        link = self.bin / "python3"
        link.unlink(missing_ok=True)
        link.symlink_to(python)

    def with_environment_of(self, python: Path) -> Tool:
        """The same user with a virtual environment's ``python3`` as theirs."""
        assert python.name == "python3"
        return self.with_env(PATH=f"{python.parent}{os.pathsep}{self.bin}")

    def with_env(self, **env: str) -> Tool:
        """The same user with more in the environment."""
        return replace(self, env={**self.env, **env})

    def start(self, *words: str | Path, **how: object) -> subprocess.Popen[bytes]:
        """Start ``hooks-compile WORDS``."""
        command = [sys.executable, "-m", "hooks_compile", *words]
        return subprocess.Popen(command, **{"cwd": self.cwd, "env": self.env, **how})  # type: ignore[call-overload, no-any-return]

    def run(self, *words: str | Path, stdin: bytes = b"") -> Done:
        """Run ``hooks-compile WORDS`` to its end."""
        process = self.start(
            *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = process.communicate(stdin, timeout=TIMEOUT_S)
        return Done(process.returncode, _text(out), _text(err))

    def ok(self, *words: str | Path) -> str:
        """Run ``hooks-compile WORDS``, which has to succeed, and return its stdout."""
        done = self.run(*words)
        assert done.status == 0, f"{words}: {done}"
        return done.out

    def shell(self, text: str, stdin: bytes = b"") -> Done:
        """Run what a user pastes into their shell."""
        done = subprocess.run(
            ["sh", "-c", text],
            cwd=self.cwd,
            env=dict(self.env),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        return Done(done.returncode, _text(done.stdout), _text(done.stderr))

    def launch(self, hook: Path | str, *arguments: str) -> tuple[str, Done]:
        """Launch a hook through the wrapper; return ``hit``, ``miss`` or ``source`` and the rest.

        The state is "" where the wrapper found no launcher.
        """
        trace = self.runtime.parent / "trace"
        trace.unlink(missing_ok=True)
        script = Path(wrapper.__file__).parent.with_name("launcher") / wrapper.NAME
        words = shlex.join(["sh", str(script), str(hook), *arguments])
        done = self.with_env(HOOKS_COMPILE_TRACE=str(trace)).shell(words)
        state = trace.read_text().partition("\t")[0] if trace.exists() else ""
        return state, done


def wrapper_of_version(number: int) -> bytes:
    """Our wrapper as another version of hooks-compile would have written it."""
    head = re.compile(rb"wrapper \d+ \([0-9a-f]{16}\)")
    blank = head.sub(b"wrapper %d (0000000000000000)" % number, wrapper.text(), count=1)
    return head.sub(b"wrapper %d (%b)" % (number, wrapper.digest(blank)), blank, count=1)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
