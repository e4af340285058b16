"""The compilers of all trees: trees with the same interpreters share their worker processes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from hooks_compile.entries.compiler import Compiler

if TYPE_CHECKING:
    from hooks_compile.model import Interpreter, Optimize

    Wanted = tuple[tuple[Interpreter, ...], bytes, Optimize]


class Compilers:
    """Opens compilers when they are asked for, and keeps them until :meth:`close`."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._stack = ExitStack()
        self._open: dict[Wanted, Compiler] = {}

    def get(
        self, interpreters: tuple[Interpreter, ...], key: bytes, optimize: Optimize
    ) -> Compiler:
        """Return the compiler for these interpreters, with their processes once they are needed."""
        wanted = (interpreters, key, optimize)
        if wanted not in self._open:
            self._open[wanted] = self._stack.enter_context(Compiler(*wanted))
        return self._open[wanted]

    def close(self) -> None:
        """End all processes; the next :meth:`get` starts anew."""
        self._open.clear()
        self._stack.close()
