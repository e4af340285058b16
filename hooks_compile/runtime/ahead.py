"""What a launch does ahead of its hook: what the hook itself would do first, and faster.

The notes of an entry name the modules of the standard library that the source imports before it
does anything else, and hold its regular expressions as ``re`` compiles them.
"""

import _thread
import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict, Optional, Tuple

    from hooks_compile.runtime.entry import Patterns
    from hooks_compile.runtime.finder import Library, bootstrap, external
    from hooks_compile.runtime.launcher import (
        BUILD,
        COLLECTS,
        GC,
        RUNTIME,
        STDLIB,
        WAITING,
        kept,
        read,
    )
    from hooks_compile.runtime.leave import _AT_START, _BUILTIN, _names, is_plain, library

    # The name of the file with lazy.py, compiled, and its hash: prepare.py knows them.
    LAZY: str
    LAZY_HASH: bytes

# What begins the constant that tells of deferred imports: deferral.DEFERRED.
DEFERRED_HERE = "hooks-compile: deferred imports"


def import_ahead(names: "Tuple[str, ...]", patterns: "Patterns") -> None:
    """Import modules while the collector rests: it would go through them many times for nothing.

    They find their regular expressions among ``patterns``.

    Nothing is done where a name may mean something else than Python's own module to the hook.
    """
    path = sys.path
    if path[2:3] != [STDLIB] or not COLLECTS or can_shadow(path[0]):
        return
    folder = path.pop(0)
    try:
        with Library():
            for name in names:
                __import__(name)
                if name == "re":
                    offer(patterns)
    except Exception:  # the hook meets it again
        return
    finally:
        path.insert(0, folder)


def is_alone() -> bool:
    """Tell whether what was loaded at the start neither sees imports nor runs in the meantime."""
    importer = sys.modules["builtins"].__dict__.get("__import__")
    return (
        is_plain()
        and not _thread._count()
        and type(importer) is _BUILTIN
        and all(map(is_usual_finder, sys.meta_path))
        and GC is not None
        and not GC.callbacks
    )


def is_usual_finder(finder: "Any") -> bool:
    """Tell whether a finder in ``sys.meta_path`` is Python's own, or one that virtualenv brings."""
    for own in (bootstrap.BuiltinImporter, bootstrap.FrozenImporter, external.PathFinder):
        if finder is own:
            return True
    return _names(type(finder)).get("__module__") in _AT_START


def can_shadow(folder: str) -> bool:
    """Tell whether a file in ``folder`` has the name of a module of the standard library."""
    try:
        stems = {name.partition(".")[0] for name in posix.listdir(folder)}
    except OSError:
        return True
    return not stems.isdisjoint(getattr(sys, "stdlib_module_names", stems))  # new in 3.10


def offer(patterns: "Patterns", made: "Optional[Dict[Tuple[str, int], Any]]" = None) -> None:
    """Give ``re``, if it is loaded, patterns in compiled form: none has to be parsed any more.

    ``made`` are those that have been asked for without ``re``, while it was not executed.
    What they are looked up by is what :func:`re.compile` looks in its cache for. Another version of
    Python may compile them otherwise, though it runs the same bytecode: it gets none.
    """
    if ("", sys.hexversion) not in patterns:
        return
    names = library("re")  # none where it is put off
    name = "_cache" if sys.version_info < (3, 12) else "_cache2"
    old = names.get(name)
    if type(old) is not dict:
        return
    for key, found in (made or {}).items():
        if type(found.pattern) is str:
            old.setdefault((str, *key), found)

    class Cache(dict):  # type: ignore[type-arg] # 3.8 has no dict[...]
        def __missing__(self, key: "Tuple[type, Any, int]") -> "Any":
            kind, pattern, flags = key
            data = patterns.get((pattern, flags)) if kind is str else None
            if data is None:
                raise KeyError(key)
            sre: "Any" = sys.modules["_sre"]
            found = self[key] = sre.compile(pattern, *marshal.loads(data))
            return found

    names[name] = Cache(old)


def deferring() -> "CodeType":
    """Return the code of ``lazy.py``. Raises OSError."""
    data = kept(LAZY, LAZY_HASH)
    if data:
        return marshal.loads(data)  # type: ignore[no-any-return]
    source = read(f"{RUNTIME}{BUILD}.lazy.py", private=True)
    return compile(source, "<hooks-compile>", "exec", 0, True, 2)


def ready_to_defer(code: "CodeType", patterns: "Patterns") -> "CodeType":
    """Return code whose imports are deferred with what they ask in the place of what tells of it.

    ``patterns`` are offered when ``re`` is executed. Raises OSError where a part of ours is lost.
    """
    constants = list(code.co_consts)
    for i, each in enumerate(constants):
        if type(each) is tuple and each[:1] == (DEFERRED_HERE,):  # no hook has this text in it
            scope: "Any" = {"__name__": "hooks_compile.runtime.lazy"}
            exec(deferring(), scope)
            made = constants[i] = scope["Deferred"](*each[1:])
            made.gc = GC
            made.quick = Library()
            made.quick.folders = [STDLIB, f"{STDLIB}/lib-dynload"]
            if ("", sys.hexversion) in patterns:
                made.patterns = patterns
                made.offer = lambda made=made: offer(patterns, made.made)
            made.begin()
            WAITING.append(made)
            if GC:
                GC.freeze()  # what was there before has what it needs, when the hook has ended
    return code.replace(co_consts=tuple(constants))
