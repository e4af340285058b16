"""What launches recorded in the runtime directory: which interpreters ran hooks, and what uv did.

The records of uv are read and forgotten here, never made: only a launch of the agent makes one. So
nothing that comes with a clone can have uv install or build something from a git hook, the watcher
or any command of ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.files import read_bytes, read_own

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMIT: Final = 1 << 16
_LEFT_TO_UV: Final = "-"  # as in launcher/uv/uv_contexts.py, whose import is slow


class LaunchRecord(NamedTuple):
    """A launch compiled a hook in ``directory`` under ``executable``; the file ``note`` says so."""

    note: Path
    executable: Path
    directory: Path


def launch_records(runtime: Path) -> list[LaunchRecord]:
    """Return what launches noted in ``runtime/seen``, one record for each file there.

    A file has the path of the binary, a NUL byte and the directory. Files of other users, and files
    that name no absolute path or can't be read, are left out.
    """
    found = []
    try:
        notes = sorted((runtime / "seen").iterdir())
    except OSError:
        return []
    for note in notes:
        try:
            words = os.fsdecode(read_own(note, _LIMIT)).split("\0")
        except OSError:
            continue  # removed since, or not ours: it was put there while others could write
        if len(words) == 2 and os.path.isabs(words[0]):  # noqa: PTH117 - a string
            found.append(LaunchRecord(note, Path(words[0]), Path(words[1])))
    return found


def why_left_to_uv(runtime: Path, script: Path) -> str:
    """Return why each launch of a script, an absolute path, goes through uv; "" if it does not."""
    try:
        text = read_bytes(uv_record_of(runtime, script), _LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""
    first, reason, *_ = (*text.split("\n"), "", "")
    return reason if first == _LEFT_TO_UV else ""


def forget_left_to_uv(runtime: Path, scripts: Iterable[Path]) -> None:
    """Let the next launch of each script that is left to uv look again whether it has to be."""
    for script in scripts:
        if why_left_to_uv(runtime, script):
            uv_record_of(runtime, script).unlink(missing_ok=True)


def uv_record_of(runtime: Path, script: Path) -> Path:
    """Return where launches of a script record how uv launches it."""
    return Path(f"{runtime}/uv{script}.uv")
