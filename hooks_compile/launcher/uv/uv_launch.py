"""Makes this process what ``uv run`` would have started, or replaces it by ``uv run``."""

import posix
import sys
from typing import List, NoReturn

from hooks_compile.launcher.annotations import Environment
from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.uv.uv_contexts import (
    LEFT,
    digest,
    environment_state,
    read_contexts,
    recording_environment,
    uv_environment,
)
from hooks_compile.launcher.uv.uv_inputs import uv_inputs


def enter_uv(runtime: str) -> None:
    """Make this process what ``uv run`` would have started, or become ``uv run``.

    ``sys.argv`` is ``launch.py --uv=N:RECORD UV [N OPTIONS] HOOK [ARGS]``. Afterwards it is that
    of a launch without uv, and the environment variables are those that uv gives. ``runtime`` is
    the runtime directory.
    """
    count, _, record = sys.argv[1][len("--uv=") :].partition(":")
    command, words = sys.argv[2], sys.argv[3:]
    try:
        if None in (sys.stdin, sys.stdout, sys.stderr):
            raise ValueError("uv opens /dev/null in the place of a stream that is closed")
        key = read_key(runtime)
        position = int(count)
        inputs = uv_inputs(command, words[:position], words[position], posix.environ)
        wanted = digest(key, inputs)
        context = [each for each in read_contexts(record) if each.inputs == wanted][0]  # noqa: RUF015 - IndexError
        if context.python == LEFT:
            raise ValueError(context.note)
        if digest(key, environment_state(context, posix.environ)) != context.state:
            raise FileNotFoundError("the environment is not as recorded")
    except (OSError, IndexError):  # uv is asked, and recorded again
        become_uv(command, words, recording_if_possible(runtime, record))
    except ValueError:  # uv has to be asked each time
        become_uv(command, words, posix.environ)
    if context.python != sys.executable:
        posix.execv(context.python, [context.python, *sys.argv])
    set_environment(uv_environment(context, posix.environ))
    if hasattr(sys, "orig_argv"):
        start = sys.orig_argv.index(sys.argv[1])
        del sys.orig_argv[start : start + 2 + position]
    del sys.argv[1 : 3 + position]


def recording_if_possible(runtime: str, record: str) -> Environment:
    """Return the environment in which a run of uv is recorded; without change if nobody can."""
    try:
        read_key(runtime)  # raises if others could have put something into the directory
        read(f"{runtime}uvsite/sitecustomize.py", private=True)
    except (OSError, ValueError):
        return posix.environ
    return recording_environment(posix.environ, f"{runtime}uvsite", record)


def become_uv(command: str, words: List[str], environ: Environment) -> NoReturn:
    """Replace the process by ``uv run``. If there is no uv, a shell has the message for it."""
    posix.execve("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', command, *words], environ)


def set_environment(environ: Environment) -> None:
    """Make ``environ`` that of this process and of those that it starts, in its order.

    ``os.environ`` holds the very dictionary of ``posix``.
    """
    for name in list(posix.environ):
        posix.unsetenv(name)
    posix.environ.clear()
    for name, value in environ.items():
        posix.environ[name] = value
        posix.putenv(name, value)
