"""Finding interpreters where nobody is looking: for git's hooks, and for the watcher.

Both run by themselves after any checkout, of a branch that nobody has read yet. So nothing that
the work tree holds is executed, and nothing that it says decides what is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.errors import InterpreterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.model import Interpreter
    from hooks_compile.project import Project

_PYTHONS = ("python", "pypy")


def search_path(path: str, *roots: Path) -> str:
    """Return the folders of ``path``, a PATH, that are absolute and in none of ``roots``."""
    kept = (folder for folder in path.split(os.pathsep) if _is_outside(Path(folder), *roots))
    return os.pathsep.join(kept)


def find_interpreters(
    project: Project, env: Mapping[str, str], commands: Sequence[str] = (), *, strict: bool = False
) -> list[Interpreter]:
    """Return the interpreters to compile for, found without a word of the work tree.

    They are those of ``commands``, else those of the configuration and those that launches
    recorded. A shim (pyenv, asdf) may start whatever a file in the current folder names, so it is
    asked from the home folder; the Python that a project selects is known from its first launch.
    A virtual environment in the work tree stands for the Python outside that its link leads to.

    What is not there is left out; with ``strict``, what was asked for raises InterpreterError.
    """
    from hooks_compile import runtime_folder  # noqa: PLC0415 - a hook imports what it needs
    from hooks_compile.interpreters import recorded, resolve, user_environment  # noqa: PLC0415

    root, home = project.root, Path(env.get("HOME", "/"))
    users = user_environment(env)
    path = users.get("PATH", os.defpath)
    elsewhere = users | {"PWD": str(home), "PATH": search_path(path, root)}
    wanted = [_command(each, path, root) for each in commands or project.config.python]
    asked_for = len(wanted) if strict else 0
    if not commands:
        runtime_folder.ensure(project.runtime)
        seen = recorded(project.runtime, project.folders())
        wanted += filter(None, (_outside(path, root) for path in seen))
    found: dict[Path, Interpreter] = {}
    for number, command in enumerate(wanted):
        try:
            cache = project.runtime / "interpreters.json"
            interpreter = resolve(command, cwd=home, env=elsewhere, cache=cache)
        except InterpreterError:
            if number < asked_for:
                raise
            continue
        found.setdefault(interpreter.executable, interpreter)
    return list(found.values())


def _command(command: str, path: str, root: Path) -> str:
    """Return what to start for ``command``: itself, unless PATH leads into the tree first."""
    if os.sep in command:  # the user's own words: a configuration has names only
        return os.path.join(root, os.path.expanduser(command))  # noqa: PTH111, PTH118 - strings
    for candidate in _candidates(command, path):
        if _is_outside(candidate.parent, root):
            return command
        target = _outside(candidate, root)
        if target:
            return target
    return command


def _candidates(command: str, path: str) -> Iterator[Path]:
    folders = (Path(folder) for folder in path.split(os.pathsep))
    for candidate in (folder / command for folder in folders if folder.is_absolute()):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate


def _outside(python: Path, root: Path) -> str:
    """Return the Python outside of ``root`` that ``python`` is or leads to; "" for none."""
    target = python if _is_outside(python.parent, root) else Path(os.path.realpath(python))
    try:
        is_ours = target.stat().st_uid in (0, os.geteuid())
    except OSError:
        return ""
    is_python = target.name.startswith(_PYTHONS)
    return str(target) if is_python and is_ours and _is_outside(target.parent, root) else ""


def _is_outside(folder: Path, *roots: Path) -> bool:
    real = Path(os.path.realpath(folder))
    return folder.is_absolute() and not any(real.is_relative_to(root) for root in roots)
