"""The interpreters that run the hooks: do they start, how, and how fast?"""

from __future__ import annotations

import json
import subprocess
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.interpreters import shims
from hooks_compile.printable import shown
from hooks_compile.project.selection import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project
    from hooks_compile.project.selection import Rules

# The time that a Python gets to reach its first line. It is no measurement.
_PATIENCE_S = 5
# ``site`` alone takes a third to a half of what the bare interpreter takes.
_SLOW_SITE = 0.8

# Runs in the hook's interpreter, in /, so that nothing of the project is imported.
_PROBE = r"""
import glob, json, os, pathlib, re, site, sys
acting = [getattr(sys.modules.get(name), "__file__", None)
          for name in ("sitecustomize", "usercustomize")]
users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
for directory in site.getsitepackages() + users:
    for path in sorted(glob.glob(os.path.join(glob.escape(directory), "*.pth"))):
        if re.search(rb"^(\xef\xbb\xbf)?import[ \t]", pathlib.Path(path).read_bytes(), re.M):
            acting.append(path)
print(json.dumps(list(filter(None, acting))))
"""


class Measuring(NamedTuple):
    """How often each start is measured, and when to end at the latest, in seconds."""

    rounds: int
    budget: float


def find_pythons(project: Project, rules: Rules) -> tuple[list[Interpreter], list[Finding]]:
    """Return the interpreters that hooks run under, and findings for those that can't be used."""
    found: dict[Path, Interpreter] = {}
    failures = []
    for record, interpreter, error in attempts(project, rules):
        if interpreter is not None:
            found.setdefault(interpreter.executable, interpreter)
        elif record is not None:
            text = f"hooks ran under {shown(record.executable)}, which can't be run any more"
            failures.append(Finding(NOTE, text, f"rm {quote(shown(record.note))}"))
        elif error is not None:
            where = f"{shown(error.path)}: " if error.path else ""
            failures.append(Finding(PROBLEM, f"{where}{error.cause}", error.remedy))
    return list(found.values()), failures


def check_abis(interpreters: Sequence[Interpreter]) -> list[Finding]:
    """Say whether hooks run under interpreters that share no entries."""
    if len({interpreter.abi for interpreter in interpreters}) < 2:
        return []
    names = ", ".join(map(_name, interpreters))
    text = f"hooks run under interpreters that share no entries, so all compile each edit: {names}"
    return [Finding(NOTE, text, "launch them all with one: hook_wrapper.sh --python=CMD HOOK")]


def _name(interpreter: Interpreter) -> str:
    return f"{interpreter.label} ({shown(interpreter.executable)})"


def check_python(interpreter: Interpreter, rules: Rules, measuring: Measuring) -> Iterator[Finding]:
    """Say whether an interpreter starts, and which files make that slow."""
    name, binary = _name(interpreter), quote(shown(interpreter.executable))
    acting = _files_that_act(interpreter, rules.env)
    if isinstance(acting, str):
        yield Finding(PROBLEM, f"{name} does not start: {acting}", f"{binary} -c pass")
        return
    executable = str(interpreter.executable)
    times = _fastest([[executable, "-S"], [executable]], rules, measuring)
    if not times:
        text = f"{name} takes so long to start that it was not measured"
        yield Finding(NOTE, text, f"time {binary} -X importtime -c pass")
        return
    bare, full = times
    yield Finding(OK, f"{name} starts in {_ms(full)}")
    if acting and full - bare > _SLOW_SITE * bare:
        text = (
            f"{name} spends {_ms(full - bare)} of each start before a hook's first line, in which "
            f"these files run: {', '.join(acting)}"
        )
        yield Finding(NOTE, text, f"find the slow one: {binary} -X importtime -c pass")


def check_shim(
    interpreter: Interpreter, runtime: Path, rules: Rules, measuring: Measuring
) -> list[Finding]:
    """Say whether launches ask a shim for this interpreter, and what that takes."""
    env = shims.outside_of_shims(rules.env)
    bypass = shims.bypass_of(runtime, interpreter.command, cwd=rules.cwd, env=env)
    if bypass is None:
        return []
    if bypass.binary:
        return [Finding(OK, str(bypass))]
    commands = [[str(interpreter.executable), "-S"], [str(bypass.shim), "-S"]]
    times = _fastest(commands, rules, measuring)
    took = _ms(times[1] - times[0]) if times else "too long"
    text = f"{bypass}; it takes {took} to find {interpreter.executable}"
    remedy = f'export PATH={quote(str(interpreter.executable.parent))}:"$PATH"'
    return [Finding(NOTE, text, f"{remedy}  # in the shell that starts the agent")]


def _fastest(commands: Sequence[Sequence[str]], rules: Rules, measuring: Measuring) -> list[float]:
    """Return the seconds that each Python takes to run nothing, at its fastest.

    Returns an empty list if that takes too long.
    """
    starts = [Start([*words, "-c", "pass"]) for words in commands]
    try:
        times = time_in_turn(starts, cwd=rules.cwd, env=rules.env, **measuring._asdict())
    except subprocess.TimeoutExpired:
        return []
    return [min(each) for each in times]


def _files_that_act(interpreter: Interpreter, env: Mapping[str, str]) -> list[str] | str:
    """Return the files that run code at each start, or why the interpreter does not start."""
    try:
        done = subprocess.run(
            [interpreter.executable, "-c", _PROBE],
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        # the lines before may be a sitecustomize's that prints
        return list(json.loads(done.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return f"it did not reach its first line in {_PATIENCE_S} s"
    except (IndexError, ValueError):
        return " ".join(done.stderr.decode(errors="replace").splitlines()[-1:]) or "no answer"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
