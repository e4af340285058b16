"""Which optimization level changes nothing about a source: pure, from bytes to a choice.

Level 1 takes away ``assert`` and makes ``__debug__`` false, level 2 takes away the docstrings too
(``python -O`` and ``-OO``, https://docs.python.org/3/using/cmdline.html#cmdoption-O). ``auto`` is
the highest level for which it is proven that no run of the source can tell the difference.

Two ways lead to that proof. The fast one looks at words: where none occurs that could read a
docstring, nothing reads one. Only where it fails does the precise one parse the source. Neither
ever answers higher than is proven.

What no look at one source can see: a file beside the hook that has the name of a standard
library module, and what ``sitecustomize`` or ``PYTHONINSPECT`` of the environment add to a run.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from hooks_compile.level_tables import (
    BUILTIN_READERS,
    CLASS_BUILTINS,
    EXCEPTIONS,
    GENERIC_BASES,
    KEPT_OUT,
    LETTERLIKE,
    LIBRARY_BASES,
    METACLASSES,
    MODULES,
    READER_ATTRIBUTES,
    READERS,
    SAFE_DUNDERS,
    STRING_READERS,
)
from hooks_compile.model import Level, LevelChoice, Optimize

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

_BEST: Final = LevelChoice(2, "no assert, nothing reads docstrings")


def choose_level(source: bytes, requested: Optimize = "auto") -> LevelChoice:
    """Return the level for ``source`` and the reason, in a few words that name the line.

    A level that is asked for is obeyed. ``auto`` gives 2 where nothing can tell, 1 where something
    may read docstrings, 0 where there is an ``assert`` or ``__debug__``, where the source is not
    UTF-8 (PEP 263) and where the proof needs a parse that fails.
    """
    if requested != "auto":
        return LevelChoice(requested, "forced")
    text = _decode(source)
    if isinstance(text, LevelChoice):
        return text
    return _quick(text) or _precise(text)


def dropped(source: bytes, level: Level) -> list[str]:
    """Return what ``level`` takes away from ``source`` that a run could miss, one line each.

    Empty where the level changes nothing. A source that can't be analysed yields one line that
    says so.
    """
    if level == 0:
        return []
    try:
        facts = _analyse(_parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"can't tell: {_why_not_parsed(error)}"]
    lines = [f"assert at line {line}" for line in sorted(facts.asserts)]
    lines += [f"__debug__ at line {line}" for line in sorted(facts.debugs)]
    if level == 2:
        lines += [f"docstrings: {what} at line {line}" for line, what in sorted(facts.readers)]
    return lines


# --- text ------------------------------------------------------------------------------------

_COOKIE: Final = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
_UTF8: Final = re.compile(r"utf[-_]?8(?:[-_](?:sig|unix|dos|mac))?", re.IGNORECASE)


def _decode(source: bytes) -> str | LevelChoice:
    r"""Return the text with ``\n`` as the only line end, or why level 0 is all that is safe."""
    if source.startswith(b"\xef\xbb\xbf"):
        source = source[3:]
    if b"\0" in source:
        return LevelChoice(0, "null bytes")
    for line in re.split(rb"[\r\n]", b"\n".join(source.split(b"\n", 2)[:2])):
        cookie = _COOKIE.match(line)
        if cookie and not _UTF8.fullmatch(cookie[1].decode("ascii")):
            return LevelChoice(0, f"encoding {cookie[1].decode('ascii')}")
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        line_number = source.count(b"\n", 0, error.start) + 1
        return LevelChoice(0, f"not UTF-8 at line {line_number}")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


# --- the fast way ----------------------------------------------------------------------------

_WORD: Final = re.compile(r"\w+", re.ASCII)
_LETTERLIKE: Final = re.compile(f"[{LETTERLIKE}]")

_FATAL: Final = READERS | {"assert", "metaclass"} | set(STRING_READERS)
_CHECKED: Final = BUILTIN_READERS | READER_ATTRIBUTES | {"class", "format", "getattr", "import"}
_NOTABLE: Final = _FATAL | _CHECKED

_GAP = r"(?:\s|\\\n|#[^\n]*\n)*"
"""What may stand between a dot and a name: white space, a continued line, comments."""
_ATTRIBUTE: Final = re.compile(rf"\.{_GAP}(?:{'|'.join(sorted(READER_ATTRIBUTES))})\b")
_BUILTIN: Final = re.compile(
    rf"(?<![\w.])(?:{'|'.join(sorted(BUILTIN_READERS))})\b(?![ \t]*=[^=])", re.ASCII
)

_FORMAT: Final = re.compile(rf"\.{_GAP}format\b")
_FIELD = r"\{\w*(?:![rsa])?(?::[^{}\"'\\\n]*)?\}"
_FORMAT_OF_LITERAL: Final = re.compile(
    r"(?:[(=,+:\[{]|\breturn)[ \t]*"
    rf"(?:\"(?:[^\"\\\n{{}}]|\{{\{{|\}}\}}|{_FIELD})+\"|'(?:[^'\\\n{{}}]|\{{\{{|\}}\}}|{_FIELD})+')"
    r"\.format\b"
)

_GETATTR: Final = re.compile(r"\bgetattr\b")
_GETATTR_OF_LITERAL: Final = re.compile(
    r"(?<![\w.])getattr\([^()\"'\[\]{}#\\,]+,\s*([\"'])([A-Za-z_]\w*)\1\s*[,)]", re.ASCII
)

_NAME = r"[A-Za-z_]\w*"
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_AS = rf"(?:[ \t]+as[ \t]+{_NAME})?"
_IMPORT_WORD: Final = re.compile(r"\bimport\b", re.ASCII)
_IMPORT: Final = re.compile(
    r"^[ \t\f]*(?:"
    r"#[^\n]*"
    rf"|import[ \t]+({_DOTTED}{_AS}(?:[ \t]*,[ \t]*{_DOTTED}{_AS})*)"
    rf"|from[ \t]+({_DOTTED})[ \t]+import[ \t]*(?:"
    rf"(?<=[ \t])({_NAME}{_AS}(?:[ \t]*,[ \t]*{_NAME}{_AS})*)"
    rf"|\((\s*{_NAME}(?:\s+as\s+{_NAME})?(?:\s*,\s*{_NAME}(?:\s+as\s+{_NAME})?)*\s*+,?\s*+)\)"
    r"))[ \t]*(?:#[^\n]*)?$",
    re.ASCII | re.MULTILINE,
)

_CLASS_WORD: Final = re.compile(r"\bclass\b", re.ASCII)
_CLASS: Final = re.compile(
    rf"^[ \t]*class[ \t]+{_NAME}[ \t]*(?:\([ \t]*({_NAME})?[ \t]*\)[ \t]*)?:",
    re.ASCII | re.MULTILINE,
)
_FAST_BASES: Final = EXCEPTIONS | LIBRARY_BASES | {"object"}


def _quick(text: str) -> LevelChoice | None:
    """Decide from words alone; None where that is not enough."""
    if not text.isascii() and _LETTERLIKE.search(text):
        return None
    words = set(_WORD.findall(text))
    if _proves(text, text, words):
        return _BEST
    code = _without_literals(text)
    if code is None:
        return None
    found = _certain(_blank_formatted(code), words)
    if found is not None:
        return found
    if words.isdisjoint(STRING_READERS) and _proves(text, code, set(_WORD.findall(code))):
        return _BEST
    return None


def _proves(text: str, code: str, words: set[str]) -> bool:
    """Whether nothing in the source can tell level 2 from level 0.

    ``text`` is the whole source, ``code`` the same or the source without comments and plain
    strings, ``words`` the words of ``code``. Every check holds for code wherever it stands, in
    strings and comments too, so it does not matter what of ``code`` is really code.
    """
    notable = words & _NOTABLE
    if not notable.isdisjoint(_FATAL) or any(map(_strange_dunder, words)):
        return False
    checked = notable & _CHECKED
    return (
        (checked.isdisjoint(BUILTIN_READERS) or not _BUILTIN.search(code))
        and (checked.isdisjoint(READER_ATTRIBUTES) or not _ATTRIBUTE.search(code))
        and ("case" not in words or checked.isdisjoint(READER_ATTRIBUTES | {"format"}))
        and ("import" not in checked or _imports_are_known(code, words))
        and ("class" not in checked or _classes_are_plain(code, words))
        and ("getattr" not in checked or _getattr_is_literal(text))
        and ("format" not in checked or _format_is_literal(text))
    )


def _strange_dunder(word: str) -> bool:
    return word[:2] == "__" and word[-2:] == "__" and word not in SAFE_DUNDERS


def _imports_are_known(code: str, words: set[str]) -> bool:
    in_statements = 0
    for match in _IMPORT.finditer(code):
        modules, package, names, more_names = match.groups()
        if modules or package:
            if modules:
                known = all(name.split()[0] in MODULES for name in modules.split(","))
            else:
                known = _from_is_known(package, (names or more_names).split(","))
            if not known:
                return False
        in_statements += len(_IMPORT_WORD.findall(match[0]))
    braces = "logging" in words and ("'{'" in code or '"{"' in code)
    return in_statements == len(_IMPORT_WORD.findall(code)) and not braces


def _from_is_known(package: str, names: list[str]) -> bool:
    return package in MODULES and all(
        _imported_name_is_harmless(package, name.split()[0]) for name in names if name.strip()
    )


def _imported_name_is_harmless(package: str, name: str) -> bool:
    return _is_harmless_name(name) and name != "__main__" and f"{package}.{name}" not in KEPT_OUT


def _classes_are_plain(code: str, words: set[str]) -> bool:
    """Whether every class statement has no base, or one whose metaclass is known and whose name
    nothing else in the source binds."""
    classes = list(_CLASS.finditer(code))
    if len(classes) != len(_CLASS_WORD.findall(code)):
        return False
    bases = {match[1] for match in classes if match[1]}
    if not bases:
        return True
    if not bases <= _FAST_BASES or "setattr" in words or "__class__" in words:
        return False
    return all(_is_only_read(name, code) for name in bases)


def _is_only_read(name: str, code: str) -> bool:
    every, reading = _uses(name)
    return len(every.findall(code)) == len(reading.findall(code))


@cache
def _uses(name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns for every use of a name, and for those that can't bind it anew."""
    before = (
        rf"\bclass[ \t]+{_NAME}[ \t]*\([ \t]*"
        rf"|\bexcept(?:[ \t]+|[ \t]*\([ \t]*)(?:{_DOTTED}[ \t]*,[ \t]*)*"
        r"|\braise[ \t]+"
        rf"|^[ \t]*from[ \t]+{_DOTTED}[ \t]+import[ \t]+(?:{_NAME}[ \t]*,[ \t]*)*"
    )
    every = re.compile(rf"\b{name}\b", re.ASCII)
    return every, re.compile(rf"(?:{before}){name}\b", re.ASCII | re.MULTILINE)


