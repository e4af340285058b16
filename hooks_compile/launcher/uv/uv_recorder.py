"""Records how uv launches a hook: the ``sitecustomize`` of the Python that ``uv run`` starts.

The wrapper puts the directory of this file first on PYTHONPATH if it has to leave a launch to uv.
The file then runs in the interpreter that uv chose, before the hook. It asks uv once more for the
same launch, with itself in place of the hook. If uv has nothing to do and nothing to say, that
launch is recorded. Then the hook is started in this process as if none of this had happened.

In any other Python that is started on the way (a build backend) it leaves without a trace.
``install/bundle.py`` assembles it with what it imports into one file, which calls :func:`run`.
"""

import contextlib
import marshal
import os
import sys
from typing import List, NoReturn

from hooks_compile.launcher.annotations import Environment
from hooks_compile.launcher.miss.store import write
from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path
from hooks_compile.launcher.uv.uv_contexts import (
    LEFT,
    MOST_CONTEXTS,
    UvContext,
    digest,
    environment_state,
    left_to_uv,
    read_contexts,
    recording_environment,
    uv_environment,
)
from hooks_compile.launcher.uv.uv_inputs import (
    ancestors,
    as_text,
    contents,
    find_program,
    metadata,
    uv_inputs,
)

_PROBE = "probe"
_TIMEOUT_S = 20
_LOW_LIMIT = 256  # a limit of open files that is enough for uv, and low enough to be raised
# What makes uv read files that a record does not cover: other packages' directories, and more.
_IN_METADATA = (b"@", b"://", b"[tool", b"tool.", b"tool =")
_IN_PROJECT = (b"workspace", b"cache-keys", b"no-cache", b"build-isolation")
_OF_AN_INDEX = b'source = { registry = "'
_OWN_SOURCES = (b'source = { editable = "." }', b'source = { virtual = "." }')


def run() -> None:
    """Record and start the hook, or let this Python be what it would be without us."""
    with contextlib.suppress(OSError, ValueError, KeyError):  # uv did not start it, or not as usual
        record_and_start()
    leave()


def record_and_start() -> None:
    """Record and start the hook. Return or raise if this is another process."""
    record = os.environ.get("HOOKS_COMPILE_UV", "")
    runtime = os.path.dirname(own_directory())
    own = words_of("self")
    command = words_of(str(os.getppid()))
    position = len(command) - len(own) + 1
    if position < 2 or command[1] != "run" or command[position:] != own[1:]:
        return
    environ = original_environment(dict(os.environb))
    before = original_environment(environment_of(os.getppid()))
    started = this_start(environ)
    if record == _PROBE:
        answer(started, own[0] == sys.executable and environ == uv_environment(started, before))
    if not record.startswith(f"{runtime}/uv/") or "/../" in record:
        return
    key = read_key(f"{runtime}/")  # raises if the directory is not private to this user
    words, inputs = own, ""
    try:
        inputs = inputs_digest(key, command, position, before)
        context = examined(key, command, position, before, started)
        if inputs != inputs_digest(key, command, position, before):
            raise ValueError("uv changes what it reads at each launch")
        words = [own[0], f"{runtime}/launch.py", *own[1:]]
    except (OSError, ValueError) as error:
        context = left_to_uv(str(error))
    context.inputs = inputs
    store(record, record_text(record, context))
    os.execve(sys.executable, words, environ)  # noqa: S606 - as uv starts it


def this_start(environ: Environment) -> UvContext:
    """Return how uv started this Python, without digests and note. Raises KeyError."""
    venv = os.fsdecode(environ.get(b"VIRTUAL_ENV", b""))
    found = [each for each in sys.path if each.startswith(venv) and each.endswith("-packages")]
    environment = (venv, found[0]) if found and venv == sys.prefix else ("", "")
    uv, first_path = environ[b"UV"], environ[b"PATH"].split(b":")[0]
    fields = (sys.executable, as_text(uv), environment[0], as_text(first_path), environment[1])
    return UvContext("", "", "", *fields)


def answer(started: UvContext, is_usual: bool) -> NoReturn:
    """End the process that is asked how uv starts it, and fail if that is unusual."""
    import resource  # noqa: PLC0415 - not in each Python that is started on the way

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if is_usual:
        os.write(1, marshal.dumps((started.environment(), limit), 2))
    os._exit(0)


def record_text(record: str, context: UvContext) -> str:
    """Return the record of a script with one more context."""
    contexts = {context.inputs: context}
    with contextlib.suppress(OSError, ValueError):  # the first one of this script
        for each in read_contexts(record):
            contexts.setdefault(each.inputs, each)
    kept = list(contexts.values())[:MOST_CONTEXTS]
    first = ([each for each in kept if each.python != LEFT] or kept)[0]
    # the wrapper sets one limit for all of them
    kept = [each for each in kept if each.python == LEFT or each.note == first.note]
    return "\n".join([first.python, first.note, *(each.line() for each in kept), ""])


