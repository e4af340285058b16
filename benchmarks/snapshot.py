"""Launches that resume a snapshot: ``python -m benchmarks.snapshot``.

The hooks of ``benchmarks/hooks``, as in ``benchmarks.cold``: ``PYTHON hook.py`` as if hooks-compile
were not there, against ``hook_wrapper.sh`` with snapshots on, with its shell. The bare interpreter
(``PYTHON -I -S -c pass``) is run in the same rounds. Snapshots are made and tested as
``hooks-compile snapshot on`` does, with the default limit of the disk. Before it is measured, each
hook has to show the same from both, and to be resumed.

What is printed are medians of the ratios of a round, in which all are run in turn. Behind the
table: eight hooks at once, by the time at which the last one ends. ``benchmarks.shims`` and
``benchmarks.uv`` measure the same with ``--snapshots``, behind a shim and ``uv run``.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import cold, hook_project, timing
from benchmarks.hook_events import MEASURED, Event
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.snapshots import loader_build, making
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.model import Interpreter
    from hooks_compile.snapshots.making import Made

MEAN_BOUND = 0.18
WORST_BOUND = 0.45
BARE_BOUND = 0.45
AT_ONCE_BOUND = 0.25
_AT_ONCE = 8
_KINDS = ("source", "wrapper", "cold", "bare")


@dataclass(frozen=True)
class Row:
    """One hook: medians in milliseconds, and medians of the ratios of a round."""

    hook: str
    source_ms: float
    wrapper_ms: float
    to_source: float
    to_bare: float
    cold_to_source: float


class Scene(cold.Scene):
    """The projects of ``benchmarks.cold``, and snapshots for the one on the wrapper."""

    def __init__(self, directory: Path, python: str, interpreter: Interpreter) -> None:
        """Make the snapshots for the hooks of all events."""
        super().__init__(directory, python, interpreter)
        self.snapshots = Store(self.runtime)
        self.made = turn_on(self.runtime, interpreter, self.environment(self.wired))

    def ways(self, event: Event) -> dict[str, tuple[list[str], Path, dict[str, str]]]:
        """Return for each kind the command, its project and its environment."""
        plain, wired = self.commands(event, self.plain), self.commands(event, self.wired)
        env = self.environment(self.wired)
        return {
            "source": (plain["source"], self.plain, self.environment(self.plain)),
            "wrapper": (wired["wrapper"], self.wired, env),
            "cold": (wired["wrapper"], self.wired, {**env, "HOOKS_COMPILE_SNAPSHOT": "0"}),
            "bare": ([self.python, "-I", "-S", "-c", "pass"], self.wired, env),
        }

    def row(self, event: Event, rounds: int) -> Row:
        """Launch the hook of an event in turn, each way ``rounds`` times."""
        spent: dict[str, list[float]] = {kind: [] for kind in _KINDS}
        ways = self.ways(event)
        self.lay_event(event)
        for number in range(rounds + 1):
            for kind in _KINDS if number % 2 else reversed(_KINDS):
                command, project, env = ways[kind]
                with contextlib.chdir(project):
                    one = timing.spawn(command, env=env, stdin=self.input_of(project))
                if number:  # the first one warms the disk's cache
                    spent[kind].append(one.wall)

        def ratio(kind: str, to: str) -> float:
            pairs = zip(spent[kind], spent[to], strict=True)
            return statistics.median(a / b for a, b in pairs)

        return Row(
            event.hook,
            statistics.median(spent["source"]) * 1000,
            statistics.median(spent["wrapper"]) * 1000,
            ratio("wrapper", "source"),
            ratio("wrapper", "bare"),
            ratio("cold", "source"),
        )

    def at_once(self, events: Sequence[Event], rounds: int) -> float:
        """Return the ratio of the times at which the last of several hooks ends."""
        spent: dict[str, list[float]] = {"source": [], "wrapper": []}
        for project in (self.plain, self.wired):
            hook_project.reset(project)
        for number in range(rounds + 1):
            for kind, times in spent.items():
                launches = []
                for event in events:
                    command, project, env = self.ways(event)[kind]
                    stdin = self.event.with_name(f"at-once-{event.hook.replace('/', '-')}")
                    stdin.write_bytes(hook_project.stdin(event, project))
                    launches.append((command, env, stdin))
                with contextlib.chdir(project):
                    begun = time.perf_counter()
                    for pid in [
                        timing.start(c, env=env, stdin=stdin) for c, env, stdin in launches
                    ]:
                        os.waitpid(pid, 0)
                if number:
                    times.append(time.perf_counter() - begun)
        return statistics.median(
            a / b for a, b in zip(spent["wrapper"], spent["source"], strict=True)
        )


def turn_on(runtime: Path, interpreter: Interpreter, env: Mapping[str, str]) -> list[Made]:
    """Make the snapshots of an interpreter, as ``snapshot on`` does."""
    snapshots = Store(runtime)
    snapshots.create()
    snapshots.turn_on(loader_build.loader())
    made = making.make_all(snapshots, [interpreter], env)
    for each in made:
        if each.error:
            raise SystemExit(f"{each.kind}: {each.error}")
    return made


def measure(python: str, events: Sequence[Event], rounds: int) -> dict[str, object]:
    """Check and measure the hooks of these events under one interpreter, and print the table."""
    directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-")).resolve()
    try:
        python = cold.fresh(python, directory / "venv")
        interpreter = resolve(python, cwd=directory, env=os.environ)
        scene = Scene(directory, python, interpreter)
        for event in events:
            scene.require_same(event, ["wrapper"], b"resumed\thit\t")
        rows = [scene.row(event, rounds) for event in events]
        at_once = scene.at_once(events[:_AT_ONCE], rounds)
        size = scene.snapshots.size()
    finally:
        shutil.rmtree(directory)
    making_s, testing_s = ([getattr(m, k) for m in scene.made] for k in ("making", "testing"))
    means = {
        name: statistics.geometric_mean(getattr(row, name) for row in rows)
        for name in ("to_source", "to_bare", "cold_to_source")
    }
    worst = max(rows, key=lambda row: row.to_source)
    print(f"\n{interpreter.label}\n\n| hook | source ms | resumed ms | to source | to bare |")
    print("| --- " * 5 + "|")
    for row in rows:
        print(
            f"| {row.hook} | {row.source_ms:.1f} | {row.wrapper_ms:.1f} "
            f"| {row.to_source:.3f} | {row.to_bare:.3f} |"
        )
    print(
        f"\n{len(rows)} hooks: geometric mean {means['to_source']:.3f} of the source (bound "
        f"{MEAN_BOUND}), {means['to_bare']:.3f} of the bare interpreter (bound "
        f"{BARE_BOUND}); worst {worst.hook} "
        f"{worst.to_source:.3f} (bound {WORST_BOUND}); cold {means['cold_to_source']:.3f}"
    )
    print(f"{_AT_ONCE} at once: {at_once:.3f} of the source (bound {AT_ONCE_BOUND})")
    print(
        f"{len(scene.made)} snapshots, {size >> 20} MB; at most {max(making_s):.1f} s to make and "
        f"{max(testing_s):.1f} s to test"
    )
    return {
        "python": interpreter.label,
        "hooks": [asdict(row) for row in rows],
        "at_once": at_once,
        **means,
    }


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", action="append", help="an interpreter; several times for more")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--hooks", metavar="PATTERN", default="*", help="only these, as fnmatch")
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON into FILE")
    arguments = parser.parse_args()
    events = [event for event in MEASURED if fnmatch.fnmatch(event.hook, arguments.hooks)]
    tables = [
        measure(python, events, arguments.rounds)
        for python in arguments.python or list(cold.found())
    ]
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(tables, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