def _getattr_is_literal(text: str) -> bool:
    literal = [match[2] for match in _GETATTR_OF_LITERAL.finditer(text)]
    return len(literal) == len(_GETATTR.findall(text)) and all(map(_is_harmless_name, literal))


def _is_harmless_name(name: str) -> bool:
    """Whether an attribute of this name, whatever it belongs to, leads to no docstring."""
    return (
        name not in READERS
        and name not in READER_ATTRIBUTES
        and name != "format"
        and not _strange_dunder(name)
    )


def _format_is_literal(text: str) -> bool:
    return len(_FORMAT.findall(text)) == len(_FORMAT_OF_LITERAL.findall(text))


# --- code without its strings ----------------------------------------------------------------

_LITERAL: Final = re.compile(
    r"#[^\n]*|(?:(?<!\w)([rRfFtT]{1,2}))?(?:"
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')",
    re.DOTALL,
)
_FIELDS_CLOSED: Final = re.compile(r"(?:[^{}]|\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\})*+")
_FORMATTED: Final = re.compile("\x00[^\x00]*\x00")


def _without_literals(text: str) -> str | None:
    r"""Return the source without comments and plain strings, line for line.

    Formatted strings hold code and stay, between two ``\0``. None where one of them may hold a
    string with its own quotes or a comment (PEP 701), which this scan would read wrongly.
    """
    parts: list[str] = []
    end = 0
    for match in _LITERAL.finditer(text):
        literal = match[0]
        parts.append(text[end : match.start()])
        end = match.end()
        prefix = match[1]
        if prefix and prefix.lower() not in ("r", "rr"):
            if "#" in literal or not _FIELDS_CLOSED.fullmatch(literal):
                return None
            parts.append(f"\x00{literal}\x00")
        elif literal[0] != "#":
            parts.append(f'""{chr(10) * literal.count(chr(10))}')
    parts.append(text[end:])
    return "".join(parts)


