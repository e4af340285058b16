"""Records how uv launches a hook: the ``sitecustomize`` of the Python that ``uv run`` starts.

The wrapper puts this file first on PYTHONPATH where it has to leave a launch to uv. It then runs in
uv's own choice of interpreter, before the hook, and asks uv once more for the same launch, with
itself in the place of the hook. Where uv has nothing to do and nothing to say, that launch is
recorded. The hook is then started in this process as if none of this had happened.

In any other Python that is started on the way (a build backend) it steps aside.
"""

import contextlib
import marshal
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from hooks_compile.runtime.uv import Context, Environment

    # executable, command line, environment, sys.prefix, site-packages
    Report = Tuple[str, List[str], Environment, str, str]

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_HOME = os.path.dirname(_FOLDER)
_PROBE = b"probe"
_TIMEOUT_S = 20
_LOW = 256  # a limit of open files that is enough for uv, and low enough to be raised
# What makes uv look beyond files that a record holds to: other packages' folders, and more.
_IN_METADATA = (b"@", b"://", b"[tool", b"tool.", b"tool =")
_IN_PROJECT = (b"workspace", b"cache-keys", b"no-cache", b"build-isolation")
_OF_AN_INDEX = 'source = { registry = "'
_OWN_SOURCES = ('source = { editable = "." }', 'source = { virtual = "." }')


class LeftToUvError(Exception):
    """Why a launch is left to uv: the reason, and the digest of what uv goes by."""

    def __init__(self, reason: str, inputs: str) -> None:
        """Take both."""
        super().__init__(reason)
        self.inputs = inputs


def main() -> None:
    """Record and start the hook, or return where this is another process."""
    wanted = os.environb.get(b"HOOKS_COMPILE_UV", b"")
    own = words_of("self")
    command = words_of(str(os.getppid()))
    names = scope(own)
    position = 2 + names["script_position"](command[2:])
    if command[1] != "run" or command[position:] != own[1:]:
        return
    clean = original_environment(dict(os.environb))
    report: "Report" = (sys.executable, own, clean, sys.prefix, site_packages())
    if wanted == _PROBE:
        os.write(1, marshal.dumps((report, limit_of_files()), 2))
        os._exit(0)
    record = os.fsdecode(wanted)
    if not record.startswith(f"{_HOME}/uv/") or "/../" in record:
        return
    names["read_key"]()  # the folder is this user's alone, or this was all
    left = ("", "", names["LEFT"], "", "", "", "")
    words, limit, reason = own, "", ""
    try:
        context, limit = examined(names, command, position, report)
        words = [own[0], f"{_HOME}/launch.py", *own[1:]]
    except LeftToUvError as error:
        context, reason = (error.inputs, *left[1:]), str(error)
    except (OSError, ValueError, KeyError) as error:
        context, reason = left, f"{type(error).__name__}: {error}"
    keep(record, record_text(names, record, context, limit or reason))
    os.execve(sys.executable, words, clean)  # noqa: S606 - as uv starts it


def record_text(names: "Dict[str, Any]", record: str, context: "Context", second_line: str) -> str:
    """Return the record of a script with one more context.

    ``second_line`` is the limit of open files, or why the script is left to uv.
    """
    contexts = [context] if context[0] else []
    with contextlib.suppress(OSError, ValueError):  # the first one of this script
        limit = names["read"](record, True).split(b"\n")[1].decode()
        if context[2] == names["LEFT"]:
            second_line = limit if names["read"](record)[:1] == b"/" else second_line
        if second_line == limit:  # that of all contexts, or they are of another uv
            contexts += names["read_contexts"](record)
    newest: "Dict[str, Context]" = {}
    for each in contexts:
        newest.setdefault(each[0], each)
    kept = list(newest.values())[: names["CONTEXTS"]]
    pythons = [each[2] for each in kept if each[2] != names["LEFT"]]
    first_line = pythons[0] if pythons else names["LEFT"]
    lines = [first_line, " ".join(second_line.split()), *("\t".join(each) for each in kept)]
    return "\n".join(lines) + "\n"


def examined(
    names: "Dict[str, Any]", command: "List[str]", position: int, report: "Report"
) -> "Tuple[Context, str]":
    """Return how uv launches the script, and the limit of open files as the wrapper reads it.

    Raises LeftToUvError where uv has to be asked each time, OSError, ValueError and KeyError where
    that can't even be recognized.
    """
    before = original_environment(environment_of(os.getppid()))
    uv = names["real_path"](names["find_program"](command[0], before))

    def inputs() -> str:
        parts = names["uv_inputs"](command[0], command[2:position], command[position], before)
        return names["digest"](parts)  # type: ignore[no-any-return] # a part of the launcher

    goes_by = inputs()

    def require(condition: bool, otherwise: str) -> None:
        if not condition:
            raise LeftToUvError(otherwise, goes_by)

    reason = unknown_inputs(names, command[position])
    require(not reason, reason)
    for _ in range(2):  # uv may start the interpreter of a new environment by another name
        context = context_of(report)
        state = names["digest"](names["environment_state"](context, before))
        answer, limit = ask_again(uv, command, before)
        require(answer is not None, "uv fails, or has something to say at each launch")
        if answer == report:
            break
        report = answer
    require(answer == report, "uv does something else at each launch")
    require(context[2] == report[0], "the interpreter calls itself by another name")
    require(not any(c in word for word in context for c in "\t\n"), "its path is unusual")
    require(names["uv_environment"](context, before) == report[2], "uv sets unusual variables")
    require(os.fsdecode(report[2].get(b"UV", b"")) == uv, "uv is behind a shim")
    later = names["digest"](names["environment_state"](context, before))
    require((inputs(), later) == (goes_by, state), "uv changes something at each launch")
    return (goes_by, state, *context[2:]), limit


