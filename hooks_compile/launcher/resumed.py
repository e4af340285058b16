"""Whether this launch has resumed a snapshot."""

from typing import Any, Dict

# Empty in a cold launch. Else "hidden" are the modules that the snapshot holds, or None,
# "can_prepare" is what can_prepare returned for an empty script, "made" is the time of the
# snapshot, "words" are those of the command line. "filled" keeps what fill_holes returns, and
# "enter_uv" a part of the launcher.
RESUMED: Dict[str, Any] = {}
