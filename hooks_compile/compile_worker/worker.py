"""Looks at entries and compiles sources, in the interpreter that will run them.

The tool imports this module if its own interpreter makes the same entries. Else ``serve.py`` runs
it in a subprocess.
"""

import os
import sys
import warnings
from types import CodeType
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from hooks_compile.compile_worker.level import LevelChoice, choose_level
from hooks_compile.compile_worker.notes import notes_of
from hooks_compile.launcher import entry
from hooks_compile.launcher.annotations import Warnings
from hooks_compile.launcher.miss.store import store
from hooks_compile.launcher.safe_read import read

_CACHE_TAG = str(sys.implementation.cache_tag)
_MODULE_LEVEL = LevelChoice(0, "a module is compiled as Python compiles it")

# The tasks.
FIND_HOOKS = "find fresh hooks"
FIND_MODULES = "find fresh modules"
COMPILE_HOOKS = "compile hooks"
COMPILE_MODULES = "compile modules"
# The states of a source: the values of hooks_compile.model.State, which Python 3.8 can't import,
# and STALE. A task to find gives it to a source that has to be compiled.
FRESH = "fresh"
COMPILED = "compiled"
MISSING = "missing"
DAMAGED = "damaged"
BROKEN = "broken"
UNREADABLE = "unreadable"
UNWRITABLE = "unwritable"
STALE = "stale"


class Order(NamedTuple):
    """What is to be done with the sources.

    ``key`` is the runtime directory's, ``optimize`` a level or "auto". Without ``write`` nothing
    is stored. With ``explain`` an Outcome has the reason for the level of a fresh entry, too. With
    ``deferred`` launches defer imports, if the interpreter can (PEP 810).
    """

    task: str
    key: bytes
    optimize: Union[int, str]
    write: bool
    explain: bool = False
    deferred: bool = False


class Problem(NamedTuple):
    """Why a source does not compile, in Python's words; lines and columns count from 1."""

    kind: str
    message: str
    line: Optional[int] = None
    column: Optional[int] = None
    text: Optional[str] = None


class Outcome(NamedTuple):
    """The result for one source: ``state`` is one of the states above.

    ``reason`` says why the level is ``level``. ``name`` is the file name of the entry, or "".
    ``detail`` says why an entry is damaged, or what can't be read or written. ``problem`` is set if
    the source is broken.
    """

    state: str
    level: int = 0
    reason: str = ""
    name: str = ""
    detail: str = ""
    problem: Optional[Problem] = None


class _Found(NamedTuple):
    """The entry of a source. ``settings`` are those of ``launcher/entry.py`` if it is fresh."""

    state: str
    level: int = 0
    settings: bytes = b""
    name: str = ""
    detail: str = ""


def perform(order: Order, paths: Sequence[str]) -> List[Outcome]:
    """Return an outcome for each of the sources ``paths``, in order.

    The tasks to find only look. The others compile each source; without ``write`` one that compiles
    is ``missing`` or ``damaged``, as its entry is. The place of modules is ``__pycache__``.
    """
    return [_perform_one(order, path) for path in paths]


def _perform_one(order: Order, path: str) -> Outcome:
    try:
        source = read(path)
    except (OSError, ValueError) as error:
        return Outcome(UNREADABLE, detail=_cause(error))
    if order.task == FIND_HOOKS:
        return _find_hook(order, path, source)
    if order.task == FIND_MODULES:
        return _find_module(order, path, source)
    compile_source = _compile_hook if order.task == COMPILE_HOOKS else _compile_module
    return compile_source(order, path, source)


def _find_hook(order: Order, path: str, source: bytes) -> Outcome:
    found = _find_entry(order.key, path, source)
    if found.state != FRESH or not _is_as_ordered(found, order):
        return Outcome(STALE)
    reason = _reason(found, source) if order.explain else ""
    return Outcome(FRESH, found.level, reason, found.name)


def _find_entry(key: bytes, path: str, source: bytes) -> _Found:
    """Return what the launcher would find. ``state`` is fresh, missing or damaged."""
    directory, _, script = path.rpartition("/")
    prefix = entry.entry_prefix(script, _CACHE_TAG)
    suffix = entry.entry_suffix(key, source)
    damaged = None
    for level in (2, 1, 0):
        name = f"{prefix}{level}{suffix}"
        try:
            data = read(f"{directory}/{entry.CACHE_DIRECTORY}/{name}")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            damaged = _Found(DAMAGED, level, name=name, detail=_cause(error))
            continue
        if entry.verifies(key, level, data, source):
            return _Found(FRESH, level, entry.settings_of(data), name)
        why = "it does not verify: made with another key, or damaged"
        damaged = _Found(DAMAGED, level, name=name, detail=why)
    return damaged or _Found(MISSING)


def _is_as_ordered(found: _Found, order: Order) -> bool:
    """Return whether a fresh entry can stay as it is.

    One that a launch compiled is good to run. Only an order to write makes it better: it has no
    notes, and perhaps not the best level.
    """
    if found.settings == entry.AS_PYTHON + entry.AS_WRITTEN:
        return not order.write
    return found.settings == _settings(order) and order.optimize in ("auto", found.level)


