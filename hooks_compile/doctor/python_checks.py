"""The interpreters that run the hooks: do they start, how, and how fast?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.doctor import start_files
from hooks_compile.doctor.findings import Finding, note, ok, problem, problem_of
from hooks_compile.errors import InterpreterError, pasted
from hooks_compile.interpreters import shims
from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.project.selection import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules


def find_pythons(project: Project, rules: Rules) -> tuple[list[Interpreter], list[Finding]]:
    """Return the interpreters that hooks run under, and findings for those that can't be used.

    An interpreter is returned for each command that starts it.
    """
    found, failures = [], []
    for record, interpreter, error, is_named in attempts(project, rules):
        if interpreter is not None:
            found.append(interpreter)
        elif record is not None:
            text = f"hooks ran under {record.executable}, which can't be run any more"
            failures.append(note(text, f"rm {pasted(record.note)}"))
        # the check of the commands names one that is not there
        elif error is not None and (error.path or not is_named):
            failures.append(problem_of(error))
    return found, failures


def check_python(interpreter: Interpreter, rules: Rules, rounds: int) -> Iterator[Finding]:
    """Say how long an interpreter takes to start, and which files cost time then."""
    path = interpreter.executable
    name = f"{interpreter.label} ({path})"
    try:
        files = start_files.measure(interpreter, rules.env, rounds)
    except InterpreterError as error:
        remedy = f"remove what raises the error that this shows: {pasted(path)} -c pass"
        yield problem(f"{name} does not start: {error.cause}", remedy)
        return
    start = Start([str(path), "-c", "pass"])
    (times,) = time_in_turn([start], cwd=Path("/"), env=rules.env, rounds=rounds)
    yield ok(f"{name} starts in {min(times) * 1000:.0f} ms")
    yield from start_files.describe(files, interpreter)
    if interpreter.implementation == "cpython" and interpreter.version[:2] > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        yield note(
            f"{name} is newer than {newest}: launches import nothing ahead and do not end early"
        )


def check_shim(interpreter: Interpreter, runtime: Path, rules: Rules) -> Iterator[Finding]:
    """Say whether launches ask a shim for this interpreter."""
    env = shims.outside_of_shims(rules.env)
    bypass = shims.bypass_of(runtime, interpreter.command, cwd=rules.cwd, env=env)
    if bypass is not None and bypass.binary:
        yield ok(str(bypass))
    elif bypass is not None:
        remedy = f'export PATH={pasted(interpreter.executable.parent)}:"$PATH"'
        yield note(str(bypass), f"{remedy}  # in the shell that starts the agent")
