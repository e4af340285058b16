"""``python -m hooks_compile``: the same as the command ``hooks-compile``."""

from hooks_compile.cli import entry_point

entry_point()
