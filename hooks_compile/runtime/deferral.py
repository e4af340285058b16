"""Rewrites a hook so that its imports of the standard library are made at their first use: pure.

At the module's top level, ``from pathlib import Path`` becomes what ``ast.unparse`` shows as::

    if DEFERRED.locate("pathlib", "Path"):
        Path = DEFERRED.take()
    else:
        from pathlib import Path
        Path = DEFERRED.hold(("Path",), Path)

and every use of ``Path`` becomes ``Path.Path``; ``import json as j`` makes ``j.j`` of ``j``. Where
only annotations would use it, which nobody can read, they go: they would be evaluated in ``def``.

DEFERRED is a constant in whose place the launcher puts a ``Deferred`` of ``lazy.py``. And
``re.compile("a+")`` becomes ``re.PATTERN("a+", 0) or re.re.compile("a+")``: patterns that the entry
has ready need no ``re``. Every node keeps the line and column of what it stands for. What could
tell the difference stays as written, an import for itself or the whole hook; ``docs/deferred.md``
has the rules. Runs in the hook's interpreter: standard library only, Python 3.8 syntax.
"""

import ast

if __name__.startswith("hooks_compile."):
    import hooks_compile.runtime.deferral_table as table
else:
    import deferral_table as table  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, TypeVar, Union

    Node = TypeVar("Node", bound=ast.AST)
    # a module, and the attribute of it, or "" for the module itself; "" is a class of the hook's
    Source = Tuple[str, str]
    # what re.compile is asked for: the name of re, a text, flags; or variables that hold them
    Pattern = Tuple[ast.Name, ast.expr, Union[int, ast.Name]]

# A constant that no hook has: one that has it stays as written.
DEFERRED = "hooks-compile: deferred imports"
# As in lazy.py.
PATTERN = "hooks-compile: pattern"
# The interpreters that the table was made for; on 3.15 and later Python's own lazy imports
# (PEP 810) would do it, and could not be run yet.
VERSIONS = [(3, minor) for minor in range(8, 14)]


class Plan:
    """What is to be deferred in a hook, and what is not.

    ``reason`` says why the hook as a whole stays as written, and is "" where it does not; even with
    none of its own imports deferred, those that the modules make may be.
    ``modules`` are deferred, in the order of their imports; ``kept`` tells for each import of a
    module of the table that is not, which and why, a line each.
    """

    if TYPE_CHECKING:
        modules: List[str]
        kept: List[str]
        imports: Dict[int, Tuple[bool, ...]]
        values: Dict[str, str]
        sources: Dict[str, Source]
        idle: Set[int]
        patterns: Dict[int, Pattern]

    def __init__(self, reason: str = "") -> None:
        """Begin with nothing deferred."""
        self.reason = reason
        self.modules = []
        self.kept = []
        # id of a top-level import statement -> for each alias, whether it is deferred
        self.imports = {}
        # a name whose uses are rewritten -> the attribute to read
        self.values = {}
        # ... and where its value is from
        self.sources = {}
        # ids of annotations that need not be evaluated
        self.idle = set()
        # id of a call of re.compile -> the pattern and the flags, which the entry may have ready
        self.patterns = {}


class Library:
    """What is known of the interpreter that runs the hook."""

    def provides(self, module: str, name: str) -> bool:
        """Tell whether a module of the table has a name, without a warning."""
        raise NotImplementedError

    def can_import(self, module: str) -> bool:
        """Tell whether a module of the table can be imported."""
        raise NotImplementedError

    def is_loaded(self, module: str) -> bool:
        """Tell whether a module is built in, or loaded before any hook runs."""
        raise NotImplementedError

    def is_standard(self, module: str) -> bool:
        """Tell whether a top-level module belongs to the standard library."""
        raise NotImplementedError

    def evaluates(self, expression: ast.expr, sources: "Dict[str, Source]") -> bool:
        """Tell whether an expression can be evaluated, its names being from these sources."""
        raise NotImplementedError


