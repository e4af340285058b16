"""Rewrites a hook so that its imports of the standard library are made at their first use: pure.

At the module's top level, ``from pathlib import Path`` becomes what ``ast.unparse`` shows as::

    if DEFERRED.locate("pathlib", "Path"):
        Path = DEFERRED.take()
    else:
        from pathlib import Path
        Path = DEFERRED.hold(("Path",), Path)

and every use of ``Path`` becomes ``Path.Path``; ``import json as j`` makes ``j.j`` of ``j``.

DEFERRED is a constant in whose place the launcher puts a ``Deferred`` of ``lazy.py``. Every node
keeps the line and column of what it stands for. What could tell the difference stays as written,
an import for itself or the whole hook; ``docs/deferred.md`` has the rules. Runs in the hook's
interpreter: standard library only, Python 3.8 syntax.
"""

import ast

if __name__.startswith("hooks_compile."):
    import hooks_compile.runtime.deferral_table as table
else:
    import deferral_table as table  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple, TypeVar

    Node = TypeVar("Node", bound=ast.AST)

# A constant that no hook has: one that has it stays as written.
DEFERRED = "hooks-compile: deferred imports"
# The interpreters that the table was made for; on 3.15 and later Python's own lazy imports
# (PEP 810) would do it, and could not be run yet.
VERSIONS = [(3, minor) for minor in range(8, 14)]


class Plan:
    """What is to be deferred in a hook, and what is not.

    ``reason`` says why the hook as a whole stays as written, and is "" where it does not.
    ``modules`` are deferred, in the order of their imports; ``kept`` tells for each import of a
    module of the table that is not, which and why, a line each.
    """

    if TYPE_CHECKING:
        modules: List[str]
        kept: List[str]
        imports: Dict[int, Tuple[bool, ...]]
        values: Dict[str, str]

    def __init__(self, reason: str = "") -> None:
        """Begin with nothing deferred."""
        self.reason = reason
        self.modules = []
        self.kept = []
        # id of a top-level import statement -> for each alias, whether it is deferred
        self.imports = {}
        # a name whose uses are rewritten -> the attribute to read
        self.values = {}