def _settings(order: Order) -> bytes:
    """Return the settings of the entries that are ordered."""
    can_defer = order.deferred and hasattr(sys, "set_lazy_imports")
    choice = entry.PROVEN if order.optimize == "auto" else entry.FORCED
    return choice + (entry.DEFERRED if can_defer else entry.AS_WRITTEN)


def _reason(found: _Found, source: bytes) -> str:
    if found.settings.startswith(entry.AS_PYTHON):
        return "compiled by a launch"
    return "forced" if found.settings.startswith(entry.FORCED) else choose_level(source).reason


def _compile_hook(order: Order, path: str, source: bytes) -> Outcome:
    directory, _, script = path.rpartition("/")
    if order.optimize == "auto":
        chosen = choose_level(source)
    else:
        chosen = LevelChoice(int(order.optimize), "forced")
    try:
        code, warned = _compile(source, script, chosen.level)
    except Exception as error:  # whatever compile raises, Python shows it at the launch
        return Outcome(BROKEN, *chosen, problem=problem_of(error))
    if not order.write:
        found = _find_entry(order.key, path, source)
        state = DAMAGED if found.state == DAMAGED else MISSING
        return Outcome(state, *chosen, detail=found.detail)
    prefix = entry.entry_prefix(script, _CACHE_TAG)
    suffix = entry.entry_suffix(order.key, source)
    settings = _settings(order)
    is_deferred = settings.endswith(entry.DEFERRED)
    notes = (warned, *notes_of(code, is_deferred), is_deferred)
    data = entry.pack(order.key, chosen.level, settings, code, notes, source)
    cache = f"{directory}/{entry.CACHE_DIRECTORY}"
    name = f"{prefix}{chosen.level}{suffix}"
    try:
        _store(cache, name, data)
        for other in {0, 1, 2} - {chosen.level}:  # a launch takes the highest level
            _remove(f"{cache}/{prefix}{other}{suffix}")
    except OSError as error:
        return Outcome(UNWRITABLE, *chosen, detail=_cause(error))
    return Outcome(COMPILED, *chosen, name)


def _store(directory: str, name: str, data: bytes, markers: bool = True) -> None:
    """Store a file as ``store`` does, and once more if a clean has just removed the directory."""
    try:
        store(directory, name, data, markers)
    except FileNotFoundError:
        store(directory, name, data, markers)


def _find_module(order: Order, path: str, source: bytes) -> Outcome:
    cache, name = _module_place(path)
    try:
        if entry.verifies(order.key, 0, read(f"{cache}/{name}"), source):
            return Outcome(FRESH, *_MODULE_LEVEL, name)
    except (OSError, ValueError):
        pass  # missing or unusable
    return Outcome(STALE)


def _compile_module(order: Order, path: str, source: bytes) -> Outcome:
    """Make the ``.pyc`` of a module: for Python it is one that is checked by hash.

    It has our trailer too, which Python ignores. So a ``.pyc`` that came with a clone is replaced.
    """
    try:
        code, warned = _compile(source, path, 0)
    except Exception as error:  # as above
        return Outcome(BROKEN, *_MODULE_LEVEL, problem=problem_of(error))
    if not order.write:
        return Outcome(MISSING, *_MODULE_LEVEL)
    settings = entry.AS_PYTHON + entry.AS_WRITTEN
    data = entry.pack(order.key, 0, settings, code, (warned, (), {}, False), source)
    cache, name = _module_place(path)
    try:
        _store(cache, name, data, markers=False)
    except OSError as error:
        return Outcome(UNWRITABLE, *_MODULE_LEVEL, detail=_cause(error))
    return Outcome(COMPILED, *_MODULE_LEVEL, name)


def _module_place(path: str) -> Tuple[str, str]:
    """Return the directory and the name of a module's ``.pyc``."""
    directory, _, script = path.rpartition("/")
    return f"{directory}/__pycache__", f"{script[:-3]}.{_CACHE_TAG}.pyc"


def _compile(source: bytes, filename: str, level: int) -> Tuple[CodeType, Warnings]:
    """Return the code, and the warnings that Python gives whenever it compiles ``source``.

    Raises what ``compile`` raises.
    """
    entry.require_text(source)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        code = compile(source, filename, "exec", 0, True, level)
    return code, tuple([(w.category.__name__, str(w.message), w.lineno) for w in caught])


def problem_of(error: BaseException) -> Problem:
    """Return what a person needs to find the mistake in a source."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        text = error.text if isinstance(error.text, str) else None
        return Problem(kind, error.msg, error.lineno, error.offset, text)
    return Problem(kind, str(error) or kind)


def _cause(error: Exception) -> str:
    """Return the cause alone: the caller knows the file, and nobody knows a temporary one."""
    return getattr(error, "strerror", None) or str(error)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
