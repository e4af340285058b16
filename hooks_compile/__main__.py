"""``python -m hooks_compile``: the same as the command ``hooks-compile``."""

import sys

# Python has put the current directory there, which may be a clone's: nothing is imported from it.
if not sys.flags.safe_path:
    del sys.path[0]

from hooks_compile.cli.main import entry_point

entry_point()
