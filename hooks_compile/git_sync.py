"""What a git hook runs: a sync that costs git nothing but time, and little of that.

It prints at most one line, succeeds always, ends after LIMIT_S, and executes nothing that the
repository brings: it runs in clones that nobody has looked at yet.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import HooksCompileError, InterpreterError
from hooks_compile.git_stamp import Stamp, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hooks_compile.model import CompileResult, Interpreter
    from hooks_compile.project import Project
    from hooks_compile.sync import Synced

LIMIT_S = 10
"""After as much time the sync ends where it is: a fallback is slow, a git that hangs is worse."""


def run(cwd: Path, env: Mapping[str, str], *, limit: float = LIMIT_S) -> str:
    """Sync the work tree ``cwd``, and return what is to be printed: "" or one line.

    It is for a process of its own, whose time and PATH it limits. Errors do not leave it, whatever
    they are: git's own work is done and not to be disturbed. ``hooks-compile git-hooks status``
    shows the last one.
    """
    os.environ["PATH"] = _outside(os.environ.get("PATH", os.defpath), cwd.resolve())
    try:
        repository = git.repository(cwd)
        if repository is None:
            return ""
        stamp = Stamp(repository.git_dir)
        stamp.begin()
    except (HooksCompileError, OSError):
        return ""  # there is no place to tell about it; git itself has trouble here
    _limit_time(limit, stamp)
    try:
        return _sync(repository.work_tree, env, stamp)
    except Exception as error:  # a bug of ours must not fail a checkout either
        kind = "" if isinstance(error, HooksCompileError) else f"{type(error).__name__}: "
        _fail(stamp, f"{kind}{error}")
        return ""
    finally:
        _unlimit_time()


def _sync(root: Path, env: Mapping[str, str], stamp: Stamp) -> str:
    from hooks_compile.project import open_project  # noqa: PLC0415 - after the alarm is set
    from hooks_compile.sync import synchronize  # noqa: PLC0415

    project = open_project(root, env)
    interpreters = find_interpreters(project, env)
    if not interpreters:
        raise InterpreterError(
            f"none of {', '.join(project.config.python)} is on PATH",
            remedy="hooks-compile sync",
        )
    synced = synchronize(project, interpreters)
    stamp.succeed(places(project))
    return describe(synced, root)


def describe(synced: Synced, root: Path) -> str:
    """Return the line about sources that do not compile; "" where all do."""
    if not synced.broken:
        return ""
    first, *others = synced.broken
    more = f" (and {len(others)} more: hooks-compile check)" if others else ""
    return f"hooks-compile: {_one_line(first, root)}{more}"


def _one_line(result: CompileResult, root: Path) -> str:
    from hooks_compile.report import describe_trouble  # noqa: PLC0415 - rarely needed

    line = (describe_trouble(result, root) or "").partition("\n")[0]
    # The name of a file is for whoever wrote the repository to choose, and terminals obey.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def find_interpreters(project: Project, env: Mapping[str, str]) -> list[Interpreter]:
    """Return the interpreters to compile for, found without a word of the repository.

    A shim (pyenv, asdf) may start whatever a file in the current folder names, and PATH may lead
    into the work tree; so commands are looked up from the home folder, outside of the tree. The
    Python that the project itself selects is known from the launches that recorded it. What is
    not there is left out.
    """
    from hooks_compile import runtime_folder  # noqa: PLC0415 - see _sync
    from hooks_compile.interpreters import recorded, resolve, user_environment  # noqa: PLC0415

    home = Path(env.get("HOME", "/"))
    elsewhere = user_environment(env) | {"PWD": str(home)}
    elsewhere["PATH"] = _outside(elsewhere.get("PATH", os.defpath), project.root)
    commands = list(project.config.python)
    runtime_folder.ensure(project.runtime)
    for path in recorded(project.runtime, project.folders()):
        # A virtual environment in the work tree: its Python is a link to one outside.
        target = path if not _is_in(path, project.root) else path.resolve()
        if not _is_in(target, project.root) and target.name.startswith(("python", "pypy")):
            commands.append(str(target))
    cache = project.runtime / "interpreters.json"
    found: dict[Path, Interpreter] = {}
    for command in commands:
        try:
            interpreter = resolve(command, cwd=home, env=elsewhere, cache=cache)
        except InterpreterError:
            continue
        found.setdefault(interpreter.executable, interpreter)
    return list(found.values())


def _outside(search_path: str, root: Path) -> str:
    folders = [Path(folder) for folder in search_path.split(os.pathsep)]
    kept = [f for f in folders if f.is_absolute() and not _is_in(f.resolve(), root)]
    return os.pathsep.join(map(str, kept))


def _is_in(path: Path, root: Path) -> bool:
    return path.is_relative_to(root)


def _fail(stamp: Stamp, reason: str) -> None:
    try:
        stamp.fail(reason)
    except OSError:
        return  # the git folder can't be written: git has said so itself


def _limit_time(seconds: float, stamp: Stamp) -> None:
    """End the process after ``seconds``; where it computes without end, a little later."""
    import resource  # noqa: PLC0415 - POSIX only
    import signal  # noqa: PLC0415

    def end(*_: object) -> None:  # pragma: no cover - a process that ends so saves no coverage
        _fail(stamp, f"it took more than {seconds:g} s; hooks-compile sync has no limit")
        os._exit(0)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # A compilation runs without a look at signals, in this process or in a worker.
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _unlimit_time() -> None:
    import signal  # noqa: PLC0415

    signal.setitimer(signal.ITIMER_REAL, 0)
