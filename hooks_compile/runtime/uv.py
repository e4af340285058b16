"""Launches of ``uv run HOOK`` without uv, where everything that uv goes by is as it was recorded.

``launcher.py`` executes this file in its own namespace when the wrapper hands it the words of a
``uv run``; ``uv_record.py`` does the same when it makes a record. A record says: with these inputs
and this environment on disk uv changed nothing, said nothing, and started this interpreter. uv
decides the same as long as neither differs. Whenever one does, uv is asked.

One file holds what is known of a script: ``RUNTIME/uv/PATH/OF/HOOK.py.uv``. Its first two lines are
read by the wrapper: the interpreter, or ``-`` where the script is left to uv; and the limit of open
files that uv sets. Each line behind them is a ``Context``.
"""

import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, NoReturn, Optional, Sequence, Tuple

    from hooks_compile.runtime.entry import keyed_hash
    from hooks_compile.runtime.launcher import RUNTIME, read, read_key, real_path

    Environment = Dict[bytes, bytes]
    # inputs (digest), environment on disk (digest), interpreter, uv, VIRTUAL_ENV ("" where uv sets
    # none), folder that comes first on PATH, site-packages ("" where uv looks at none)
    Context = Tuple[str, str, str, str, str, str, str]

# Options of ``uv run`` that only say which environment is meant: the same set as in the wrapper.
SWITCHES = frozenset(
    (
        *("-s", "--script", "-q", "--quiet", "--no-project", "--no-sync", "--frozen", "--locked"),
        *("--offline", "--no-dev", "--no-config", "--no-progress", "--active"),
    )
)
WITH_VALUE = frozenset(("-p", "--python", "--project", "--extra", "--group"))
# In the place of an interpreter: this is left to uv.
LEFT = "-"
CONTEXTS = 8
_RECORDER = "uvsite"
# Variables that change where uv looks or what it does beyond choosing: uv is to see to them.
_UNKNOWN = (
    b"UV_CONFIG_FILE UV_ENV_FILE UV_ISOLATED UV_NO_CACHE UV_PROJECT UV_WORKING_DIR"
    b" UV_WORKING_DIRECTORY".split()
)
_READ_BY_UV = (b"UV_", b"XDG_", b"CONDA_", b"SSL_", b"RUST_", b"VIRTUAL_ENV", b"HOME", b"PYTHON")
_PINS = (".python-version", ".python-versions")
_IN_FOLDERS = ("uv.toml", "pyproject.toml", *_PINS)
_BESIDE_PROJECT = ("uv.lock", "setup.py", "setup.cfg")
_ENVIRONMENTS = (".venv", "pyvenv.cfg")
_VERSION = b"0123456789.*<>=!~, "


def enter_uv() -> None:
    """Make this process what ``uv run`` would have started, or become ``uv run``.

    ``sys.argv`` is ``launch.py --uv=RECORD UV [OPTIONS] HOOK [ARGS]``; afterwards it is that of a
    launch without uv, and the environment variables are those that uv gives.
    """
    record, command, words = sys.argv[1][5:], sys.argv[2], sys.argv[3:]
    recording = recording_environment(record, posix.environ)
    try:
        if None in (sys.stdin, sys.stdout, sys.stderr):
            raise ValueError("uv opens /dev/null in the place of a stream that is closed")
        position = script_position(words)
        inputs = digest(uv_inputs(command, words[:position], words[position], posix.environ))
        found = [context for context in read_contexts(record) if context[0] == inputs]
        if not found:
            become_uv(command, words, recording)
        if found[0][2] == LEFT:
            become_uv(command, words, posix.environ)
        if digest(environment_state(found[0], posix.environ)) != found[0][1]:
            become_uv(command, words, recording)
        if found[0][2] != sys.executable:
            posix.execv(found[0][2], [found[0][2], *sys.argv])
        set_environment(uv_environment(found[0], posix.environ))
    except OSError:
        become_uv(command, words, recording)
    except ValueError:  # uv has to be asked each time
        become_uv(command, words, posix.environ)
    if hasattr(sys, "orig_argv"):
        start = sys.orig_argv.index(sys.argv[1])
        del sys.orig_argv[start : start + 2 + position]
    del sys.argv[1 : 3 + position]


def script_position(words: "Sequence[str]") -> int:
    """Return where the script stands among the words behind ``uv run``.

    Raises ValueError where uv may run something else than one script in one environment.
    """
    position = 0
    while position < len(words):
        word = words[position]
        if word in WITH_VALUE:
            position += 1
        elif word not in SWITCHES:
            options = words[:position]
            is_script = word.endswith(".py") or "-s" in options or "--script" in options
            if word.startswith("-") or not is_script or "://" in word:
                break
            return position
        position += 1
    raise ValueError("uv has to tell what these words mean")


