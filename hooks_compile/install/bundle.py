"""Assembles the launcher package into the few files of the runtime directory.

A process that lives for some milliseconds can't afford to import thirty modules. So the modules of
a part become one source: each behind those that it imports from, in one namespace.

- ``start`` is the module ``start`` and what it imports. ``main`` is ``lifecycle`` and what it
  imports. Each subdirectory that a part uses is a part of its own, loaded at first use.
- ``from PACKAGE.module import name`` is removed if the module is in the same part: the name is
  there already. For another part it becomes a look-up when this part is loaded.
- ``from PACKAGE import subdirectory`` becomes a module that is loaded at first use.
- Annotations are removed, and so are imports from ``typing``, ``types`` and the module
  ``annotations``: they are for nothing else.

A bundle behaves as its package does if the modules keep to the rules that a test checks
(tests/install/test_bundle.py).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class _Module:
    """A module: its statements but imports, and what it imports."""

    body: list[ast.stmt] = field(default_factory=list)
    library: list[str] = field(default_factory=list)  # statements
    imported: dict[str, str] = field(default_factory=dict)  # name to module of the package
    parts: list[str] = field(default_factory=list)


class Bundle:
    """The modules of one package, read when they are needed."""

    def __init__(self, root: Path, package: str) -> None:
        """Take the directory of the package, and its name."""
        self._root = root
        self._package = package
        self._known: dict[str, _Module] = {}

    def parts(self) -> dict[str, str]:
        """Return the source of each part, by name."""
        start = self._with_needed(["start"])
        modules = {"start": start, "main": self._with_needed(["lifecycle"], start)}
        waiting = self._parts_of(modules["main"])
        for part in waiting:  # it grows
            exported = self._module(f"{part}.__init__").imported
            modules[part] = self._with_needed(exported.values(), [*start, *modules["main"]])
            waiting += [each for each in self._parts_of(modules[part]) if each not in waiting]
        home = {name: part for part, names in modules.items() for name in names}
        return {part: self._source(names, home) for part, names in modules.items()}

    def program(self, name: str, call: str = "") -> str:
        """Return the source of one module with all that it imports, and ``call`` behind it."""
        names = self._with_needed([name])
        return f"{self._source(names, dict.fromkeys(names, name))}\n\n{call}\n"

    def _module(self, name: str) -> _Module:
        if name not in self._known:
            path = self._root.joinpath(*name.split(".")).with_suffix(".py")
            self._known[name] = _read_module(path, self._package)
        return self._known[name]

    def _with_needed(self, names: Iterable[str], known: Iterable[str] = ()) -> list[str]:
        """Return these modules and those that they need, each behind what it needs.

        The modules ``known`` are left out, and so is what they need.
        """
        order = dict.fromkeys(known)
        before = len(order)

        def visit(name: str) -> None:
            if name not in order:
                for needed in self._module(name).imported.values():
                    visit(needed)
                order[name] = None

        for name in names:
            visit(name)
        return list(order)[before:]

    def _parts_of(self, names: Iterable[str]) -> list[str]:
        return sorted({part for name in names for part in self._module(name).parts})

    def _source(self, names: list[str], home: dict[str, str]) -> str:
        """Return the source of a part from modules in order. ``home`` has the part of each one."""
        modules = [self._module(name) for name in names]
        own = home[names[0]]
        head: dict[str, None] = {}
        for module in modules:
            head.update(dict.fromkeys(module.library))
            for name, origin in module.imported.items():
                if home[origin] != own:
                    head[f"{name} = _parts[{home[origin]!r}].{name}"] = None
            for part in module.parts:
                head[f"{part} = _parts[{part!r}]"] = None
        body = [statement for module in modules for statement in module.body]
        return "\n".join([*head, ast.unparse(ast.Module(body, [])), ""])


def _read_module(path: Path, package: str) -> _Module:
    module = _Module()
    for_annotations = ("typing", "types", f"{package}.annotations")
    for node in _WithoutAnnotations().visit(ast.parse(path.read_bytes())).body:
        if isinstance(node, ast.ImportFrom) and node.module in for_annotations:
            continue
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{package}."):
            names = [alias.name for alias in node.names]
            if node.module == package:
                module.parts.extend(names)
            else:
                origin = (node.module or "")[len(package) + 1 :]
                module.imported.update(dict.fromkeys(names, origin))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module.library.append(ast.unparse(node))
        else:
            module.body.append(node)
    return module


class _WithoutAnnotations(ast.NodeTransformer):
    """Removes annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))
