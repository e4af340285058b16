"""What ``uv run`` reads before it looks at an environment: its words, variables and files."""

import posix
from typing import List, Optional, Sequence

from hooks_compile.launcher.annotations import Environment
from hooks_compile.launcher.safe_read import read
from hooks_compile.launcher.script import real_path

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
_VERSION_CHARACTERS = "0123456789.*<>=!~, "


def find_program(command: str, environ: Environment) -> str:
    """Return the file that a shell would start for ``command``. Raises OSError."""
    if "/" in command:
        return command
    for directory in as_text(environ.get(b"PATH", b"")).split(":"):
        path = (directory or ".") + "/" + command
        if posix.access(path, posix.X_OK) and posix.stat(path).st_mode & 0o170000 == 0o100000:
            return path
    raise FileNotFoundError(2, "not on PATH", command)


def uv_inputs(
    command: str, options: Sequence[str], script: str, environ: Environment
) -> List[object]:
    """Return all that uv reads before it looks at an environment: more than uv reads, never less.

    Raises OSError for a script or a uv that is not there, ValueError if uv may read something else.
    """
    for unknown in _ONLY_UV_KNOWS:
        if unknown in environ:
            raise ValueError(f"{unknown.decode()} is set")
    here = posix.getcwd()
    path = script if script.startswith("/") else f"{here}/{script}"
    starts = [path[: path.rfind("/")], here]
    projects = values_of(options, "--project")
    starts += [each if each.startswith("/") else f"{here}/{each}" for each in projects]
    wanted = [as_text(environ.get(b"UV_PYTHON", b"")), *values_of(options, "-p", "--python")]
    parts: List[object] = [command, list(options), path, real_path(script)]
    parts += [(name, environ[name]) for name in sorted(environ) if name.startswith(_READ_BY_UV)]
    parts.append(file_identity(find_program(command, environ)))
    parts += [metadata(read(script)), contents(f"{script}.lock")]
    files = [f"{directory}/{name}" for directory in ancestors(starts) for name in _IN_DIRECTORIES]
    for file in files + user_configuration(environ):
        found = contents(file)
        if found is not None:
            parts.append((file, found))
            if file.endswith(_PINS):
                wanted += as_text(found).split("\n")
            if file.endswith("/pyproject.toml"):
                beside = file[: -len("pyproject.toml")]
                parts += [contents(beside + name) for name in _BESIDE_PROJECT]
                parts.append(posix.access(f"{beside}src", posix.F_OK))
    for directory in ancestors(starts):
        parts += [posix.access(f"{directory}/{name}", posix.F_OK) for name in _ENVIRONMENTS]
    parts += [wanted_python(request.strip()) for request in wanted]
    return parts


def values_of(options: Sequence[str], *names: str) -> List[str]:
    """Return the values of the options with these names."""
    return [value for name, value in zip(options, options[1:]) if name in names]  # noqa: RUF007 - 3.8


def wanted_python(request: str) -> Optional[List[object]]:
    """Return what a request for a Python leads to, if that is more than its text.

    Raises OSError for a path that leads nowhere, ValueError for a name that uv searches for.
    """
    if "/" in request:
        return file_identity(request)
    if request.strip(_VERSION_CHARACTERS) and not request.startswith("#"):
        raise ValueError("a Python is requested by its name")
    return None


def file_identity(path: str) -> List[object]:
    """Return what changes if a program is replaced by another file. Raises OSError."""
    status = posix.stat(path)
    return [real_path(path), status.st_ino, status.st_size, status.st_mtime_ns]


def metadata(source: bytes) -> List[bytes]:
    """Return the lines from the first to the last one that may begin or end metadata (PEP 723)."""
    lines = source.split(b"\n")
    marks = [number for number, line in enumerate(lines) if b"# ///" in line]
    return lines[marks[0] : marks[-1] + 1] if marks else []


def ancestors(directories: Sequence[str]) -> List[str]:
    """Return the directories and all that are above them, each once; "" is the root."""
    found: List[str] = []
    for start in directories:
        directory = start.rstrip("/")
        while directory not in found:
            found.append(directory)
            directory = directory[: directory.rfind("/")] if directory else ""
    return found


def user_configuration(environ: Environment) -> List[str]:
    """Return the files of the user and of the machine that uv may read."""
    config = environ.get(b"XDG_CONFIG_HOME") or environ.get(b"HOME", b"") + b"/.config"
    system = environ.get(b"XDG_CONFIG_DIRS") or b"/etc/xdg"
    directories = [as_text(config), "/etc", *as_text(system).split(":")]
    return [f"{each}/uv/{name}" for each in directories for name in ("uv.toml", *_PINS)]


def contents(path: str) -> Optional[bytes]:
    """Return the bytes of a file, None if there is none. Raises OSError, ValueError."""
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def as_text(path: bytes) -> str:
    """Return the text of a path."""
    return path.decode("utf-8", "surrogateescape")
