"""Compiles the launcher for an interpreter that runs it for the first time.

``launch.py`` executes this file if it finds no compiled launcher that belongs to this user and is
undamaged. Then it calls :func:`prepare`.
"""

import _imp
import marshal
import posix
import sys
import time
from types import CodeType
from typing import Any, Dict, Sequence


def prepare(path: str, on_demand: Sequence[str], scope: Dict[str, Any]) -> None:
    """Compile the parts of the launcher, store them, and execute the first one in ``scope``.

    That puts the class ``Launch`` into ``scope``. The file of the first part begins with its hash,
    and has the part ``main`` and the hashes of all others as arguments of its last call.
    ``path`` is the file for the first part, ``DIRECTORY/launch.py.BUILD.INTERPRETER``, and
    ``on_demand`` names the parts that are loaded at first use. Raises OSError for a part that is
    missing, SyntaxError and ValueError for a damaged one.
    """
    directory, _, name = path.rpartition("/")
    sources = f"{directory}/{name.split('.')[2]}"
    main = compiled_part(f"{sources}.main.py")
    digests = {}
    for part in on_demand:
        data = compiled_part(f"{sources}.{part}.py")
        digests[part] = _imp.source_hash(sys.hexversion, data)
        write(f"{path}.{part}", data)
    call = f"\nLaunch = start(globals(), {name!r}, {digests!r}, {main!r})\n"
    first = compiled_part(f"{sources}.start.py", call.encode())
    write(path, _imp.source_hash(sys.hexversion, first) + first)
    exec(marshal.loads(first), scope)


def compiled_part(path: str, more: bytes = b"") -> bytes:
    """Return the marshalled code of the source in the file ``path`` with ``more`` behind it."""
    with open(path, "rb") as file:
        source = file.read()
    code = compile(source + more, "<hooks-compile>", "exec", 0, True, 2)
    return marshal.dumps(without_positions(code))


def without_positions(code: CodeType) -> CodeType:
    """Return ``code`` without line numbers and qualified names, which only tracebacks show."""
    if sys.implementation.name != "cpython":
        return code
    kind = type(code)
    constants = [without_positions(each) if type(each) is kind else each for each in code.co_consts]
    changes: Any = {
        "co_consts": tuple(constants),
        "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab": b"",
    }
    if sys.version_info >= (3, 11):
        changes["co_qualname"] = code.co_name
    return code.replace(**changes)


def write(path: str, data: bytes) -> None:
    """Write a file atomically. If the directory can't be written, each launch compiles again."""
    draft = f"{path}.{posix.getpid()}.{time.time_ns()}"
    try:
        file = posix.open(draft, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    except OSError:
        return
    try:
        try:
            posix.write(file, data)
        finally:
            posix.close(file)
        posix.rename(draft, path)
    except OSError:
        try:
            posix.unlink(draft)
        except FileNotFoundError:
            return  # an upgrade removed it: it was of the version before
