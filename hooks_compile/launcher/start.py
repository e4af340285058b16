"""The first part of the assembled launcher: disables the collector and loads the other parts.

Each part is a module, as the subdirectories of a package are.
"""

import _imp
import marshal
import sys
from types import CodeType, ModuleType
from typing import Any, Dict

from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.safe_read import read


def start(first: Dict[str, Any], name: str, digests: Dict[str, bytes], size: int) -> type:
    """Return the class ``Launch`` of the main part.

    The last line of this part, which ``prepare.py`` adds, calls it. ``first`` holds the names of
    this part, and "data": both parts, of which the main one is the last ``size`` bytes. ``name``
    and ``digests`` are as for :func:`make_parts`.
    """
    if GC is not None:
        GC.disable()
    main = memoryview(first.pop("data"))[-size:]  # no copy
    parts = make_parts(first, sys.argv[0][: -len("launch.py")], name, digests)
    names = parts["main"].__dict__
    exec(marshal.loads(main), names)
    launch: type = names["Launch"]
    return launch


def make_parts(
    first: Dict[str, Any], directory: str, name: str, digests: Dict[str, bytes]
) -> Dict[str, ModuleType]:
    """Return the parts by name.

    ``start`` has the names in ``first``, ``main`` is empty, and those in ``digests`` are loaded at
    first use.

    ``directory`` is the runtime directory and ends in a slash. The compiled parts are the files
    ``name``.PART in it; ``name`` is ``launch.py.BUILD.INTERPRETER``. A file whose hash is not that
    in ``digests`` is not used.
    """
    module_type = type(sys)
    parts = {part: module_type(part) for part in ("start", "main", *digests)}
    parts["start"].__dict__.update(first)
    source = directory + name.split(".")[2]
    for part, module in parts.items():
        module.__dict__["_parts"] = parts
        if part in digests:
            code = f"{directory}{name}.{part}"
            load_on_demand(module, code, digests[part], f"{source}.{part}.py")
    return parts


def load_on_demand(module: ModuleType, path: str, digest: bytes, source: str) -> None:
    """Let a module be loaded when one of its names is first used (PEP 562).

    That raises OSError and ValueError if the part is missing or damaged.
    """

    def load(name: str) -> Any:
        code = code_of(path, digest, source)
        del module.__dict__["__getattr__"]
        exec(code, module.__dict__)
        return getattr(module, name)

    module.__dict__["__getattr__"] = load


def code_of(path: str, digest: bytes, source: str) -> CodeType:
    """Return the code of a part: as it was stored in ``path``, else compiled from ``source``."""
    try:
        data = read(path, private=True)
    except (OSError, ValueError):  # it could not be stored, or was removed
        data = b""
    if _imp.source_hash(sys.hexversion, data) == digest:
        return marshal.loads(data)  # type: ignore[no-any-return]
    return compile(read(source, private=True), "<hooks-compile>", "exec", 0, True, 2)
