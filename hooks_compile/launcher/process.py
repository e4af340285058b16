"""This process: its kind of interpreter, and where the standard library is."""

import sys
from typing import Any, Dict

MODULE_TYPE = type(sys)
BUILTIN_TYPE = type(len)
IS_CPYTHON = sys.implementation.name == "cpython"
# The directory of the standard library. The bare interpreter has loaded its encodings.
STDLIB = (getattr(sys.modules["encodings"], "__file__", None) or "//").rsplit("/", 2)[0]


def is_stdlib_file(path: str) -> bool:
    """Return whether a file belongs to the standard library."""
    return path.startswith(STDLIB) and "-packages/" not in path


def stdlib_names(module_name: str) -> Dict[str, Any]:
    """Return the names in a module of the standard library; none if it is not loaded."""
    module = sys.modules.get(module_name)
    names = module.__dict__ if type(module) is MODULE_TYPE else {}
    file = names.get("__file__")
    return names if type(file) is str and is_stdlib_file(file) else {}
