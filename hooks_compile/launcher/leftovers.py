"""Which objects do more than free memory when Python destroys them.

Nothing here calls what the hook has written: no method of its objects, classes or metaclasses.
"""

import _io
import _weakref
from typing import Any, List

from hooks_compile.launcher.process import BUILTIN_TYPE, MODULE_TYPE, is_stdlib_file, stdlib_names

# C modules whose objects may still have to write something.
_WRITING_MODULES = ("_sqlite3", "sqlite3", "_ssl")
# Callbacks of weak references that only maintain the tables of their modules.
_TABLE_CALLBACKS = (
    ("weakref", "remove"),
    ("_weakrefset", "_remove"),
    ("logging", "_removeHandlerRef"),
)
_TABLE_CALLBACKS_IN_C = ("_destroy", "_localdummy_destroyed", "clear_locals")
# An open file consists of objects of these classes. When they are destroyed, it is flushed.
_FILES = frozenset(map(id, (_io.TextIOWrapper, _io.BufferedWriter, _io.BufferedReader, _io.FileIO)))
_PROXIES = (_weakref.ProxyType, _weakref.CallableProxyType)
_SLOT_TYPE = type(object.__init__)
_FUNCTION_TYPE = type(lambda: None)
_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC
# Attributes of a class without a call of its metaclass, and of a weak reference of any class.
_mro = type.__dict__["__mro__"].__get__
_names = type.__dict__["__dict__"].__get__
_flags = type.__dict__["__flags__"].__get__
_callback = _weakref.ref.__dict__["__callback__"].__get__


def is_file_object(each: "Any") -> bool:
    """Return whether an object is part of an open file, and of none of the hook's classes."""
    return id(type(each)) in _FILES


def without_plain(objects: "List[Any]") -> "List[Any]":
    """Return the objects without those of the four most usual classes, which only free memory.

    The other checks take much longer for each object.
    """
    return [
        each
        for each in objects
        if (kind := type(each)) is not tuple
        and kind is not _FUNCTION_TYPE
        and kind is not dict
        and kind is not list
    ]


def acts_at_exit(objects: "List[Any]") -> bool:
    """Return whether destroying any of these objects does more than free memory."""
    kinds = list(map(type, objects))
    watched = set()
    for number, kind in dict(zip(map(id, kinds), kinds)).items():
        if issubclass(kind, (type, MODULE_TYPE, _weakref.ref)) and not defines(kind, "__del__"):
            watched.add(number)
        elif number not in _FILES and (
            # Generators, coroutines and sockets have it, too. Whom a proxy calls can't be seen.
            defines(kind, "__del__") or is_writing_class(kind) or issubclass(kind, _PROXIES)
        ):
            return True
    for each, kind in zip(objects, kinds):
        if id(kind) in watched:
            if issubclass(kind, type):
                acts = has_acting_instances(each)
            elif issubclass(kind, MODULE_TYPE):
                acts = not is_passive_module(each, kind)
            else:
                acts = not is_harmless_callback(_callback(each))
            if acts:
                return True
    return False


def is_writing_class(kind: type) -> bool:
    """Return whether objects of a class are a database's or a secure connection's."""
    return [1 for base in _mro(kind) if _names(base).get("__module__") in _WRITING_MODULES] != []


def defines(kind: type, name: str) -> bool:
    """Return whether a class or one of its bases has an attribute."""
    return [1 for base in _mro(kind) if name in _names(base)] != []


def has_acting_instances(kind: type) -> bool:
    """Return whether instances of a class may act though the collector does not know them."""
    if not _flags(kind) & _HAVE_GC and defines(kind, "__del__"):
        return True
    # called when a memoryview vanishes; new in 3.12
    return type(_names(kind).get("__release_buffer__")) not in (type(None), _SLOT_TYPE)


def is_passive_module(module: "Any", kind: type) -> bool:
    """Return whether a module is Python's, or written in Python and of no installed package."""
    if kind is not MODULE_TYPE:
        return False
    file = module.__dict__.get("__file__")
    if type(file) is not str:
        return file is None
    if is_stdlib_file(file):
        return True
    return not (file.endswith((".so", ".dylib")) or "-packages/" in file)


def is_harmless_callback(callback: "Any") -> bool:
    """Return whether a weak reference's callback does nothing that could be seen."""
    if type(callback) is BUILTIN_TYPE:
        return callback.__module__ is None and callback.__name__ in _TABLE_CALLBACKS_IN_C
    if type(callback) is not _FUNCTION_TYPE:
        return callback is None
    for module_name, function in _TABLE_CALLBACKS:
        is_named_so = callback.__code__.co_name == function
        if is_named_so and callback.__globals__ is stdlib_names(module_name):
            return True
    return False
