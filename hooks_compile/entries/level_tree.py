"""The precise proof of ``levels``: by the syntax tree. Pure.

Scopes are not told apart and a name counts wherever it stands, which errs on the safe side: a
variable that happens to be called ``dir`` costs a level, never a difference.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hooks_compile.entries.level_tables import (
    BUILTIN_READERS,
    CLASS_BUILTINS,
    CLASS_MAKERS,
    GENERIC_BASES,
    INSPECT_VARIABLE,
    LIBRARY_BASES,
    LOG_FORMATTERS,
    METACLASSES,
    MODULES,
    READER_ATTRIBUTES,
    READERS,
    is_harmless_import,
    is_harmless_name,
    is_strange_dunder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class Facts:
    """What levels 1 and 2 take away and something may miss, with line numbers.

    ``stripped`` holds ``assert`` and ``__debug__``, ``readers`` what may read a docstring.
    """

    stripped: list[tuple[int, str]] = field(default_factory=list)
    readers: list[tuple[int, str]] = field(default_factory=list)


def analyse(source: str | bytes) -> Facts:
    """Parse a source and find all that levels above 0 may change.

    Raises what ``ast.parse`` raises: SyntaxError, ValueError, RecursionError, MemoryError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = list(ast.walk(ast.parse(source)))
    names = _Names()
    for node in nodes:
        names.add(node)
    facts = Facts()
    for node in nodes:
        line: int = getattr(node, "lineno", 1)
        if isinstance(node, ast.Assert):
            facts.stripped.append((line, "assert"))
        for name in _identifiers(node):
            if name == "__debug__":
                facts.stripped.append((line, name))
            elif name in READERS or is_strange_dunder(name):
                facts.readers.append((line, name))
        check = _CHECKS.get(type(node))
        if check is not None:
            facts.readers += [(line, what) for what in check(node, names)]
    return facts


