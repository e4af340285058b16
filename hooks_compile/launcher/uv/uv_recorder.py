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
import time

from hooks_compile.launcher.runtime_key import read_key
from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path
from hooks_compile.launcher.uv.uv_command import find_program, script_position
from hooks_compile.launcher.uv.uv_contexts import (
    LEFT,
    MOST_CONTEXTS,
    UvContext,
    digest,
    read_contexts,
)
from hooks_compile.launcher.uv.uv_environment import environment_state, uv_environment
from hooks_compile.launcher.uv.uv_inputs import ancestors, contents, metadata, uv_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from hooks_compile.launcher.uv.uv_command import Environment

_PROBE = b"probe"
_TIMEOUT_S = 20
_LOW_LIMIT = 256  # a limit of open files that is enough for uv, and low enough to be raised
# What makes uv read files that a record does not cover: other packages' directories, and more.
_IN_METADATA = (b"@", b"://", b"[tool", b"tool.", b"tool =")
_IN_PROJECT = (b"workspace", b"cache-keys", b"no-cache", b"build-isolation")
_OF_AN_INDEX = 'source = { registry = "'
_OWN_SOURCES = ('source = { editable = "." }', 'source = { virtual = "." }')


class LeftToUvError(Exception):
    """Why a launch is left to uv: the reason, and the digest of what uv reads."""

    def __init__(self, reason: str, inputs: str) -> None:
        """Take both."""
        super().__init__(reason)
        self.inputs = inputs


class Started:
    """How uv started a Python: what two launches have to have in common."""

    def __init__(self, fields: "Tuple[str, List[str], Environment, str, str]") -> None:
        """Take executable, command line, environment, ``sys.prefix`` and site-packages."""
        self.fields = fields
        self.executable, self.words, self.environ, self.prefix, self.packages = fields

    @classmethod
    def this_process(cls) -> "Started":
        """Return how this Python was started."""
        environ = original_environment(dict(os.environb))
        return cls((sys.executable, words_of("self"), environ, sys.prefix, site_packages()))

    def context(self) -> UvContext:
        """Return the context of this launch, without the digests."""
        first_path = os.fsdecode(self.environ[b"PATH"].split(b":")[0])
        venv, packages = os.fsdecode(self.environ.get(b"VIRTUAL_ENV", b"")), self.packages
        if venv != self.prefix:
            venv = packages = ""
        elif not packages:
            raise ValueError("its environment has no site-packages")
        uv = os.fsdecode(self.environ[b"UV"])
        return UvContext("", "", self.words[0], uv, venv, first_path, packages)


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
    words, limit, reason = own, "", ""
    try:
        context, limit = examined(key, command, position, started)
        words = [own[0], f"{runtime}/launch.py", *own[1:]]
    except LeftToUvError as error:
        context, reason = UvContext(error.inputs, "", LEFT), str(error)
    except (OSError, ValueError, KeyError) as error:
        context, reason = UvContext("", "", LEFT), f"{type(error).__name__}: {error}"
    write(record, record_text(record, context, limit or reason))
    os.execve(sys.executable, words, started.environ)  # noqa: S606 - as uv starts it


def record_text(record: str, context: UvContext, second_line: str) -> str:
    """Return the record of a script with one more context.

    ``second_line`` is the limit of open files, or why the script is left to uv.
    """
    contexts = [context] if context.inputs else []
    with contextlib.suppress(OSError, ValueError, IndexError):  # the first one of this script
        python, limit = read(record, True).split(b"\n")[:2]
        if context.python == LEFT and python[:1] == b"/":
            second_line = limit.decode()
        if second_line == limit.decode():  # that of all contexts, or they are of another uv
            contexts += read_contexts(record)
    newest: "Dict[str, UvContext]" = {}
    for each in contexts:
        newest.setdefault(each.inputs, each)
    kept = list(newest.values())[:MOST_CONTEXTS]
    pythons = [each.python for each in kept if each.python != LEFT]
    first_line = pythons[0] if pythons else LEFT
    lines = [first_line, " ".join(second_line.split()), *[each.line() for each in kept]]
    return "\n".join(lines) + "\n"


