"""Whether this launch has resumed a snapshot."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Tuple

# Empty in a cold launch. Else "imports" are the modules that were imported ahead of the snapshot.
RESUMED: "Dict[str, Tuple[str, ...]]" = {}
