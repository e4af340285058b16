"""What puts imports off: each entry whose imports are deferred carries it into the hook's process.

``deferral.py`` rewrites an ``import`` to ask :meth:`Deferred.locate`: where that finds the standard
library's own module, the module is there at once, in ``sys.modules`` and under its name, and is
executed when an attribute of it is first asked for. In every other case the import is made as it is
written. ``worker.py`` puts this file's code among the constants of the hook's code, and before the
first line runs ``launcher.py`` puts there, in its place, the ``Deferred`` that it makes.

Imports only what the bare interpreter has loaded.
"""

import _frozen_importlib
import _frozen_importlib_external as external
import _thread
import builtins
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple

bootstrap: "Any" = _frozen_importlib  # typeshed lacks what it keeps to itself

# How deep the import of a module on the list may call: it may be needed at the bottom of a
# recursion, where the import as written, at the top, had all of the stack before it.
_DEPTH = 200
_Module = type(sys)


class Deferred:
    """The imports of one hook that are put off.

    ``hexversion`` is the interpreter's whose library the table was held against, ``shadowing`` the
    names of all modules that an import of the hook's could execute, ``compiling`` those modules
    that compile regular expressions when they are executed.
    """

    def __init__(
        self, hexversion: int, shadowing: "FrozenSet[str]", compiling: "FrozenSet[str]"
    ) -> None:
        """Look at nothing yet."""
        self.compiling = compiling
        self.shadowing = shadowing
        self.usable = sys.hexversion == hexversion and nobody_watches()
        self.late: Dict[str, Late] = {}
        # the launcher's, to be called when re is executed: it has patterns ready
        self.offer: Callable[[], object] = bool
        self.gc: Any = None  # what collects garbage, if the launcher gives it
        self.looked: Tuple[List[str], List[Any]] = ([], [])
        self.library: List[str] = []
        self.found = Names(None, ())

    def locate(self, name: str, *names: str) -> bool:
        """Find the module ``name`` for ``from name import names``.

        True means that it is there, to be executed later, and :meth:`take` gives what to bind;
        False that the import is to be made as it is written.
        """
        module = self.module(name)
        if module is not None:
            self.found = Names(module, names)
        return module is not None

    def locate_module(self, name: str, shown: str, bound: str) -> bool:
        """Find it for ``import name``, which binds ``bound`` to the module ``shown``, likewise."""
        module = self.module(name)
        if module is not None:
            self.found = Names(module, (bound,), sys.modules[shown])
        return module is not None

    def take(self) -> "Names":
        """Return what to bind after the import has been located."""
        return self.found

    def hold(self, names: "Sequence[str]", *values: object) -> "Names":
        """Return what to bind after the import has been made as it is written."""
        held = Names(None, ())
        held.__dict__.update(zip(names, values))
        return held

    def module(self, name: str) -> "Optional[Any]":
        """Return the module that is not executed yet, None where there is none to put off."""
        if not self.usable:
            return None
        late = self.late.get(name)
        if late is not None:
            return late.module if sys.modules.get(name) is late.module else None
        return None if name in sys.modules else self.prepare(name)

    def prepare(self, name: str) -> "Optional[Any]":
        """Put the module ``name`` where an import would, unexecuted; None where it is not ours."""
        if self.looked != (sys.path, sys.meta_path) and not self.look():
            return None
        parent = name.rpartition(".")[0]
        if not self.has(parent):
            return None
        spec = self.spec_of(name)
        if spec is None:
            return None
        module = LateModule(name)
        self.late[name] = _late[name] = Late(self, module, spec)
        sys.modules[name] = module
        if parent:
            setattr(sys.modules[parent], name[len(parent) + 1 :], module)
        return module

    def has(self, parent: str) -> bool:
        """Import the package ``parent``, an empty one, if it is the library's; tell whether it is.

        "" is no package, and there.
        """
        if parent and parent not in sys.modules:
            if not self.has(parent.rpartition(".")[0]) or self.spec_of(parent) is None:
                return False
            __import__(parent)
        return True

    def look(self) -> bool:
        """Tell whether Python would find the standard library's modules in the library itself.

        That is so where no folder ahead of it holds a name that one of them has.
        """
        self.library = []
        path, finders = list(sys.path), list(sys.meta_path)
        folder = sys.modules["encodings"].__path__[0].rpartition("/")[0]
        ends = [i for i, each in enumerate(path) if each == folder or is_dynload(each)]
        if folder not in path or external.PathFinder not in finders:
            return False
        if not all(hasattr(each, "find_spec") for each in finders):
            return False
        for i, each in enumerate(path[: ends[-1]]):
            if i in ends:
                continue
            try:
                names = posix.listdir(each or ".")
            except FileNotFoundError:
                continue
            except (
                OSError,
                TypeError,
            ):  # an archive, or a folder that Python may know how to search
                return False
            if not self.shadowing.isdisjoint([each.partition(".")[0] for each in names]):
                return False
        self.library = path[path.index(folder) :]
        self.looked = path, finders
        return True

    def spec_of(self, name: str) -> "Optional[Any]":
        """Return the spec of a module of the library's, None where Python would find another."""
        parent = name.rpartition(".")[0]
        path = getattr(sys.modules[parent], "__path__", ()) if parent else None
        for finder in sys.meta_path:
            if finder is external.PathFinder:
                spec = finder.find_spec(name, self.library if path is None else path)
                break
            try:
                if finder.find_spec(name, path) is not None:
                    return None
            except Exception:  # the import as it is written raises it again
                return None
        else:
            return None
        if spec is None or type(spec.loader) is not external.SourceFileLoader:
            return None
        return spec if f"{spec.origin}".startswith(self.library[0] + "/") else None


