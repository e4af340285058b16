"""Imports what a hook imports first, while the collector is disabled.

The notes of an entry name the modules of the standard library that the source imports before it
does anything else. The collector would go through the growing heap many times and find nothing.
"""

import posix
import sys
from typing import Set, Tuple

from hooks_compile.launcher.annotations import Patterns
from hooks_compile.launcher.collector import COLLECTOR_IS_ENABLED
from hooks_compile.launcher.patterns import offer_patterns
from hooks_compile.launcher.process import STDLIB


def preimport(names: Tuple[str, ...], patterns: Patterns) -> None:
    """Import modules of the standard library in this order. They find ``patterns`` compiled.

    Nothing is imported if a name may mean another module to the hook.
    """
    path = sys.path
    if path[2:3] != [STDLIB] or not COLLECTOR_IS_ENABLED or can_shadow_stdlib(path[0]):
        return
    directory = path.pop(0)
    try:
        for name in names:
            __import__(name)
            if name == "re":
                offer_patterns(patterns)
    except Exception:  # the hook meets it again
        return
    finally:
        path.insert(0, directory)


def can_shadow_stdlib(directory: str) -> bool:
    """Return whether a file in ``directory`` has the name of a module of the standard library."""
    try:
        stems = module_names_in(directory)
    except OSError:
        return True
    return not stems.isdisjoint(getattr(sys, "stdlib_module_names", stems))  # new in 3.10


def module_names_in(directory: str) -> Set[str]:
    """Return the names that modules in ``directory`` may have, and others.

    Raises OSError if it is there and can't be listed: Python may find modules in it all the same.
    """
    try:
        return {name.partition(".")[0] for name in posix.listdir(directory)}
    except FileNotFoundError:
        return set()