def plan(tree: ast.Module, library: Library) -> Plan:
    """Decide what of a hook's syntax tree may be deferred."""
    observer = _observer(tree)
    if observer:
        return Plan("line %d: %s" % observer)
    brought = _brought(tree)
    if brought:
        return Plan("line %d: %s, which it does not import" % brought)
    scan = _Scan(tree, library)
    made = _planned(tree, scan, {})
    at_once = _used_at_once(tree, made)
    if at_once:
        made = _planned(tree, scan, at_once)
    if not made.modules and not scan.imports_more:
        made.reason = "it imports nothing that could be deferred"
    return made


def _planned(tree: ast.Module, scan: "_Scan", at_once: "Dict[str, int]") -> Plan:
    """Return the plan, without the imports of names that are used at once, at these lines."""
    made = Plan()
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            reasons = [
                (alias.name, scan.against_module(alias) or _against_names([alias], at_once))
                for alias in statement.names
            ]
        elif isinstance(statement, ast.ImportFrom) and _module_of(statement) in table.MODULES:
            reason = scan.against_names(statement) or _against_names(statement.names, at_once)
            reasons = [(_module_of(statement), reason)]
        else:
            continue
        deferred = [module in table.MODULES and not reason for module, reason in reasons]
        made.modules += [module for (module, _), put_off in zip(reasons, deferred) if put_off]
        made.kept += [
            "line %d: %s: %s" % (statement.lineno, module, reason)
            for module, reason in reasons
            if module in table.MODULES and reason
        ]
        if any(deferred):
            made.imports[id(statement)] = tuple(deferred)
            for name, value, source in _values(statement, deferred):
                made.values[name] = value
                made.sources[name] = source
    made.modules = list(dict.fromkeys(made.modules))
    made.idle = set(scan.idle_annotations(tree, made.imports))
    made.patterns = dict(scan.patterns(made.sources))
    return made


def _against_names(names: "List[ast.alias]", at_once: "Dict[str, int]") -> str:
    for alias in names:
        name = alias.asname or alias.name.partition(".")[0]
        if name in at_once:
            return "%s is used at once, at line %d" % (name, at_once[name])
    return ""


def _used_at_once(tree: ast.Module, made: Plan) -> "Dict[str, int]":
    """Return the deferred names that every launch uses, and where: deferring them gains nothing.

    That is looked for from the top down to the first statement that may leave.
    """
    found: Dict[str, int] = {}
    future = _has_future_annotations(tree)
    skipped = made.idle | made.patterns.keys()
    for statement in tree.body:
        if isinstance(statement, _MAY_LEAVE) and not _is_for_typing(statement, made):
            break
        for name in _evaluated(statement, skipped, future):
            if made.values.get(name.id, "TYPE_CHECKING") != "TYPE_CHECKING":
                found.setdefault(name.id, name.lineno)
    return found


_MAY_LEAVE = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.Expr, ast.Raise)


def _is_for_typing(statement: ast.stmt, made: Plan) -> bool:
    """Whether it is a docstring, or what only type checkers read."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    test = getattr(statement, "test", None)
    return isinstance(test, ast.Name) and made.values.get(test.id) == "TYPE_CHECKING"


def _evaluated(node: ast.AST, left_out: "Set[int]", future: bool) -> "Iterator[ast.Name]":
    """Yield the names that are evaluated where ``node`` stands, not in a function's body."""
    if isinstance(node, ast.Name):
        yield node
        return
    skipped = ("body", "orelse") if isinstance(node, (ast.Lambda, ast.If, *_FUNCTIONS)) else ()
    for field, value in ast.iter_fields(node):
        if field in skipped or (field in _ANNOTATIONS and future):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and id(child) not in left_out:
                yield from _evaluated(child, left_out, future)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _module_of(statement: ast.ImportFrom) -> str:
    return "." * statement.level + (statement.module or "")


