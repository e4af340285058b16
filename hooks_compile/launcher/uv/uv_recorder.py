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
    uv_environment,
)
from hooks_compile.launcher.uv.uv_inputs import (
    ancestors,
    contents,
    find_program,
    metadata,
    script_position,
    uv_inputs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

    from hooks_compile.launcher.uv.uv_inputs import Environment

_PROBE = b"probe"
_TIMEOUT_S = 20
_LOW_LIMIT = 256  # a limit of open files that is enough for uv, and low enough to be raised
# What makes uv read files that a record does not cover: other packages' directories, and more.
_IN_METADATA = (b"@", b"://", b"[tool", b"tool.", b"tool =")
_IN_PROJECT = (b"workspace", b"cache-keys", b"no-cache", b"build-isolation")
_OF_AN_INDEX = b'source = { registry = "'
_OWN_SOURCES = (b'source = { editable = "." }', b'source = { virtual = "." }')


class Started:
    """How uv started a Python: what two launches have to have in common."""

    def __init__(self, fields: "Tuple[str, str, Environment, str, str]") -> None:
        """Take executable, its name on the command line, environment, prefix and site-packages."""
        self.fields = fields
        self.executable, self.name, self.environ, self.prefix, self.packages = fields

    @classmethod
    def this_process(cls) -> "Started":
        """Return how this Python was started."""
        environ = original_environment(dict(os.environb))
        found = [path for path in sys.path if path.endswith("-packages")]
        packages = [path for path in found if path.startswith(sys.prefix)] or [""]
        return cls((sys.executable, words_of("self")[0], environ, sys.prefix, packages[0]))

    def context(self) -> UvContext:
        """Return the context of this launch, without digests and note. Raises KeyError."""
        first_path = os.fsdecode(self.environ[b"PATH"].split(b":")[0])
        uv, venv = (
            os.fsdecode(self.environ[b"UV"]),
            os.fsdecode(self.environ.get(b"VIRTUAL_ENV", b"")),
        )
        packages = self.packages
        if venv != self.prefix:
            venv = packages = ""
        return UvContext("", "", "", self.name, uv, venv, first_path, packages)


def run() -> None:
    """Record and start the hook, or let this Python be what it would be without us."""
    with contextlib.suppress(OSError, ValueError, IndexError):  # then this process is not the hook
        record_and_start()
    leave()


def record_and_start() -> None:
    """Record and start the hook. Return if this is another process."""
    wanted = os.environb.get(b"HOOKS_COMPILE_UV", b"")
    runtime = os.path.dirname(own_directory())
    own = words_of("self")
    command = words_of(str(os.getppid()))
    position = 2 + script_position(command[2:])
    if command[1] != "run" or command[position:] != own[1:]:
        return
    started = Started.this_process()
    if wanted == _PROBE:
        os.write(1, marshal.dumps((started.fields, limit_of_files()), 2))
        os._exit(0)
    record = os.fsdecode(wanted)
    if not record.startswith(f"{runtime}/uv/") or "/../" in record:
        return
    key = read_key(f"{runtime}/")  # raises if the directory is not private to this user
    words, inputs = own, ""
    try:
        before = original_environment(environment_of(os.getppid()))
        inputs = inputs_digest(key, command, position, before)
        context = examined(key, command, position, before, started)
        if inputs != inputs_digest(key, command, position, before):
            raise ValueError("uv changes what it reads at each launch")
        words = [own[0], f"{runtime}/launch.py", *own[1:]]
    except (OSError, ValueError, KeyError) as error:
        context = left_to_uv(str(error))
    context.inputs = inputs
    store(record, record_text(record, context))
    os.execve(sys.executable, words, started.environ)  # noqa: S606 - as uv starts it


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
    key: bytes, command: "List[str]", position: int, before: "Environment", started: Started
) -> UvContext:
    """Return how uv launches the script, without the digest of its inputs.

    ``command`` is that of uv, ``before`` the environment that uv got. Raises ValueError with the
    reason if uv has to be asked each time; OSError and KeyError if it does something unknown.
    """
    require_known_inputs(command[position])
    uv = real_path(find_program(command[0], before))
    for _ in range(2):  # uv may start the interpreter of a new environment by another name
        context, last = started.context(), started
        context.state = digest(key, environment_state(context, before))
        started, context.note = ask_again(uv, command, before)
        if started.fields == last.fields:
            break
    else:
        raise ValueError("uv does something else at each launch")
    if context.uv != uv:
        raise ValueError("uv is behind a shim")
    line = context.line()
    if started.name != started.executable or line.count("\t") != 7 or "\n" in line:
        raise ValueError("the interpreter has an unusual path")
    if uv_environment(context, before) != started.environ:
        raise ValueError("uv sets unusual variables")
    if context.state != digest(key, environment_state(context, before)):
        raise ValueError("uv changes its environment at each launch")
    return context


