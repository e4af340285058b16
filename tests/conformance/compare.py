"""Tells what differs between two runs, and whether a run did what its case says."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.bench import Outcome
    from tests.conformance.model import Run, State


def differences(expected: Outcome, got: Outcome) -> list[str]:
    """Each thing that differs, for a person to read."""
    found = []
    if expected.status != got.status:
        found.append(f"status: {got.status} instead of {expected.status}")
    for name, old, new in (
        ("stdout", expected.stdout, got.stdout),
        ("stderr", expected.stderr, got.stderr),
    ):
        if old != new:
            found.append(f"{name}:\n{_diff(old, new)}")
    for path in sorted({*expected.files, *got.files}):
        was, now = expected.files.get(path), got.files.get(path)
        if was != now:
            found.append(f"file {os.fsdecode(path)!r}:\n{_diff(was or b'none', now or b'none')}")
    return found


def _diff(old: bytes, new: bytes) -> str:
    def lines(text: bytes) -> list[str]:
        visible = text[:200_000].replace(b"\r\n", b"\r\\n\n")
        return [ascii(line)[2:-1] for line in visible.split(b"\n")]

    diff = difflib.unified_diff(lines(old), lines(new), "source", "launched", "", "", 2)
    return "\n".join(line if len(line) < 300 else f"{line[:200]} ... {line[-90:]}" for line in diff)


def not_as_told(run: Run, outcome: Outcome) -> list[str]:
    """In what the source did not do what the case says it does."""
    wrong = []
    if run.status is not None and outcome.status != run.status:
        wrong.append(f"the source ended with {outcome.status}, not {run.status}")
    shows = run.shows.encode() if isinstance(run.shows, str) else run.shows
    if shows not in outcome.stdout + outcome.stderr:
        wrong.append(f"the source did not show {shows!r}")
    if wrong:
        output = (
            f"{outcome.stdout.decode(errors='replace')}{outcome.stderr.decode(errors='replace')}"
        )
        wrong.append(output[-2000:])
    return wrong


def traces(run: Run, state: State) -> tuple[str, ...]:
    """What the launcher may report; there is one line for each launch."""
    if run.trace == "source":
        return ("source",)
    if run.trace == "any":
        return ("miss", "source") if state in ("cold", "damaged") else ("hit", "miss", "source")
    if state == "compiled" or (state, run.trace) == ("primed", "entry"):
        return ("hit",)
    return ("miss",) if run.trace == "entry" else ("miss", "hit", "source")