class Late:
    """A module that is located and not executed, and where its own imports are to be found."""

    __slots__ = ("deferred", "library", "meta_path", "module", "owner", "path", "spec")

    def __init__(self, deferred: Deferred, module: "Any", spec: "Any") -> None:
        """Remember how Python would search at this moment."""
        self.deferred = deferred
        self.module = module
        self.spec = spec
        self.path, self.meta_path = deferred.looked
        self.library = deferred.library
        self.owner = 0

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Optional[Any]":
        """Find what the module imports while it is executed, where Python would have found it.

        ``sys.path`` and the folders in it may be others by now.
        """
        if path is not None or self.owner != _thread.get_ident():
            return None
        for finder in self.meta_path:
            if finder is external.PathFinder:
                known = name in self.deferred.shadowing
                spec = finder.find_spec(name, self.library if known else self.path, target)
            else:
                spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def execute(self) -> None:
        """Execute the module. Raises what that raises, and leaves it unexecuted then."""
        namespace = _Module.__getattribute__(self.module, "__dict__")
        before = dict(namespace)
        limit = sys.getrecursionlimit()
        self.owner = _thread.get_ident()
        self.spec._initializing = True
        gc = self.deferred.gc
        collects = gc and gc.isenabled()
        if collects:
            gc.disable()  # it would go through the modules many times for nothing
        sys.meta_path.insert(0, self)
        try:
            sys.setrecursionlimit(limit + _DEPTH)
            if self.spec.name in self.deferred.compiling:
                __import__("re")  # which they import anyway
                self.deferred.offer()
            bootstrap._init_module_attrs(self.spec, self.module)
            self.spec.loader.exec_module(self.module)
        except BaseException:
            self.owner = 0
            namespace.clear()
            namespace.update(before)
            raise
        finally:
            try:  # noqa: SIM105 - contextlib is not loaded
                sys.setrecursionlimit(limit)
            except RecursionError:
                pass  # before 3.11 it can't be lowered this close to it
            if collects:
                gc.enable()
            self.spec._initializing = False
            sys.meta_path.remove(self)
        object.__setattr__(self.module, "__class__", _Module)
        del _late[self.spec.name], self.deferred.late[self.spec.name]
        if self.spec.name == "re":
            self.deferred.offer()


# By name, the modules that are not executed yet.
_late: "Dict[str, Late]" = {}


def execute(module: "Any") -> None:
    """Execute a module that is put off, once, whoever asks; wait for another thread that does.

    The thread that is at it sees the module as far as it is executed, as in any import.
    """
    late = _late.get(_Module.__getattribute__(module, "__name__"))
    if late is None or late.owner == _thread.get_ident():
        return
    lock = bootstrap._ModuleLockManager(late.spec.name)
    try:
        lock.__enter__()
    except bootstrap._DeadlockError:  # two threads wait for each other: as importlib, go on
        return
    try:
        if late.spec.name in _late:
            late.execute()
    finally:
        lock.__exit__(None, None, None)


class LateModule(_Module):  # type: ignore[misc,valid-type] # it is types.ModuleType
    """A module that is executed when something of it is asked for; then it is a plain module."""

    def __getattribute__(self, name: str) -> "Any":
        """Return an attribute of the executed module."""
        execute(self)
        return _Module.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of the executed module."""
        execute(self)
        _Module.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute of the executed module."""
        execute(self)
        _Module.__delattr__(self, name)


class Names:
    """What an import binds that is put off: each name is an attribute, from the first use on."""

    def __init__(self, module: "Any", names: "Sequence[str]", shown: "Any" = None) -> None:
        """Read nothing yet. No name in a program is that of the state."""
        self.__dict__["hooks-compile"] = module, names, shown

    def __getattr__(self, name: str) -> "Any":
        """Execute the module and read what the import statement would have read."""
        module, names, shown = self.__dict__["hooks-compile"]
        execute(module)
        if shown is None:
            self.__dict__.update([(each, getattr(module, each)) for each in names])
        else:
            self.__dict__[name] = shown
        return self.__dict__[name]


def is_dynload(folder: str) -> bool:
    """Whether a folder of ``sys.path`` is that of the library's compiled modules."""
    return isinstance(folder, str) and folder.endswith("/lib-dynload")


def nobody_watches() -> bool:
    """Whether nothing around the hook tells when a module is imported."""
    importer: Callable[..., Any] = builtins.__import__
    return (
        type(importer) is type(len)
        and "time" in sys.modules  # which reads the time zone when it is imported
        and sys.gettrace() is None
        and sys.getprofile() is None
        and not (sys.flags.verbose or sys.flags.inspect or sys.flags.interactive)
        and "importtime" not in sys._xoptions
        and b"PYTHONPROFILEIMPORTTIME" not in posix.environ
        and b"PYTHONINSPECT" not in posix.environ
    )
