"""What puts imports off, in the process of a hook whose entry asks for it.

``deferral.py`` rewrites an ``import`` to ask :meth:`Deferred.locate`: where that finds the standard
library's own module, the module is there at once, in ``sys.modules`` and under its name, and is
executed when an attribute of it is first asked for. In every other case the import is made as it is
written. Among the constants of the hook's code is one that tells what this file has to know; before
the first line runs ``ahead.py`` puts the ``Deferred`` in its place that it makes of it.

What modules beside the hook and of the library import at their top level, by ``import name``, is
put off as well: it is the finder of ``sys.meta_path`` that gives them the unexecuted module.

Imports only what the bare interpreter has loaded.
"""

import _frozen_importlib
import _frozen_importlib_external as external
import _thread
import builtins
import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Sequence, Tuple

bootstrap: "Any" = _frozen_importlib  # typeshed lacks what it keeps to itself

# How deep the import of a module on the list may call: it may be needed at the bottom of a
# recursion, where the import as written, at the top, had all of the stack before it.
_DEPTH = 200
# The files of what stands between an import statement and a finder, and who is always among it.
_BETWEEN = ("<frozen importlib._bootstrap", "<hooks-compile>")
_IMPORTING = "_find_and_load"
# What compiles, when it is used, nothing but patterns that are constants.
_CONSTANT = ("argparse",)
# What marks, among the flags of a pattern, that it is one of bytes. re has no such flag.
_OF_BYTES = 1 << 20
# Where finders are from that tell nobody what they are asked for, nor when: Python's own, and those
# that virtual environments and packages under development bring.
_FINDERS = ("_frozen_importlib", "_distutils_hack", "_virtualenv", "__editable__")
# The attribute, of what stands under the name of re, that gives patterns; no program has it.
PATTERN = "hooks-compile: pattern"
_ABC = "collections.abc"
_Module = type(sys)