def read_contexts(record: str) -> "List[Context]":
    """Return what is recorded for a script, newest first. Raises OSError, ValueError."""
    lines = read(record, True).decode("utf-8", "surrogateescape").split("\n")
    fields = [line.split("\t") for line in lines[2:] if line]
    return [(a, b, c, d, e, f, g) for a, b, c, d, e, f, g in fields]


def digest(parts: "List[object]") -> str:
    """Return a keyed digest of bytes, text, numbers, tuples and lists. Raises OSError, ValueError
    where the key can't be used."""
    return keyed_hash(read_key(), marshal.dumps(parts, 2)).hex()  # version 2 has no references


def uv_inputs(
    command: str, options: "Sequence[str]", script: str, environ: "Environment"
) -> "List[object]":
    """Return all that uv goes by before it looks at an environment.

    It takes in more than uv reads, never less. Raises OSError for a script or a uv that is not
    there, ValueError where uv may go by something else.
    """
    for unknown in _UNKNOWN:
        if unknown in environ:
            raise ValueError(f"{unknown.decode()} is set")
    here = posix.getcwd()
    path = script if script.startswith("/") else f"{here}/{script}"
    parts: "List[object]" = [command, list(options), path, real_path(script)]
    parts += [(name, environ[name]) for name in sorted(environ) if name.startswith(_READ_BY_UV)]
    parts.append(file_identity(find_program(command, environ)))
    parts += [metadata(read(script)), contents(f"{script}.lock")]
    starts = [path[: path.rfind("/")], here]
    wanted = [environ.get(b"UV_PYTHON", b"")]
    for option, value in zip(options, options[1:]):  # noqa: RUF007 - 3.8
        if option == "--project":
            starts.append(value if value.startswith("/") else f"{here}/{value}")
        if option in ("-p", "--python"):
            wanted.append(value.encode("utf-8", "surrogateescape"))
    files = [f"{folder}/{name}" for folder in ancestors(starts) for name in _IN_FOLDERS]
    for path in files + user_configuration(environ):
        found = contents(path)
        if found is not None:
            parts.append((path, found))
            if path.endswith(_PINS):
                wanted += found.split(b"\n")
            if path.endswith("/pyproject.toml"):
                beside = path[: -len("pyproject.toml")]
                parts += [contents(beside + name) for name in _BESIDE_PROJECT]
                parts.append(exists(f"{beside}src"))
    parts += [exists(f"{folder}/{name}") for folder in ancestors(starts) for name in _ENVIRONMENTS]
    parts += [wanted_python(request.strip()) for request in wanted]
    return parts


def wanted_python(request: bytes) -> "Optional[List[object]]":
    """Return what a request for a Python leads to, as far as it is more than its text.

    Raises OSError for a path that leads nowhere, ValueError for a name that uv searches for.
    """
    if b"/" in request:
        return file_identity(request.decode("utf-8", "surrogateescape"))
    if request.strip(_VERSION) and not request.startswith(b"#"):
        raise ValueError("a Python is wanted by its name")
    return None


def file_identity(path: str) -> "List[object]":
    """Return what tells whether a program is still the same file. Raises OSError."""
    status = posix.stat(path)
    return [real_path(path), status.st_ino, status.st_size, status.st_mtime_ns]


def find_program(command: str, environ: "Environment") -> str:
    """Return the file that a shell would start for ``command``. Raises OSError."""
    if "/" in command:
        return command
    for folder in environ.get(b"PATH", b"").decode("utf-8", "surrogateescape").split(":"):
        path = f"{folder or '.'}/{command}"
        if posix.access(path, posix.X_OK) and not is_folder(path):
            return path
    raise FileNotFoundError(2, "not on PATH", command)


def metadata(source: bytes) -> "List[List[bytes]]":
    """Return every run of lines that may hold metadata (PEP 723).

    It stands in comments at the beginning of the line, between ``# /// TYPE`` and ``# ///``.
    """
    runs: "List[List[bytes]]" = [[]]
    if b"# ///" in source:
        for line in source.split(b"\n"):
            if line.startswith(b"#") or b"# ///" in line:
                runs[-1].append(line)
            elif runs[-1]:
                runs.append([])
    return [run for run in runs if any(b"# ///" in line for line in run)]


def ancestors(folders: "Sequence[str]") -> "List[str]":
    """Return the folders and all that are above them, each once; "" is the root."""
    found: "List[str]" = []
    for folder in folders:
        folder = folder.rstrip("/")  # noqa: PLW2901
        while folder not in found:
            found.append(folder)
            folder = folder[: folder.rfind("/")] if folder else ""  # noqa: PLW2901
    return found