def plan(
    tree: ast.Module, provides: "Callable[[str, str], bool]", standard: "Callable[[str], bool]"
) -> Plan:
    """Decide what of a hook's syntax tree may be deferred.

    ``provides`` tells whether a module of the table has an attribute, ``standard`` whether a
    top-level module belongs to the standard library, both in the interpreter that runs the hook.
    """
    observer = _observer(tree)
    if observer:
        return Plan("line %d: %s" % observer)
    made = Plan()
    scan = _Scan(tree, provides, standard)
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            reasons = [(alias.name, scan.against_module(alias)) for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and _module_of(statement) in table.MODULES:
            reasons = [(_module_of(statement), scan.against_names(statement))]
        else:
            continue
        deferred = []
        for module, reason in reasons:
            deferred.append(module in table.MODULES and not reason)
            if deferred[-1]:
                made.modules.append(module)
            elif module in table.MODULES:
                made.kept.append("line %d: %s: %s" % (statement.lineno, module, reason))
        if any(deferred):
            made.imports[id(statement)] = tuple(deferred)
            made.values.update(_values(statement, deferred))
    made.modules = list(dict.fromkeys(made.modules))
    if not made.modules:
        made.reason = made.kept[0] if made.kept else "it imports nothing that could be deferred"
    return made


def _module_of(statement: ast.ImportFrom) -> str:
    return "." * statement.level + (statement.module or "")


def _values(statement: ast.stmt, deferred: "List[bool]") -> "Iterator[Tuple[str, str]]":
    """Yield each name that the deferred part of an import binds, and the attribute to read."""
    if isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name, alias.name
    elif isinstance(statement, ast.Import):
        for alias, put_off in zip(statement.names, deferred):
            if put_off:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, name


def rewrite(tree: ast.Module, made: Plan) -> ast.Module:
    """Return ``tree``, which is changed, with the imports of its plan deferred."""
    body: List[ast.stmt] = []
    rewriter = _Rewriter(made.values, _has_future_annotations(tree))
    for statement in tree.body:
        deferred = made.imports.get(id(statement))
        if deferred is None:
            body.append(rewriter.visit(statement))
        elif isinstance(statement, ast.Import):
            for alias, put_off in zip(statement.names, deferred):
                alone = ast.copy_location(ast.Import([alias]), statement)
                body.append(_module_import(alone) if put_off else alone)
        elif isinstance(statement, ast.ImportFrom):
            body.append(_names_import(statement))
    tree.body = body
    return tree


def _module_import(statement: ast.Import) -> ast.stmt:
    alias = statement.names[0]
    bound = alias.asname or alias.name.partition(".")[0]
    shown = alias.name if alias.asname else bound
    words = [_constant(word, statement) for word in (alias.name, shown, bound)]
    return _if_located(_call("locate_module", words, statement), [bound], [bound], statement)


def _names_import(statement: ast.ImportFrom) -> ast.stmt:
    names = [alias.name for alias in statement.names]
    bound = [alias.asname or alias.name for alias in statement.names]
    words = [_constant(word, statement) for word in (statement.module or "", *names)]
    return _if_located(_call("locate", words, statement), names, bound, statement)


def _if_located(
    test: ast.expr, names: "List[str]", bound: "List[str]", statement: ast.stmt
) -> ast.stmt:
    """Bind ``bound`` as the test has found it, or hold what the statement itself has bound."""
    take = _assign(bound, _call("take", [], statement), statement)
    values: List[ast.expr] = [ast.Tuple([_constant(name, statement) for name in names], ast.Load())]
    values += [ast.Name(name, ast.Load()) for name in bound]
    hold = _assign(bound, _call("hold", values, statement), statement)
    return ast.copy_location(ast.If(test, [take], [statement, hold]), statement)


def _call(method: str, arguments: "List[ast.expr]", like: ast.AST) -> ast.expr:
    function = ast.Attribute(_constant(DEFERRED, like), method, ast.Load())
    return _placed(ast.Call(function, arguments, []), like)


def _assign(names: "List[str]", value: ast.expr, like: ast.AST) -> ast.stmt:
    return _placed(ast.Assign([ast.Name(name, ast.Store()) for name in names], value), like)


def _constant(value: str, like: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Constant(value), like)


def _placed(node: "Node", like: ast.AST) -> "Node":
    """Give ``node`` and all that is in it the place of ``like``."""
    for each in ast.walk(node):
        ast.copy_location(each, like)
    return node


class _Rewriter(ast.NodeTransformer):
    """Reads names where they are used from what the import statement has bound."""

    def __init__(self, values: "Dict[str, str]", future_annotations: bool) -> None:
        self._values = values
        self._future_annotations = future_annotations

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._values.get(node.id)
        if value is None or not isinstance(node.ctx, ast.Load):
            return node
        if value == "TYPE_CHECKING":
            return ast.copy_location(ast.Constant(False), node)
        return ast.copy_location(ast.Attribute(node, value, ast.Load()), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not self._future_annotations:
            return super().generic_visit(node)
        # these are not evaluated, and Python makes strings of them
        kept = {name: getattr(node, name, None) for name in _ANNOTATIONS}
        for name in _ANNOTATIONS:
            if kept[name] is not None:
                setattr(node, name, None)
        super().generic_visit(node)
        for name in _ANNOTATIONS:
            if kept[name] is not None:
                setattr(node, name, kept[name])
        return node


_ANNOTATIONS = ("annotation", "returns")


class _Scan:
    """What binds and uses each name of a hook."""

    def __init__(
        self,
        tree: ast.Module,
        provides: "Callable[[str, str], bool]",
        standard: "Callable[[str], bool]",
    ) -> None:
        self._provides = provides
        self._bound: Dict[str, List[int]] = {}
        self._uses: Dict[str, List[ast.Name]] = {}
        self._parents: Dict[int, ast.AST] = {}
        self._foreign = ""
        self._in_strings: Set[str] = set()
        future = _has_future_annotations(tree)
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._parents[id(child)] = node
            for name in _names_bound(node):
                self._bound.setdefault(name, []).append(getattr(node, "lineno", 0))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._uses.setdefault(node.id, []).append(node)
            for module in _modules_imported(node):
                if not standard(module.partition(".")[0]):
                    self._foreign = self._foreign or module
            for field in _ANNOTATIONS:
                annotation = getattr(node, field, None)
                if isinstance(annotation, ast.AST):
                    self._in_strings.update(_unevaluated(annotation, future))

    def against_module(self, alias: ast.alias) -> str:
        """Return what speaks against deferring ``import alias``, "" for nothing."""
        name = alias.asname or alias.name.partition(".")[0]
        return self._against(name, alias.name in table.LOOKED_UP_IN)

    def against_names(self, statement: ast.ImportFrom) -> str:
        """Return what speaks against deferring ``from module import names``, "" for nothing."""
        module = statement.module
        for alias in statement.names:
            if alias.name.startswith("_") or not self._provides(module or "", alias.name):
                return "it has no %s" % alias.name
            reason = self._against(alias.asname or alias.name, alias.name in table.LOOKED_UP)
            if reason:
                return reason
        return ""

    def _against(self, name: str, looked_up: bool) -> str:
        if name.startswith("__"):
            return "%s has another name in a class" % name
        lines = self._bound.get(name, [])
        if len(lines) > 1:
            return "%s is bound again at line %d" % (name, sorted(lines)[1])
        if name in self._in_strings and (looked_up or self._foreign):
            return "%s is in annotations that %s may read" % (name, self._foreign or "dataclasses")
        for use in self._uses.get(name, []):
            parent = self._parents[id(use)]
            if isinstance(parent, ast.Call) and parent.lineno != use.lineno:
                return "%s stands apart from its call at line %d" % (name, use.lineno)
        return ""


def _unevaluated(annotation: ast.AST, future: bool) -> "Iterator[str]":
    """Yield the names in what Python keeps as strings of an annotation."""
    for node in ast.walk(annotation):
        if future and isinstance(node, ast.Name):
            yield node.id
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = ""
            for character in node.value + " ":
                if character.isalnum() or character == "_":
                    word += character
                elif word:
                    yield word
                    word = ""


def _names_bound(node: ast.AST) -> "Iterator[str]":
    """Yield the names that a node binds, or declares as global or nonlocal."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif not isinstance(node, (ast.Attribute, ast.Constant, ast.ImportFrom, ast.keyword)):
        for field, value in ast.iter_fields(node):
            if field not in ("kwd_attrs", "type_comment", "tag"):
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, str):
                        yield each


def _modules_imported(node: ast.AST) -> "List[str]":
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [_module_of(node)]
    return []


def _has_future_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )


def _observer(tree: ast.Module) -> "Optional[Tuple[int, str]]":
    """Return the first line with something that could see a deferred import, and what it is."""
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    by_string = any(_identifiers(node) & table.BY_STRING for node in ast.walk(tree))
    found = []
    line = 1
    for node in ast.walk(tree):
        line = getattr(node, "lineno", line)
        what = _seen_by(node, parents.get(id(node)), by_string)
        if what:
            found.append((line, what))
    return min(found) if found else None


def _identifiers(node: ast.AST) -> "Set[str]":
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.ImportFrom):
        return {alias.name for alias in node.names}
    return set()


def _seen_by(node: ast.AST, parent: "Optional[ast.AST]", by_string: bool) -> str:
    """Return what about one node could see a deferred import, "" for nothing."""
    names = _identifiers(node)
    seen = ""
    if isinstance(node, ast.Name):
        called = isinstance(parent, ast.Call) and parent.func is node and len(parent.args) == 1
        if node.id in table.NAMES or (node.id in table.NAMES_WITHOUT_ARGUMENT and not called):
            seen = node.id
    elif names & table.ATTRIBUTES:
        seen = min(names & table.ATTRIBUTES)
    elif isinstance(node, ast.ImportFrom) and "*" in names:
        seen = "import *"
    elif isinstance(node, ast.FunctionDef) and node.name == "__del__":
        seen = node.name
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        seen = _string_seen_by(node.value, parent, by_string)
    for module in _modules_imported(node):
        if module.partition(".")[0] in table.WATCHING:
            seen = "import %s" % module
    return seen


def _string_seen_by(text: str, parent: "Optional[ast.AST]", by_string: bool) -> str:
    if text == DEFERRED:
        return "a string of ours"
    if text == "__main__":
        compared = isinstance(parent, ast.Compare) and any(
            isinstance(each, ast.Name) and each.id == "__name__"
            for each in [parent.left, *parent.comparators]
        )
        return "" if compared else repr(text)
    if by_string and text in table.ATTRIBUTES | table.NAMES:
        return repr(text)
    return ""
