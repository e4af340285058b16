"""Compiles the launcher for an interpreter that runs it for the first time.

``launch.py`` executes this file if it finds no compiled launcher that belongs to this user and is
undamaged. Then it calls :func:`prepare`.
"""

import _imp
import marshal
import posix
import sys
from typing import Any, Dict, Sequence

from hooks_compile.launcher.miss.store import write


def prepare(path: str, on_demand: Sequence[str], scope: Dict[str, Any]) -> None:
    """Compile the parts of the launcher, store them, and execute the first one in ``scope``.

    That puts the class ``Launch`` into ``scope``. The file of the first part begins with a hash,
    and the part ``main`` is behind it. The hashes of all others are arguments of its last call.
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
        write_part(f"{path}.{part}", data)
    call = f"\nLaunch = start(globals(), {name!r}, {digests!r}, {len(main)})\n"
    data = compiled_part(f"{sources}.start.py", call.encode()) + main
    write_part(path, _imp.source_hash(sys.hexversion, data) + data)
    scope["data"] = data
    exec(marshal.loads(data), scope)


def compiled_part(path: str, more: bytes = b"") -> bytes:
    """Return the marshalled code of the source in the file ``path`` with ``more`` behind it."""
    with open(path, "rb") as file:
        source = file.read()
    return marshal.dumps(compile(source + more, "<hooks-compile>", "exec", 0, True, 2))


def write_part(path: str, data: bytes) -> None:
    """Write a file for this user alone. If that fails, each launch compiles again."""
    directory, _, name = path.rpartition("/")
    try:
        place = posix.open(directory, posix.O_RDONLY)
        try:
            write(place, name, data, 0o600)
        finally:
            posix.close(place)
    except OSError:
        return
