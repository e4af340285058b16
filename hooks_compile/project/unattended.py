"""Finding interpreters where nobody is looking: for git's hooks, and for the watcher.

Both run by themselves after any checkout, of a branch that nobody has read yet. So nothing that
the work tree holds is executed, and nothing that it says decides what is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import trust as outside
from hooks_compile.errors import InterpreterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.model import Interpreter
    from hooks_compile.project.record import Project


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
    from hooks_compile.install import runtime_directory as runtime_folder  # noqa: PLC0415 - a hook imports what it needs
    from hooks_compile.interpreters.resolve import recorded, resolve, user_environment  # noqa: PLC0415

    root, home = project.root, Path(env.get("HOME", "/"))
    users = user_environment(env)
    users.pop("VIRTUAL_ENV", None)  # what was activated may be the tree's, as it was before
    elsewhere = outside.environment(users, root) | {"PWD": str(home)}
    # a path is in the user's own words: a configuration has names only
    wanted = [
        os.path.join(root, os.path.expanduser(each))  # noqa: PTH111, PTH118 - strings
        if os.sep in each
        else outside.command(each, users, root)
        for each in commands or project.config.python
    ]
    asked_for = len(wanted) if strict else 0
    if not commands:
        runtime_folder.ensure(project.runtime)
        seen = recorded(project.runtime, project.folders())
        wanted += filter(None, (outside.python(path, root, users) for path in seen))
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
