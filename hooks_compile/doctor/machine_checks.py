"""The machine: the runtime directory, and the variables that change a launch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAKE = "hooks-compile compile"


def check_runtime(runtime: Path) -> Finding:
    """Return what keeps the launcher from working with ``runtime``; it makes the same demands."""
    where, name = f"the runtime directory {shown(runtime)}", quote(shown(runtime))
    own = f'sudo chown -R "$(id -u)" {name}'
    try:
        if not runtime.is_dir():
            remove = f"rm {name} && " if runtime.exists() else ""
            text = f"{where} is not there, so hooks run from their sources"
            return Finding(PROBLEM, text, f"{remove}{_MAKE}")
        for path in (runtime, *runtime.glob("*.py")):
            if path.stat().st_uid != os.geteuid():
                text = f"{shown(path)} belongs to another user, so the launcher does not run"
                return Finding(PROBLEM, text, own)
        runtime_directory.read_key(runtime)
        outdated = runtime_directory.outdated(runtime)
    except RuntimeDirectoryError as error:
        return Finding(PROBLEM, f"{shown(error.path or runtime)}: {error.cause}", error.remedy)
    except OSError as error:
        return Finding(PROBLEM, f"{where} can't be read: {error}", own)
    names = ", ".join(path.name for path in outdated)
    if outdated:
        return Finding(PROBLEM, f"{where} lacks files of this version: {names}", _MAKE)
    return Finding(OK, f"{where} is private and has a key and the current launcher")


_VARIABLES = (
    (PROBLEM, "PYTHONOPTIMIZE", "Python starts with -O, and hooks run from their sources"),
    (PROBLEM, "HOOKS_COMPILE", "with the value off, hooks run from their sources"),
    (NOTE, "HOOKS_COMPILE_NORMAL_EXIT", "Python itself ends each hook, which takes longer"),
    (NOTE, "PYTHONDONTWRITEBYTECODE", "no launch stores what it compiles, of hooks or modules"),
    (NOTE, "PYTHONNODEBUGRANGES", "a hook that has to be compiled at its launch is not stored"),
    (NOTE, "PYTHONPYCACHEPREFIX", "Python does not look beside hooks for compiled modules"),
    (NOTE, "PYTHONWARNINGS", "hooks whose compilation gives warnings run from their sources"),
    (NOTE, "PYTHONDEVMODE", "hooks whose compilation gives warnings run from their sources"),
    (NOTE, "PYTHONUNBUFFERED", "each print of a hook is written on its own, which takes longer"),
)


def check_variables(env: Mapping[str, str]) -> list[Finding]:
    """Name the variables that make launches slower, or turn hooks-compile off."""
    return [
        Finding(level, f"{name} is set here: {effect}", f"unset {name}")
        for level, name, effect in _VARIABLES
        if _is_active(name, env.get(name, ""))
    ]


def _is_active(name: str, value: str) -> bool:
    if name == "HOOKS_COMPILE":
        return value == "off"
    return value != "" and (name, value) != ("PYTHONOPTIMIZE", "0")


_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = "import os, sys; sys.stdout.buffer.write(b'\\0'.join(os.environb))"


def check_dropped_variables(env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the variables that ``sh`` drops before it starts the hook.

    dash keeps only names that are identifiers: no ``my-name``, and no ``BASH_FUNC_name%%``, in
    which bash exports a function.
    """
    unusual = {name for name in env if not _IDENTIFIER.fullmatch(name)}
    if not unusual:
        return
    words = ["/bin/sh", "-c", 'exec "$0" -I -S -c "$1"', sys.executable, _NAMES]
    done = subprocess.run(
        words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True
    )
    dropped = unusual - {os.fsdecode(name) for name in done.stdout.split(b"\0")}
    if dropped:
        names = ", ".join(one_line(name) for name in sorted(dropped))
        text = f"sh drops these variables, so a hook on the wrapper does not see them: {names}"
        remedy = "use letters, digits and _ in their names; for functions: export -nf NAME"
        yield Finding(NOTE, text, remedy)
