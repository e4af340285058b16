"""The machine: runtime directory, snapshots, and the variables that change a launch."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import note, ok, problem, problem_of
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.files import refusal
from hooks_compile.install import runtime_directory
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hooks_compile.doctor.findings import Finding

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
    done = subprocess.run(
        ["/bin/sh", "-c", "exec /usr/bin/env"], env=env, capture_output=True, check=True
    )
    kept = {line.partition("=")[0] for line in os.fsdecode(done.stdout).splitlines()}
    if dropped := sorted(env.keys() - kept):
        text = "sh drops these variables, so a hook on the wrapper does not see them: "
        remedy = "use letters, digits and _ in their names; for functions: export -nf NAME"
        yield note(text + ", ".join(dropped), remedy)
