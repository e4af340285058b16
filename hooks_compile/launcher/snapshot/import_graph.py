"""Which modules an import loads: what a module's own code imports, and what that imports."""

import builtins
import sys
from _frozen_importlib import _calc___package__, _resolve_name  # type: ignore[attr-defined]
from typing import Any, Dict, List, Sequence, Set, Tuple


class ImportGraph:
    """Imports modules, and notes for each which others its code needs.

    A module that is loaded once is needed by many. So each import statement is noted, also one
    that finds its module loaded.
    """

    def __init__(self) -> None:
        """Begin with the modules that are loaded."""
        self._needed: Dict[str, Dict[str, None]] = {}
        self._loading: List[str] = [""]
        self._import: Any = builtins.__import__

    def import_all(self, names: Sequence[str]) -> None:
        """Import these modules, as far as this Python has them."""
        builtins.__import__ = self._import_statement  # type: ignore[assignment] # it returns Any
        try:
            for name in names:
                try:
                    self._load(name)
                except ImportError:  # it is of another version, or a library is missing
                    continue
        finally:
            builtins.__import__ = self._import

    def brought_by(self, name: str) -> Tuple[str, ...]:
        """Return ``name`` behind all that is loaded with it."""
        order: List[str] = []
        seen: Set[str] = set()

        def visit(each: str) -> None:
            if each not in seen:
                seen.add(each)
                for needed in self._needed.get(each, ()):
                    visit(needed)
                order.append(each)

        visit(name)
        return tuple(order)

    def _import_statement(self, name: str, scope: Any = None, *rest: Any, **named: Any) -> Any:
        """Do what ``builtins.__import__`` does, and note it.

        Its parameters are ``name``, ``globals``, ``locals``, ``fromlist`` and ``level``; C code
        gives the last ones by name.
        """
        given = dict(zip(("locals", "fromlist", "level"), rest))
        given.update(named)
        scope = given.pop("globals", scope)
        level = given.get("level", 0)
        full_name = _resolve_name(name, _calc___package__(scope), level) if level else name
        self._load(full_name)
        module = sys.modules[full_name]
        if "__path__" in module.__dict__:  # hasattr() would call a function of some modules
            for each in given.get("fromlist") or ():
                if f"{full_name}.{each}" in sys.modules or not hasattr(module, each):
                    try:
                        self._load(f"{full_name}.{each}")
                    except ModuleNotFoundError:  # then the statement itself fails
                        continue
        return self._import(name, scope, **given)

    def _load(self, name: str) -> None:
        """Import a module by its full name, and note that the one that is being loaded needs it."""
        parent = name.rpartition(".")[0]
        if parent:
            self._load(parent)
        self._note(name)
        before = set(sys.modules)
        self._loading.append(name)
        try:
            self._import(name, None, None, (), 0)
        finally:
            self._loading.pop()
        for other in sys.modules.keys() - before - {name}:
            self._needed.setdefault(name, {})[other] = None
        if parent:
            self._needed.setdefault(name, {})[parent] = None

    def _note(self, name: str) -> None:
        self._needed.setdefault(self._loading[-1], {})[name] = None
