"""The garbage collector of the launch.

It is disabled from the start of the launcher until the hook begins. Until then thousands of objects
are made that stay, and a collection would find nothing.
"""

import _imp
import sys
from types import ModuleType
from typing import Optional


def collector() -> ModuleType:
    """Return the module ``gc``, which is built in. An import would leave it in ``sys.modules``."""
    was_loaded = "gc" in sys.modules
    gc: ModuleType = _imp.create_builtin(type(sys.__spec__)("gc", None))
    _imp.exec_builtin(gc)
    if not was_loaded:
        sys.modules.pop("gc", None)  # Python before 3.10 puts it there
    return gc


GC: Optional[ModuleType] = collector() if sys.implementation.name == "cpython" else None
# Whether the hook begins with an enabled collector.
COLLECTOR_IS_ENABLED = GC is not None and GC.isenabled()
