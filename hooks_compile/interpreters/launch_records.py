"""Under which interpreters launches compiled hooks: what they noted in the runtime directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.files import read_own

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT: Final = 1 << 16


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
    return list(_read_records(runtime / "seen"))


def _read_records(seen: Path) -> Iterator[LaunchRecord]:
    try:
        notes = sorted(seen.iterdir())
    except OSError:
        return
    for note in notes:
        try:
            words = os.fsdecode(read_own(note, _LIMIT)).split("\0")
        except OSError:
            continue  # removed since, or not ours: it was put there while others could write
        if len(words) == 2 and os.path.isabs(words[0]):  # noqa: PTH117 - a string
            yield LaunchRecord(note, Path(words[0]), Path(words[1]))
