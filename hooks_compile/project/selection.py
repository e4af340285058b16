"""Which interpreters hooks are compiled for, and what may be started to find them.

There are two sets of rules. Nothing that the work tree brings is started under either.

=======================  ========================  =========================
\\                        a person types a command  unattended: git, watcher
=======================  ========================  =========================
VIRTUAL_ENV in the tree  is used                   is not: a branch may have changed it
a shim runs in           the current directory     the home directory, where no file of a
                         (as for a hook)           tree tells it what to run
a path counts from       the current directory     the work tree's root
what commands name       is used if it is on PATH  is known from the first launch
=======================  ========================  =========================

The Python that a project selects for a shim is known unattended from its first launch, which
recorded it. What :mod:`hooks_compile.trust` does with a name or a path holds for both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import trust
from hooks_compile.errors import InterpreterError
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.launch_records import launch_records
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.interpreters.user_environment import user_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hooks_compile.interpreters.launch_records import LaunchRecord
    from hooks_compile.interpreters.shims import Bypass
    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project


class Rules(NamedTuple):
    """What may be started for a work tree."""

    names: Mapping[str, str]  # the environment in which commands are looked up
    env: Mapping[str, str]  # the one in which Pythons are started
    cwd: Path  # where they are started
    base: Path  # from which paths count
    named: tuple[str, ...] = ()  # what commands of agents name and what may be started


class Attempt(NamedTuple):
    """What came of one command: an interpreter or an error."""

    record: LaunchRecord | None  # the one that named the command
    interpreter: Interpreter | None = None
    error: InterpreterError | None = None
    is_named: bool = False  # by a command of an agent; without both it was asked for


def for_person(project: Project, cwd: Path, env: Mapping[str, str]) -> Rules:
    """Return the rules for a command that a person types in ``cwd``."""
    names = user_environment(env)
    trusted = trust.environment(names, project.root)
    on_path = trusted.get("PATH", os.defpath).split(os.pathsep)
    # A settings file of a stranger may name any path: only what a bare name could start counts.
    plain = (each for each in project.pythons if os.path.dirname(each) in ("", *on_path))  # noqa: PTH120 - strings
    return Rules(names, trusted, cwd, cwd, tuple(plain))


def for_unattended(project: Project, env: Mapping[str, str]) -> Rules:
    """Return the rules for what runs by itself after any checkout, of a branch nobody has read."""
    home = Path(env.get("HOME") or "/")
    names = user_environment(env)
    names.pop("VIRTUAL_ENV", None)
    started = trust.environment(names, project.root) | {"PWD": str(home)}
    return Rules(names, started, home, project.root)


def find_interpreters(
    project: Project, rules: Rules, commands: Sequence[str] = (), *, strict: bool = True
) -> list[Interpreter]:
    """Return the interpreters to compile for, each once.

    They are those of ``commands``; else those of the configuration, those that commands of agents
    name, and those that launches in the hooks' directories recorded. Raises InterpreterError if one
    that was asked for can't be used; without ``strict`` it is left out, as all others are.
    """
    found: dict[Path, Interpreter] = {}
    for attempt in attempts(project, rules, commands):
        if attempt.interpreter:
            found.setdefault(attempt.interpreter.executable, attempt.interpreter)
        elif strict and attempt.error and not (attempt.record or attempt.is_named):
            raise attempt.error
    return list(found.values())


def attempts(project: Project, rules: Rules, commands: Sequence[str] = ()) -> Iterator[Attempt]:
    """Try each command of :func:`find_interpreters`, those that were asked for first."""
    # What others could have written there names no binary that we start.
    trusted = _is_private(project.runtime)
    records = _recorded(project, rules) if trusted and not commands else {}
    asked: dict[str, LaunchRecord | None] = dict.fromkeys(
        _starts(project, rules, commands or project.config.python)
    )
    named = () if commands else _starts(project, rules, rules.named)
    known: dict[str, Interpreter] = {}  # by the path of the binary, which records name
    for command, record in (asked | dict.fromkeys(named) | records).items():
        is_named = command not in asked and record is None
        try:
            start = _behind_shim(project.runtime, command, rules) if trusted else command
            interpreter = known.get(start) or resolve(start, cwd=rules.cwd, env=rules.env)
        except InterpreterError as error:
            yield Attempt(record, None, error, is_named)
        else:
            known[str(interpreter.executable)] = interpreter
            yield Attempt(record, interpreter._replace(command=command), None, is_named)


def _behind_shim(runtime: Path, command: str, rules: Rules) -> str:
    """Return the binary that launches start for a recorded shim: to ask one takes 0.1 s."""
    if os.sep in command or not is_shim(find(command, cwd=rules.cwd, env=rules.env)):
        return command
    from hooks_compile.interpreters import shims  # noqa: PLC0415 - most users have none

    bypass = shims.bypass_of(runtime, command, cwd=rules.cwd, env=rules.env)
    return str(bypass.binary) if bypass and bypass.binary else command


def refresh_shims(project: Project, rules: Rules, commands: Sequence[str] = ()) -> list[Bypass]:
    """Record what the shims choose among the commands of :func:`find_interpreters`.

    Returns how launches treat each shim. In a runtime directory that is not this user's alone
    nothing is recorded.
    """
    from hooks_compile.interpreters import shims  # noqa: PLC0415 - most commands need none

    if not _is_private(project.runtime):
        return []
    shims.write_tool(project.runtime)
    names = _starts(project, rules, commands or (*project.config.python, *rules.named))
    found = (
        shims.bypass_of(project.runtime, name, cwd=rules.cwd, env=rules.env, record=True)
        for name in dict.fromkeys(names)
    )
    return list(filter(None, found))


def _starts(project: Project, rules: Rules, commands: Iterable[str]) -> Iterator[str]:
    """Yield what to start for each command: a name on PATH, or an absolute path."""
    for command in commands:
        if os.sep in command:
            yield os.path.join(rules.base, os.path.expanduser(command))  # noqa: PTH111, PTH118 - strings
        else:
            yield trust.command(command, rules.names, project.root)


def _recorded(project: Project, rules: Rules) -> dict[str, LaunchRecord]:
    """Return the Pythons of launches in the hooks' directories, each with the first record."""
    directories = set(project.directories())
    found: dict[str, LaunchRecord] = {}
    for record in launch_records(project.runtime):
        path = trust.python(record.executable, project.root, rules.names)
        if record.directory in directories and path:
            found.setdefault(path, record)
    return found


def _is_private(runtime: Path) -> bool:
    return runtime.is_dir() and runtime_directory.is_private(runtime)
