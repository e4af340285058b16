"""Finds modules of the standard library in fewer steps than Python's own finder and loader.

It is in ``sys.meta_path`` only while a launch imports ahead of its hook. It makes what
``FileFinder`` and ``SourceLoader`` in CPython's ``Lib/importlib/_bootstrap_external.py`` would
make, and leaves to them whatever is not an up-to-date ``.pyc``.
"""

import _frozen_importlib
import _frozen_importlib_external
import _imp
import marshal
import posix
import sys
from typing import Any, List, Optional

from hooks_compile.launcher.process import STDLIB
from hooks_compile.launcher.safe_read import read

_PATH_FINDER: "Any" = _frozen_importlib_external.PathFinder
# A class would take longer to make.
FINDER: "Any" = type(sys.implementation)()  # types.SimpleNamespace


def add_stdlib_finder() -> None:
    """Put the finder in front of Python's own, if that searches the standard library first.

    ``sys.path`` begins with the archive and the directory of the standard library.
    """
    archive_is_missing = sys.path_importer_cache.get(sys.path[0], sys) is None
    if archive_is_missing and sys.pycache_prefix is None and _PATH_FINDER in sys.meta_path:
        FINDER.find_spec = find_spec
        sys.meta_path.insert(sys.meta_path.index(_PATH_FINDER), FINDER)


def find_spec(name: str, path: "Optional[List[str]]" = None, _: object = None) -> "Any":
    """Return the spec that Python's own finder would return; None if it has to be asked."""
    directory = path[0] if type(path) is list and len(path) == 1 else STDLIB
    if not (path is None or directory.startswith(STDLIB)):
        return None
    try:
        finder = _PATH_FINDER._path_importer_cache(directory)
        last = name[name.rfind(".") + 1 :]
        stem = f"{directory}/{last}"
        inside = None
        if last in finder._path_cache:
            inside = [stem]
            stem += "/__init__"
        return spec_of(name, stem, inside)
    except Exception:  # whatever it is, Python meets it again
        return None


def spec_of(name: str, stem: str, inside: "Optional[List[str]]") -> "Any":
    """Return the spec for the module in the file ``stem``.py. A package has modules ``inside``.

    None if Python would not run the ``.pyc``. Raises OSError if it or the source is missing.
    """
    origin = f"{stem}.py"
    directory, _, last = stem.rpartition("/")
    cached = f"{directory}/__pycache__/{last}.{sys.implementation.cache_tag}.pyc"
    status = posix.stat(origin)
    data = read(cached)
    # magic number, flags (0: time and size of the source decide), time, size
    checked = (int(status.st_mtime) & 0xFFFFFFFF) << 32 | (status.st_size & 0xFFFFFFFF) << 64
    if data[:16] != _frozen_importlib_external.MAGIC_NUMBER + checked.to_bytes(12, "little"):
        return None
    code = marshal.loads(memoryview(data)[16:])
    _imp._fix_co_filename(code, origin)  # type: ignore[attr-defined] # typeshed
    loader: "Any" = _frozen_importlib_external.SourceFileLoader(name, origin)

    def exec_module(module: "Any") -> None:
        del loader.exec_module
        exec(code, module.__dict__)

    loader.exec_module = exec_module
    spec: "Any" = _frozen_importlib.ModuleSpec(name, loader, origin=origin)
    spec.has_location = True
    spec.cached = cached
    spec.submodule_search_locations = inside
    return spec
