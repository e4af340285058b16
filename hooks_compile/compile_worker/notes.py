"""What an entry notes for the launcher: the imports that a hook begins with, and its patterns.

Both are read from the compiled code. They only say what a launch may have ready: whatever they say,
the hook does the same.
"""

import sys
from opcode import opname

from hooks_compile.compile_worker.pattern_notes import library_patterns, patterns_of
from hooks_compile.compile_worker.standard_modules import MODULES, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Iterator, Tuple

    from hooks_compile.launcher.entry import Patterns

# What module code does until its imports are done: it imports, defines functions, and gives names
# to constants. BUILD_SET, MAKE_CELL and MAKE_FUNCTION prepare annotations in 3.14 and later.
_BEGINNING = names(
    """
    BUILD_SET CACHE COPY DUP_TOP EXTENDED_ARG IMPORT_FROM IMPORT_NAME LOAD_COMMON_CONSTANT
    LOAD_CONST LOAD_SMALL_INT MAKE_CELL MAKE_FUNCTION NOP POP_TOP RESUME ROT_TWO SETUP_ANNOTATIONS
    STORE_NAME SWAP
    """
)


def notes_of(code: "CodeType") -> "Tuple[Tuple[str, ...], Patterns]":
    """Return the modules to import ahead of a hook's code, and the patterns to have ready.

    If these modules compile patterns, ``re`` comes first, so that they find them ready. One key,
    of the empty pattern, says which version of Python the patterns are of.
    """
    imports = leading_imports(code)
    of_library: Patterns = {}
    for name in imports:
        of_library.update(library_patterns(name))
    if of_library:
        imports = ("re", *[name for name in imports if name != "re"])
    ready = {**patterns_of(code), **of_library}
    if ready:
        ready["", sys.hexversion] = b""
    return imports, ready


def leading_imports(code: "CodeType") -> "Tuple[str, ...]":
    """Return the modules of MODULES that a module's code imports before it does anything else."""
    modules = []
    loaded: Any = [0, 0]  # the level of a relative import is the last but one
    for name, argument in _beginning(code):
        if name == "LOAD_CONST":
            loaded.append(code.co_consts[argument])
        elif name == "LOAD_SMALL_INT":
            loaded.append(argument)
        elif name == "LOAD_COMMON_CONSTANT":  # None and the like: never a level
            loaded.append(None)
        elif name == "STORE_NAME" and code.co_names[argument] == "__lazy_modules__":
            break  # the imports behind it may be lazy (PEP 810)
        elif name == "IMPORT_NAME":
            module, is_lazy = _imported(code, argument)
            if is_lazy:
                continue
            if loaded[-2] or module.partition(".")[0] not in MODULES:
                break
            if module not in modules and module not in sys.builtin_module_names:
                modules.append(module)
    return tuple(modules)


def _beginning(code: "CodeType") -> "Iterator[Tuple[str, int]]":
    """Give the instructions at the beginning of ``code`` that are in _BEGINNING: name, argument."""
    words = code.co_code
    argument = 0
    for place in range(0, len(words), 2):  # dis.get_instructions is slow: it reads the whole code
        name = opname[words[place]]
        argument = argument << 8 | words[place + 1]
        if name == "EXTENDED_ARG":
            continue
        if name not in _BEGINNING:
            break
        yield name, argument
        argument = 0


def _imported(code: "CodeType", argument: int) -> "Tuple[str, bool]":
    """Return the module that IMPORT_NAME imports, and whether the import is lazy (PEP 810)."""
    if sys.version_info >= (3, 15):  # the lowest bit says lazy, the next one never lazy
        return code.co_names[argument >> 2], bool(argument & 1)
    return code.co_names[argument], False
