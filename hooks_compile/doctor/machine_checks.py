"""The machine: runtime directory, snapshots, variables that change a launch, interpreters."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.doctor import start_files
from hooks_compile.doctor.findings import Finding, note, ok, problem, problem_of
from hooks_compile.errors import InterpreterError, RuntimeDirectoryError, pasted
from hooks_compile.files import refusal
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters import shims
from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.project.selection import attempts
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules

_MAKE = "hooks-compile compile"
_FROM_SOURCE = "hooks run from their sources"
_SLOW_WARNINGS = f"if a hook's compilation gives warnings, {_FROM_SOURCE}"
_VARIABLES = {
    "HOOKS_COMPILE_NORMAL_EXIT": "Python itself ends each hook, which takes longer",
    "PYTHONDONTWRITEBYTECODE": "no launch stores what it compiles, of hooks or modules",
    "PYTHONPYCACHEPREFIX": "Python does not look beside hooks for compiled modules",
    "PYTHONWARNINGS": _SLOW_WARNINGS,
    "PYTHONDEVMODE": _SLOW_WARNINGS,
}


def check_runtime(runtime: Path) -> Finding:
    """Return what keeps the launcher from working with ``runtime``; it makes the same demands."""
    where = f"the runtime directory {runtime}"
    try:
        if not runtime.exists():
            return problem(f"{where} is missing, so {_FROM_SOURCE}", _MAKE)
        runtime_directory.read_key(runtime)
        outdated = runtime_directory.outdated(runtime)
    except RuntimeDirectoryError as error:
        return problem_of(error)
    except OSError as error:
        return problem_of(refusal(error))
    if outdated:
        names = ", ".join(path.name for path in outdated)
        return problem(f"{where} lacks files of this version: {names}", _MAKE)
    return ok(f"{where} is private and has a key and the current launcher")


def check_snapshots(runtime: Path) -> Iterator[Finding]:
    """Name the hooks that crashed after they were resumed from a snapshot, and what is on."""
    snapshots = Store(runtime)
    for record in snapshots.crashes():
        signal, _, script = record.read_text("utf-8", "replace").partition("\t")
        yield problem(
            f"{script}: it died of signal {signal} when it was resumed",
            "hooks-compile snapshot on  # forgets it; or: hooks-compile snapshot off",
        )
    if snapshots.is_on:
        size = f"{snapshots.size() >> 20} of {snapshots.limit_mb} MB"
        yield ok(f"snapshots are on: {len(snapshots.snapshots())}, {size}")


def check_variables(env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the variables that make launches slower, turn hooks-compile off, or are lost."""
    if env.get("HOOKS_COMPILE") == "off":
        yield problem(f"HOOKS_COMPILE is off here: {_FROM_SOURCE}", "unset HOOKS_COMPILE")
    if env.get("PYTHONOPTIMIZE", "0") not in ("", "0"):
        text = f"PYTHONOPTIMIZE is set here: Python starts with -O, and {_FROM_SOURCE}"
        yield problem(text, "unset PYTHONOPTIMIZE")
    for name, effect in _VARIABLES.items():
        if env.get(name):
            yield note(f"{name} is set here: {effect}", f"unset {name}")
    # dash keeps only names that are identifiers, so no function that bash has exported
    words = ["/bin/sh", "-c", "exec /usr/bin/env"]
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    kept = {line.partition("=")[0] for line in os.fsdecode(done.stdout).splitlines()}
    if kept and (dropped := sorted(env.keys() - kept)):
        text = "sh drops these variables, so a hook on the wrapper does not see them: "
        remedy = "use letters, digits and _ in their names; for functions: export -nf NAME"
        yield note(text + ", ".join(dropped), remedy)


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
