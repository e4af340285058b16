"""Launches of hooks by a user's launcher or wrapper, and what became of each.

A ``User`` has a runtime directory of their own and the interpreter that runs their hooks. A test
may have several: each is another machine, with another key.
"""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.entries.compiler import Compiler
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.launcher import entry
from hooks_compile.model import HookSource, Interpreter
from tests.support import interpreters_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hooks_compile.model import CompileResult, Imports, Optimize
    from tests.support.interpreters_found import Found

WRAPPER = Path(wrapper.__file__).parent.with_name("launcher") / wrapper.NAME
CACHE_DIRECTORY = entry.CACHE_DIRECTORY
TIMEOUT_S = 100
# Without site a launch takes half the time, and does the same things in the same order.
BARE = ("-I", "-S")

_PROBE = (
    "import sys, _imp, importlib.util as u; print(sys.implementation.cache_tag, "
    "u.MAGIC_NUMBER.hex(), _imp.source_hash(0, b'hooks-compile').hex())"
)
_PR_CAPBSET_DROP = 24
_CAPABILITIES = 64


@dataclass(frozen=True, slots=True)
class Launched:
    """What a launch showed; ``state`` is ``hit``, ``miss`` or ``source``, and "" where no launcher
    ran; ``reason`` says why; ``resumed``: a snapshot was resumed."""

    status: int
    stdout: bytes
    stderr: bytes
    state: str = ""
    reason: str = ""
    resumed: bool = False

    @property
    def shown(self) -> tuple[int, bytes, bytes]:
        """What a person or an agent sees of it."""
        return self.status, self.stdout, self.stderr


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who compiles and launches hooks on a machine of their own."""

    interpreter: Interpreter
    runtime: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, directory: Path, found: Found | None = None) -> User:
        """Give a new user a runtime directory in ``directory``, ready to launch."""
        runtime = directory / "runtime"
        runtime_directory.ensure(runtime)
        return cls(interpreter_record(found or default_interpreter()), runtime)

    @property
    def key(self) -> bytes:
        """The user's secret."""
        return runtime_directory.read_key(self.runtime)

    @property
    def python(self) -> str:
        """The path of the interpreter's binary."""
        return str(self.interpreter.executable)

    def environment(self) -> dict[str, str]:
        """What this user's processes see."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
            "HOOKS_COMPILE_HOME": str(self.runtime),
            **self.env,
        }

    def with_env(self, **env: str) -> User:
        """The same user with more in the environment."""
        return replace(self, env={**self.env, **env})

    def source(
        self, script: str | Path, *arguments: str, flags: Sequence[str] = (), **how: object
    ) -> Launched:
        """``python3 SCRIPT ARGS`` without any of us."""
        return self.run([self.python, *flags, str(script), *arguments], **how)  # type: ignore[arg-type]

    def launch(
        self, script: str | Path, *arguments: str, flags: Sequence[str] = BARE, **how: object
    ) -> Launched:
        """The same through the launcher."""
        launcher = str(self.runtime / "launch.py")
        return self.run([self.python, *flags, launcher, str(script), *arguments], **how)  # type: ignore[arg-type]

    def wrapped(self, script: str | Path, *arguments: str, **how: object) -> Launched:
        """The same through the wrapper, under ``sh``."""
        words = ["sh", str(WRAPPER), f"--python={self.python}", str(script), *arguments]
        return self.run(words, **how)  # type: ignore[arg-type]

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: bytes = b"",
        before: Callable[[], None] | None = None,
    ) -> Launched:
        """Run a command as this user; ``before`` is called in the new process."""
        with tempfile.TemporaryDirectory(prefix="hooks-trace-") as directory:
            trace = Path(directory, "trace")
            done = subprocess.run(
                words,
                cwd=cwd,
                env={"HOOKS_COMPILE_TRACE": str(trace), **self.environment()},
                input=stdin,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
                preexec_fn=before,
            )
            text = trace.read_text(errors="surrogateescape") if trace.exists() else ""
        lines = text.split("\n")[:-1] or [text]
        assert len(lines) <= 1, f"one launch, several trace lines: {lines}"
        line = lines[0].removeprefix("resumed\t")
        state, reason, *_ = (*line.split("\t"), "", "")  # a full disk tears the line
        resumed = line != lines[0]
        return Launched(done.returncode, done.stdout, done.stderr, state, reason, resumed)

    def compile(
        self, *paths: Path, optimize: Optimize = "auto", imports: Imports = "as-written"
    ) -> list[CompileResult]:
        """Compile hooks as ``hooks-compile compile`` does."""
        with Compiler([self.interpreter], self.key, optimize) as compiler:
            return compiler.compile([HookSource(path, imports=imports) for path in paths])

    def compile_modules(self, *paths: Path) -> list[CompileResult]:
        """Compile local modules as ``hooks-compile compile`` does."""
        with Compiler([self.interpreter], self.key) as compiler:
            return compiler.modules([HookSource(path) for path in paths], write=True)

    def entry_path(self, hook: Path, level: int, source: bytes | None = None) -> Path:
        """Where the launcher looks for the entry of ``source`` (default: as it is now)."""
        content = hook.read_bytes() if source is None else source
        names = entry.entry_names(self.key, content, hook.name, self.interpreter.cache_tag)
        return hook.parent / CACHE_DIRECTORY / names[level]


@functools.cache
def default_interpreter() -> Found:
    """The interpreter of most tests: our own version, so that compiling needs no process."""
    for found in interpreters_found.found():
        if found.is_cpython and found.version == sys.version_info[:3]:
            return found
    return pytest.skip(f"Python {sys.version} is only there as a virtual environment")


@functools.cache
def interpreter_record(found: Found) -> Interpreter:
    """What the tool knows of an interpreter."""
    answer = subprocess.run(
        [found.executable, "-I", "-S", "-c", _PROBE],
        capture_output=True,
        text=True,
        check=True,
        env=interpreters_found.clean_environment(),
    )
    tag, magic, hash_check = answer.stdout.split()
    return Interpreter(
        str(found.executable),
        found.executable,
        found.implementation,
        found.version,
        tag,
        magic,
        hash_check,
    )


def entries(directory: Path) -> list[Path]:
    """The entries of the hooks in ``directory``."""
    return sorted((directory / CACHE_DIRECTORY).glob("*.pyc"))


def leftovers(directory: Path) -> list[Path]:
    """Drafts of files that a writer did not finish, anywhere below ``directory``."""
    return sorted(path for path in directory.rglob(".*") if path.suffix == ".tmp")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def as_ordinary_user() -> Callable[[], None] | None:
    """What takes root's power over permissions from a new process; None where we have none.

    The process keeps its user id, so that files are still its own.
    """
    if os.geteuid() != 0:
        return None
    if sys.platform != "linux":
        pytest.skip("run the tests as an ordinary user: root may do everything")
    libc = _libc()

    def drop() -> None:
        for capability in range(_CAPABILITIES):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)

    return drop


def require_root() -> None:
    """Skip a test that gives files to another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
