"""What ``doctor`` looks at in the runtime folder."""

from __future__ import annotations

import os
import stat
from shlex import quote
from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import OK, PROBLEM, Finding
from hooks_compile.entries.report import shown
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory as runtime_folder

if TYPE_CHECKING:
    from pathlib import Path

_MAKE = "hooks-compile compile"


def examine_runtime(folder: Path) -> list[Finding]:
    """Tell whether the launcher can work with ``folder``: one finding for each thing that stops it.

    The launcher makes the same demands, and leaves a hook to plain Python where one is not met.
    """
    where = f"the runtime folder {shown(folder)}"
    try:
        status = folder.stat()
    except FileNotFoundError:
        cause = f"{where} is not there, so hooks run from their sources"
        return [Finding(PROBLEM, cause, _MAKE)]
    except OSError as error:
        cause = f"{where} can't be looked at: {error.strerror}"
        return [Finding(PROBLEM, cause, f"ls -ld {quote(shown(folder))}")]
    if not stat.S_ISDIR(status.st_mode):
        return [Finding(PROBLEM, f"{where} is a file", f"rm {quote(shown(folder))} && {_MAKE}")]
    if status.st_uid != os.geteuid():
        cause = f"{where} belongs to user {status.st_uid}, so the launcher does not trust it"
        return [Finding(PROBLEM, cause, _own(folder))]
    if not runtime_folder.is_private(folder):
        mode = stat.S_IMODE(status.st_mode)
        cause = f"{where} is open to others (mode {mode:o}), so the launcher does not trust it"
        # where others may write, nobody knows what they wrote
        name = quote(shown(folder))
        remedy = f"rm -r {name} && {_MAKE}" if mode & 0o22 else f"chmod 700 {name}"
        return [Finding(PROBLEM, cause, remedy)]
    found = [*_examine_key(folder), *_examine_launcher(folder)]
    return found or [Finding(OK, f"{where} is private and has a key and the current launcher")]


def _examine_key(folder: Path) -> list[Finding]:
    try:
        runtime_folder.read_key(folder)
    except RuntimeDirectoryError as error:
        return [Finding(PROBLEM, f"{shown(folder / 'key')}: {error.cause}", error.remedy)]
    return []


def _examine_launcher(folder: Path) -> list[Finding]:
    launch = folder / "launch.py"
    try:
        owner = launch.stat().st_uid
        if owner != os.geteuid():
            cause = f"{shown(launch)} belongs to user {owner}, so the wrapper does not run it"
            return [Finding(PROBLEM, cause, _own(folder))]
        outdated = runtime_folder.outdated(folder)
    except FileNotFoundError:
        cause = f"{shown(folder)} has no launcher, so hooks run from their sources"
        return [Finding(PROBLEM, cause, _MAKE)]
    except OSError as error:
        return [Finding(PROBLEM, f"{shown(launch)} can't be read: {error.strerror}", _own(folder))]
    if launch in outdated:
        cause = f"{shown(launch)} is of another version of hooks-compile, or was changed"
        return [Finding(PROBLEM, cause, _MAKE)]
    if outdated:
        names = ", ".join(path.name for path in outdated)
        return [Finding(PROBLEM, f"{shown(folder)} lacks parts of the launcher: {names}", _MAKE)]
    return []


def _own(folder: Path) -> str:
    return f'sudo chown -R "$(id -u)" {quote(shown(folder))}'
