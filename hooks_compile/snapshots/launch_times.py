"""How long a launch of an empty script takes: of the source, and resumed from the base snapshot."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooks_compile.snapshots.snapshot_store import Place, Store

_ROUNDS = 11


class Times(NamedTuple):
    """Medians in milliseconds."""

    source: float
    resumed: float


def measure(snapshots: Store, place: Place) -> Times:
    """Launch an empty script both ways in turn. No code of a hook is executed."""
    spent: dict[str, list[float]] = {"source": [], "resumed": []}
    with snapshots.locked(), snapshots.scratch() as directory:
        script = directory / "empty.py"
        script.write_bytes(b"")
        source = [place.python, str(script)]
        launcher = str(snapshots.runtime / "launch.py")
        resumed = [str(snapshots.loader), place.python, launcher, str(script)]
        env = {**place.environment, "PATH": os.defpath}
        for _ in range(_ROUNDS):
            spent["source"].append(_launch_ms(source, env))
            spent["resumed"].append(_launch_ms(resumed, env))
    return Times(statistics.median(spent["source"]), statistics.median(spent["resumed"]))


def _launch_ms(words: Sequence[str], env: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return (time.perf_counter() - begun) * 1000