class Deferred:
    """The imports of one launch that are put off.

    ``hexversion`` is the interpreter's whose library the table was held against, ``shadowing`` the
    names of all modules that an import of the hook's could execute, ``nested`` those that are put
    off where another module imports them, but ``bringing`` only where that is the library's;
    ``compiling`` are the modules that ask of ``re``, while it is not executed, no more than
    ``flags``, by their names, and to compile patterns.
    """

    def __init__(
        self,
        hexversion: int,
        shadowing: "FrozenSet[str]",
        nested: "FrozenSet[str]",
        bringing: "FrozenSet[str]",
        compiling: "FrozenSet[str]",
        flags: "Sequence[Tuple[str, int]]",
    ) -> None:
        """Look at nothing yet."""
        self.shadowing = shadowing
        self.nested = nested
        self.bringing = bringing
        self.compiling = compiling
        # what re has for them: as numbers, flags mean the same
        self.of_re: Dict[str, Any] = dict(flags, compile=self.compile, escape=escape)
        self.usable = sys.hexversion == hexversion and is_started_plainly()
        self.late: Dict[str, Late] = {}
        # By thread: the module that it executes, and whose imports we find, therefore.
        self.executing: Dict[int, Late] = {}
        # The launcher's: regular expressions, by pattern and flags, as arguments of _sre.compile;
        # what has been made of them; what gives them to re; and what collects garbage.
        self.patterns: Dict[Tuple[Any, int], bytes] = {}
        self.made: Dict[Tuple[Any, int], Any] = {}
        self.offer: Callable[[], object] = bool
        self.gc: Any = None
        # the launcher's finder, which answers for the library as Python's do, but quicker
        self.quick: Any = None
        self.search = Search([], [], [], {})
        self.folders: Tuple[str, ...] = ()
        self.found = Names(None, ())

    def begin(self) -> None:
        """Put off from now on what other modules import."""
        if ("", 0) in self.patterns:
            self.of_re.update(Pattern=None, Match=None)  # until they are asked for
        if self.usable:
            sys.meta_path.insert(0, self)
            posix.register_at_fork(before=wait_for_others)

    def execute_all(self) -> None:
        """Execute what is put off while Python still can: it is about to take all apart."""
        self.nested = frozenset()  # nothing more is put off
        for late in list(self.late.values()):
            try:
                execute(late.module)
            except Exception:  # noqa: S112 - who uses it meets it again
                continue

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
            self.found.__dict__[PATTERN] = self.pattern
        return module is not None

    def take(self) -> "Names":
        """Return what to bind after the import has been located."""
        return self.found

    def hold(self, names: "Sequence[str]", *values: object) -> "Names":
        """Return what to bind after the import has been made as it is written."""
        held = Names(None, ())
        held.__dict__.update(zip(names, values))
        held.__dict__[PATTERN] = no_pattern
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
        spec = self.library_spec(name)
        if spec is None:
            return None
        module = sys.modules[name] = self.put_off(spec, self.search)
        parent = name.rpartition(".")[0]
        if parent:
            setattr(sys.modules[parent], name[len(parent) + 1 :], module)
        return module

    def library_spec(self, name: str) -> "Optional[Any]":
        """Return the spec of a module that an import would find in the library, else None."""
        if not nobody_watches() or (not self.search.is_now(self.finders()) and not self.look()):
            return None
        return self.spec_of(name) if self.has(name.rpartition(".")[0]) else None

    def put_off(self, spec: "Any", search: "Search") -> "Any":
        """Return the unexecuted module of a spec, and what it imports is searched for so."""
        module = (LatePatterns if spec.name == "re" else LateModule)(spec.name)
        self.late[spec.name] = _late[spec.name] = Late(self, module, spec, search)
        if spec.name == "collections" and _ABC not in sys.modules:
            # Half of the library imports it: programs use it that have not imported it.
            if sys.version_info >= (3, 13):  # it is but another name
                inner = __import__("_collections_abc")
            else:
                file = spec.submodule_search_locations[0] + "/abc.py"
                inner = self.put_off(external.spec_from_file_location(_ABC, file), search)
            sys.modules[_ABC] = inner
            _Module.__setattr__(module, "abc", inner)
        return module

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Optional[Any]":
        """Put off what a module beside the hook, or of the library, imports at its top level.

        What a module imports while it is executed late is found where its import stood.
        """
        late = self.executing.get(_thread.get_ident())
        if late is not None:
            return late.find_spec(name, target) if path is None else late.quickly(name, path)
        if name not in self.nested or name in self.late:
            return None
        spec = self.library_spec(name)
        if spec is None or not self.is_wanted(name):
            return None
        return self.placing(spec, self.search)

    def placing(self, spec: "Any", search: "Search") -> "Any":
        """Return a spec that gives an import statement the module of ``spec``, unexecuted."""
        self.put_off(spec, search)
        return bootstrap.ModuleSpec(spec.name, self.late[spec.name])

    def is_wanted(self, name: str) -> bool:
        """Tell whether the import of ``name`` is such a module's."""
        frame: Any = sys._getframe(1)
        imports = False  # or asks for the spec alone
        while frame is not None and frame.f_code.co_filename.startswith(_BETWEEN):
            imports = imports or frame.f_code.co_name == _IMPORTING
            frame = frame.f_back
        if frame is None:  # Python itself, when the hook has ended
            return False
        file = frame.f_globals.get("__file__")
        return (
            imports
            and frame.f_code.co_name == "<module>"
            and frame.f_globals.get("__name__") != "__main__"
            and type(file) is str
            and file.startswith(self.folders)
            and (name not in self.bringing or file.startswith(self.folders[-1]))
            and "-packages/" not in file
        )

    def pattern(self, pattern: "Any", flags: int) -> "Optional[Any]":
        """Return the regular expression, if it is ready and ``re`` is not executed yet."""
        if "re" not in self.late or type(flags) is not int:
            return None
        key = pattern, flags
        if type(pattern) is bytes:
            key = pattern.decode("latin-1"), flags | _OF_BYTES
        elif type(pattern) is not str:
            return None
        if key not in self.made and key in self.patterns:
            sre: Any = __import__("_sre")
            self.made[key] = sre.compile(pattern, *marshal.loads(self.patterns[key]))
        return self.made.get(key)

    def stand_in(self, name: str) -> "Any":
        """Return what stands for an attribute of ``re``, one of ``of_re``."""
        if self.of_re[name] is None:
            empty: Any = self.pattern("", 0)
            self.of_re.update(Pattern=type(empty), Match=type(empty.match("")))
        return self.of_re[name]

    def compile(self, pattern: "Any", flags: int = 0) -> "Any":
        """Stand for ``re.compile`` where a module of the library calls it."""
        found = self.pattern(pattern, flags)
        return sys.modules["re"].compile(pattern, flags) if found is None else found

    def finders(self) -> "List[Any]":
        """Return who finds modules, without us."""
        return [each for each in sys.meta_path if type(each) not in (Deferred, type(self.quick))]

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
        path, finders = list(sys.path), self.finders()
        folder = sys.modules["encodings"].__path__[0].rpartition("/")[0]
        ends = [i for i, each in enumerate(path) if each == folder or is_dynload(each)]
        if folder not in path or external.PathFinder not in finders:
            return False
        if not all(f"{getattr(each, '__module__', '')}".startswith(_FINDERS) for each in finders):
            return False
        ahead = [each for i, each in enumerate(path[: ends[-1]]) if i not in ends]
        if not all(type(each) is str and each[:1] == "/" for each in ahead):
            return False  # what it means may change
        times = times_of(ahead)
        for each in ahead:
            try:
                names = posix.listdir(each)
            except FileNotFoundError:
                continue
            except OSError:  # an archive, or a folder that Python may know how to search
                return False
            if not self.shadowing.isdisjoint([each.partition(".")[0] for each in names]):
                return False
        self.folders = tuple([f"{each}/" for each in [*ahead, folder]])
        self.search = Search(path, finders, path[path.index(folder) :], times)
        return True

    def spec_of(self, name: str) -> "Optional[Any]":
        """Return the spec of a module of the library's, None where Python would find another."""
        parent = name.rpartition(".")[0]
        path = getattr(sys.modules[parent], "__path__", ()) if parent else None
        for finder in self.finders():
            if finder is external.PathFinder:
                spec = finder.find_spec(name, self.search.library if path is None else path)
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
        return spec if f"{spec.origin}".startswith(self.search.library[0] + "/") else None


