"""All that uv reads before it looks at an environment."""

import posix

from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path
from hooks_compile.launcher.uv.uv_command import find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence, Tuple

    from hooks_compile.launcher.uv.uv_command import Environment

# Variables that change where uv looks or what it does besides choosing: uv has to read them.
_ONLY_UV_KNOWS = (
    *(b"UV_CONFIG_FILE", b"UV_ENV_FILE", b"UV_ISOLATED", b"UV_NO_CACHE", b"UV_PROJECT"),
    *(b"UV_WORKING_DIR", b"UV_WORKING_DIRECTORY"),
)
_READ_BY_UV = (b"UV_", b"XDG_", b"CONDA_", b"SSL_", b"RUST_", b"VIRTUAL_ENV", b"HOME", b"PYTHON")
_PINS = (".python-version", ".python-versions")
_IN_DIRECTORIES = ("uv.toml", "pyproject.toml", *_PINS)
_BESIDE_PROJECT = ("uv.lock", "setup.py", "setup.cfg")
_ENVIRONMENTS = (".venv", "pyvenv.cfg")
_VERSION_CHARACTERS = b"0123456789.*<>=!~, "


def uv_inputs(
    command: str, options: "Sequence[str]", script: str, environ: "Environment"
) -> "List[object]":
    """Return all that uv reads before it looks at an environment: more than uv reads, never less.

    Raises OSError for a script or a uv that is not there, ValueError if uv may read something else.
    """
    for unknown in _ONLY_UV_KNOWS:
        if unknown in environ:
            raise ValueError(f"{unknown.decode()} is set")
    here = posix.getcwd()
    path = script if script.startswith("/") else f"{here}/{script}"
    starts, wanted = starts_and_pythons(options, environ)
    starts = [path[: path.rfind("/")], here, *starts]
    parts: "List[object]" = [command, list(options), path, real_path(script)]
    parts += [(name, environ[name]) for name in sorted(environ) if name.startswith(_READ_BY_UV)]
    parts.append(file_identity(find_program(command, environ)))
    parts += [metadata(read(script)), contents(f"{script}.lock")]
    files = [f"{directory}/{name}" for directory in ancestors(starts) for name in _IN_DIRECTORIES]
    for file in files + user_configuration(environ):
        found = contents(file)
        if found is not None:
            parts.append((file, found))
            if file.endswith(_PINS):
                wanted += found.split(b"\n")
            if file.endswith("/pyproject.toml"):
                beside = file[: -len("pyproject.toml")]
                parts += [contents(beside + name) for name in _BESIDE_PROJECT]
                parts.append(exists(f"{beside}src"))
    for directory in ancestors(starts):
        parts += [exists(f"{directory}/{name}") for name in _ENVIRONMENTS]
    parts += [wanted_python(request.strip()) for request in wanted]
    return parts


def starts_and_pythons(
    options: "Sequence[str]", environ: "Environment"
) -> "Tuple[List[str], List[bytes]]":
    """Return the projects and the Pythons that options and environment ask for."""
    starts = []
    wanted = [environ.get(b"UV_PYTHON", b"")]
    for option, value in zip(options, options[1:]):  # noqa: RUF007 - 3.8
        if option == "--project":
            starts.append(value if value.startswith("/") else f"{posix.getcwd()}/{value}")
        if option in ("-p", "--python"):
            wanted.append(value.encode("utf-8", "surrogateescape"))
    return starts, wanted


def wanted_python(request: bytes) -> "Optional[List[object]]":
    """Return what a request for a Python leads to, if that is more than its text.

    Raises OSError for a path that leads nowhere, ValueError for a name that uv searches for.
    """
    if b"/" in request:
        return file_identity(request.decode("utf-8", "surrogateescape"))
    if request.strip(_VERSION_CHARACTERS) and not request.startswith(b"#"):
        raise ValueError("a Python is requested by its name")
    return None


def file_identity(path: str) -> "List[object]":
    """Return what changes if a program is replaced by another file. Raises OSError."""
    status = posix.stat(path)
    return [real_path(path), status.st_ino, status.st_size, status.st_mtime_ns]


def metadata(source: bytes) -> "List[List[bytes]]":
    """Return every run of lines that may hold metadata (PEP 723).

    Metadata is in comments at the beginning of the line, between ``# /// TYPE`` and ``# ///``.
    """
    runs: "List[List[bytes]]" = [[]]
    if b"# ///" in source:
        for line in source.split(b"\n"):
            if line.startswith(b"#") or b"# ///" in line:
                runs[-1].append(line)
            elif runs[-1]:
                runs.append([])
    return [run for run in runs if any(b"# ///" in line for line in run)]


def ancestors(directories: "Sequence[str]") -> "List[str]":
    """Return the directories and all that are above them, each once; "" is the root."""
    found: "List[str]" = []
    for start in directories:
        directory = start.rstrip("/")
        while directory not in found:
            found.append(directory)
            directory = directory[: directory.rfind("/")] if directory else ""
    return found


def user_configuration(environ: "Environment") -> "List[str]":
    """Return the files of the user and of the machine that uv may read."""
    home = environ.get(b"HOME", b"").decode("utf-8", "surrogateescape")
    config = environ.get(b"XDG_CONFIG_HOME", b"").decode("utf-8", "surrogateescape")
    config = config or f"{home}/.config"
    system = environ.get(b"XDG_CONFIG_DIRS", b"").decode("utf-8", "surrogateescape")
    directories = [config, "/etc", *(system or "/etc/xdg").split(":")]
    names = ("uv.toml", ".python-version", ".python-versions")
    return [f"{directory}/uv/{name}" for directory in directories for name in names]


def contents(path: str) -> "Optional[bytes]":
    """Return the bytes of a file, None if there is none. Raises OSError, ValueError."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def exists(path: str) -> bool:
    """Return whether there is something at a path."""
    return posix.access(path, posix.F_OK)
