"""The machine: runtime directory, snapshots, and the variables that change a launch."""

from __future__ import annotations

import os
import re
import subprocess
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.printable import one_line, shown
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAKE = "hooks-compile compile"


def check_runtime(runtime: Path) -> Finding:
    """Return what keeps the launcher from working with ``runtime``; it makes the same demands."""
    where = f"the runtime directory {shown(runtime)}"
    try:
        if not runtime.exists():
            return Finding(PROBLEM, f"{where} is missing, so hooks run from their sources", _MAKE)
        runtime_directory.read_key(runtime)
        outdated = runtime_directory.outdated(runtime)
    except RuntimeDirectoryError as error:
        return Finding(PROBLEM, f"{shown(error.path or runtime)}: {error.cause}", error.remedy)
    except OSError as error:
        remedy = f'sudo chown -R "$(id -u)" {quote(shown(runtime))}'
        return Finding(PROBLEM, f"{where} can't be read: {error}", remedy)
    if outdated:
        names = ", ".join(path.name for path in outdated)
        return Finding(PROBLEM, f"{where} lacks files of this version: {names}", _MAKE)
    return Finding(OK, f"{where} is private and has a key and the current launcher")


def check_snapshots(runtime: Path) -> Iterator[Finding]:
    """Name the hooks that crashed after they were resumed from a snapshot, and what is on."""
    snapshots = Store(runtime)
    for record in snapshots.crashes():
        signal, _, script = record.read_text("utf-8", "replace").partition("\t")
        text = f"{one_line(script)}: it died of signal {signal} when it was resumed"
        remedy = "hooks-compile snapshot on  # forgets it; or: hooks-compile snapshot off"
        yield Finding(PROBLEM, text, remedy)
    if snapshots.is_on:
        size = f"{snapshots.size() >> 20} of {snapshots.limit_mb} MB"
        yield Finding(OK, f"snapshots are on: {len(snapshots.snapshots())}, {size}")


_WARNINGS = "hooks whose compilation gives warnings run from their sources"
_VARIABLES = (
    (PROBLEM, "PYTHONOPTIMIZE", "Python starts with -O, and hooks run from their sources"),
    (NOTE, "HOOKS_COMPILE_NORMAL_EXIT", "Python itself ends each hook, which takes longer"),
    (NOTE, "PYTHONDONTWRITEBYTECODE", "no launch stores what it compiles, of hooks or modules"),
    (NOTE, "PYTHONPYCACHEPREFIX", "Python does not look beside hooks for compiled modules"),
    (NOTE, "PYTHONWARNINGS", _WARNINGS),
    (NOTE, "PYTHONDEVMODE", _WARNINGS),
)


def check_variables(env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the variables that make launches slower, or turn hooks-compile off."""
    if env.get("HOOKS_COMPILE") == "off":
        text = "HOOKS_COMPILE is set here: with the value off, hooks run from their sources"
        yield Finding(PROBLEM, text, "unset HOOKS_COMPILE")
    for level, name, effect in _VARIABLES:
        if env.get(name) and (name, env[name]) != ("PYTHONOPTIMIZE", "0"):
            yield Finding(level, f"{name} is set here: {effect}", f"unset {name}")


def check_dropped_variables(env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the variables that ``sh`` drops before it starts the hook.

    dash keeps only names that are identifiers: no ``my-name``, and no ``BASH_FUNC_name%%``, in
    which bash exports a function.
    """
    unusual = {name: env[name] for name in env if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)}
    if not unusual:
        return
    words = ["/bin/sh", "-c", "exec env"]
    done = subprocess.run(words, env=unusual, capture_output=True, check=True)
    kept = {line.partition("=")[0] for line in os.fsdecode(done.stdout).splitlines()}
    if dropped := sorted(map(one_line, unusual.keys() - kept)):
        text = "sh drops these variables, so a hook on the wrapper does not see them: "
        remedy = "use letters, digits and _ in their names; for functions: export -nf NAME"
        yield Finding(NOTE, text + ", ".join(dropped), remedy)
