"""Makes this process what ``uv run`` would have started, or replaces it by ``uv run``."""

import posix
import sys

from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.uv.uv_command import find_program, script_position
from hooks_compile.launcher.uv.uv_contexts import LEFT, digest, read_contexts
from hooks_compile.launcher.uv.uv_environment import (
    environment_state,
    set_environment,
    uv_environment,
)
from hooks_compile.launcher.uv.uv_inputs import uv_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, NoReturn

    from hooks_compile.launcher.uv.uv_command import Environment

_RECORDER = "uvsite"


def enter_uv(runtime: str) -> None:
    """Make this process what ``uv run`` would have started, or become ``uv run``.

    ``sys.argv`` is ``launch.py --uv=RECORD UV [OPTIONS] HOOK [ARGS]``. Afterwards it is that of a
    launch without uv, and the environment variables are those that uv gives. ``runtime`` is the
    runtime directory.
    """
    record, command, words = sys.argv[1][len("--uv=") :], sys.argv[2], sys.argv[3:]
    recording = recording_environment(runtime, record, posix.environ)
    try:
        position = enter_recorded(runtime, record, command, words, recording)
    except OSError:
        become_uv(command, words, recording)
    except ValueError:  # uv has to be asked each time
        become_uv(command, words, posix.environ)
    if hasattr(sys, "orig_argv"):
        start = sys.orig_argv.index(sys.argv[1])
        del sys.orig_argv[start : start + 2 + position]
    del sys.argv[1 : 3 + position]


def enter_recorded(
    runtime: str, record: str, command: str, words: "List[str]", recording: "Environment"
) -> int:
    """Take the environment that is recorded, and return the index of the script in ``words``.

    Raises OSError if uv should be recorded again, ValueError if it has to be asked each time.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        raise ValueError("uv opens /dev/null in the place of a stream that is closed")
    position = script_position(words)
    key = read_key(runtime)
    inputs = digest(key, uv_inputs(command, words[:position], words[position], posix.environ))
    found = [context for context in read_contexts(record) if context.inputs == inputs]
    if not found:
        become_uv(command, words, recording)
    context = found[0]
    if context.python == LEFT:
        become_uv(command, words, posix.environ)
    if digest(key, environment_state(context, posix.environ)) != context.state:
        become_uv(command, words, recording)
    if context.python != sys.executable:
        posix.execv(context.python, [context.python, *sys.argv])
    set_environment(uv_environment(context, posix.environ))
    return position


def become_uv(command: str, words: "List[str]", environ: "Environment") -> "NoReturn":
    """Replace the process by ``uv run``."""
    try:
        posix.execve(find_program(command, environ), [command, "run", *words], environ)
    except OSError:  # a shell has the message for it, and the exit status
        posix.execv("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', command, *words])


def recording_environment(runtime: str, record: str, environ: "Environment") -> "Environment":
    """Return ``environ`` with what makes ``uv_recorder.py`` record how uv launches a script.

    It stays as it is if others could have put something into the directory that Python would run.
    """
    try:
        for place in (runtime, runtime + _RECORDER):
            status = posix.lstat(place)
            if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
                return dict(environ)
    except OSError:
        return dict(environ)
    python_path = f"{runtime}{_RECORDER}".encode("utf-8", "surrogateescape")
    if b"PYTHONPATH" in environ:
        python_path += b":" + environ[b"PYTHONPATH"]
    return {
        **environ,
        b"HOOKS_COMPILE_UV": record.encode("utf-8", "surrogateescape"),
        b"PYTHONPATH": python_path,
    }