def user_configuration(environ: "Environment") -> "List[str]":
    """Return the files of the user and of the machine that uv may read."""
    home = environ.get(b"HOME", b"").decode("utf-8", "surrogateescape")
    config = environ.get(b"XDG_CONFIG_HOME", b"").decode("utf-8", "surrogateescape")
    config = config or f"{home}/.config"
    system = environ.get(b"XDG_CONFIG_DIRS", b"").decode("utf-8", "surrogateescape")
    folders = [config, "/etc", *(system or "/etc/xdg").split(":")]
    names = ("uv.toml", ".python-version", ".python-versions")
    return [f"{folder}/uv/{name}" for folder in folders for name in names]


def environment_state(context: "Context", environ: "Environment") -> "List[object]":
    """Return what uv finds in the environment that it chose, or where it looks for a Python.

    Raises OSError where something of it is gone, ValueError.
    """
    python, uv, venv, first, packages = context[2:]
    parts: "List[object]" = [python, uv, venv, first, packages, sys.version]
    if venv:
        parts += [read(f"{venv}/pyvenv.cfg"), real_path(f"{venv}/bin/python")]
        parts.append(sorted(posix.listdir(packages)))
        return parts
    data = environ.get(b"XDG_DATA_HOME") or environ.get(b"HOME", b"") + b"/.local/share"
    managed = environ.get(b"UV_PYTHON_INSTALL_DIR") or data + b"/uv/python"
    parts.append(sorted(posix.listdir(managed)) if exists(managed) else None)
    found = python.startswith(managed.decode("utf-8", "surrogateescape") + "/")
    for name in environ.get(b"PATH", b"").decode("utf-8", "surrogateescape").split(":"):
        folder = name or "."
        if is_folder(folder):
            parts.append((folder, sorted(n for n in posix.listdir(folder) if n[:2] == "py")))
        if python == f"{folder}/{python[python.rfind('/') + 1 :]}":
            found = True
            break
    if not found:
        raise ValueError("its interpreter is neither on PATH nor one that uv manages")
    return [*parts, real_path(python)]


def uv_environment(context: "Context", environ: "Environment") -> "Environment":
    """Return the environment variables that uv gives, in its order, for those that it got."""
    uv, venv, first = (word.encode("utf-8", "surrogateescape") for word in context[3:6])
    result = {**environ, b"UV": uv, b"PATH": first + b":" + environ[b"PATH"]}
    depth = int(environ.get(b"UV_RUN_RECURSION_DEPTH", b"0")) + 1
    result[b"UV_RUN_RECURSION_DEPTH"] = str(depth).encode()
    if venv:
        result[b"VIRTUAL_ENV"] = venv
    return {name: result[name] for name in sorted(result)}


def set_environment(environ: "Environment") -> None:
    """Make ``environ`` that of this process and of those that it starts, in its order."""
    place = getattr(sys.modules.get("os"), "environb", {})
    place.clear()
    for name in list(posix.environ):
        posix.unsetenv(name)
    posix.environ.clear()
    for name, value in environ.items():
        posix.environ[name] = value
        posix.putenv(name, value)
    place.update(environ)


def become_uv(command: str, words: "List[str]", environ: "Environment") -> "NoReturn":
    """Replace the process by ``uv run``."""
    try:
        posix.execve(find_program(command, environ), [command, "run", *words], environ)
    except OSError:  # a shell has the words for it, and the exit status
        posix.execv("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', command, *words])


def recording_environment(record: str, environ: "Environment") -> "Environment":
    """Return ``environ`` with what makes ``uv_record.py`` record how uv launches a script.

    It stays as it is where others could have put something into the folder that Python would run.
    """
    try:
        for place in (RUNTIME, RUNTIME + _RECORDER):
            status = posix.lstat(place)
            if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
                return dict(environ)
    except OSError:
        return dict(environ)
    folder = f"{RUNTIME}{_RECORDER}".encode("utf-8", "surrogateescape")
    if b"PYTHONPATH" in environ:
        folder += b":" + environ[b"PYTHONPATH"]
    named = record.encode("utf-8", "surrogateescape")
    return {**environ, b"HOOKS_COMPILE_UV": named, b"PYTHONPATH": folder}


def contents(path: str) -> "Optional[bytes]":
    """Return the bytes of a file, None where there is none. Raises OSError, ValueError."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def exists(path: "object") -> bool:
    """Tell whether something that can be looked at stands at a path."""
    return posix.access(path, posix.F_OK)  # type: ignore[arg-type]


def is_folder(path: str) -> bool:
    """Tell whether a folder stands at a path."""
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o040000
    except OSError:
        return False