def _identifiers(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node spells out itself, in the form in which Python compares them."""
    for key in _IDENTIFIERS.get(type(node), ()):
        value = getattr(node, key)
        if isinstance(value, str):
            yield value
        elif value is not None:
            yield from value


_IDENTIFIERS: Final[dict[type[ast.AST], tuple[str, ...]]] = {
    ast.Name: ("id",),
    ast.Attribute: ("attr",),
    ast.arg: ("arg",),
    ast.keyword: ("arg",),
    ast.FunctionDef: ("name",),
    ast.AsyncFunctionDef: ("name",),
    ast.ClassDef: ("name",),
    ast.alias: ("name", "asname"),
    ast.ExceptHandler: ("name",),
    ast.Global: ("names",),
    ast.Nonlocal: ("names",),
    ast.MatchAs: ("name",),
    ast.MatchStar: ("name",),
    ast.MatchMapping: ("rest",),
    ast.MatchClass: ("kwd_attrs",),
}


# --- ways to read a docstring, by kind of node -------------------------------------------------


def _check_import(node: ast.Import, names: _Names) -> Iterator[str]:
    del names
    yield from (f"imports {alias.name}" for alias in node.names if alias.name not in MODULES)


def _check_from(node: ast.ImportFrom, names: _Names) -> Iterator[str]:
    del names
    if node.level or not node.module:
        yield "relative import"
    elif node.module not in MODULES:
        yield f"imports {node.module}"
    else:
        for alias in node.names:
            if alias.name == "*":
                yield f"imports * from {node.module}"
            elif alias.asname and alias.name in LOG_FORMATTERS:
                yield f"{alias.name} by another name"
            elif not is_harmless_import(node.module, alias.name):
                yield f"imports {node.module}.{alias.name}"


def _check_name(node: ast.Name, names: _Names) -> Iterator[str]:
    if isinstance(node.ctx, ast.Load):
        if node.id in BUILTIN_READERS:
            yield node.id
        elif node.id == "getattr" and id(node) not in names.literal_getattr:
            yield "getattr with a computed name"
        elif node.id == "Formatter" and id(node) not in names.plain_formatters:
            yield node.id


def _check_attribute(node: ast.Attribute, names: _Names) -> Iterator[str]:
    if node.attr in READER_ATTRIBUTES:
        yield node.attr
    elif node.attr == "format" and not names.is_harmless_format(node.value):
        yield "format of a computed text"
    elif node.attr == "Formatter" and id(node) not in names.plain_formatters:
        yield node.attr


def _check_keyword(node: ast.keyword, names: _Names) -> Iterator[str]:
    if names.uses_log_formatters:
        match node:
            case ast.keyword(arg="style", value=ast.Constant(value="%" | "$")):
                return
            case ast.keyword(arg="style" | None):
                yield "style of a log format"


def _check_constant(node: ast.Constant, names: _Names) -> Iterator[str]:
    del names
    if isinstance(node.value, str) and INSPECT_VARIABLE in node.value:
        yield INSPECT_VARIABLE


def _check_match(node: ast.MatchClass, names: _Names) -> Iterator[str]:
    del names
    yield from (name for name in node.kwd_attrs if not is_harmless_name(name))


def _check_class(node: ast.ClassDef, names: _Names) -> Iterator[str]:
    has_docstring = ast.get_docstring(node, clean=False) is not None
    if has_docstring and (node.bases or node.keywords) and not names.is_plain_class(node):
        yield f"bases of class {node.name}"


_CHECKS: Final[dict[type[ast.AST], Callable[..., Iterator[str]]]] = {
    ast.Import: _check_import,
    ast.ImportFrom: _check_from,
    ast.Name: _check_name,
    ast.Attribute: _check_attribute,
    ast.keyword: _check_keyword,
    ast.Constant: _check_constant,
    ast.MatchClass: _check_match,
    ast.ClassDef: _check_class,
}


# --- what names stand for ----------------------------------------------------------------------

_WORD: Final = re.compile(r"\w+")


@dataclass(slots=True)
class _Names:
    """What the names of a source are bound to, as far as the proof needs it."""

    bindings: Counter[str] = field(default_factory=Counter)
    """How often each name is bound, other than by an import or a plain class statement."""
    imported: dict[str, str] = field(default_factory=dict)
    """Names bound by imports, with the last part of what they stand for."""
    classes: set[str] = field(default_factory=set)
    """Names of class statements without decorators."""
    stored: set[str] = field(default_factory=set)
    """Attributes that something assigns or deletes."""
    texts: dict[str, str] = field(default_factory=dict)
    """Names that a plain assignment binds to a literal text."""
    literal_getattr: set[int] = field(default_factory=set)
    """The ``getattr`` nodes of calls with a literal, harmless name."""
    plain_formatters: set[int] = field(default_factory=set)
    """The ``Formatter`` nodes of calls that give no style by position."""
    uses_log_formatters: bool = False
    uses_setattr: bool = False

    def add(self, node: ast.AST) -> None:
        """Take note of what one node binds."""
        match node:
            case ast.Name() | ast.Attribute():
                self._add_name(node)
            case ast.ClassDef(name=name, decorator_list=[]):
                self.classes.add(name)
            case ast.Import() | ast.ImportFrom():
                self._add_imports(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                self.texts[name] = text
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
                self.texts[name] = text
            case ast.Call():
                self._add_call(node)
            case ast.Global() | ast.Nonlocal() | ast.alias() | ast.keyword() | ast.MatchClass():
                pass
            case _:
                self.bindings.update(_identifiers(node))
        self.bindings.update(each.name for each in getattr(node, "type_params", ()))

    def _add_name(self, node: ast.Name | ast.Attribute) -> None:
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        self.uses_log_formatters |= name in LOG_FORMATTERS
        if isinstance(node, ast.Attribute):
            if not isinstance(node.ctx, ast.Load):
                self.stored.add(node.attr)
        elif not isinstance(node.ctx, ast.Load):
            self.bindings[node.id] += 1
        elif node.id in ("setattr", "delattr"):
            self.uses_setattr = True

    def _add_call(self, node: ast.Call) -> None:
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return
        match node:
            case ast.Call(
                func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]
            ) if is_harmless_name(name):
                self.literal_getattr.add(id(node.func))
            case ast.Call(func=ast.Name(id="Formatter") | ast.Attribute(attr="Formatter")):
                if len(node.args) <= 2:
                    self.plain_formatters.add(id(node.func))

    def _add_imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            first, _, _ = alias.name.partition(".")
            _, _, last = alias.name.rpartition(".")
            self.imported[alias.asname or first] = last if alias.asname else first
            self.uses_log_formatters |= alias.name in LOG_FORMATTERS

    def is_harmless_format(self, node: ast.expr) -> bool:
        """Whether ``NODE.format`` is that of a literal text whose fields lead to no docstring."""
        match node:
            case ast.Constant(value=str(text)):
                pass
            case ast.Name(id=name) if name in self.texts and self.bindings[name] == 1:
                if name in self.imported or name in self.classes:
                    return False
                text = self.texts[name]
            case _:
                return False
        return all(map(is_harmless_name, _WORD.findall(text)))

    def is_plain_class(self, node: ast.ClassDef) -> bool:
        """Whether making the class shows its body, docstring included, to nobody.

        Only a metaclass sees it, and that comes from the bases: each has to be a class of the
        standard library or of the source, by a name that is bound to nothing else. (An instance
        as a base is legal, and has its own class called with the body.)
        """
        if self.uses_setattr or not self.stored.isdisjoint({"__class__", "__bases__"}):
            return False
        for keyword in node.keywords:
            if keyword.arg is None:
                return False
            if keyword.arg == "metaclass" and self._foreign(keyword.value) not in METACLASSES:
                return False
        return all(map(self._is_plain_base, node.bases))

    def _is_plain_base(self, base: ast.expr) -> bool:
        if isinstance(base, ast.Subscript):
            return self._foreign(base.value) in GENERIC_BASES
        if isinstance(base, ast.Call):
            return self._foreign(base.func) in CLASS_MAKERS
        path = _dotted(base)
        if path and all(name in self.classes and not self.bindings[name] for name in path):
            return self.stored.isdisjoint(path)
        name = self._foreign(base)
        if name is None:  # a name that nothing binds raises NameError: no class is made
            unbound = bool(path) and not self.bindings[path[0]] and path[0] not in self.classes
            return unbound and path[0] not in self.imported and path[0] in LIBRARY_BASES
        return name in CLASS_BUILTINS or name in LIBRARY_BASES or _is_class_like(name)

    def _foreign(self, node: ast.expr) -> str | None:
        """Return the last name of what a dotted name stands for, if that is an import or a
        builtin class beyond doubt."""
        path = _dotted(node)
        if not path or self.bindings[path[0]] or path[0] in self.classes:
            return None
        if path[0] in self.imported:
            path[0] = self.imported[path[0]]
        elif len(path) > 1 or path[0] not in CLASS_BUILTINS:
            return None
        return path[-1] if self.stored.isdisjoint(path) else None


def _dotted(node: ast.expr) -> list[str]:
    """Return the parts of ``a.b.c``, none for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return []
    return [node.id, *reversed(parts)]


def _is_class_like(name: str) -> bool:
    """Whether the standard library gives such names to classes: ``JSONEncoder``, but neither to
    constants (``CERT_NONE``, a member of an enumeration) nor to functions."""
    return name[:1].isupper() and any(map(str.islower, name))
