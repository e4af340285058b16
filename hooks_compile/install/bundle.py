"""Assembles the launcher package into the few files of the runtime directory.

A process that lives for some milliseconds can't afford to import thirty modules. So the modules of
a part become one source: each behind those that it imports from, in one namespace.

- ``start`` is the module ``start`` and what it imports. ``main`` is ``lifecycle`` and what it
  imports. Each subdirectory that a part uses is a part of its own, loaded at first use.
- ``from PACKAGE.module import name`` is removed if the module is in the same part: the name is
  there already. For another part it becomes a look-up when this part is loaded.
- ``from PACKAGE import subdirectory`` becomes a module that is loaded at first use.
- Annotations and what is there for type checkers are removed. All other text stays as it is.

A bundle has to behave as its package does. A source that could make a difference is refused.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from hooks_compile.install.bundle_source import (
    BundleError,
    Module,
    read_module,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_START, _MAIN = "start", "lifecycle"
_OLDEST_PYTHON = (3, 8)


class Bundle:
    """The modules of one package, read when they are needed."""

    def __init__(self, root: Path, package: str) -> None:
        """Take the directory of the package, and its name."""
        self._root = root
        self._package = package
        self._known: dict[str, Module] = {}

    def parts(self) -> dict[str, str]:
        """Return the source of each part, by name. Raises BundleError."""
        start = self._with_needed([_START])
        main = [name for name in self._with_needed([_MAIN]) if name not in start]
        modules = {"start": start, "main": main}
        waiting = self._parts_of(main)
        for part in waiting:  # it grows
            needed = self._with_needed(self._exports(part).values())
            modules[part] = [name for name in needed if name not in (*start, *main)]
            waiting += [each for each in self._parts_of(modules[part]) if each not in waiting]
        for part, names in modules.items():
            self._require_directory(part, names)
        home = {name: part for part, names in modules.items() for name in names}
        return {part: self._source(part, names, home) for part, names in modules.items()}

    def program(self, name: str, call: str) -> str:
        """Return the source of one module with all that it imports, and ``call`` behind it.

        Raises BundleError.
        """
        names = self._with_needed([name])
        if parts := self._parts_of(names):
            raise BundleError(self._root, None, f"a program can't load the part {parts[0]}")
        return f"{self._source(name, names, dict.fromkeys(names, name))}\n\n{call}\n"

    def _module(self, name: str) -> Module:
        if name not in self._known:
            path = self._root.joinpath(*name.split(".")).with_suffix(".py")
            self._known[name] = read_module(name, path, self._package)
        return self._known[name]

    def _with_needed(self, names: Iterable[str]) -> list[str]:
        """Return these modules and those that they need, each behind what it needs."""
        order: list[str] = []
        above: list[str] = []

        def visit(name: str) -> None:
            if name in above:
                circle = " -> ".join([*above[above.index(name) :], name])
                raise BundleError(self._module(name).path, None, f"a circle of imports: {circle}")
            if name not in order:
                above.append(name)
                for needed in dict.fromkeys(self._module(name).imported.values()):
                    visit(needed)
                above.pop()
                order.append(name)

        for name in names:
            visit(name)
        return order

    def _parts_of(self, names: Iterable[str]) -> list[str]:
        return sorted({part for name in names for part in self._module(name).parts})

    def _exports(self, part: str) -> dict[str, str]:
        """Return what a subdirectory's ``__init__`` exports: name to module."""
        module = self._module(f"{part}.__init__")
        if module.defined.keys() - {"__all__"} or module.library or module.parts:
            raise BundleError(module.path, None, "it may only import from the part's modules")
        return module.imported

    def _require_directory(self, part: str, names: list[str]) -> None:
        directory = "" if part in ("start", "main") else part
        for name in names:
            if name.rpartition(".")[0] != directory:
                why = f"the part {part} needs it, and it is not in the part's directory"
                raise BundleError(self._module(name).path, None, why)

    def _source(self, part: str, names: list[str], home: dict[str, str]) -> str:
        """Return the source of a part from modules in their order. ``home`` has each one's part."""
        bound: dict[str, str] = {}  # each name of the part, and what it is
        library: dict[str, None] = {}
        lookups: dict[str, None] = {}
        modules = [self._module(name) for name in names]
        for module in modules:
            self._require_uses_of_parts(module)
            for name, statement in module.library.items():
                _bind(bound, name, statement, module)
                library[statement] = None
            for name, origin in module.imported.items():
                if name not in self._module(origin).defined:
                    why = f"{name} is not defined in {self._module(origin).path}"
                    raise BundleError(module.path, None, why)
                _bind(bound, name, origin, module)
                if home[origin] != part:
                    lookups[f"{name} = _parts[{home[origin]!r}].{name}"] = None
            for name in module.defined:
                _bind(bound, name, module.name, module)
            for name in sorted(module.parts):
                _bind(bound, name, f"the part {name}", module)
                lookups[f"{name} = _parts[{name!r}]"] = None
        head = "\n".join([*library, "", *lookups])
        source = "\n\n\n".join([head, *(module.text for module in modules)]) + "\n"
        try:
            ast.parse(source, feature_version=_OLDEST_PYTHON)
        except SyntaxError as error:
            why = f"the part {part} is no Python {'.'.join(map(str, _OLDEST_PYTHON))}: {error}"
            raise BundleError(self._root, None, why) from error
        return source

    def _require_uses_of_parts(self, module: Module) -> None:
        """Raise BundleError if a part is used otherwise than for the names that it exports."""
        if not module.parts:
            return
        allowed = set()
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                part = node.value.id
                if part in module.parts and node.attr in self._exports(part):
                    allowed.add(node.value)
        for node in module.nodes:
            if isinstance(node, ast.Name) and node.id in module.parts and node not in allowed:
                why = f"{node.id} is a part: only {node.id}.NAME of an exported name is possible"
                raise BundleError(module.path, node, why)


def _bind(bound: dict[str, str], name: str, what: str, module: Module) -> None:
    """Add a name to those of a part. Raises BundleError if it is another one, or a builtin."""
    node = module.defined.get(name)
    if hasattr(builtins, name):
        raise BundleError(module.path, node, f"{name} hides a builtin")
    if bound.setdefault(name, what) != what:
        why = f"{name} is {what} here, and {bound[name]} in another module of the part"
        raise BundleError(module.path, node, why)
