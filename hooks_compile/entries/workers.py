"""Workers: a source is compiled by the interpreter that will run it."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from hooks_compile.errors import InterpreterError, pasted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.model import Interpreter
    from hooks_compile.runtime.worker import Finding, Job, Outcome


class Worker(Protocol):
    """What compiles for one interpreter: the functions of ``runtime/worker.py``."""

    def check(self, key: bytes, paths: Sequence[str]) -> list[Finding]:
        """See :func:`hooks_compile.runtime.worker.check`."""

    def compile_all(self, key: bytes, jobs: Sequence[Job], write: bool) -> list[Outcome]:
        """See :func:`hooks_compile.runtime.worker.compile_all`."""

    def compile_modules(self, key: bytes, paths: Sequence[str], write: bool) -> list[Outcome]:
        """See :func:`hooks_compile.runtime.worker.compile_modules`."""


def is_own(interpreter: Interpreter) -> bool:
    """Tell whether our own interpreter makes the same entries as ``interpreter``."""
    import _imp  # noqa: PLC0415 - only here, and private
    from _frozen_importlib_external import MAGIC_NUMBER  # noqa: PLC0415 - importlib.util is slow

    if "no_debug_ranges" in sys._xoptions or "PYTHONNODEBUGRANGES" in os.environ:
        return False  # our code would tell no columns
    own_hash = _imp.source_hash(0, b"hooks-compile")
    return interpreter.abi == (
        sys.implementation.cache_tag,
        MAGIC_NUMBER.hex(),
        own_hash.hex(),
    )


class Subprocess:
    """A worker process of an interpreter; ``close`` or the end of a with statement ends it."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Start ``runtime/worker.py``. Raises InterpreterError where the binary can't be run."""
        self._interpreter = interpreter
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        script = Path(__file__).parent.with_name("runtime") / "worker.py"
        try:
            return subprocess.Popen(
                [self._interpreter.executable, "-I", "-S", "-B", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                cwd="/",
                process_group=0,  # ^C in a terminal is for us: without requests the worker ends
            )
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from error

    def __enter__(self) -> Self:
        """Return the worker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process: without requests it has nothing left to do."""
        self._process.communicate()

    def check(self, key: bytes, paths: Sequence[str]) -> list[Finding]:
        """See :class:`Worker`. Raises InterpreterError where the process died."""
        return cast("list[Finding]", self._ask("check", key, list(paths)))

    def compile_all(self, key: bytes, jobs: Sequence[Job], write: bool) -> list[Outcome]:
        """See :class:`Worker`. Raises InterpreterError where the process can't be run."""
        return self._compile("compile_all", key, list(jobs), write)

    def compile_modules(self, key: bytes, paths: Sequence[str], write: bool) -> list[Outcome]:
        """See :class:`Worker`. Raises InterpreterError where the process can't be run."""
        return self._compile("compile_modules", key, list(paths), write)

    def _compile(self, function: str, key: bytes, items: list[Any], write: bool) -> list[Outcome]:
        """Compile all, and where a source makes the interpreter crash, the others nevertheless.

        Before 3.11 CPython does so for some that are nested too deeply.
        """
        try:
            return cast("list[Outcome]", self._ask(function, key, items, write))
        except InterpreterError:
            status = self._process.wait()
            self.close()
            self._process = self._start()
            self.check(key, [])  # or it is the interpreter itself that can't be run
        if len(items) > 1:
            return [part for item in items for part in self._compile(function, key, [item], write)]
        message = f"the interpreter crashes when it compiles this (status {status})"
        return [("broken", "", "", ("Crash", message, None, None, None))]

    def _ask(self, function: str, *arguments: Any) -> Any:
        request = marshal.dumps((function, arguments), 2)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - both are pipes, see __init__
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(len(request).to_bytes(4, "little") + request)
            stdin.flush()
            size = stdout.read(4)
            reply = stdout.read(int.from_bytes(size, "little"))
        except BrokenPipeError:
            size, reply = b"", b""
        if len(size) < 4 or len(reply) < int.from_bytes(size, "little"):
            raise self._failure(f"it ended with status {self._process.wait()} while compiling")
        return marshal.loads(reply)  # noqa: S302 - from our own child

    def _failure(self, cause: str) -> InterpreterError:
        return InterpreterError(
            f"the interpreter can't compile: {cause}",
            path=self._interpreter.executable,
            remedy=f"{pasted(self._interpreter.executable)} -I -S -c pass",
        )


def _environment() -> dict[str, str]:
    # -I keeps PYTHON* out, so that nothing but the interpreter and the source decides the code
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
