"""What ``doctor`` looks at in the interpreters that run the hooks."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import time
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from hooks_compile import trust as outside
from hooks_compile.bench import timing
from hooks_compile.doctor.findings import NOTE, OK, PROBLEM, Finding
from hooks_compile.entries.report import shown
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters import shims
from hooks_compile.interpreters.resolve import (
    records,
    resolve,
    user_environment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project

# All measurements together; hooks wait for a doctor who takes longer.
_BUDGET_S = 0.8
_ROUNDS = 5
# How long a Python may take to its first line, which is no measurement.
_PATIENCE_S = 5
# ``site`` alone takes a third to a half of what the bare interpreter takes.
_SLOW_SITE = 0.8

# Runs in the hook's interpreter, in /, so that nothing of the project is imported.
_PROBE = """
import json, os, site, sys, warnings
folders = list(site.getsitepackages()) if hasattr(site, "getsitepackages") else []
if site.ENABLE_USER_SITE:
    folders.append(site.getusersitepackages())
acting = []
for folder in folders:
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if name.endswith(".pth") and not name.startswith("."):
            with open(path, encoding="utf-8-sig", errors="replace") as file:
                if any(line.startswith(("import ", "import\\t")) for line in file):
                    acting.append(path)
for name in ("sitecustomize", "usercustomize"):
    path = getattr(sys.modules.get(name), "__file__", None)
    if path:
        acting.append(path)
warned = []
paths = sys.stdin.buffer.read().split(b"\\0") if sys.warnoptions else []
for i, path in enumerate(paths):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with open(path, "rb") as file:
                compile(file.read(), "hook", "exec", 0, True)
        except Exception:
            continue
    if caught:
        warned.append(i)
print(json.dumps({"optimize": sys.flags.optimize, "acting": acting, "warned": warned,
                  "warnoptions": sys.warnoptions, "prefix": sys.pycache_prefix}))
"""


@dataclass(frozen=True, slots=True)
class _Start:
    """How a Python starts in the user's environment; ``acting`` are the files that run code."""

    optimize: int
    acting: list[str]
    warned: list[Path]
    warnoptions: list[str]
    pycache_prefix: str | None


def examine_pythons(
    project: Project, cwd: Path, env: Mapping[str, str]
) -> tuple[list[Interpreter], list[Finding]]:
    """Return the interpreters that hooks run under, and what was found about them."""
    users = user_environment(env)
    environment = outside.environment(users, project.root)
    interpreters, found = _resolve_all(project, cwd, users, environment)
    found += _examine_abis(interpreters) + _examine_variables(env)
    budget = _BUDGET_S / max(len(interpreters), 1)
    for interpreter in interpreters:
        found += _examine_python(interpreter, project, cwd, environment, budget)
    return interpreters, found


def _resolve_all(
    project: Project, cwd: Path, users: Mapping[str, str], env: Mapping[str, str]
) -> tuple[list[Interpreter], list[Finding]]:
    cache = project.runtime / "interpreters.json"
    unique: dict[Path, Interpreter] = {}
    found = []

    def add(command: str) -> InterpreterError | None:
        try:
            interpreter = resolve(command, cwd=cwd, env=env, cache=cache)
        except InterpreterError as error:
            return error
        unique.setdefault(interpreter.executable, interpreter)
        return None

    for name in project.config.python:
        error = add(outside.command(name, users, project.root))
        if error is not None:
            where = f"{shown(error.path)}: " if error.path else ""
            found.append(Finding(PROBLEM, f"{where}{error.cause}", error.remedy))
    folders = set(project.folders())
    for record in records(project.runtime):
        path = outside.python(record.executable, project.root, users)
        if path and record.folder in folders:
            error = add(path)
            if error is not None:
                text = f"hooks ran under {shown(record.executable)}, which can't be run any more"
                found.append(Finding(NOTE, text, f"rm {quote(shown(record.note))}"))
    return list(unique.values()), found


def _examine_abis(interpreters: Sequence[Interpreter]) -> list[Finding]:
    if len({interpreter.abi for interpreter in interpreters}) < 2:
        return []
    names = ", ".join(f"{each.label} ({shown(each.executable)})" for each in interpreters)
    text = f"hooks run under interpreters that share no entries, so all compile each edit: {names}"
    return [Finding(NOTE, text, "launch them all with one: hook_wrapper.sh --python=CMD HOOK")]


_VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "Python keeps no compiled modules, so those that hooks import from "
    "elsewhere are compiled at each launch",
    "PYTHONUNBUFFERED": "each print of a hook is written on its own, which takes longer",
    "PYTHONNODEBUGRANGES": "a hook that has to be compiled at its launch is not stored",
}


