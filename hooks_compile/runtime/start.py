"""What ``launch.py`` executes first: lets the garbage collector rest until the hook begins.

Loading the launcher makes thousands of objects that stay: the collector would go through them, and
through what Python has made before, for nothing. ``prepare.py`` puts the launcher in here.
"""

import _imp  # noqa: F401 - what collector() needs, which prepare.py moves here
import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hooks_compile.runtime.launcher import collector

    LAUNCHER: bytes  # all the rest, marshalled

GC = collector() if sys.implementation.name == "cpython" else None
# Whether the hook begins with a collector at work.
COLLECTS = GC is not None and GC.isenabled()
if GC is not None:
    GC.disable()
exec(marshal.loads(LAUNCHER), globals())
