"""What a git hook runs: a sync that never disturbs git.

It prints one line at most, never fails, ends after LIMIT_S, and executes nothing that the
repository brings: it runs in clones that nobody has looked at yet.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import HooksCompileError, InterpreterError
from hooks_compile.git_hooks.stamp import Stamp, places
from hooks_compile.project.selection import find_interpreters, for_unattended
from hooks_compile.trust import search_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks_compile.entries.sync import Synced
    from hooks_compile.git import Repository

LIMIT_S = 10
"""The sync ends after as much time: a fallback is slow, but a git that hangs is worse."""


def run(cwd: Path, env: Mapping[str, str], *, limit: float = LIMIT_S) -> str:
    """Sync the work tree ``cwd``, and return what is to be printed: "" or one line.

    It runs in a process of its own, whose time and PATH it limits. It raises nothing;
    ``hooks-compile git-hooks status`` shows the last error.
    """
    gc.disable()  # 5 % of the time of this short process
    env = dict(env)  # has the user's own PATH, by which the Python of hooks is found
    # git is looked up outside of the work tree.
    os.environ["PATH"] = search_path(os.environ.get("PATH", os.defpath), cwd.resolve())
    try:
        repository = git.open_repository(cwd)
        if repository is None:
            return ""
        stamp = Stamp(repository.git_dir)
        stamp.begin()
    except (HooksCompileError, OSError):
        return ""  # there is no place to store the error, and git itself fails here
    _limit_time(limit, stamp)
    try:
        return _sync(repository, env, stamp)
    except Exception as error:  # a bug of ours must not fail a checkout either
        kind = "" if isinstance(error, HooksCompileError) else f"{type(error).__name__}: "
        _fail(stamp, f"{kind}{error}")
        return ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _sync(repository: Repository, env: Mapping[str, str], stamp: Stamp) -> str:
    from hooks_compile import agents  # noqa: PLC0415
    from hooks_compile.entries.sync import synchronize  # noqa: PLC0415
    from hooks_compile.project.record import open_project  # noqa: PLC0415 - after the alarm is set

    project = open_project(repository.work_tree, env, agents=agents, repository=repository)
    interpreters = find_interpreters(project, for_unattended(project, env), strict=False)
    if not interpreters:
        raise InterpreterError(
            f"none of {', '.join(project.config.python)} is on PATH",
            remedy="hooks-compile sync",
        )
    synced = synchronize(project, interpreters, project.config.optimize)
    stamp.succeed(places(project))
    return _describe(synced, project.root)


def _describe(synced: Synced, root: Path) -> str:
    """Return the line about sources that do not compile, "" if all do."""
    if not synced.broken:
        return ""
    from hooks_compile.entries.report import describe_trouble  # noqa: PLC0415 - rarely needed

    first, *others = synced.broken
    line = describe_trouble(first, root).partition("\n")[0]
    more = f" (and {len(others)} more: hooks-compile check)" if others else ""
    return f"hooks-compile: {line}{more}"


def _fail(stamp: Stamp, reason: str) -> None:
    with contextlib.suppress(OSError):  # the git directory can't be written: git has said so itself
        stamp.fail(reason)


def _limit_time(seconds: float, stamp: Stamp) -> None:
    """End the process after ``seconds``; a little later if it computes without end."""
    import resource  # noqa: PLC0415 - POSIX only

    def end(*_: object) -> None:  # pragma: no cover - such a process saves no coverage
        _fail(stamp, f"it took more than {seconds:g} s; hooks-compile sync has no limit")
        os._exit(0)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # A compilation does not look at signals, in this process or in a worker.
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
