"""Types for annotations. ``install/bundle.py`` removes annotations, and imports from here."""

from types import TracebackType
from typing import Callable, Dict, Optional, Tuple, Type

# the warnings of Python when it compiles the source: (name of the category, message, line)
Warnings = Tuple[Tuple[str, str, int], ...]
# compiled regular expressions: (pattern, flags) to marshalled arguments of _sre.compile
Patterns = Dict[Tuple[str, int], bytes]
# warnings; the modules to import ahead of the hook; patterns; whether to defer other imports
Notes = Tuple[Warnings, Tuple[str, ...], Patterns, bool]

Environment = Dict[bytes, bytes]
ExceptHook = Callable[[Type[BaseException], BaseException, Optional[TracebackType]], object]


class Script:
    """The script of a launch. An object of it is a SimpleNamespace: see ``read_script``."""

    argument: str  # as the command line names it
    file: str  # as tracebacks name it
    path: str  # the real path
    source: bytes