def context_of(report: "Report") -> "Context":
    """Return the context of a launch, without the digests."""
    _, own, environ, prefix, packages = report
    first = os.fsdecode(environ[b"PATH"].split(b":")[0])
    venv = os.fsdecode(environ.get(b"VIRTUAL_ENV", b""))
    if venv != prefix:
        venv = packages = ""
    elif not packages:
        raise ValueError("its environment has no site-packages")
    return ("", "", own[0], os.fsdecode(environ[b"UV"]), venv, first, packages)


def unknown_inputs(names: "Dict[str, Any]", script: str) -> str:
    """Return why uv would look at more files than a record holds to, "" where it does not."""
    for run in names["metadata"](names["read"](script)):
        if any(mark in line for line in run for mark in _IN_METADATA):
            return "its metadata names more than packages by name"
    texts = [names["contents"](f"{script}.lock")]
    start = os.path.dirname(os.path.join(os.getcwd(), script))
    for folder in names["ancestors"]([start, os.getcwd()]):
        project = names["contents"](f"{folder}/pyproject.toml") or b""
        if any(mark in project for mark in _IN_PROJECT):
            return "its project is a workspace, or has rules of its own for caches"
        texts.append(names["contents"](f"{folder}/uv.lock"))
    for text in texts:
        for line in (text or b"").decode("utf-8", "replace").split("\n"):
            known = line.startswith(_OF_AN_INDEX) or line.strip() in _OWN_SOURCES
            if line.startswith(("source = {", "members = [")) and not known:
                return "its lock file names more than packages of an index"
    return ""


def ask_again(uv: str, command: "List[str]", before: "Environment") -> "Tuple[Any, str]":
    """Return how uv launches the same again, None where it fails or has something to say; and the
    limit of open files that it sets: ``0`` for none, the limit, or the highest one and one more.
    """
    import resource  # noqa: PLC0415 - not in each Python that is started on the way
    import subprocess  # noqa: PLC0415

    path = os.fsencode(_FOLDER)
    if b"PYTHONPATH" in before:
        path += b":" + before[b"PYTHONPATH"]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(_LOW, limits[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, limits[1]))
    try:
        done = subprocess.run(
            command,
            executable=uv,
            env={**before, b"HOOKS_COMPILE_UV": _PROBE, b"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode or done.stderr:
            return None, ""
        report, (soft, hard) = marshal.loads(done.stdout)
    except (subprocess.TimeoutExpired, EOFError, ValueError, TypeError):
        return None, ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    if soft == low:
        return report, "0"
    return report, f"{soft} {soft + 1}" if soft == hard else f"{soft}"


def scope(own: "List[str]") -> "Dict[str, Any]":
    """Return what the launcher's parts define, as if it was started for this hook."""
    names: "Dict[str, Any]" = {}
    before = sys.argv
    sys.argv = [f"{_HOME}/launch.py", *own[1:]]
    for part in ("entry", "launcher", "uv"):
        with open(f"{_HOME}/@BUILD@.{part}.py", "rb") as file:
            exec(compile(file.read(), f"{part}.py", "exec", 0, True), names)
    sys.argv = before
    return names


def words_of(process: str) -> "List[str]":
    """Return the command line of a process. Raises OSError where the system does not tell."""
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
    if os.fsdecode(first) == _FOLDER:
        result[b"PYTHONPATH"] = rest  # in its place: the order is uv's
        if not colon:
            del result[b"PYTHONPATH"]
    return result


def limit_of_files() -> "Tuple[int, int]":
    """Return the limit of open files, and how far it may be raised."""
    import resource  # noqa: PLC0415 - not in each Python that is started on the way

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def site_packages() -> str:
    """Return the folder of this environment's packages, "" where there is none."""
    found = [
        path for path in sys.path if path.startswith(sys.prefix) and path.endswith("-packages")
    ]
    return found[0] if found else ""


def keep(record: str, text: str) -> None:
    """Write a record; where that fails, uv is asked again next time."""
    draft = f"{record}.{os.getpid()}.{time.time_ns()}"
    try:
        os.makedirs(os.path.dirname(record), 0o700, exist_ok=True)
        with open(draft, "x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(draft, 0o600)
        os.replace(draft, record)
    except OSError:
        return


def step_aside() -> None:
    """Let this Python be what it would be without us, with its own ``sitecustomize`` if any."""
    environ = original_environment(dict(os.environb))
    os.environb.clear()
    os.environb.update(environ)
    if _FOLDER in sys.path:
        ours = sys.path.index(_FOLDER)
        # behind ours an empty PYTHONPATH is the current folder, alone it is none
        del sys.path[ours : ours + (2 if environ.get(b"PYTHONPATH") == b"" else 1)]
    del sys.modules["sitecustomize"]
    import sitecustomize  # type: ignore[import-not-found] # noqa: F401, PLC0415 - raises what site expects where there is none


if __name__ == "sitecustomize":
    with contextlib.suppress(OSError, ValueError, IndexError):  # then this is not for us
        main()
    step_aside()