def examined(
    key: bytes, command: List[str], position: int, before: Environment, started: UvContext
) -> UvContext:
    """Return how uv launches the script, without the digest of its inputs.

    ``command`` is that of uv, ``before`` the environment that uv got, ``started`` what it did.
    Raises OSError, and ValueError with the reason if uv has to be asked each time.
    """
    require_known_inputs(command[position])
    uv = real_path(find_program(command[0], before))
    for _ in range(2):  # uv may start the interpreter of a new environment by another name
        state = digest(key, environment_state(started, before))
        last, started = started, ask_again(uv, command, before)
        if started.environment() == last.environment():
            break
    else:
        raise ValueError("uv does something else at each launch")
    if started.uv != uv:
        raise ValueError("uv is behind a shim")
    started.state = state
    if state != digest(key, environment_state(started, before)):
        raise ValueError("uv changes its environment at each launch")
    if started.line().count("\t") != 7 or "\n" in started.line():
        raise ValueError("a path is unusual")
    return started


def inputs_digest(key: bytes, command: List[str], position: int, environ: Environment) -> str:
    """Return the digest of what uv reads before it looks at an environment."""
    return digest(key, uv_inputs(command[0], command[2:position], command[position], environ))


def require_known_inputs(script: str) -> None:
    """Raise ValueError if uv would read more files than a record covers. Raises OSError."""
    if any(mark in line for line in metadata(read(script)) for mark in _IN_METADATA):
        raise ValueError("its metadata names more than packages by name")
    locks = [contents(f"{script}.lock")]
    start = os.path.dirname(os.path.join(os.getcwd(), script))
    for directory in ancestors([start, os.getcwd()]):
        project = contents(f"{directory}/pyproject.toml") or b""
        if any(mark in project for mark in _IN_PROJECT):
            raise ValueError("its project is a workspace, or has cache rules of its own")
        locks.append(contents(f"{directory}/uv.lock"))
    for line in b"\n".join(lock or b"" for lock in locks).split(b"\n"):
        is_known = line.startswith(_OF_AN_INDEX) or line.strip() in _OWN_SOURCES
        if line.startswith((b"source = {", b"members = [")) and not is_known:
            raise ValueError("its lock file names more than packages of an index")


def ask_again(uv: str, command: List[str], before: Environment) -> UvContext:
    """Return how uv launches the same again, without digests.

    Raises ValueError if uv fails, has something to say, or does more than a record can describe.
    """
    import resource  # noqa: PLC0415 - not in each Python that is started on the way
    import subprocess  # noqa: PLC0415 - for the same reason

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(_LOW_LIMIT, limits[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, limits[1]))
    try:
        done = subprocess.run(
            command,
            executable=uv,
            env=recording_environment(before, own_directory(), _PROBE),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            check=True,
        )
        fields, limit = marshal.loads(done.stdout if not done.stderr else b"")
        return UvContext("", "", "0" if limit == low else str(limit), *fields)
    except (subprocess.SubprocessError, EOFError, ValueError, TypeError):
        raise ValueError("uv fails, has something to say, or does more than usual") from None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def own_directory() -> str:
    """Return the directory of this file."""
    return os.path.dirname(os.path.abspath(str(sys.modules["sitecustomize"].__file__)))


def words_of(process: str) -> List[str]:
    """Return the command line of a process. Raises OSError if the system does not say."""
    return as_text(read(f"/proc/{process}/cmdline")).split("\0")[:-1]


def environment_of(process: int) -> Environment:
    """Return the environment that a process was started with. Raises OSError."""
    pairs = [each.partition(b"=") for each in read(f"/proc/{process}/environ").split(b"\0") if each]
    return {name: value for name, _, value in pairs}


def original_environment(environ: Environment) -> Environment:
    """Return ``environ`` without what the wrapper put there for us."""
    result = dict(environ)
    if result.pop(b"HOOKS_COMPILE_UV", None) is None:
        return result
    first, colon, rest = result.get(b"PYTHONPATH", b"").partition(b":")
    if os.fsdecode(first) == own_directory():
        result[b"PYTHONPATH"] = rest  # in its place: the order is uv's
        if not colon:
            del result[b"PYTHONPATH"]
    return result


def store(record: str, text: str) -> None:
    """Write a record for this user alone. If that fails, uv is asked again next time."""
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(record), 0o700, exist_ok=True)
        place = os.open(os.path.dirname(record), os.O_RDONLY)
        write(place, os.path.basename(record), text.encode("utf-8", "surrogateescape"), 0o600)
        os.close(place)


def leave() -> None:
    """Let this Python be what it would be without us, with its own ``sitecustomize`` if any."""
    environ = original_environment(dict(os.environb))
    os.environb.clear()
    os.environb.update(environ)
    if own_directory() in sys.path:
        ours = sys.path.index(own_directory())
        # behind ours an empty PYTHONPATH is the current directory, alone it is none
        del sys.path[ours : ours + (2 if environ.get(b"PYTHONPATH") == b"" else 1)]
    del sys.modules["sitecustomize"]
    import sitecustomize  # type: ignore[import-not-found] # noqa: F401, PLC0415 - raises what site expects if there is none
