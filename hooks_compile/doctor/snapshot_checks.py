"""Snapshots: whether they are on, and which hooks crashed after they were resumed from one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.doctor.findings import OK, PROBLEM, Finding
from hooks_compile.printable import one_line
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_snapshots(runtime: Path) -> Iterator[Finding]:
    """Give a finding for each record of a crash, and one that says what is on."""
    snapshots = Store(runtime)
    for record in snapshots.crashes():
        signal, _, script = record.read_text("utf-8", "replace").partition("\t")
        text = (
            f"{one_line(script)}: it died of signal {signal} after it was resumed from a snapshot"
        )
        remedy = "hooks-compile snapshot on  # forgets it; or: hooks-compile snapshot off"
        yield Finding(PROBLEM, text, remedy)
    if snapshots.is_on:
        size = f"{snapshots.size() >> 20} of {snapshots.limit_mb} MB"
        yield Finding(OK, f"snapshots are on: {len(snapshots.snapshots())}, {size}")