def _blank_formatted(code: str) -> str:
    return _FORMATTED.sub(lambda match: "\n" * match[0].count("\n"), code)


_STATEMENT = r"(?:^|[:;])[ \t\f]*"
_ASSERT: Final = re.compile(rf"{_STATEMENT}(assert)\b|\b(__debug__)\b", re.MULTILINE)
_READS: Final = re.compile(
    rf"\b(__doc__|__dict__)\b|(?<![\w.])({'|'.join(sorted(BUILTIN_READERS))})[ \t]*\("
)


def _certain(code: str, words: set[str]) -> LevelChoice | None:
    """Return the choice where ``code``, free of all strings, shows a reason for a lower level."""
    if "assert" in words or "__debug__" in words:
        match = _ASSERT.search(code)
        if match is None:
            return None
        return LevelChoice(0, f"{match[1] or match[2]} at line {_line(code, match.start(1))}")
    reasons = [*_unknown_imports(code)]
    match = _READS.search(code)
    if match is not None:
        reasons.append((match.start(), match[1] or match[2]))
    if not reasons:
        return None
    position, what = min(reasons)
    return LevelChoice(1, f"{what} at line {_line(code, position)}")


def _unknown_imports(code: str) -> Iterator[tuple[int, str]]:
    for match in _IMPORT.finditer(code):
        modules, package, _, _ = match.groups()
        position = match.start() + len(match[0]) - len(match[0].lstrip())
        for name in modules.split(",") if modules else [package or "sys"]:
            module = name.split()[0]
            if module not in MODULES:
                yield position, f"imports {module}"