def _values(statement: ast.stmt, deferred: "Sequence[bool]") -> "Iterator[Tuple[str, str, Source]]":
    """Yield each name that the deferred part of an import binds, the attribute, and its source."""
    if isinstance(statement, ast.ImportFrom) and any(deferred):
        for alias in statement.names:
            source = _module_of(statement), alias.name
            yield alias.asname or alias.name, alias.name, source
    elif isinstance(statement, ast.Import):
        for alias, put_off in zip(statement.names, deferred):
            if put_off:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, name, (alias.name if alias.asname else name, "")


def rewrite(tree: ast.Module, made: Plan) -> ast.Module:
    """Return ``tree``, which is changed, with the imports of its plan deferred."""
    body: List[ast.stmt] = []
    rewriter = _Rewriter(made, _has_future_annotations(tree))
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


def _constant(value: "Union[str, int]", like: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Constant(value), like)


def _placed(node: "Node", like: ast.AST) -> "Node":
    """Give ``node`` and all that is in it the place of ``like``."""
    for each in ast.walk(node):
        ast.copy_location(each, like)
    return node


class _Rewriter(ast.NodeTransformer):
    """Reads names where they are used from what the import statement has bound."""

    def __init__(self, made: Plan, future_annotations: bool) -> None:
        self._values = made.values
        self._idle = made.idle
        self._patterns = made.patterns
        self._future_annotations = future_annotations

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._values.get(node.id)
        if value is None or not isinstance(node.ctx, ast.Load):
            return node
        if value == "TYPE_CHECKING":
            return ast.copy_location(ast.Constant(False), node)
        return ast.copy_location(ast.Attribute(node, value, ast.Load()), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        asked = self._patterns.get(id(node))
        self.generic_visit(node)
        if asked is None:
            return node
        name, pattern, flags = asked
        words = [pattern, _constant(flags, node) if isinstance(flags, int) else flags]
        place = ast.copy_location(ast.Attribute(name, PATTERN, ast.Load()), node)
        ready = ast.copy_location(ast.Call(place, words, []), node)
        return ast.copy_location(ast.BoolOp(ast.Or(), [ready, node]), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        kept: Dict[str, Optional[ast.AST]] = {}
        for field in _ANNOTATIONS:
            annotation = getattr(node, field, None)
            if annotation is not None and id(annotation) in self._idle:
                # a variable's annotation leaves a trace, if only of its name
                kept[field] = (
                    ast.copy_location(ast.Constant(None), annotation)
                    if isinstance(node, ast.AnnAssign)
                    else None
                )
                setattr(node, field, None)
            elif annotation is not None and self._future_annotations:
                kept[field] = annotation  # it is not evaluated: Python makes a string of it
                setattr(node, field, None)
        super().generic_visit(node)
        for field, annotation in kept.items():
            setattr(node, field, annotation)
        return node


_ANNOTATIONS = ("annotation", "returns")


class _Scan:
    """What binds and uses each name of a hook."""

    def __init__(self, tree: ast.Module, library: Library) -> None:
        self._library = library
        self._bound: Dict[str, List[int]] = {}
        self._uses: Dict[str, List[ast.Name]] = {}
        self._parents: Dict[int, ast.AST] = {}
        self._foreign = ""
        # a package -> how many imports of modules in it bind it, all of which can be put off
        self._together = dict(_bound_together(tree))
        self._changes_environment = _environment_changed(tree)
        # whether a module is imported that may import others
        self.imports_more = False
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._parents[id(child)] = node
            for name in _names_bound(node):
                self._bound.setdefault(name, []).append(getattr(node, "lineno", 0))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._uses.setdefault(node.id, []).append(node)
            for module in _modules_imported(node):
                self.imports_more |= not library.is_loaded(module)
                if not library.is_standard(module.partition(".")[0]):
                    self._foreign = self._foreign or module
        future = _has_future_annotations(tree)
        self._in_strings = {
            name
            for annotation in self._stored_annotations(tree, False)
            for name in _unevaluated(annotation, future)
        }

    def against_module(self, alias: ast.alias) -> str:
        """Return what speaks against deferring ``import alias``, "" for nothing."""
        name = alias.asname or alias.name.partition(".")[0]
        reason = self._against_importing(alias.name)
        return reason or self._against(name, alias.name in table.LOOKED_UP_IN)

    def against_names(self, statement: ast.ImportFrom) -> str:
        """Return what speaks against deferring ``from module import names``, "" for nothing."""
        module = statement.module
        reason = self._against_importing(module or "")
        if reason:
            return reason
        for alias in statement.names:
            if alias.name.startswith("_") or not self._library.provides(module or "", alias.name):
                return "it has no %s" % alias.name
            reason = self._against(alias.asname or alias.name, alias.name in table.LOOKED_UP)
            if reason:
                return reason
        return ""

    def _against_importing(self, module: str) -> str:
        if module not in table.MODULES:
            return "it is not on the list"
        if not self._library.can_import(module):
            return "it can't be imported here"
        if module in table.READING and self._changes_environment:
            return "line %d may change the environment for it" % self._changes_environment
        return ""

    def _against(self, name: str, looked_up: bool) -> str:
        if name.startswith("__"):
            return "%s has another name in a class" % name
        lines = self._bound.get(name, [])
        if len(lines) > self._together.get(name, 1):
            return "%s is bound again at line %d" % (name, sorted(lines)[1])
        if name in self._in_strings and (looked_up or self._foreign):
            return "%s is in annotations that %s may read" % (name, self._foreign or "dataclasses")
        for use in self._uses.get(name, []):
            parent = self._parents[id(use)]
            if isinstance(parent, ast.Call) and parent.lineno != use.lineno:
                return "%s stands apart from its call at line %d" % (name, use.lineno)
        return ""

    def patterns(self, sources: "Dict[str, Source]") -> "Iterator[Tuple[int, Pattern]]":
        """Yield the ids of calls of ``re.compile`` whose result an entry may have ready, and what
        they ask for. ``re`` is one of ``sources``.
        """
        names = [name for name, source in sources.items() if source == ("re", "")]
        for use in [use for name in names for use in self._uses.get(name, [])]:
            function = self._parents[id(use)]
            call = self._parents[id(function)]
            if (
                isinstance(function, ast.Attribute)
                and function.attr == "compile"
                and isinstance(call, ast.Call)
                and call.func is function
            ):
                asked = _pattern_of(call, names, sources)
                if asked is not None:
                    yield id(call), (use, *asked)

    def idle_annotations(
        self, tree: ast.Module, imports: "Dict[int, Tuple[bool, ...]]"
    ) -> "Iterator[int]":
        """Yield the ids of annotations that nobody can read, and whose evaluation can't fail.

        They are annotations of functions and variables at the top level, with a name in them that
        one of the deferred ``imports`` has bound by then: evaluating them, which Python does where
        they stand, would be its use.
        """
        sources: Dict[str, Source] = {}
        classes: Dict[str, Source] = {}
        if _has_future_annotations(tree):
            return
        for statement in tree.body:
            annotations: List[ast.expr] = []
            bound = _values(statement, imports.get(id(statement), ()))
            sources.update({name: source for name, _, source in bound})
            if isinstance(statement, ast.ClassDef) and len(self._bound[statement.name]) == 1:
                classes[statement.name] = "", ""
            elif isinstance(statement, ast.AnnAssign):
                annotations = [statement.annotation]
            elif _is_function(statement) and self._keeps_its_annotations(statement):
                annotations = list(_annotations_of(statement))
            for annotation in annotations:
                names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
                known = {**classes, **{name: sources[name] for name in names & sources.keys()}}
                if (
                    not names.isdisjoint(sources)
                    and not (names - known.keys()) & self._bound.keys()
                    and _is_plain(annotation, known)
                    and self._library.evaluates(annotation, known)
                ):
                    yield id(annotation)

    def _stored_annotations(self, node: ast.AST, in_function: bool) -> "Iterator[ast.expr]":
        """Yield the annotations that an object keeps which other code may get hold of."""
        for child in ast.iter_child_nodes(node):
            inside = in_function
            if _is_function(child):
                inside = True
                if in_function or not self._keeps_its_annotations(child):
                    yield from _annotations_of(child)
            elif isinstance(child, ast.ClassDef):
                inside = False
            elif isinstance(child, ast.AnnAssign) and not in_function:
                yield child.annotation
            yield from self._stored_annotations(child, inside)

    def _keeps_its_annotations(self, function: ast.AST) -> bool:
        """Tell whether no other code can get hold of a function to read its annotations.

        That is so of one at the top level that is only called. What the library does with
        functions is known, and what of it reads annotations makes a hook stay as written.
        """
        name = getattr(function, "name", "")
        return isinstance(self._parents[id(function)], ast.Module) and (
            not self._foreign
            or (
                not getattr(function, "decorator_list", ())
                and len(self._bound[name]) == 1
                and all(
                    getattr(self._parents[id(use)], "func", None) is use
                    for use in self._uses.get(name, [])
                )
            )
        )


def _bound_together(tree: ast.Module) -> "Iterator[Tuple[str, int]]":
    """Yield each package of which the top level imports several modules, and how many.

    That is ``import urllib.error``, ``import urllib.request``, each one of the table.
    """
    imported = [
        alias.name
        for statement in tree.body
        if isinstance(statement, ast.Import)
        for alias in statement.names
        if "." in alias.name and not alias.asname
    ]
    for package in {name.partition(".")[0] for name in imported}:
        modules = [name for name in imported if name.partition(".")[0] == package]
        if table.MODULES.issuperset(modules):
            yield package, len(modules)


def _pattern_of(
    call: ast.Call, names: "List[str]", sources: "Dict[str, Source]"
) -> "Optional[Tuple[ast.expr, Union[int, ast.Name]]]":
    """Return what a call of ``re.compile`` asks for, None for more than constants and variables.

    ``names`` are those of ``re``, ``sources`` all that are deferred.
    """
    arguments = [*call.args, *[each.value for each in call.keywords if each.arg == "flags"]]
    if not 1 <= len(arguments) <= 2 or len(arguments) != len(call.args) + len(call.keywords):
        return None
    text = arguments[0] if call.args else None
    flags: Union[int, ast.Name, None] = 0
    if len(arguments) > 1:
        last = arguments[1]
        named = isinstance(last, ast.Name) and last.id not in sources
        flags = last if isinstance(last, ast.Name) and named else _flags_of(last, names)
    if flags is None or not (
        (isinstance(text, ast.Constant) and isinstance(text.value, str))
        or (isinstance(text, ast.Name) and text.id not in sources)
    ):
        return None
    return text, flags


def _flags_of(node: ast.expr, names: "List[str]") -> "Optional[int]":
    """Return the number of flags such as ``re.I | re.M``, None for anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = _flags_of(node.left, names), _flags_of(node.right, names)
        return None if left is None or right is None else left | right
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
    ):
        return table.FLAGS.get(node.attr)
    return None


# Builtins that annotations are made of.
_TYPES = frozenset(
    (
        *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list"),
        *("object", "set", "str", "tuple", "type"),
    )
)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, _FUNCTIONS)


def _annotations_of(function: ast.AST) -> "Iterator[ast.expr]":
    for node in [function, *ast.walk(getattr(function, "args", function))]:
        for field in _ANNOTATIONS:
            annotation = getattr(node, field, None)
            if isinstance(annotation, ast.expr):
                yield annotation


def _is_plain(node: ast.AST, known: "Dict[str, Source]") -> bool:
    """Tell whether an expression does nothing but name types, subscript them, and join them."""
    if isinstance(node, ast.Name):
        return node.id in known or node.id in _TYPES
    if isinstance(node, ast.Attribute):
        return (
            isinstance(node.value, ast.Name)
            and known.get(node.value.id, ("", ""))[0] in table.MODULES
            and not node.attr.startswith("_")
        )
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr):
        return False
    if isinstance(node, ast.Constant):
        return True
    if not isinstance(node, (ast.BinOp, ast.List, ast.Subscript, ast.Tuple)):
        return type(node).__name__ == "Index" and _are_plain(node, known)  # Python 3.8's
    return _are_plain(node, known)


def _are_plain(node: ast.AST, known: "Dict[str, Source]") -> bool:
    parts = [part for part in ast.iter_child_nodes(node) if not isinstance(part, _NO_PARTS)]
    return all(_is_plain(part, known) for part in parts)


_NO_PARTS = (ast.operator, ast.expr_context)


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


def _brought(tree: ast.Module) -> "Optional[Tuple[int, str]]":
    """Return the first line that uses a submodule which only imports of other modules bring.

    They would bring it too late.
    """
    bound: Dict[str, List[str]] = {}
    imported = set()
    for node in ast.walk(tree):
        imported.update(_modules_imported(node))
        if isinstance(node, ast.ImportFrom):
            imported.update(["%s.%s" % (node.module, alias.name) for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                bound.setdefault(name, []).append(alias.name)
    found = [
        (node.lineno, name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        for name in _submodules(bound.get(node.value.id, []), node.attr)
        if name in table.BROUGHT - imported
    ]
    return min(found) if found else None


def _submodules(modules: "List[str]", attribute: str) -> "Iterator[str]":
    """Yield what an attribute of a package may be, of which these ``modules`` are imported."""
    if modules != ["urllib.request"]:  # by itself, it is executed when urllib is used
        for module in modules:
            yield "%s.%s" % (module.partition(".")[0], attribute)


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


_VARIABLES = frozenset(("environ", "environb"))
_ENVIRONMENT = _VARIABLES | {"putenv", "unsetenv"}


def _environment_changed(tree: ast.Module) -> int:
    """Return the line that may change a variable of the environment that OpenSSL reads, or 0."""
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            # under another name it is lost sight of
            names = {
                alias.name for alias in node.names if alias.asname or alias.name not in _VARIABLES
            }
            changes = not names.isdisjoint(_ENVIRONMENT)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            names = _identifiers(node) & _ENVIRONMENT
            changes = bool(names) and not (names <= _VARIABLES and _only_reads(node, parents))
        else:
            continue
        if changes:
            lines.append(node.lineno)
    return min(lines, default=0)


def _only_reads(environ: ast.expr, parents: "Dict[int, ast.AST]") -> bool:
    """Tell whether an expression does no more with ``os.environ`` than to read it, or to change a
    variable that has nothing to do with OpenSSL.
    """
    parent = parents[id(environ)]
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Load) or _is_other_variable(parent.slice)
    if isinstance(parent, ast.Attribute):
        call = parents[id(parent)]
        if parent.attr in ("setdefault", "pop"):
            return (
                isinstance(call, ast.Call)
                and bool(call.args)
                and call.func is parent
                and _is_other_variable(call.args[0])
            )
        return parent.attr in ("copy", "get", "items", "keys", "values")
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id in ("dict", "list", "sorted")
    return isinstance(parent, (ast.Compare, ast.Dict)) or (
        isinstance(parent, ast.keyword) and parent.arg == "env"
    )


def _is_other_variable(key: ast.AST) -> bool:
    if type(key).__name__ == "Index":  # Python 3.8's
        key = getattr(key, "value", key)
    value = key.value if isinstance(key, ast.Constant) else None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return isinstance(text, str) and "SSL" not in text.upper()


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
