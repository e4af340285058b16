"""Whether launches are resumed here, and whether they could be."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from hooks_compile.snapshots import loader_build, making

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hooks_compile.model import Interpreter
    from hooks_compile.snapshots.snapshot_store import Place, Store

# The geometric mean of benchmarks.snapshot, for CPython 3.11 to 3.15.
MEASURED = "about a fifth"


def cold_reason(snapshots: Store, place: Place) -> str:
    """Launch an empty script; return why it is cold, "" if it is resumed."""
    with snapshots.locked(), snapshots.scratch() as directory:
        script, trace = directory / "probe.py", directory / "trace"
        script.write_bytes(b"")
        env = {**place.environment, "PATH": os.defpath, "HOOKS_COMPILE_TRACE": str(trace)}
        launcher = str(snapshots.runtime / "launch.py")
        words = [str(snapshots.loader), place.python, launcher, str(script)]
        subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        line = trace.read_text("utf-8", "replace") if trace.exists() else "no launcher ran"
    if line.startswith("resumed\t"):
        return ""
    return (line.partition("cold: ")[2] or line).partition("\t")[0].strip()


def advice(snapshots: Store, interpreters: Iterable[Interpreter]) -> str:
    """Return the line that tells of snapshots, "" if they are on or can't be made here."""
    can_be_made = loader_build.is_available() and any(map(making.is_tested, interpreters))
    if snapshots.is_on or not can_be_made:
        return ""
    return f"a launch can take {MEASURED} of the time: hooks-compile snapshot on"