class Search:
    """Where Python searches at one moment: ``sys.path``, who finds, and the library's folders.

    ``times`` are those of the folders ahead of the library: which change with what is in them.
    """

    __slots__ = ("finders", "library", "path", "times")

    def __init__(
        self, path: "List[str]", finders: "List[Any]", library: "List[str]", times: "Dict[str, int]"
    ) -> None:
        """Take all of it."""
        self.path = path
        self.finders = finders
        self.library = library
        self.times = times

    def is_usual(self) -> bool:
        """Tell whether none but Python's own find modules."""
        usual = [bootstrap.BuiltinImporter, bootstrap.FrozenImporter, external.PathFinder]
        return self.finders == usual and sys.pycache_prefix is None

    def is_now(self, finders: "List[Any]") -> bool:
        """Tell whether Python searches there now, ``finders`` being who finds."""
        return (self.path, self.finders) == (sys.path, finders) and self.times == times_of(
            self.times
        )


class Late:
    """A module that is located and not executed, and where its own imports are to be found."""

    __slots__ = ("deferred", "module", "owner", "search", "spec")

    def __init__(self, deferred: Deferred, module: "Any", spec: "Any", search: Search) -> None:
        """Remember how Python would have searched where the import stands."""
        self.deferred = deferred
        self.module = module
        self.spec = spec
        self.search = search
        self.owner = 0

    def create_module(self, spec: "Any") -> None:
        """As a loader: leave it to importlib to make a module, of which nothing stays."""

    def exec_module(self, module: "Any") -> None:
        """As a loader: give the import statement the unexecuted module in its place."""
        sys.modules[self.spec.name] = self.module

    def find_spec(self, name: str, target: "Any") -> "Any":
        """Find what the module imports while it is executed, where Python would have found it.

        ``sys.path`` and the folders in it may be others by now. Raises ModuleNotFoundError.
        """
        deferred, search = self.deferred, self.search
        known = name in deferred.shadowing
        waits = name in deferred.nested and name not in deferred.late and deferred.is_wanted(name)
        spec = self.quickly(name, None) if known and not waits else None
        if spec is not None:
            return spec
        for finder in search.finders:
            if finder is external.PathFinder:
                spec = finder.find_spec(name, search.library if known else search.path, target)
            else:
                spec = finder.find_spec(name, None, target)
            if spec is not None:
                waits = waits and type(spec.loader) is external.SourceFileLoader
                return deferred.placing(spec, search) if waits else spec
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def quickly(self, name: str, path: "Any") -> "Optional[Any]":
        """Return the spec of a module of the library's, to be executed now; None in doubt."""
        quick = self.deferred.quick
        return quick.find_spec(name, path) if quick and self.search.is_usual() else None

    def loader(self) -> "Any":
        """Return what executes the module: the loader of its spec, or what does the same."""
        spec = self.spec
        folder = spec.origin.rpartition("/")[0]
        inside = spec.submodule_search_locations is not None
        if "." not in spec.name:
            quick = self.quickly(spec.name, None)
        else:
            quick = None if inside else self.quickly(spec.name, [folder])
        return (spec if quick is None or quick.origin != spec.origin else quick).loader

    def execute(self) -> None:
        """Execute the module. Raises what that raises, and leaves it unexecuted then."""
        name = self.spec.name
        namespace = _Module.__getattribute__(self.module, "__dict__")
        before = dict(namespace)
        executing = self.deferred.executing
        self.owner = _thread.get_ident()
        outer = executing.get(self.owner)
        other = sys.modules.get(name)
        gc = self.deferred.gc
        collects = gc and gc.isenabled()
        if collects:
            gc.disable()  # it would go through the modules many times for nothing
        if not sys.meta_path or sys.meta_path[0] is not self.deferred:
            # It stays there: where another thread goes through them, none may be taken away.
            sys.meta_path.insert(0, self.deferred)
        try:
            raise_limit(_DEPTH)
            executing[self.owner] = self
            sys.modules[name] = self.module  # where it looks for itself
            self.spec._initializing = True
            bootstrap._init_module_attrs(self.spec, self.module)
            self.loader().exec_module(self.module)
        except BaseException:
            namespace.clear()
            namespace.update(before)
            self.owner = 0
            raise
        finally:
            self.spec._initializing = False
            if other is None:
                sys.modules.pop(name, None)
            elif other is not self.module:
                sys.modules[name] = other
            if outer is None:
                executing.pop(_thread.get_ident(), None)
            else:
                executing[_thread.get_ident()] = outer
            try:  # noqa: SIM105 - contextlib is not loaded
                raise_limit(-_DEPTH)
            except RecursionError:
                pass  # before 3.11 it can't be lowered this close to it
            if collects:
                gc.enable()
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


