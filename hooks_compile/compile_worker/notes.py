"""What an entry notes for the launcher: the imports that a hook begins with, and its patterns.

Both are read from the compiled code. They only say what a launch may have ready: whatever they say,
the hook does the same.
"""

import sys
from opcode import opname
from types import CodeType
from typing import Any, Dict, Iterator, Set, Tuple

from hooks_compile.compile_worker.pattern_notes import library_patterns, patterns_of
from hooks_compile.compile_worker.standard_modules import MODULES, names
from hooks_compile.launcher.annotations import Patterns

# What module code does until its imports are done: it imports, defines functions, and gives names
# to constants. BUILD_SET, MAKE_CELL and MAKE_FUNCTION prepare annotations in 3.14 and later.
_BEGINNING = names(
    """
    BUILD_SET CACHE COPY DUP_TOP EXTENDED_ARG IMPORT_FROM IMPORT_NAME LOAD_COMMON_CONSTANT
    LOAD_CONST LOAD_SMALL_INT MAKE_CELL MAKE_FUNCTION NOP POP_TOP RESUME ROT_TWO SETUP_ANNOTATIONS
    STORE_NAME SWAP
    """
)
_CO_OPTIMIZED = 1  # the code of a function, not of a class


def notes_of(code: CodeType, is_deferred: bool) -> Tuple[Tuple[str, ...], Patterns]:
    """Return the modules to import ahead of a hook's code, and the patterns to have ready.

    If imports are deferred, these are the modules that the hook needs in any case. If they compile
    patterns, ``re`` comes first, so that they find them ready. One key, of the empty pattern, says
    which version of Python the patterns are of.
    """
    given = leading_imports(code)
    if is_deferred:
        used = used_names(code)
        # Nearly every hook that imports json begins with its event.
        given = {
            module: names for module, names in given.items() if used & names or module == "json"
        }
    imports = tuple(given)
    of_library: Patterns = {}
    for name in imports:
        of_library.update(library_patterns(name))
    if of_library:
        imports = ("re", *[name for name in imports if name != "re"])
    ready = {**patterns_of(code), **of_library}
    if ready:
        ready["", sys.hexversion] = b""
    return imports, ready


def leading_imports(code: CodeType) -> Dict[str, Set[str]]:
    """Return the modules of MODULES that a module's code imports before it does anything else.

    The values are the names that it gives to them, or to what it imports from them.
    """
    given: Dict[str, Set[str]] = {}
    names: Set[str] = set()
    loaded: Any = [0, 0]  # the level of a relative import is the last but one
    for name, argument in _instructions(code):
        if name == "LOAD_CONST":
            loaded.append(code.co_consts[argument])
        elif name in ("LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT"):  # the latter is never a level
            loaded.append(argument)
        elif name == "STORE_NAME":
            if code.co_names[argument] == "__lazy_modules__":
                break  # the imports behind it may be lazy (PEP 810)
            names.add(code.co_names[argument])
        elif name == "IMPORT_NAME":
            module, is_lazy = _imported(code, argument)
            if not is_lazy and (loaded[-2] or module.partition(".")[0] not in MODULES):
                break
            names = set()
            if not is_lazy and module not in sys.builtin_module_names:
                names = given.setdefault(module, names)
        elif name not in _BEGINNING:
            break
    return given


def used_names(code: CodeType) -> Set[str]:
    """Return the global names that a module's code uses, without code in functions."""
    used: Set[str] = set()
    waiting: Any = [code]
    for each in waiting:  # it grows
        used.update(
            each.co_names[argument] for name, argument in _instructions(each) if name == "LOAD_NAME"
        )
        waiting += [
            inner
            for inner in each.co_consts
            if type(inner) is type(code) and not inner.co_flags & _CO_OPTIMIZED
        ]
    return used


def _instructions(code: CodeType) -> Iterator[Tuple[str, int]]:
    """Yield the name and the argument of each instruction."""
    words = code.co_code
    argument = 0
    for place in range(0, len(words), 2):  # dis.get_instructions is slow: it reads the whole code
        name = opname[words[place]]
        argument = argument << 8 | words[place + 1]
        if name == "EXTENDED_ARG":
            continue
        yield name, argument
        argument = 0


def _imported(code: CodeType, argument: int) -> Tuple[str, bool]:
    """Return the module that IMPORT_NAME imports, and whether the import is lazy (PEP 810)."""
    if sys.version_info >= (3, 15):  # the lowest bit says lazy, the next one never lazy
        return code.co_names[argument >> 2], bool(argument & 1)
    return code.co_names[argument], False
