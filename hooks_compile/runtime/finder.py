"""Finds the standard library's modules while a launch imports ahead: what Python finds, sooner.

For each module Python asks several finders and a loader, written in Python, which search and check
one step at a time. :class:`Library` answers what they would: from the same listing of the folder,
with the bytecode that Python would run, after the check that Python makes, and what it leaves in a
module is what they would have left. Whatever is out of the ordinary is left to them. What this
stands for are ``FileFinder`` and ``SourceLoader`` in CPython's
``Lib/importlib/_bootstrap_external.py``.
"""

import _frozen_importlib
import _frozen_importlib_external
import _imp
import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Callable, Dict, List, Optional, Sequence, Set

    from hooks_compile.runtime.launcher import STDLIB

bootstrap: "Any" = _frozen_importlib  # typeshed lacks what they keep to themselves
external: "Any" = _frozen_importlib_external


class Library:
    """A finder in front of Python's own, for as long as nothing precedes the library."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self.known: Dict[str, Optional[Set[str]]] = {}
        self.folders = [each for each in (STDLIB, f"{STDLIB}/lib-dynload") if each in sys.path[1:3]]
        self.extensions = _imp.extension_suffixes()
        self.loaders = [(suffix, external.ExtensionFileLoader) for suffix in self.extensions]
        self.loaders += [(".py", external.SourceFileLoader)]
        self.loaders += [(".pyc", external.SourcelessFileLoader)]
        self.cached = f".{sys.implementation.cache_tag}.pyc"
        self.magic = external.MAGIC_NUMBER

    def __enter__(self) -> None:
        """Stand in ``sys.meta_path``, if what is there can be answered for."""
        place = own_finders()
        if place is not None:
            sys.meta_path.insert(place, self)

    def __exit__(self, *_: object) -> None:
        """Be gone from there."""
        found = [place for place, each in enumerate(sys.meta_path) if each is self]
        for place in found:
            del sys.meta_path[place]

    def find_spec(self, name: str, path: "Any" = None, target: object = None) -> "Optional[Any]":
        """Return what Python's own finders would return; None where they have to be asked."""
        if _imp.is_builtin(name) or _imp.is_frozen(name):
            return None
        try:
            if path is None:
                return self.search(name, name, self.folders)
            if type(path) is list and len(path) == 1 and path[0].startswith(STDLIB):
                return self.search(name, name[name.rfind(".") + 1 :], path)
        except Exception:  # whatever it is, Python meets it again
            return None
        return None

    def search(self, name: str, last: str, path: "Sequence[str]") -> "Optional[Any]":
        """Return the spec of the module ``name`` in these folders, ``last`` being its last part."""
        for folder in path:
            names = self.known[folder] if folder in self.known else self.look_into(folder)
            if names is None:
                break
            stem = f"{folder}/{last}"
            if last in names:
                for suffix in self.extensions:
                    if is_regular(f"{stem}/__init__{suffix}"):
                        return None
                return self.source(name, stem, "__init__", [stem])
            for suffix in self.extensions:
                if last + suffix in names:
                    return extension(name, stem + suffix)
            if last + ".py" in names or last + ".pyc" in names:
                return self.source(name, folder, last, None)
        return None

    def look_into(self, folder: str) -> "Optional[Set[str]]":
        """Return the names in a folder as Python's finder for it knows them, None in doubt."""
        finder = external.PathFinder._path_importer_cache(folder)
        if (
            type(finder) is not external.FileFinder
            or finder.path != folder
            or finder._loaders != self.loaders
        ):
            self.known[folder] = None
            return None
        time = posix.stat(folder).st_mtime
        if finder._path_mtime != time:
            finder._fill_cache()
            finder._path_mtime = time
        names: "Set[str]" = finder._path_cache
        self.known[folder] = names
        return names

    def source(
        self, name: str, folder: str, stem: str, inside: "Optional[List[str]]"
    ) -> "Optional[Any]":
        """Return the spec of a module in Python whose submodules are ``inside`` these folders.

        None where Python would not run what ``__pycache__`` holds.
        """
        origin = f"{folder}/{stem}.py"
        cached = f"{folder}/__pycache__/{stem}{self.cached}"
        status = posix.stat(origin)
        most = status.st_size * 2 + 4096
        file = posix.open(cached, posix.O_RDONLY)
        try:
            data = posix.read(file, most)
        finally:
            posix.close(file)
        # magic number, flags (0: the source's time and size decide), time, size
        checked = (int(status.st_mtime) & 0xFFFFFFFF) << 32 | (status.st_size & 0xFFFFFFFF) << 64
        if (
            data[:16] != self.magic + checked.to_bytes(12, "little")
            or len(data) == most  # there may be more
            or status.st_mode & 0o170000 != 0o100000
        ):
            return None
        code = marshal.loads(data[16:])
        if type(code) is not type(is_regular.__code__):
            return None
        _imp._fix_co_filename(code, origin)  # type: ignore[attr-defined] # typeshed lacks it
        loader = external.SourceFileLoader(name, origin)
        loader.exec_module = executes(loader, code)
        return spec_of(name, loader, origin, cached, inside)


def own_finders() -> "Optional[int]":
    """Return where in ``sys.meta_path`` Python's own finders stand, which may be answered for.

    None where others stand between them, or search something else or elsewhere than usual.
    """
    own = bootstrap.BuiltinImporter, bootstrap.FrozenImporter, external.PathFinder
    for place, each in enumerate(sys.meta_path):
        if each is own[0]:
            usual = list(map(id, sys.meta_path[place : place + 3])) == list(map(id, own))
            # the first of sys.path, an archive, is known not to be there
            usual = usual and sys.path_importer_cache.get(sys.path[0], sys) is None
            return place if usual and sys.pycache_prefix is None else None
    return None


def extension(name: str, origin: str) -> "Optional[Any]":
    """Return the spec of a module in C; None if there is no such file."""
    if not is_regular(origin):
        return None
    return spec_of(name, external.ExtensionFileLoader(name, origin), origin, None, None)


def spec_of(
    name: str, loader: "Any", origin: str, cached: "Optional[str]", inside: "Optional[List[str]]"
) -> "Any":
    """Return the spec that ``importlib.util.spec_from_file_location`` makes."""
    spec = bootstrap.ModuleSpec(name, loader, origin=origin)
    spec._set_fileattr = True
    spec._cached = cached
    spec.submodule_search_locations = inside
    return spec


def executes(loader: "Any", code: "CodeType") -> "Callable[[Any], None]":
    """Return what executes a module as ``loader`` does, and is gone from it before."""

    def exec_module(module: "Any") -> None:
        del loader.exec_module
        exec(code, module.__dict__)

    return exec_module


def is_regular(path: str) -> bool:
    """Tell whether ``path`` is a file."""
    try:
        return posix.stat(path).st_mode & 0o170000 == 0o100000
    except OSError:
        return False
