"""The interpreters that run the hooks: do they start, how, and how fast?"""

from __future__ import annotations

from pathlib import Path
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

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules


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


def check_python(interpreter: Interpreter, rules: Rules, rounds: int) -> Iterator[Finding]:
    """Say how long an interpreter takes to start, and which files cost time then."""
    path = shown(interpreter.executable)
    name = f"{interpreter.label} ({path})"
    try:
        files = start_files.measure(interpreter, rules.env, rounds)
    except InterpreterError as error:
        remedy = f"remove what raises the error that this shows: {quote(path)} -c pass"
        yield Finding(PROBLEM, f"{name} does not start: {error.cause}", remedy)
        return
    start = Start([str(interpreter.executable), "-c", "pass"])
    (times,) = time_in_turn([start], cwd=Path("/"), env=rules.env, rounds=rounds)
    yield Finding(OK, f"{name} starts in {min(times) * 1000:.0f} ms")
    yield from start_files.describe(files, interpreter)
    if interpreter.implementation == "cpython" and interpreter.version[:2] > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        text = f"{name} is newer than {newest}: launches import nothing ahead and do not end early"
        yield Finding(NOTE, text)


def check_shim(interpreter: Interpreter, runtime: Path, rules: Rules) -> Iterator[Finding]:
    """Say whether launches ask a shim for this interpreter."""
    env = shims.outside_of_shims(rules.env)
    bypass = shims.bypass_of(runtime, interpreter.command, cwd=rules.cwd, env=env)
    if bypass is not None and bypass.binary:
        yield Finding(OK, str(bypass))
    elif bypass is not None:
        remedy = f'export PATH={quote(str(interpreter.executable.parent))}:"$PATH"'
        yield Finding(NOTE, str(bypass), f"{remedy}  # in the shell that starts the agent")
