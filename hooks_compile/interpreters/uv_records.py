"""What launches recorded of ``uv run``: it is read and forgotten here, never made.

Only a launch of the agent makes a record. So nothing that comes with a clone can have uv install or
build something from a git hook, the watcher or any command of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.files import read_bytes
from hooks_compile.launcher.uv.uv_contexts import LEFT

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMIT = 1 << 16


def record_of(runtime: Path, script: Path) -> Path:
    """Return where launches of ``script``, an absolute path, record how uv launches it."""
    return Path(f"{runtime}/uv{script}.uv")


def why_left(runtime: Path, script: Path) -> str:
    """Return why each launch of a script goes through uv, "" if it does not."""
    try:
        text = read_bytes(record_of(runtime, script), _LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""
    first, reason, *_ = (*text.split("\n"), "", "")
    return reason if first == LEFT else ""


def forget_left(runtime: Path, scripts: Iterable[Path]) -> None:
    """Let the next launch of each script that is left to uv look again whether it has to be."""
    for script in scripts:
        if why_left(runtime, script):
            record_of(runtime, script).unlink(missing_ok=True)
