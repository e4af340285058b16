"""Results of compilations, made by hand."""

from __future__ import annotations

from pathlib import Path

from hooks_compile.model import (
    CompileResult,
    HookSource,
    Interpreter,
    LevelChoice,
    SourceError,
    State,
)

HOOKS = Path("/repo/.claude/hooks")
NEW_PYTHON = Interpreter("python3", Path("/bin/py13"), "cpython", (3, 13, 0), "cpython-313", "", "")
OLD_PYTHON = Interpreter("python3.8", Path("/bin/py8"), "cpython", (3, 8, 18), "cpython-38", "", "")
CHOICE = LevelChoice(2, "nothing depends on the level")


def fine(
    name: str = "guard.py",
    content: str = "a",
    state: State = State.COMPILED,
    python: Interpreter = NEW_PYTHON,
) -> CompileResult:
    """A source that is compiled; ``content`` stands for what is in it."""
    entry = HOOKS / "__pycache_opt__" / f"{name}.{python.cache_tag}.{content}.pyc"
    return CompileResult(HookSource(HOOKS / name), python, CHOICE, state, entry)


def broken(
    name: str = "guard.py", line: int = 3, python: Interpreter = NEW_PYTHON
) -> CompileResult:
    """A source that does not compile."""
    error = SourceError("SyntaxError", "'(' was never closed", line, 6, "  print(1\n")
    return CompileResult(HookSource(HOOKS / name), python, CHOICE, State.BROKEN, error=error)


def blocked(state: State, detail: str, name: str = "guard.py") -> CompileResult:
    """A source that can't be read, or whose entry can't be written."""
    return CompileResult(HookSource(HOOKS / name), NEW_PYTHON, CHOICE, state, detail=detail)
