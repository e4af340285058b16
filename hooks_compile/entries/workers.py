"""Workers: the interpreter that will run a source also compiles it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hooks_compile.compile_worker.serve import outcome_of, receive, send
from hooks_compile.compile_worker.worker import BROKEN, Order, Outcome, Problem
from hooks_compile.errors import InterpreterError, pasted
from hooks_compile.interpreters.resolve import own_interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.model import Interpreter

# Imports the worker from our installation. What else is installed beside us is only searched behind
# the interpreter's own modules, and not at all any more when the worker runs.
PROGRAM = """\
import sys
sys.path.append(sys.argv[1])
from hooks_compile.compile_worker.serve import main
del sys.path[-1]
main()
"""


def is_own(interpreter: Interpreter) -> bool:
    """Return whether our own interpreter makes the same entries as ``interpreter``."""
    if "no_debug_ranges" in sys._xoptions or "PYTHONNODEBUGRANGES" in os.environ:
        return False  # our code would have no columns
    return interpreter.abi == own_interpreter("", Path(sys.executable)).abi


class Subprocess:
    """A worker process of an interpreter; the end of a with statement ends it."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Start the process. Raises InterpreterError if the binary can't be executed."""
        self._executable = interpreter.executable
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        installation = Path(__file__).parent.parent.parent
        # -I keeps PYTHON* out, so that nothing but the interpreter and the source decides the code
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        try:
            return subprocess.Popen(
                [self._executable, "-I", "-S", "-B", "-c", PROGRAM, installation],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=env,
                cwd="/",
                process_group=0,  # ^C in a terminal is for us: without requests the worker ends
            )
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from error

    def __enter__(self) -> Self:
        """Return the worker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process: it does so when no request can come any more."""
        self._process.communicate()

    def perform(self, order: Order, paths: Sequence[str]) -> list[Outcome]:
        """See :func:`hooks_compile.compile_worker.worker.perform`.

        All sources are compiled, even if one of them makes the interpreter crash: CPython before
        3.11 does on some that are nested too deeply. Raises InterpreterError if the interpreter
        can't be run.
        """
        try:
            return self._ask(order, paths)
        except InterpreterError:
            self.__exit__()
            self._process = self._start()
            self._ask(order._replace(only_look=True), [])  # or it can't be run at all
        if len(paths) > 1:
            return [outcome for path in paths for outcome in self.perform(order, [path])]
        crash = Problem("Crash", "the interpreter crashes when it compiles this")
        return [Outcome(BROKEN, problem=crash)]

    def _ask(self, order: Order, paths: Sequence[str]) -> list[Outcome]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - both are pipes, see _start
        assert stdout is not None  # noqa: S101
        try:
            send(stdin, (tuple(order), list(paths)))
            return [outcome_of(parts) for parts in receive(stdout)]
        except (BrokenPipeError, EOFError):
            status = self._process.wait()
            raise self._failure(f"it ended with status {status} while compiling") from None

    def _failure(self, cause: str) -> InterpreterError:
        return InterpreterError(
            f"the interpreter can't compile: {cause}",
            path=self._executable,
            remedy=f"{pasted(self._executable)} -I -S -c pass",
        )
