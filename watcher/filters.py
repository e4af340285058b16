"""Which events matter, and what they mean. Pure: names in, decisions out."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from hooks_compile.project.search import NEVER, PACKAGE, VENV
from watcher.model import Kind

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from watcher.model import Event

SOURCES = frozenset({".py", ".legacy", ""})
"""The suffixes of files that may be hooks or modules."""

CACHES = frozenset({"__pycache_opt__", "__pycache__"})

_IN_PLACE = frozenset({Kind.CHANGED, Kind.SAVED})


@dataclass(frozen=True, slots=True)
class Interest:
    """What matters in a watched folder: these names, files with these suffixes, all sub-folders."""

    names: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    folders: bool = False

    def __or__(self, other: Interest) -> Interest:
        """Return the interest in what matters to either."""
        return Interest(
            self.names | other.names,
            self.suffixes | other.suffixes,
            self.folders or other.folders,
        )

    @property
    def in_content(self) -> bool:
        """Whether it matters what is in the files, not only which are there."""
        return bool(self.names or self.suffixes)

    def admits(self, name: str, *, is_folder: bool) -> bool:
        """Tell whether an event about ``name`` may matter; decides without a look at the disk."""
        if name in self.names:
            return True
        if is_folder:
            return name in CACHES if name in NEVER else self.folders
        # Emacs locks what is being edited with a symlink that leads nowhere.
        return suffix_of(name) in self.suffixes and not name.startswith(".#")


class Meaning(Enum):
    """What is to be done about an event."""

    NOTHING = auto()
    HOOK = auto()  # compile this hook
    MODULE = auto()  # compile this module
    CACHE = auto()  # a folder of compiled code has gone: compile what is beside it
    SHAPE = auto()  # there may be other hooks than before: look for them
    MAYBE = auto()  # the same, if this file turns out to be Python


@dataclass(frozen=True, slots=True)
class Known:
    """What a tree knows of itself; ``places`` are the folders that it watches."""

    hooks: Container[str]
    modules: Container[str]
    places: Mapping[str, Interest]


def suffix_of(name: str) -> str:
    """Return the suffix that decides: ``.py`` of ``guard.py``, "" of ``pre-commit``."""
    return os.path.splitext(name)[1]  # noqa: PTH122 - a name, not a path


def meaning(event: Event, known: Known) -> Meaning:
    """Return what ``event`` means for the tree that knows ``known``."""
    folder, name = os.path.split(event.path)
    if event.path in known.hooks or event.path in known.modules:
        if event.kind is Kind.GONE or event.is_folder:
            return Meaning.SHAPE
        return Meaning.HOOK if event.path in known.hooks else Meaning.MODULE
    if event.is_folder and event.path in known.places:
        return Meaning.SHAPE
    interest = known.places.get(folder, Interest())
    if not interest.admits(name, is_folder=event.is_folder):
        return Meaning.NOTHING
    if name in interest.names:
        return Meaning.SHAPE
    return _of_unknown(event, name)


def _of_unknown(event: Event, name: str) -> Meaning:
    suffix = suffix_of(name)
    if event.is_folder and name in CACHES:
        return Meaning.CACHE if event.kind is Kind.GONE else Meaning.NOTHING
    if event.is_folder or suffix == ".py":
        # What is written into such a file does not make it a hook, and is heard of otherwise.
        return Meaning.NOTHING if event.kind in _IN_PLACE else Meaning.SHAPE
    if suffix in SOURCES:
        return Meaning.NOTHING if event.kind is Kind.GONE else Meaning.MAYBE
    return Meaning.SHAPE


ALWAYS = Interest(names=frozenset({VENV, PACKAGE, "hooks.json"}), suffixes=SOURCES, folders=True)
"""The interest in a folder that holds hooks or modules."""