def inputs_digest(key: bytes, command: "List[str]", position: int, environ: "Environment") -> str:
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


def ask_again(uv: str, command: "List[str]", before: "Environment") -> "Tuple[Started, str]":
    """Return how uv launches the same again, and the limit of open files that it sets, or "0".

    Raises ValueError if uv fails or has something to say.
    """
    import resource  # noqa: PLC0415 - not in each Python that is started on the way
    import subprocess  # noqa: PLC0415 - for the same reason

    python_path = os.fsencode(own_directory())
    if b"PYTHONPATH" in before:
        python_path += b":" + before[b"PYTHONPATH"]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(_LOW_LIMIT, limits[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, limits[1]))
    try:
        done = subprocess.run(
            command,
            executable=uv,
            env={**before, b"HOOKS_COMPILE_UV": _PROBE, b"PYTHONPATH": python_path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            check=True,
        )
        fields, limit = marshal.loads(done.stdout if not done.stderr else b"")
        return Started(fields), "0" if limit == low else str(limit)
    except (subprocess.SubprocessError, EOFError, ValueError, TypeError):
        raise ValueError("uv fails, or has something to say at each launch") from None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def own_directory() -> str:
    """Return the directory of this file."""
    file = sys.modules["sitecustomize"].__file__ or ""
    return os.path.dirname(os.path.abspath(file))


def words_of(process: str) -> "List[str]":
    """Return the command line of a process. Raises OSError if the system does not say."""
    with open(f"/proc/{process}/cmdline", "rb") as file:
        return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]


def environment_of(process: int) -> "Environment":
    """Return the environment that a process was started with. Raises OSError."""
    with open(f"/proc/{process}/environ", "rb") as file:
        pairs = [each.partition(b"=") for each in file.read().split(b"\0") if each]
    return {name: value for name, _, value in pairs}


def original_environment(environ: "Environment") -> "Environment":
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


def limit_of_files() -> int:
    """Return the limit of open files."""
    import resource  # noqa: PLC0415 - not in each Python that is started on the way

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def store(record: str, text: str) -> None:
    """Write a record. If that fails, uv is asked again next time."""
    draft = f"{record}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(record), 0o700, exist_ok=True)
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
        os.replace(draft, record)


def leave() -> None:
    """Let this Python be what it would be without us, with its own ``sitecustomize`` if any."""
    environ = original_environment(dict(os.environb))
    directory = own_directory()
    os.environb.clear()
    os.environb.update(environ)
    if directory in sys.path:
        ours = sys.path.index(directory)
        # behind ours an empty PYTHONPATH is the current directory, alone it is none
        del sys.path[ours : ours + (2 if environ.get(b"PYTHONPATH") == b"" else 1)]
    del sys.modules["sitecustomize"]
    import sitecustomize  # type: ignore[import-not-found] # noqa: F401, PLC0415 - raises what site expects if there is none
