"""Deferred imports where a hook is compiled: reads the library of this very interpreter.

``deferral.py`` decides and rewrites; here its answer is made code, and doubted.
"""

import ast
import functools
import importlib
import importlib.machinery
import os
import sys
import warnings

if __name__.startswith("hooks_compile."):
    from hooks_compile.runtime import deferral
    from hooks_compile.runtime import deferral_table as table
else:
    import deferral  # type: ignore[import-not-found,no-redef]
    import deferral_table as table  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Dict, Iterator, List, Optional, Tuple

    from hooks_compile.runtime.notes import Deferral

_LIBRARY = os.path.dirname(os.__file__)


def told(source: bytes) -> "Tuple[List[str], List[str], str]":
    """Return what can be deferred: the modules, the imports that are kept, why nothing is.

    Raises what ``ast.parse`` raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = _plan(ast.parse(source))
    return made.modules, made.kept, made.reason


def code_of(source: bytes, name: str, level: int, code: "CodeType") -> "Optional[Deferral]":
    """Return the code of ``source`` with its imports deferred, and what it expects of a launch.

    None where the source has to stay as written. ``code`` is the code as Python compiles it: what a
    syntax tree makes of the source has to be the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
            made = _plan(tree)
            if made.reason or not _same(_compiled(tree, name, level), code):
                return None
            rewritten = _compiled(deferral.rewrite(tree, made), name, level)
        except (RecursionError, MemoryError):  # nested too deeply for this way of compiling
            return None
    asked = _asked()
    constants = [asked if each == deferral.DEFERRED else each for each in rewritten.co_consts]
    if asked not in constants:
        constants.append(asked)
    return (
        rewritten.replace(co_consts=tuple(constants)),
        made.modules,
        list(_constants(made)),
    )


def _constants(made: deferral.Plan) -> "Iterator[Tuple[str, int]]":
    """Give the patterns that are constants, with their flags."""
    for _, text, flags in made.patterns.values():
        value = getattr(text, "value", None)
        if isinstance(value, str) and isinstance(flags, int):
            yield value, flags


def _plan(tree: ast.Module) -> deferral.Plan:
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in deferral.VERSIONS:
        return deferral.Plan("not under this Python")
    return deferral.plan(tree, _OwnLibrary())


def _compiled(tree: ast.Module, name: str, level: int) -> "CodeType":
    code: CodeType = compile(tree, name, "exec", 0, True, level)
    return code


class _OwnLibrary(deferral.Library):
    """That of the interpreter that runs this."""

    def provides(self, module: str, name: str) -> bool:
        # what a module's __getattr__ gives may come with a warning
        return name in vars(importlib.import_module(module))

    def can_import(self, module: str) -> bool:
        try:
            importlib.import_module(module)
        except ImportError:  # Python was built without a library that it needs
            return False
        return True

    def is_loaded(self, module: str) -> bool:
        return module in sys.builtin_module_names or module in table.LOADED

    def is_standard(self, module: str) -> bool:
        if module in sys.builtin_module_names:
            return True
        places = [_LIBRARY, os.path.join(_LIBRARY, "lib-dynload")]
        return importlib.machinery.PathFinder.find_spec(module, places) is not None

    def evaluates(self, expression: ast.expr, sources: "Dict[str, deferral.Source]") -> bool:
        code = compile(ast.Expression(expression), "annotation", "eval", 0, True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                values = {name: _value(name, *source) for name, source in sources.items()}
                # it names types of the library, subscripts them, and joins them by |
                eval(code, values)  # noqa: S307 - deferral.py has looked at it
            except Exception:  # whatever it is, the hook shows it as it would have
                return False
        return True


def _value(name: str, module: str, attribute: str) -> object:
    if not module:
        return type(name, (), {})  # stands for a class of the hook's
    value = importlib.import_module(module)
    return vars(value)[attribute] if attribute else value


def _same(one: "Any", other: "Any") -> bool:
    """Whether two constants are the same, code with all that it holds."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (tuple, frozenset)):
        first, second = list(one), list(other)
        if isinstance(one, frozenset):
            first, second = sorted(first, key=repr), sorted(second, key=repr)
        return len(first) == len(second) and all(map(_same, first, second))
    if type(one).__name__ != "code":
        return repr(one) == repr(other)
    return all(_same(getattr(one, each), getattr(other, each)) for each in _attributes(one))


def _attributes(code: "CodeType") -> "Iterator[str]":
    # co_lnotab warns where co_linetable has taken its place; the others are methods
    skipped = ["co_lines", "co_positions"] + ["co_lnotab"] * hasattr(code, "co_linetable")
    for name in dir(code):
        if name.startswith("co_") and name not in skipped:
            yield name


@functools.lru_cache(maxsize=None)
def _asked() -> "Tuple[object, ...]":
    """Return the constant in whose place the launcher puts what ``lazy.py`` makes of it."""
    sets = table.SHADOWING, table.NESTED, table.BRINGING, table.COMPILING
    return (deferral.DEFERRED, sys.hexversion, *sets, tuple(table.FLAGS.items()))
