"""What launches recorded of ``uv run``, on the tool's side: it is read and forgotten, never made.

A record is made by a launch of the agent alone, so that nothing which comes with a clone can have
uv install or build something from a git hook, the watcher or any command of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import NOTE, Finding
from hooks_compile.entries.report import shown
from hooks_compile.runtime.uv import LEFT

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMIT = 1 << 16


def record_of(runtime: Path, script: Path) -> Path:
    """Return where launches of ``script``, an absolute path, record how uv launches it."""
    return Path(f"{runtime}/uv{script}.uv")


def why_left(runtime: Path, script: Path) -> str:
    """Return why launches of a script go through uv each time, "" where they do not."""
    try:
        with record_of(runtime, script).open(encoding="utf-8", errors="replace") as file:
            first, reason, *_ = (*file.read(_LIMIT).split("\n"), "", "")
    except OSError:
        return ""
    return reason if first == LEFT else ""


def forget_left(runtime: Path, scripts: Iterable[Path]) -> None:
    """Let the next launch of each script that is left to uv look again whether it has to be."""
    for script in scripts:
        if why_left(runtime, script):
            record_of(runtime, script).unlink(missing_ok=True)


def examine(runtime: Path, scripts: Iterable[Path], root: Path) -> list[Finding]:
    """Name the scripts whose launches are left to uv, with the reason."""
    return [
        Finding(NOTE, f"{shown(script, root)} is launched by uv each time: {reason}")
        for script in scripts
        if (reason := why_left(runtime, script))
    ]
