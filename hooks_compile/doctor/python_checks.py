"""The interpreters that run the hooks: do they start, how, and how fast?"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.doctor import start_files
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters import shims
from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.printable import shown
from hooks_compile.project.selection import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules

_ROUNDS = 5


def find_pythons(project: Project, rules: Rules) -> tuple[list[Interpreter], list[Finding]]:
    """Return the interpreters that hooks run under, and findings for those that can't be used.

    An interpreter is returned for each command that starts it.
    """
    found: list[Interpreter] = []
    failures = []
    for record, interpreter, error, is_named in attempts(project, rules):
        if interpreter is not None:
            if record is None or all(interpreter.executable != each.executable for each in found):
                found.append(interpreter)
        elif is_named and error is not None:
            text = f"a command of an agent can't start its hook: {error.cause}"
            failures.append(
                Finding(PROBLEM, text, "hooks-compile init --dry-run  # shows commands")
            )
        elif record is not None:
            text = f"hooks ran under {shown(record.executable)}, which can't be run any more"
            failures.append(Finding(NOTE, text, f"rm {quote(shown(record.note))}"))
        elif error is not None:
            where = f"{shown(error.path)}: " if error.path else ""
            failures.append(Finding(PROBLEM, f"{where}{error.cause}", error.remedy))
    return found, failures


def check_python(interpreter: Interpreter, rules: Rules, budget: float) -> Iterator[Finding]:
    """Say how long an interpreter takes to start, and which files run code then.

    After ``budget`` seconds nothing is measured again.
    """
    name = f"{interpreter.label} ({shown(interpreter.executable)})"
    try:
        took, files = start_files.measure(interpreter, rules.env, budget)
    except InterpreterError as error:
        remedy = f"{quote(shown(interpreter.executable))} -c pass"
        yield Finding(PROBLEM, f"{name} does not start: {error.cause}", remedy)
        return
    yield Finding(OK, f"{name} starts in {_ms(took)}")
    yield from start_files.describe(files, interpreter)
    if interpreter.implementation == "cpython" and interpreter.version[:2] > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        text = f"{name} is newer than {newest}, so launches do without what was tested up to there"
        yield Finding(NOTE, f"{text}: imports ahead, early exit", "pip install -U hooks-compile")


def check_shim(
    interpreter: Interpreter, runtime: Path, rules: Rules, budget: float
) -> Iterator[Finding]:
    """Say whether launches ask a shim for this interpreter, and what that takes."""
    env = shims.outside_of_shims(rules.env)
    bypass = shims.bypass_of(runtime, interpreter.command, cwd=rules.cwd, env=env)
    if bypass is None:
        return
    if bypass.binary:
        yield Finding(OK, str(bypass))
        return
    starts = [
        Start([str(each), "-S", "-c", "pass"]) for each in (interpreter.executable, bypass.shim)
    ]
    times = time_in_turn(starts, cwd=rules.cwd, env=rules.env, rounds=_ROUNDS, budget=budget)
    bare, asked = map(min, times)
    text = f"{bypass}; it takes {_ms(asked - bare)} to find {shown(interpreter.executable)}"
    remedy = f'export PATH={quote(str(interpreter.executable.parent))}:"$PATH"'
    yield Finding(NOTE, text, f"{remedy}  # in the shell that starts the agent")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
