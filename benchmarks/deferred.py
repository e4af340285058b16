"""Hooks that leave early, with deferred imports: ``python -m benchmarks.deferred``.

Takes those hooks of ``benchmarks.cold`` that find that the event is no matter of theirs, compiles
them with ``imports = "deferred"`` and measures and checks them as that benchmark does: the source
by ``PYTHON hook.py``, and the wrapper, in turn; medians of the ratios of a round. Beside it stands
the same with the imports as written, measured in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import timing
from benchmarks.cold import Scene, found, fresh
from benchmarks.hook_events import MEASURED
from hooks_compile.interpreters import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.cold import Row

BOUND = 0.65
EVENTS = [event for event in MEASURED if event.leaves_early]


def measure(python: str, rounds: int) -> tuple[str, list[tuple[Row, Row]]]:
    """Return the interpreter's name and, for each hook, its rows: as written, and deferred."""
    folder = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-")).resolve()
    try:
        python = fresh(python, folder / "venv")
        interpreter = resolve(python, cwd=folder, env=os.environ)
        # paths of one length: they are part of what is read
        written = Scene(folder / "as-it-is", python, interpreter)
        deferred = Scene(folder / "deferred", python, interpreter, "deferred")
        for event in EVENTS:
            written.check(event)
            deferred.check(event)
        rows = []
        for number, event in enumerate(EVENTS, 1):
            if sys.stderr.isatty():
                print(f"\r{number}/{len(EVENTS)} {event.hook:<30}", end="", file=sys.stderr)
            rows.append((written.measure(event, rounds), deferred.measure(event, rounds)))
        return interpreter.label, rows
    finally:
        shutil.rmtree(folder)


def means(rows: Sequence[tuple[Row, Row]]) -> tuple[float, float, float]:
    """Return the geometric means of wrapper/source: as written, deferred, deferred by CPU time."""
    return (
        statistics.geometric_mean(row.wrapper for row, _ in rows),
        statistics.geometric_mean(row.wrapper for _, row in rows),
        statistics.geometric_mean(row.wrapper_cpu for _, row in rows),
    )


def show(python: str, rows: Sequence[tuple[Row, Row]]) -> None:
    """Print the table, and what it comes to."""
    header = ["hook", "lines", "source ms", "wrapper/source as written", "deferred", "by CPU time"]
    print(f"\n{python}\n\n| " + " | ".join(header) + " |\n|" + " --- |" * len(header))
    for written, deferred in rows:
        cells = [deferred.hook, f"{deferred.lines}", f"{deferred.source_ms:.1f}"]
        cells += [f"{written.wrapper:.3f}", f"{deferred.wrapper:.3f}"]
        print("| " + " | ".join([*cells, f"{deferred.wrapper_cpu:.3f}"]) + " |")
    as_written, deferred_, by_cpu = means(rows)
    print(
        f"\n{len(rows)} hooks that leave early, geometric mean of wrapper/source: "
        f"{as_written:.3f} as written, {deferred_:.3f} deferred ({by_cpu:.3f} by CPU time)"
    )
    print(f"bound {'holds' if deferred_ <= BOUND else 'does NOT hold'}: at most {BOUND}")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", action="append", help="an interpreter; several times for more")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    arguments = parser.parse_args()
    pythons = arguments.python or list(found())
    if not pythons:
        parser.error("no CPython 3.11 or 3.13: give one by --python")
    before = timing.machine()
    if not arguments.json:
        print(f"{before}, {arguments.rounds} rounds", flush=True)
    results = []
    for python in pythons:
        name, rows = measure(python, arguments.rounds)
        as_written, deferred, by_cpu = means(rows)
        results.append(
            {
                "python": name,
                "hooks": {new.hook: [old.wrapper, new.wrapper] for old, new in rows},
                "as_written": as_written,
                "deferred": deferred,
                "deferred_cpu": by_cpu,
                "bound": BOUND,
                "holds": deferred <= BOUND,
            }
        )
        if not arguments.json:
            show(name, rows)
    if arguments.json:
        print(json.dumps({"machine": before, "interpreters": results}, indent=2))
    else:
        print(f"\n{timing.machine()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