_limit = _thread.RLock()


def raise_limit(by: int) -> None:
    """Let the stack be deeper by so much; threads that execute several modules at once add up."""
    with _limit:
        sys.setrecursionlimit(sys.getrecursionlimit() + by)


def wait_for_others() -> None:
    """Wait, before this process forks, for the threads that execute modules.

    In the child there are none that could go on, and the locks would stay theirs.
    """
    me = _thread.get_ident()
    try:
        while True:
            others = [each for each in list(_late.values()) if each.owner not in (0, me)]
            if not others:
                return
            with bootstrap._ModuleLockManager(others[0].spec.name):
                continue
    except bootstrap._DeadlockError:  # it waits for us
        return


class Executing:
    """A method of plain modules, for which a module is executed first.

    What the method raises shows no frame of ours: none is left when it is called.
    """

    def __init__(self, method: "Any") -> None:
        """Take the method of plain modules."""
        self.method = method

    def __get__(self, module: "Any", owner: type) -> "Any":
        """Execute the module, and return its method."""
        execute(module)
        return self.method.__get__(module)


class LateModule(_Module):  # type: ignore[misc,valid-type] # it is types.ModuleType
    """A module that is executed when something of it is asked for; then it is a plain module."""

    def __getattribute__(self, name: str) -> "Any":
        """Return an attribute of the executed module."""
        late = _late.get(_Module.__getattribute__(self, "__name__"))
        if late is not None and name == "__spec__":  # an import statement asks for it
            return late.spec
        execute(self)
        return _Module.__getattribute__(self, name)

    # where that one has found nothing
    __getattr__: "Any" = Executing(_Module.__getattribute__)
    __setattr__: "Any" = Executing(_Module.__setattr__)
    __delattr__: "Any" = Executing(_Module.__delattr__)


