"""Stops an interpreter for a snapshot, and makes a resumed one the process of a launch.

``hooks_compile/snapshots/`` starts the launcher with ``--snapshot`` instead of a script. Everything
up to the stop happened in another process, long before. Everything after it happens in the process
that the agent started.
"""

from hooks_compile.launcher.snapshot.begin import (
    begin_hook,
    can_prepare_resumed,
    require_fit,
    reveal,
)
from hooks_compile.launcher.snapshot.request import ask_for_snapshot
from hooks_compile.launcher.snapshot.stop import stop

__all__ = [
    "ask_for_snapshot",
    "begin_hook",
    "can_prepare_resumed",
    "require_fit",
    "reveal",
    "stop",
]
