"""The command line of ``uv run``: its options, its script, and the program."""

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Sequence

    Environment = Dict[bytes, bytes]

# Options of ``uv run`` that only say which environment is meant: the same set as in uv.sh.
SWITCHES = frozenset(
    (
        *("-s", "--script", "-q", "--quiet", "--no-project", "--no-sync", "--frozen", "--locked"),
        *("--offline", "--no-dev", "--no-config", "--no-progress", "--active"),
    )
)
WITH_VALUE = frozenset(("-p", "--python", "--project", "--extra", "--group"))


def script_position(words: "Sequence[str]") -> int:
    """Return the index of the script among the words behind ``uv run``.

    Raises ValueError if uv may run something else than one script in one environment.
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
    raise ValueError("only uv knows what these words mean")


def find_program(command: str, environ: "Environment") -> str:
    """Return the file that a shell would start for ``command``. Raises OSError."""
    if "/" in command:
        return command
    for directory in environ.get(b"PATH", b"").decode("utf-8", "surrogateescape").split(":"):
        path = (directory or ".") + "/" + command
        if posix.access(path, posix.X_OK) and not is_directory(path):
            return path
    raise FileNotFoundError(2, "not on PATH", command)


def is_directory(path: str) -> bool:
    """Return whether ``path`` is a directory."""
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o040000
    except OSError:
        return False