LateModule.__name__ = _Module.__name__  # errors name it


class LatePatterns(LateModule):
    """The module ``re``, of which many modules want no more than some patterns that are ready."""

    def __getattribute__(self, name: str) -> "Any":
        """Return an attribute of the executed module, or what stands for it.

        Patterns are compiled so for modules that are being executed: later, they may be anyone's,
        and wrong, and an error of ``re`` shows who called it.
        """
        late = _late.get("re")
        if late is not None and name in late.deferred.of_re:
            scope = sys._getframe(1).f_globals
            asking = scope.get("__name__")
            if asking in late.deferred.compiling and (
                name != "compile"
                or asking in _CONSTANT
                or getattr(scope.get("__spec__"), "_initializing", False)
            ):
                return late.deferred.stand_in(name)
        return LateModule.__getattribute__(self, name)


LatePatterns.__name__ = _Module.__name__


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


def no_pattern(pattern: object, flags: object) -> None:
    """Stand for :meth:`Deferred.pattern` where ``re`` was imported as it is written."""


def escape(pattern: str) -> str:
    """Stand for ``re.escape`` where a module of the library calls it with text."""
    return pattern.translate({ord(each): "\\" + each for each in "()[]{}?*+-|^$\\.&~# \t\n\r\v\f"})


def is_dynload(folder: str) -> bool:
    """Whether a folder of ``sys.path`` is that of the library's compiled modules."""
    return isinstance(folder, str) and folder.endswith("/lib-dynload")


def times_of(folders: "Iterable[str]") -> "Dict[str, int]":
    """Return when something was made, taken away or renamed in each of these folders last."""
    times = {}
    for each in folders:
        try:
            times[each] = posix.stat(each).st_mtime_ns
        except (OSError, ValueError):
            times[each] = 0  # there is none
    return times


def is_started_plainly() -> bool:
    """Whether Python was started without anything that tells when a module is imported."""
    return (
        "time" in sys.modules  # which reads the time zone when it is imported
        and not (sys.flags.verbose or sys.flags.inspect or sys.flags.interactive)
        and "importtime" not in sys._xoptions
        and b"PYTHONPROFILEIMPORTTIME" not in posix.environ
        and b"PYTHONINSPECT" not in posix.environ
    )


def nobody_watches() -> bool:
    """Whether nothing is at work, by now, that tells when a module is imported."""
    importer: Callable[..., Any] = builtins.__import__
    if type(importer) is not type(len) or sys.gettrace() or sys.getprofile():
        return False
    try:  # as in leave.py: it is wrong, and nobody looks at it but an audit hook
        sys.audit(0)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
