"""Gives ``re`` the regular expressions that an entry holds in compiled form."""

import marshal
import sys
from typing import Any, Tuple

from hooks_compile.launcher.annotations import Patterns
from hooks_compile.launcher.process import stdlib_names


def offer_patterns(patterns: Patterns) -> None:
    """Let ``re``, if it is loaded, find patterns where it looks for those that it has compiled.

    The notes are for one version of Python. Another version may compile a pattern otherwise,
    though it runs the same bytecode: it gets none.
    """
    if ("", sys.hexversion) not in patterns:
        return
    re_names = stdlib_names("re")
    cache_name = "_cache" if sys.version_info < (3, 12) else "_cache2"
    old_cache = re_names.get(cache_name)
    if type(old_cache) is not dict:
        return

    class Cache(dict):  # type: ignore[type-arg] # 3.8 has no dict[...]
        def __missing__(self, key: Tuple[type, Any, int]) -> Any:
            kind, pattern, flags = key
            data = patterns.get((pattern, flags)) if kind is str else None
            if data is None:
                raise KeyError(key)
            sre: Any = sys.modules["_sre"]
            found = self[key] = sre.compile(pattern, *marshal.loads(data))
            return found

    re_names[cache_name] = Cache(old_cache)