def examined(
    key: bytes, command: "List[str]", position: int, started: Started
) -> "Tuple[UvContext, str]":
    """Return how uv launches the script, and the limit of open files as the wrapper reads it.

    Raises LeftToUvError if uv has to be asked each time; OSError, ValueError and KeyError if that
    can't even be recognized.
    """
    before = original_environment(environment_of(os.getppid()))
    uv = real_path(find_program(command[0], before))
    inputs = inputs_digest(key, command, position, before)

    def require(condition: bool, otherwise: str) -> None:
        if not condition:
            raise LeftToUvError(otherwise, inputs)

    reason = unknown_inputs(command[position])
    require(not reason, reason)
    for _ in range(2):  # uv may start the interpreter of a new environment by another name
        context = started.context()
        state = digest(key, environment_state(context, before))
        answer, limit = ask_again(uv, command, before)
        if answer is None:
            raise LeftToUvError("uv fails, or has something to say at each launch", inputs)
        is_same = answer.fields == started.fields
        started = answer
        if is_same:
            break
    require(is_same, "uv does something else at each launch")
    require(context.python == started.executable, "the interpreter calls itself by another name")
    fields = context.environment()
    require(not any(c in field for field in fields for c in "\t\n"), "its path is unusual")
    require(uv_environment(context, before) == started.environ, "uv sets unusual variables")
    require(context.uv == uv, "uv is behind a shim")
    later = digest(key, environment_state(context, before))
    require(
        inputs_digest(key, command, position, before) == inputs and later == state,
        "uv changes something at each launch",
    )
    return UvContext(inputs, state, *fields), limit


def inputs_digest(key: bytes, command: "List[str]", position: int, environ: "Environment") -> str:
    """Return the digest of what uv reads before it looks at an environment."""
    return digest(key, uv_inputs(command[0], command[2:position], command[position], environ))


def unknown_inputs(script: str) -> str:
    """Return why uv would read more files than a record covers, "" if it does not."""
    for run_of_lines in metadata(read(script)):
        if any(mark in line for line in run_of_lines for mark in _IN_METADATA):
            return "its metadata names more than packages by name"
    texts = [contents(f"{script}.lock")]
    start = os.path.dirname(os.path.join(os.getcwd(), script))
    for directory in ancestors([start, os.getcwd()]):
        project = contents(f"{directory}/pyproject.toml") or b""
        if any(mark in project for mark in _IN_PROJECT):
            return "its project is a workspace, or has cache rules of its own"
        texts.append(contents(f"{directory}/uv.lock"))
    for text in texts:
        for line in (text or b"").decode("utf-8", "replace").split("\n"):
            known = line.startswith(_OF_AN_INDEX) or line.strip() in _OWN_SOURCES
            if line.startswith(("source = {", "members = [")) and not known:
                return "its lock file names more than packages of an index"
    return ""


def ask_again(
    uv: str, command: "List[str]", before: "Environment"
) -> "Tuple[Optional[Started], str]":
    """Return how uv launches the same again, None if it fails or has something to say; and the
    limit of open files that it sets: ``0`` for none, the limit, or the highest one and one more.
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
            check=False,
        )
        if done.returncode or done.stderr:
            return None, ""
        fields, (soft, hard) = marshal.loads(done.stdout)
        answer = Started(fields)
    except (subprocess.TimeoutExpired, EOFError, ValueError, TypeError):
        return None, ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    if soft == low:
        return answer, "0"
    return answer, f"{soft} {soft + 1}" if soft == hard else f"{soft}"


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


def limit_of_files() -> "Tuple[int, int]":
    """Return the limit of open files, and how far it may be raised."""
    import resource  # noqa: PLC0415 - not in each Python that is started on the way

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def site_packages() -> str:
    """Return the directory of this environment's packages, "" if there is none."""
    found = [
        path for path in sys.path if path.startswith(sys.prefix) and path.endswith("-packages")
    ]
    return found[0] if found else ""


def write(record: str, text: str) -> None:
    """Write a record. If that fails, uv is asked again next time."""
    draft = f"{record}.{os.getpid()}.{time.time_ns()}"
    try:
        os.makedirs(os.path.dirname(record), 0o700, exist_ok=True)
        with open(draft, "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(draft, 0o600)
        os.replace(draft, record)
    except OSError:
        return


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
