"""The first part of the assembled launcher: disables the collector and loads the main part."""

import marshal
import sys
from typing import Any, Dict

from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.parts import make_parts


def start(first: Dict[str, Any], name: str, digests: Dict[str, bytes], main: bytes) -> type:
    """Return the class ``Launch`` of the main part, which is marshalled in ``main``.

    The last line of this part, which ``prepare.py`` adds, calls it. ``first`` holds the names of
    this part. ``name`` and ``digests`` are as for :func:`make_parts`.
    """
    if GC is not None:
        GC.disable()
    parts = make_parts(first, sys.argv[0][: -len("launch.py")], name, digests)
    names = parts["main"].__dict__
    exec(marshal.loads(main), names)
    launch: type = names["Launch"]
    return launch
