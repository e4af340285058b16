"""Whether the lines of ``.pth`` files that execute something are known to be harmless.

``site`` executes each line that begins with ``import``, at each start of Python. In a resumed
process that happened before. So a line may only do what is the same in each process.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# How the names of files begin whose lines only add a finder of modules, and read no more of the
# environment than SETUPTOOLS_USE_DISTUTILS, which is a key.
_KNOWN_FILES = ("distutils-precedence.pth", "_virtualenv.pth", "__editable__", "_editable_impl_")
_KNOWN_MODULES = ("_distutils_hack", "_virtualenv", "editables")


def is_harmless_pth(name: str, text: str) -> bool:
    """Return whether a ``.pth`` file does the same in each process.

    It is called for an interpreter that has loaded no modules but those of the standard library and
    the known ones. So an import of any other has failed.
    """
    if name.startswith(_KNOWN_FILES):
        return True
    lines = [line for line in text.splitlines() if line.startswith(("import ", "import\t"))]
    return all(map(_is_idle_text, lines))


def _is_idle_text(text: str) -> bool:
    try:
        return _is_idle(ast.parse(text).body)
    except (SyntaxError, ValueError):  # site reports it at each start
        return False


def _is_idle(statements: Iterable[ast.stmt]) -> bool:
    """Return whether statements only import, or fail to import and go on."""
    return all(map(_is_idle_statement, statements))


def _is_idle_statement(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return all(_is_standard(alias.name) for alias in node.names)
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        return (
            isinstance(call.func, ast.Name)
            and call.func.id == "exec"
            and len(call.args) == 1
            and not call.keywords
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
            and _is_idle_text(call.args[0].value)
        )
    if isinstance(node, ast.Try):
        first = node.body[0]
        fails = isinstance(first, ast.Import) and not _is_standard(first.names[0].name)
        handlers = [statement for handler in node.handlers for statement in handler.body]
        return fails and _is_idle([*handlers, *node.finalbody])
    return False


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top.startswith(_KNOWN_MODULES)
