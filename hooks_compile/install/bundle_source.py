"""One module of the launcher package: what it defines and imports, and its text for a bundle."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Names that mean something else in a module of a bundle than in one of a package.
_OWN_TO_A_MODULE = frozenset(
    {*("__name__", "__file__", "__doc__", "__package__", "__spec__"), "globals", "vars", "locals"}
)


class BundleError(Exception):
    """A module can't be assembled: its file, line, and why."""

    def __init__(self, path: Path, node: ast.AST | None, why: str) -> None:
        """Make the message."""
        line = f":{node.lineno}" if isinstance(node, ast.stmt | ast.expr) else ""
        super().__init__(f"{path}{line}: {why}")


@dataclass(frozen=True)
class Module:
    """A module of the package."""

    name: str  # without the package
    path: Path
    nodes: list[ast.AST]  # of its tree, without what only type checkers see
    text: str  # without annotations and without the imports at its top
    defined: dict[str, ast.stmt]
    library: dict[str, str]  # each name that it imports from elsewhere, with the statement
    imported: dict[str, str]  # each name that it imports from the package, with the module
    parts: frozenset[str]  # the subdirectories that it uses


def read_module(name: str, path: Path, package: str) -> Module:
    """Return a module. Raises BundleError for what can't be assembled, or is not there."""
    try:
        source = path.read_bytes()
        tree = ast.parse(source)
    except (OSError, SyntaxError) as error:
        raise BundleError(path, None, str(error)) from error
    nodes = nodes_at_run_time(tree)
    inner = set(nodes) - set(tree.body)
    for node in ast.walk(tree):
        if why := _why_refused(node, package, is_inner=node in inner):
            raise BundleError(path, node, why)
    text = _text(source, tree, nodes, path)
    module = Module(name, path, nodes, text, {}, {}, {}, _parts(tree, package))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and _is_of_package(node.module, package):
            origin = (node.module or "")[len(package) + 1 :]
            if origin:
                module.imported.update(dict.fromkeys([one.name for one in node.names], origin))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module.library.update(_library_imports(node))
        elif not is_for_types(node):
            module.defined.update(dict.fromkeys(_names_of(node, path), node))
    return module


def is_for_types(node: ast.AST) -> bool:
    """Return whether a statement is ``TYPE_CHECKING = False`` or ``if TYPE_CHECKING:``."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        return isinstance(target, ast.Name) and target.id == "TYPE_CHECKING"
    return False


def nodes_at_run_time(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes. Of what is there for type checkers return only the statement itself."""
    nodes = [tree]
    for node in nodes:  # it grows
        if not is_for_types(node):
            nodes += ast.iter_child_nodes(node)
    return nodes


def _is_of_package(name: str | None, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _parts(tree: ast.Module, package: str) -> frozenset[str]:
    return frozenset(
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == package
        for alias in node.names
    )


def _why_refused(node: ast.AST, package: str, *, is_inner: bool) -> str:
    """Return why a node would mean something else in a bundle, "" if it does not.

    ``is_inner`` is True for what is executed and is not a statement of the module itself.
    """
    if isinstance(node, ast.Global):
        return "a global that changes: modules that import it would see the change"
    if isinstance(node, ast.Name) and node.id in _OWN_TO_A_MODULE:
        return f"{node.id} is another one in a bundle"
    if isinstance(node, ast.Import):
        if any(_is_of_package(alias.name, package) for alias in node.names):
            return "import names of the package by: from MODULE import NAME"
    elif isinstance(node, ast.ImportFrom):
        return _why_import_refused(node, package, is_inner=is_inner)
    return ""


def _why_import_refused(node: ast.ImportFrom, package: str, *, is_inner: bool) -> str:
    if node.level or any(alias.name == "*" for alias in node.names):
        return "neither relative imports nor * are possible"
    if node.module == "__future__":
        return "it would act on the whole part"
    if not _is_of_package(node.module, package):
        return ""
    if any(alias.asname for alias in node.names):
        return "another name for what the package defines"
    return "the package can only be imported at the top of a module" if is_inner else ""


def _library_imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Give each name that a statement imports, with an import of its own."""
    for alias in node.names:
        origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
        other = f" as {alias.asname}" if alias.asname else ""
        yield alias.asname or alias.name.partition(".")[0], f"{origin}import {alias.name}{other}"


def _names_of(node: ast.stmt, path: Path) -> list[str]:
    """Return the names that a statement of a module defines. Raises BundleError for others."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if len(names) == len(targets):
            return names
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []
    why = f"{type(node).__name__}: only imports, functions, classes and constants are possible"
    raise BundleError(path, node, why)


def _text(source: bytes, tree: ast.Module, nodes: list[ast.AST], path: Path) -> str:
    """Return the text of a module without the imports at its top, annotations and type checking."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    pieces = []
    position = 0
    for begin, end in sorted(_cuts(source, tree, nodes, lines, path)):
        pieces.append(source[position:begin])
        position = end
    text = b"".join([*pieces, source[position:]]).decode()
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _cuts(
    source: bytes, tree: ast.Module, nodes: list[ast.AST], lines: list[int], path: Path
) -> Iterator[tuple[int, int]]:
    """Give the begin and the end of what a bundle does not need, as offsets in ``source``.

    ``lines`` are the offsets of its lines.
    """

    def begin_of(node: ast.expr | ast.stmt | ast.arg) -> int:
        return lines[node.lineno - 1] + node.col_offset

    def end_of(node: ast.expr | ast.stmt | ast.arg) -> int:
        return lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)

    for node in nodes:
        is_import = isinstance(node, ast.Import | ast.ImportFrom) and node in tree.body
        if isinstance(node, ast.stmt) and (is_import or is_for_types(node)):
            line_end = lines[node.end_lineno or 0]
            if source[end_of(node) : line_end].partition(b"#")[0].strip():
                raise BundleError(path, node, "two statements in a line")
            yield begin_of(node), line_end
        elif isinstance(node, ast.arg) and node.annotation:
            yield begin_of(node) + len(node.arg.encode()), end_of(node)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            end = begin_of(node.returns)
            yield len(source[: source.rindex(b"->", 0, end)].rstrip()), end_of(node.returns)
        elif isinstance(node, ast.AnnAssign):
            yield end_of(node.target) if node.value else begin_of(node), end_of(node.annotation)
