"""Makes imports lazy (PEP 810) for ``imports = "deferred"``. The interpreter does it; we choose."""

import sys
from typing import Optional, Tuple

from hooks_compile.launcher.annotations import Patterns
from hooks_compile.launcher.observers import NEWEST_TESTED, has_usual_lazy_imports
from hooks_compile.launcher.patterns import offer_patterns
from hooks_compile.launcher.preimport import module_names_in
from hooks_compile.launcher.process import MODULE_TYPE, STDLIB


def defer_imports(patterns: Patterns) -> None:
    """Defer the imports of the standard library that the hook and its local modules make.

    A name that may mean another module to the hook is not deferred. Nothing is if somebody has
    chosen another mode of lazy imports. ``patterns`` are offered to ``re`` when it is imported.
    """
    if sys.version_info < (3, 15) or sys.version_info[:2] > NEWEST_TESTED:
        return
    if not has_usual_lazy_imports():
        return
    try:
        directories = sys.path[: sys.path.index(STDLIB)]
        names = sys.stdlib_module_names.difference(*map(module_names_in, directories))
    except (OSError, ValueError):
        return
    modules = sys.modules

    def is_lazy(importer: str, name: str, attributes: Optional[Tuple[str, ...]]) -> bool:
        if importer == "re" and patterns:
            offer_patterns(patterns)
        module = modules.get(importer)
        file = module.__dict__.get("__file__") if type(module) is MODULE_TYPE else None
        if type(file) is str and not (file.startswith(STDLIB) or "-packages/" in file):
            is_loaded = attributes is None and name in modules
            return name.partition(".")[0] in names and not is_loaded
        frame = sys._getframe(1)
        # As it is written there: the lowest bit of IMPORT_NAME says "lazy".
        return bool(frame.f_code.co_code[frame.f_lasti + 1] & 1)

    sys.set_lazy_imports_filter(is_lazy)
    sys.set_lazy_imports("all")