def _examine_variables(env: Mapping[str, str]) -> list[Finding]:
    return [
        Finding(NOTE, f"{name} is set here: {effect}", f"unset {name}")
        for name, effect in _VARIABLES.items()
        if env.get(name)
    ]


def _examine_python(
    interpreter: Interpreter, project: Project, cwd: Path, env: Mapping[str, str], budget: float
) -> list[Finding]:
    name = f"{interpreter.label} ({shown(interpreter.executable)})"
    start = _start(interpreter, project, env)
    if isinstance(start, str):
        remedy = f"{quote(shown(interpreter.executable))} -c pass"
        return [Finding(PROBLEM, f"{name} does not start: {start}", remedy)]
    found = []
    if start.optimize:
        text = f"PYTHONOPTIMIZE makes {name} start with -O: hooks run from their sources"
        found.append(Finding(PROBLEM, text, "unset PYTHONOPTIMIZE"))
    if start.pycache_prefix:
        text = (
            f"PYTHONPYCACHEPREFIX makes {name} look for compiled modules in "
            f"{start.pycache_prefix}, and not beside the hooks"
        )
        found.append(Finding(NOTE, text, "unset PYTHONPYCACHEPREFIX"))
    for path in start.warned:
        text = (
            f"{shown(path, project.root)} runs from its source: compiling it gives warnings, and "
            f"{name} is told what to do with them (-W {','.join(start.warnoptions)})"
        )
        binary, script = quote(shown(interpreter.executable)), quote(shown(path))
        remedy = f"correct what this shows: {binary} -W error -m py_compile {script}"
        found.append(Finding(PROBLEM, text, remedy))
    return [*found, *_measure(interpreter, name, start, project.runtime, cwd, env, budget)]


def _start(interpreter: Interpreter, project: Project, env: Mapping[str, str]) -> _Start | str:
    paths = [source.path for source in project.sources]
    try:
        done = subprocess.run(
            [interpreter.executable, "-c", _PROBE],
            cwd="/",
            env=env,
            input=b"\0".join(map(os.fsencode, paths)),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not reach its first line in {_PATIENCE_S} s"
    try:
        # the line before may be a sitecustomize's that prints
        answer: Any = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return " ".join(done.stderr.decode(errors="replace").splitlines()[-1:]) or "no answer"
    return _Start(
        answer["optimize"],
        answer["acting"],
        [paths[i] for i in answer["warned"]],
        answer["warnoptions"],
        answer["prefix"],
    )


def _measure(
    interpreter: Interpreter,
    name: str,
    start: _Start,
    runtime: Path,
    cwd: Path,
    env: Mapping[str, str],
    budget: float,
) -> list[Finding]:
    binary = str(interpreter.executable)
    commands = [[binary, "-S", "-c", "pass"], [binary, "-c", "pass"]]
    passing = shims.standing(runtime, interpreter.command, cwd=cwd, env=shims.outside_of_shims(env))
    asked = passing if passing is not None and passing.binary is None else None
    if asked is not None:
        commands.append([str(asked.shim), "-S", "-c", "pass"])
    end = time.perf_counter() + budget
    launches = [functools.partial(_launch, words, cwd, env, end) for words in commands]
    try:
        bare, full, *through = timing.medians(launches, rounds=_ROUNDS, budget=budget)
    except subprocess.TimeoutExpired:
        text = f"{name} takes so long to start that it was not measured"
        return [Finding(NOTE, text, f"time {quote(binary)} -X importtime -c pass")]
    found = []
    if asked is not None:
        text = (
            f"{shown(asked.shim)} is a shim, which takes {_ms(through[0] - bare)} of every launch "
            f"to find {binary}; it is asked each time, because {asked.why}"
        )
        remedy = f'export PATH={quote(os.path.dirname(binary))}:"$PATH"'  # noqa: PTH120 - text
        found.append(Finding(NOTE, text, f"{remedy}  # where the agent is started"))
    if start.acting and full - bare > _SLOW_SITE * bare:
        text = (
            f"{name} takes {_ms(full)} to start, {_ms(full - bare)} of it before a hook's first "
            f"line, where these files run: {', '.join(start.acting)}"
        )
        remedy = f"see which of them is slow: {quote(binary)} -X importtime -c pass"
        found.append(Finding(NOTE, text, remedy))
    if passing is not None and asked is None:
        found.append(
            Finding(OK, shown(passing.shim) + str(passing).removeprefix(str(passing.shim)))
        )
    return found or [Finding(OK, f"{name} starts in {_ms(full)}")]


def _launch(words: Sequence[str], cwd: Path, env: Mapping[str, str], end: float) -> None:
    subprocess.run(
        words,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=max(end - time.perf_counter(), 0.05),
        check=False,
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
