"""The records of what uv did for a script: ``RUNTIME/uv/PATH/OF/HOOK.py.uv``.

The wrapper reads the first two lines: the interpreter, or ``-`` if the script is left to uv; and
the limit of open files that uv sets. Each line behind them is a context.
"""

import marshal

from hooks_compile.launcher.entry import keyed_hash
from hooks_compile.launcher.safe_read import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Tuple

# In place of an interpreter: this is left to uv.
LEFT = "-"
MOST_CONTEXTS = 8


class UvContext:
    """What uv did for a script with certain inputs and a certain environment on disk.

    ``inputs`` and ``state`` are digests of these. ``venv`` is VIRTUAL_ENV ("" if uv sets none),
    ``first_path`` the directory that comes first on PATH, and ``packages`` the site-packages
    ("" if uv reads none).
    """

    __slots__ = ("first_path", "inputs", "packages", "python", "state", "uv", "venv")

    def __init__(
        self,
        inputs: str,
        state: str,
        python: str,
        uv: str = "",
        venv: str = "",
        first_path: str = "",
        packages: str = "",
    ) -> None:
        """Take the fields in the order of a record's line."""
        self.inputs = inputs
        self.state = state
        self.python = python
        self.uv = uv
        self.venv = venv
        self.first_path = first_path
        self.packages = packages

    def environment(self) -> "Tuple[str, ...]":
        """Return the fields that describe an environment."""
        return self.python, self.uv, self.venv, self.first_path, self.packages

    def line(self) -> str:
        """Return the line of a record."""
        return "\t".join((self.inputs, self.state, *self.environment()))


def read_contexts(record: str) -> "List[UvContext]":
    """Return what is recorded for a script, newest first. Raises OSError, ValueError."""
    lines = read(record, True).decode("utf-8", "surrogateescape").split("\n")
    rows = [line.split("\t") for line in lines[2:] if line]
    if [1 for row in rows if len(row) != len(UvContext.__slots__)]:
        raise ValueError("a damaged record")
    return [UvContext(*row) for row in rows]


def digest(key: bytes, parts: "List[object]") -> str:
    """Return a keyed digest of bytes, text, numbers, tuples and lists."""
    return keyed_hash(key, marshal.dumps(parts, 2)).hex()  # version 2 has no references
