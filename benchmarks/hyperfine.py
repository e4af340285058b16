"""Compares ``hooks-compile bench`` with hyperfine: ``python -m benchmarks.hyperfine``.

A few hooks are measured by both, from source and by the wrapper, under the ``python3`` of PATH.
The hooks get no event, since the hyperfine of Debian can give none without a shell. hyperfine
(https://github.com/sharkdp/hyperfine) is started for a few launches of each way in turn: a machine
changes its speed over a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import hook_project, timing
from benchmarks.hook_events import MEASURED
from hooks_compile import agents
from hooks_compile.bench import measure, methods
from hooks_compile.bench.estimates import ratio
from hooks_compile.bench.payloads import Payload
from hooks_compile.bench.scratch import Scratch
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.project.record import open_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.hook_events import Event

HOOKS = ("ping.py", "bash-guard.py", "context_capture.py")
WAYS = ("source", "wrapper")
_RUNS_IN_A_ROW = 2  # the fewest that it makes


def plan(directory: Path, event: Event, python: str, seconds: float) -> measure.Plan:
    """Return what ``bench`` measures for one event, in a project under ``directory``."""
    project = directory / "project"
    hooks = hook_project.lay_hooks(project)
    hook_project.reset(project)
    inside = hook_project.environment(project)
    task = measure.Task(hooks / event.hook, Payload(event.hook, event.arguments, ""))
    interpreter = resolve(python, cwd=project, env=inside)
    opened = open_project(project, inside, agents=agents)
    return measure.Plan(opened, [task], interpreter, inside, seconds=seconds)


def by_hyperfine(what: measure.Plan, directory: Path, runs: int) -> list[list[float]]:
    """Return the seconds of the launches of each way, as hyperfine measures them."""
    task = what.tasks[0]
    scratch = Scratch(what.project, directory)
    commands = []
    for name in WAYS:
        copy = scratch.copy()
        env = copy.environment(what.env, what.project.root)
        hook = copy.project / task.hook.relative_to(what.project.root)
        built = methods.build(name, methods.Job(hook, copy, what.python, env))
        commands.append((shlex.join((*built.words, *task.payload.arguments)), copy.project, env))
    found: list[list[float]] = [[] for _ in WAYS]
    report = directory / "report.json"
    for _ in range(runs // _RUNS_IN_A_ROW):
        for times, (command, cwd, env) in zip(found, commands, strict=True):
            options = ("--ignore-failure", f"--runs={_RUNS_IN_A_ROW}", "--shell=none")
            subprocess.run(
                ["hyperfine", *options, f"--export-json={report}", command],
                cwd=cwd,
                env=env | {"PATH": os.environ["PATH"]},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            times.extend(json.loads(report.read_bytes())["results"][0]["times"])
    return found


def rows(python: str, seconds: float, runs: int) -> Iterator[str]:
    """Yield a line for each hook and way: both medians, and both ratios with their intervals."""
    yield f"{'hook':20} {'way':8} {'bench':>9} {'hyperfine':>10}   ratio of bench, of hyperfine"
    for event in (event for event in MEASURED if event.hook in HOOKS):
        with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as name:
            directory = Path(name).resolve()
            what = plan(directory, event, python, seconds)
            (ours,) = measure.measure(what).hooks
            scratch = directory / "hyperfine"
            scratch.mkdir()
            theirs = by_hyperfine(what, scratch, runs)
        for way, times in zip(ours.ways, theirs, strict=True):
            line = f"{event.hook:20} {way.name:8} {way.median * 1000:6.1f} ms "
            line += f"{sorted(times)[len(times) // 2] * 1000:7.1f} ms"
            found = ours.ratio(way)
            if way.name != "source" and found is not None:
                other = ratio(times, theirs[0])
                line += f"   {found.value:.3f} ± {found.precision:.3f}"
                line += f"   {other.value:.3f} ± {other.precision:.3f}"
            yield line


def main() -> int:
    """Measure, and print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default="python3")
    parser.add_argument("--time", type=float, default=30.0, help="seconds of bench for each hook")
    parser.add_argument("--runs", type=int, default=200, help="launches by hyperfine for each way")
    arguments = parser.parse_args()
    print(timing.machine())
    for line in rows(arguments.python, arguments.time, arguments.runs):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
