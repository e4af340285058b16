"""Looks at entries and compiles sources, in the interpreter that will run them.

The tool imports this module if its own interpreter makes the same entries. Else ``serve.py`` runs
it in a subprocess.
"""

import os
import sys
import warnings
from contextlib import suppress
from types import CodeType
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from hooks_compile.compile_worker.level import LevelChoice, choose_level
from hooks_compile.compile_worker.notes import notes_of
from hooks_compile.launcher import entry
from hooks_compile.launcher.annotations import Warnings
from hooks_compile.launcher.miss.store import store
from hooks_compile.launcher.safe_read import read

_CACHE_TAG = str(sys.implementation.cache_tag)
_BY_A_LAUNCH = entry.AS_PYTHON + entry.AS_WRITTEN  # the settings of what a launch compiles

# The states of a source: the values of hooks_compile.model.State, which Python 3.8 can't import,
# and STALE, which a source has that is only looked at and has to be compiled.
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

    ``key`` is the runtime directory's, ``optimize`` a level or "auto". Without ``write`` nothing is
    stored, and with ``only_look`` nothing is compiled either. ``modules`` are compiled as Python
    does, into ``__pycache__``. With ``explain`` an Outcome has the reason for the level of a fresh
    entry, too. With ``deferred`` launches defer imports, if the interpreter can (PEP 810).
    """

    key: bytes
    optimize: Union[int, str]
    write: bool
    modules: bool = False
    only_look: bool = False
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


class _Place(NamedTuple):
    """Where the entry of a source is: ``names`` has its file name at each level, highest first."""

    directory: str
    names: Dict[int, str]


def perform(order: Order, paths: Sequence[str]) -> List[Outcome]:
    """Return an outcome for each of the sources ``paths``, in order.

    A source is compiled unless its entry is fresh. Without ``write`` one that compiles is MISSING
    or DAMAGED, as its entry is.
    """
    return [_perform_one(order, path) for path in paths]


def _perform_one(order: Order, path: str) -> Outcome:
    try:
        source = read(path)
    except (OSError, ValueError) as error:
        return Outcome(UNREADABLE, detail=_cause(error))
    place = _place(order, path, source)
    found, settings = _find(order.key, place, source)
    if found.state == FRESH and _is_as_ordered(order, found.level, settings):
        reason = _reason(settings, source) if order.explain else ""
        return found._replace(reason=reason)
    return Outcome(STALE) if order.only_look else _compile_source(order, path, source, place, found)


def _place(order: Order, path: str, source: bytes) -> _Place:
    directory, _, script = path.rpartition("/")
    if order.modules:
        return _Place(f"{directory}/__pycache__", {0: f"{script[:-3]}.{_CACHE_TAG}.pyc"})
    names = entry.entry_names(order.key, source, script, _CACHE_TAG)
    return _Place(f"{directory}/{entry.CACHE_DIRECTORY}", names)


def _find(key: bytes, place: _Place, source: bytes) -> Tuple[Outcome, bytes]:
    """Return what the launcher would find, FRESH, MISSING or DAMAGED, and the settings of it."""
    found = Outcome(MISSING)
    for level, name in place.names.items():
        try:
            data = read(f"{place.directory}/{name}")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            found = Outcome(DAMAGED, level, name=name, detail=_cause(error))
            continue
        if entry.verifies(key, level, data, source):
            return Outcome(FRESH, level, name=name), entry.settings_of(data)
        why = "it does not verify: made with another key, or damaged"
        found = Outcome(DAMAGED, level, name=name, detail=why)
    return found, b""


def _is_as_ordered(order: Order, level: int, settings: bytes) -> bool:
    """Return whether a fresh entry can stay as it is.

    One that a launch compiled is good to run. Only an order to write makes it better: it has no
    notes, and perhaps not the best level.
    """
    if settings == _BY_A_LAUNCH and not order.modules:
        return not order.write
    return settings == _settings(order) and order.optimize in ("auto", level)


def _settings(order: Order) -> bytes:
    """Return the settings of the entries that are ordered."""
    if order.modules:
        return _BY_A_LAUNCH
    can_defer = order.deferred and hasattr(sys, "set_lazy_imports")
    choice = entry.PROVEN if order.optimize == "auto" else entry.FORCED
    return choice + (entry.DEFERRED if can_defer else entry.AS_WRITTEN)


def _reason(settings: bytes, source: bytes) -> str:
    if settings == _BY_A_LAUNCH:
        return "compiled by a launch"
    return "forced" if settings.startswith(entry.FORCED) else choose_level(source).reason


def _compile_source(
    order: Order, path: str, source: bytes, place: _Place, found: Outcome
) -> Outcome:
    """Compile a source and store its entry. ``found`` is what :func:`_find` returned.

    For Python, the entry of a module is a ``.pyc`` that is checked by hash: it ignores our trailer.
    So a ``.pyc`` that came with a clone is replaced.
    """
    if order.modules:
        chosen = LevelChoice(0, "a module is compiled as Python compiles it")
    elif order.optimize == "auto":
        chosen = choose_level(source)
    else:
        chosen = LevelChoice(int(order.optimize), "forced")
    filename = path if order.modules else path.rpartition("/")[2]
    try:
        code, warned = _compile(source, filename, chosen.level)
    except Exception as error:  # whatever compile raises, Python shows it at the launch
        return Outcome(BROKEN, *chosen, problem=problem_of(error))
    if not order.write:
        if found.state == DAMAGED and not order.modules:  # else it is Python's own
            return Outcome(DAMAGED, *chosen, detail=found.detail)
        return Outcome(MISSING, *chosen)
    settings = _settings(order)
    is_deferred = settings.endswith(entry.DEFERRED)
    noted = ((), {}) if order.modules else notes_of(code, is_deferred)
    notes = (warned, *noted, is_deferred)
    data = entry.pack(order.key, chosen.level, settings, code, notes, source)
    try:
        _store(place.directory, place.names[chosen.level], data, markers=not order.modules)
        for level, name in place.names.items():
            if level != chosen.level:  # a launch takes the highest one
                with suppress(FileNotFoundError):
                    os.unlink(f"{place.directory}/{name}")
    except OSError as error:
        return Outcome(UNWRITABLE, *chosen, detail=_cause(error))
    return Outcome(COMPILED, *chosen, place.names[chosen.level])


def _store(directory: str, name: str, data: bytes, markers: bool) -> None:
    """Store a file as ``store`` does, and once more if a clean has just removed the directory."""
    try:
        store(directory, name, data, markers)
    except FileNotFoundError:
        store(directory, name, data, markers)


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
    return Problem(kind, str(error))


def _cause(error: Exception) -> str:
    """Return the cause alone: the caller knows the file, and nobody knows a temporary one."""
    return getattr(error, "strerror", None) or str(error)
