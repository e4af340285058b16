"""A run on both sides: from its source, and launched in every state that an entry can be in.

``cold``      no entry: the launcher reports ``miss``
``primed``    launched before with the same content: the launcher reports ``hit``; if Python is told
              to write no bytecode, the launch before left no entry, and it is the tool's
``compiled``  compiled by the tool, at the level that it chose: the launcher reports ``hit``
``damaged``   an entry with lost or foreign bytes: the launcher does not report ``hit``

Both sides get the same environment, and each process a fresh copy of the directory at one and the
same path, so that nothing has to be masked but addresses. What is known to differ is asserted in
``test_known_differences.py``, not masked here.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from hooks_compile.entries.compiler import Compiler
from hooks_compile.install.runtime_directory import read_key
from hooks_compile.model import HookSource
from tests.conformance.compare import differences, not_as_told, traces
from tests.conformance.files import DAMAGES, damage, keep_entries, lay, wipe
from tests.support import interpreters_found
from tests.support.launches import interpreter_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.conformance.bench import Bench, Launched, Outcome
    from tests.conformance.model import Case, Run, State
    from tests.support.interpreters_found import Found

STATES: tuple[State, ...] = ("cold", "primed", "damaged", "compiled")


def problems(
    bench: Bench, case: Case, run: Run, states: Sequence[State], compiled: Path, rotation: int = 0
) -> list[str]:
    """Run it on both sides and return all that differs, for a person to read.

    ``compiled`` holds the entries that the tool made for the case, ``rotation`` chooses the kind of
    damage.
    """
    launch = (str(bench.runtime / "launch.py"),)
    expected = bench.source(case, run)
    found = [f"{_name(run)}: {text}" for text in not_as_told(run, expected)]
    made_by_launch = bench.work.with_name(f"{bench.work.name}.made")
    for state in states:
        entries: Path | None = None
        if state in ("primed", "damaged"):
            entries = made_by_launch
        if state == "damaged":
            damage(made_by_launch, DAMAGES[rotation % len(DAMAGES)])
        if state == "compiled":
            entries = compiled
        launched = bench.launch(case, run, launch, entries)
        if state == "cold":
            shutil.rmtree(made_by_launch, ignore_errors=True)
            made = bench.stash if writes_bytecode(run, bench) else compiled
            shutil.copytree(made, made_by_launch, symlinks=True)
            if made is compiled and [*bench.stash.rglob("*.pyc")]:
                found.append(f"{_name(run)}: a launch without bytecode stored an entry")
        found += _wrong(run, state, expected, launched, bench)
    return found


def _wrong(
    run: Run, state: State, expected: Outcome, launched: Launched, bench: Bench
) -> list[str]:
    found = differences(expected, launched.outcome)
    if len(launched.trace) != 1 or launched.trace[0][0] not in traces(run, state):
        found.append(f"the launcher reports {launched.trace}, not one of {traces(run, state)}")
    where = f"{_name(run)} [{state}] {dict(bench.environment)}"
    return [f"{where}\n{text}" for text in found]


def writes_bytecode(run: Run, bench: Bench) -> bool:
    """Whether Python writes bytecode beside a source: no option and no variable says otherwise."""
    letters = "".join(flag for flag in run.flags if flag[:2] not in ("-W", "-X"))
    variables = {**bench.environment, **run.env}
    names = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    is_set = any(variables.get(name) for name in names) and not {"E", "I"} & set(letters)
    has_option = "B" in letters or any("pycache_prefix=" in flag for flag in run.flags)
    return not is_set and not has_option


def _name(run: Run) -> str:
    argv = [part[:60] for part in run.argv[:8]]
    return f"python3 {' '.join([*run.flags, *argv])!a} {dict(run.env) or ''} {run.by_sh}".strip()


def entries_of_the_tool(
    cases: Iterable[Case],
    interpreter: Found,
    runtime: Path,
    directory: Path,
) -> Path:
    """Compile all scripts of ``cases`` as ``hooks-compile compile`` does, and return the directory
    that has, for each case by its name, the entries to lay into the case's directory."""
    laid, kept = directory / "laid", directory / "kept"
    scripts: set[Path] = set()
    for case in cases:
        root = laid / case.name
        lay(root, case.files)
        for run in case.runs:
            script = run.argv[0].replace("{dir}", str(root))
            path = root / run.cwd / script
            if run.trace != "source" and path.is_file():
                scripts.add(path.resolve())
    record = interpreter_record(interpreter)
    with Compiler([record], read_key(runtime)) as compiler:
        compiler.compile([HookSource(path) for path in sorted(scripts)])
    for case in cases:
        keep_entries(laid / case.name, kept / case.name)
    wipe(laid)
    return kept


def fully_tested(interpreter: Found) -> bool:
    """Whether every run is made under it: the oldest and the newest CPython."""
    versions = [other.version for other in interpreters_found.found() if other.is_cpython]
    return interpreter.is_cpython and interpreter.version in (versions[0], versions[-1])


def is_always_tested(interpreter: Found) -> bool:
    """Whether every case is run under it; each of the others takes its turn."""
    return (
        not interpreter.is_cpython
        or fully_tested(interpreter)
        or interpreter.version[:2] in (sys.version_info[:2], (3, 14))
    )