def _line(code: str, position: int) -> int:
    return code.count("\n", 0, position) + 1


# --- the precise way -------------------------------------------------------------------------


def _precise(text: str) -> LevelChoice:
    """Decide by the syntax tree."""
    try:
        facts = _analyse(_parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return LevelChoice(0, _why_not_parsed(error))
    if facts.asserts or facts.debugs:
        line, what = min(
            [(line, "assert") for line in facts.asserts]
            + [(line, "__debug__") for line in facts.debugs]
        )
        return LevelChoice(0, f"{what} at line {line}")
    if facts.readers:
        line, what = min(facts.readers)
        return LevelChoice(1, f"{what} at line {line}")
    return _BEST


def _parse(source: str | bytes) -> ast.Module:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _why_not_parsed(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"does not parse: {error.msg} at line {error.lineno or 1}"
    return f"does not parse: {error or type(error).__name__}"


@dataclass(slots=True)
class _Facts:
    """What the analysis of a tree found, with line numbers."""

    asserts: list[int] = field(default_factory=list)
    debugs: list[int] = field(default_factory=list)
    readers: list[tuple[int, str]] = field(default_factory=list)


def _analyse(tree: ast.Module) -> _Facts:
    """Find all that levels 1 and 2 take away and something may miss."""
    import ast

    facts = _Facts()
    names = _Names.of(tree)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        line: int = getattr(node, "lineno", 1)
        if isinstance(node, ast.Assert):
            facts.asserts.append(line)
        for name in _identifiers(node):
            if name == "__debug__":
                facts.debugs.append(line)
            elif name in READERS or _strange_dunder(name):
                facts.readers.append((line, name))
        if id(node) not in silent:
            facts.readers += [(line, what) for what in _reads(node, names)]
    return facts


def _identifiers(node: ast.AST) -> list[str]:
    """Return the names that a node spells out itself, as Python compares them."""
    import ast

    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.alias(name=name, asname=alias):
            return [name, alias or name]
        case ast.keyword(arg=str(name)):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return [name]
        case ast.MatchClass(kwd_attrs=names) | ast.Global(names=names):
            return list(names)
    return []


def _reads(node: ast.AST, names: _Names) -> Iterator[str]:
    """Yield the ways in which one node may read a docstring, apart from the names in it."""
    import ast

    match node:
        case ast.Import(names=aliases):
            yield from (f"imports {a.name}" for a in aliases if a.name not in MODULES)
        case ast.ImportFrom():
            yield from _reads_by_import(node, names)
        case ast.Name(id=name, ctx=ast.Load()) if name in BUILTIN_READERS:
            yield name
        case ast.Name(id="getattr", ctx=ast.Load()) if id(node) not in names.plain_getattr:
            yield "getattr with a computed name"
        case ast.Attribute(attr=name) if name in READER_ATTRIBUTES:
            yield name
        case ast.Attribute(attr="format", value=value) if not names.is_text(value):
            yield "format of a computed text"
        case ast.MatchClass(kwd_attrs=attributes):
            yield from (name for name in attributes if not _is_harmless_name(name))
        case ast.Constant(value=str(text)):
            yield from (f"{name} in a text" for name in STRING_READERS if name in text)
            if text == "{" and names.uses_logging:
                yield "logging with format fields"
        case ast.ClassDef() if ast.get_docstring(node, clean=False) is not None:
            if (node.bases or node.keywords) and not names.plain_class(node):
                yield f"bases of class {node.name}"


def _reads_by_import(node: ast.ImportFrom, names: _Names) -> Iterator[str]:
    if node.level or not node.module:
        yield "relative import"
    elif node.module not in MODULES:
        yield f"imports {node.module}"
    else:
        for alias in node.names:
            if alias.name == "*":
                yield f"imports * from {node.module}"
            elif not _imported_name_is_harmless(node.module, alias.name):
                yield f"imports {node.module}.{alias.name}"


@dataclass(slots=True)
class _Names:
    """What the names of a source are bound to, as far as the proof needs it."""

    bindings: Counter[str] = field(default_factory=Counter)
    """How often each name is bound, other than by an import or a class statement."""
    imported: dict[str, str] = field(default_factory=dict)
    """Names bound by imports, with the last part of what they stand for."""
    classes: set[str] = field(default_factory=set)
    """Names of class statements without decorators."""
    stored: set[str] = field(default_factory=set)
    """Attributes that something assigns or deletes."""
    texts: set[str] = field(default_factory=set)
    """Names that a plain assignment binds to a literal text."""
    plain_getattr: set[int] = field(default_factory=set)
    """The ``getattr`` nodes of calls with a literal, harmless name."""
    uses_logging: bool = False
    uses_setattr: bool = False

    @classmethod
    def of(cls, tree: ast.Module) -> _Names:
        """Collect them from a whole source: scopes are not told apart, which errs on the safe
        side, because what counts is that a name is bound only once."""
        import ast

        names = cls()
        for node in ast.walk(tree):
            names._add(node)
        return names

    def _add(self, node: ast.AST) -> None:
        import ast

        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.bindings[name] += 1
            case ast.Name(id="setattr" | "delattr"):
                self.uses_setattr = True
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                self.stored.add(name)
            case ast.arg(arg=name) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self.bindings[name] += 1
            case ast.MatchMapping(rest=str(name)) | ast.ExceptHandler(name=str(name)):
                self.bindings[name] += 1
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.bindings[name] += 1
            case ast.ClassDef(name=name, decorator_list=[]):
                self.classes.add(name)
            case ast.ClassDef(name=name):
                self.bindings[name] += 1
            case ast.alias(name=name, asname=alias):
                self.imported[alias or name.partition(".")[0]] = name.rpartition(".")[2]
                self.uses_logging |= name.partition(".")[0] == "logging"
            case ast.ImportFrom(module="logging" | "logging.handlers"):
                self.uses_logging = True
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str())):
                self.texts.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str())):
                self.texts.add(name)
            case ast.Call(
                func=ast.Name(id="getattr") as func, args=[_, ast.Constant(value=str(name)), *_]
            ) if _is_harmless_name(name):
                self.plain_getattr.add(id(func))
        for parameter in getattr(node, "type_params", ()):
            self.bindings[parameter.name] += 1

    def is_text(self, node: ast.expr) -> bool:
        """Whether an expression is a literal text, or a name that only ever stands for one."""
        import ast

        match node:
            case ast.Constant(value=str()):
                return True
            case ast.Name(id=name):
                return (
                    name in self.texts
                    and self.bindings[name] == 1
                    and name not in self.imported
                    and name not in self.classes
                )
        return False

    def plain_class(self, node: ast.ClassDef) -> bool:
        """Whether making the class shows its body, docstring included, to nobody.

        Only a metaclass sees it, which comes from the bases: each has to be a class of the
        standard library or of the source, by a name that is bound to nothing else. (An instance
        as base is legal, and calls its class with the body.)
        """
        if self.uses_setattr or not self.stored.isdisjoint({"__class__", "__bases__"}):
            return False
        keywords = all(
            keyword.arg is not None
            and (keyword.arg != "metaclass" or self._last_name(keyword.value) in METACLASSES)
            for keyword in node.keywords
        )
        return keywords and all(map(self._is_plain_base, node.bases))

    def _is_plain_base(self, base: ast.expr) -> bool:
        import ast

        match base:
            case ast.Subscript(value=value):
                return self._last_name(value) in GENERIC_BASES
            case ast.Call(func=func):
                return self._last_name(func) in ("namedtuple", "NamedTuple")
            case _:
                return self._last_name(base) is not None

    def _last_name(self, node: ast.expr) -> str | None:
        """Return what a name or dotted name stands for, if that is a class or function of the
        standard library or a class of this source beyond doubt."""
        import ast

        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or not self.stored.isdisjoint(path):
            return None
        root = node.id
        if self.bindings[root]:
            return None
        if root in self.imported:
            original = self.imported[root]
            return None if original in self.stored else [original, *path][-1]
        if root in self.classes:
            known = all(name in self.classes and not self.bindings[name] for name in path)
            return [root, *path][-1] if known else None
        return root if root in CLASS_BUILTINS and not path else None
