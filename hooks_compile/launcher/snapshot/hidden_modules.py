"""Modules that a snapshot holds, hidden until the hook imports them.

They are not in ``sys.modules``, no package has them as attributes, and what they registered for the
end of the process is taken back. When the hook imports one, it becomes visible together with all
that its own code imports, as if it had been executed now. If the hook could get another module of
that name, they are given up: all is imported as always.
"""

import _frozen_importlib
import builtins
import posix
import sys
from types import ModuleType
from typing import Any, Dict, List, Sequence, Set, Tuple

from hooks_compile.launcher.preimport import can_shadow_stdlib
from hooks_compile.launcher.process import STDLIB
from hooks_compile.launcher.snapshot.import_graph import ImportGraph
from hooks_compile.launcher.snapshot.renewal import RENEWALS, retract

SEPARATOR = "\0"
# importlib changes attributes of these when it is imported.
_BOOTSTRAPS = ("_frozen_importlib", "_frozen_importlib_external")


class HiddenModules:
    """The hidden modules of a snapshot."""

    def __init__(self, names: Sequence[str]) -> None:
        """Import modules of the standard library, as far as this Python has them, and hide them.

        Raises ValueError if one has changed another in a way that can't be taken back.
        """
        visible = dict(sys.modules)
        finders = set(sys.path_importer_cache)
        before = {name: dict(module.__dict__) for name, module in visible.items()}
        lazy = set(getattr(sys, "lazy_modules", ()))  # new in 3.15; only to be shown
        graph = ImportGraph()
        graph.import_all(names)
        if lazy:
            sys.lazy_modules.intersection_update(lazy)  # type: ignore[attr-defined] # 3.15
            sys.lazy_modules.update(lazy)  # type: ignore[attr-defined]
        new = [name for name in sys.modules if name not in visible]
        # by name, None when it is visible: a removal would write to the page of its name
        self._modules: Dict[str, Any] = {name: sys.modules.pop(name) for name in new}
        brought = {name: graph.brought_by(name) for name in new}
        # by the name of a hidden module: the attributes that it gives to others
        self._given: Dict[str, List[Tuple[Dict[str, Any], str, Any]]] = {}
        for name, attributes in before.items():
            self._take_back(name, visible[name].__dict__, attributes)
        for name, module in self._modules.items():
            self._take_from_package(name, module, brought)
        for path in [path for path in sys.path_importer_cache if path not in finders]:
            del sys.path_importer_cache[path]
        retract(self._modules)
        # Each object that a launch uses is on a page that is copied then. So these are texts, one
        # behind the other: what else becomes visible with a module, and its files as they were.
        self._brought = {name: SEPARATOR.join(names) for name, names in brought.items()}
        self._stamps = {name: stamps_of(module) for name, module in self._modules.items()}
        self._find_spec: Any = _frozen_importlib._find_spec  # type: ignore[attr-defined]
        _frozen_importlib._find_spec = self._find_hidden  # type: ignore[attr-defined]
        self._usual = how_imports_are_made()
        # directories in which the hook can't get another module; before the stop they are keys
        self._passed: Set[str] = set(sys.path[1 : sys.path.index(STDLIB) + 1])

    def _take_back(self, name: str, now: Dict[str, Any], before: Dict[str, Any]) -> None:
        """Let a visible module have the attributes that it had, and note them."""
        for attribute, value in list(now.items()):
            old = before.get(attribute, self)
            if value is old or (type(value) is tuple and value == old):
                continue  # time.tzset() makes the names of the zone anew
            giver = f"{name}.{attribute}"
            if self._modules.get(giver) is not value:
                giver = "importlib"
                if name not in _BOOTSTRAPS or giver not in self._modules:
                    raise ValueError(f"an import changes {name}.{attribute}")
            self._given.setdefault(giver, []).append((now, attribute, value))
            if old is self:
                del now[attribute]
            else:
                now[attribute] = old

    def _take_from_package(
        self, name: str, module: ModuleType, brought: Dict[str, Tuple[str, ...]]
    ) -> None:
        """Let a hidden package have a submodule only if its own code imports it, and note it."""
        parent, _, child = name.rpartition(".")
        names: Dict[str, Any] = getattr(self._modules.get(parent), "__dict__", {})
        if names.get(child) is module and name not in brought[parent]:
            del names[child]
            self._given.setdefault(name, []).append((names, child, module))

    def reveal(self, name: str) -> bool:
        """Make a module visible, with all that it brings; return whether it is, or was."""
        modules = self._modules
        if modules.get(name) is None:
            return name in sys.modules
        names = [
            each for each in self._brought[name].split(SEPARATOR) if modules.get(each) is not None
        ]
        if not (self._is_certain() and all(map(self._is_as_it_was, names))):
            self._give_up()
            return False
        for each in names:
            module = sys.modules[each] = modules[each]
            modules[each] = None
            if each in self._given:
                for attributes, attribute, value in self._given[each]:
                    attributes[attribute] = value
            if each in RENEWALS:
                RENEWALS[each](module)
        return True

    def _is_as_it_was(self, name: str) -> bool:
        """Return whether the files of a hidden module are unchanged: so Python would check it."""
        *paths, before = self._stamps[name].split(SEPARATOR)
        return str(list(map(stamp, paths))) == before

    def files(self) -> List[str]:
        """Return the files and directories at which :meth:`reveal` looks."""
        return [path for text in self._stamps.values() for path in text.split(SEPARATOR)[:-1]]

    def _is_certain(self) -> bool:
        """Return whether the hook can get none but the hidden modules for their names."""
        if how_imports_are_made() != self._usual:
            return False
        for directory in sys.path:
            if directory not in self._passed:
                if type(directory) is not str or directory[:1] != "/":
                    return False
                if can_shadow_stdlib(directory):
                    return False
                self._passed.add(directory)
            if directory == STDLIB:
                return True
        return False

    def _give_up(self) -> None:
        """Let the modules that are hidden still be imported as always."""
        self._modules.clear()
        _frozen_importlib._find_spec = self._find_spec  # type: ignore[attr-defined]

    def _find_hidden(self, name: str, path: Any, target: Any = None) -> Any:
        """Do what ``importlib._bootstrap._find_spec`` does, for the import of a module."""
        module = self._modules.get(name)
        if module is None or target is not None or not self.reveal(name):
            return self._find_spec(name, path, target)
        spec: Any = module.__spec__
        spec.loader = _Loaded(module, spec)
        return spec


class _Loaded:
    """A loader for a module that is loaded; it puts the former one back into its spec."""

    def __init__(self, module: ModuleType, spec: Any) -> None:
        self._module = module
        self._loader = spec.loader

    def create_module(self, spec: Any) -> ModuleType:
        """Return the module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Execute nothing: that happened before the snapshot was taken."""
        spec: Any = module.__spec__
        spec.loader = self._loader


def stamps_of(module: ModuleType) -> str:
    """Return the file of a module, the directories of a package, and the stamps of all."""
    names: Dict[str, Any] = module.__dict__
    paths = [path for path in (names.get("__file__"), *names.get("__path__", ())) if path]
    return SEPARATOR.join([*paths, str(list(map(stamp, paths)))])


def stamp(path: str) -> Tuple[int, ...]:
    """Return what identifies a file and its content; () if it is missing."""
    try:
        found = posix.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def how_imports_are_made() -> Tuple[Any, ...]:
    """Return what decides which module an import finds, but for ``sys.path``."""
    return builtins.__import__, list(sys.meta_path), list(sys.path_hooks)
