"""Makes ``docs/results.md``: ``python -m benchmarks.results > docs/results.md``.

What ``hooks-compile bench`` measures, for the hooks of ``benchmarks/hooks`` under each CPython that
``benchmarks.cold`` finds: the source against the wrapper and the usual other ways. Each
interpreter runs in a fresh virtual environment, since the ``.pth`` files of a full site-packages
cost each launch up to 20 ms and hide the rest. Those of a pyenv whose shims are on PATH have a
shim, too. Cython, Nuitka and PyPy are measured with a few hooks under one Python, if they are
installed for it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import cold, hook_project, shims, timing
from benchmarks.hook_events import MEASURED, Event
from hooks_compile import agents
from hooks_compile.bench import measure
from hooks_compile.bench.payloads import Payload
from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.project.record import open_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hooks_compile.bench.results import Results, Way

USUAL = ("resumed", "pyc", "uv", "shim")
BUILT = ("resumed", "pyc", "cython", "nuitka", "pypy", "uv")
BUILT_FOR = "3.13"
FEW = ("ping.py", "block-env.py", "bash-guard.py", "context_capture.py", "secret_scanner.py")
# What each way asks of its user; the rest of the table is measured.
KEEPING = {
    "wrapper": ("hooks-compile", "none: each launch looks at the source"),
    "resumed": ("hooks-compile, Linux", "none: each launch looks at the source"),
    "pyc": ("bash", "an edit within the second of the last compile runs old code"),
    "cython": ("Cython, a C compiler", "build after each edit, for each Python and machine"),
    "nuitka": ("Nuitka, a C compiler", "build after each edit, for each Python and machine"),
    "pypy": ("PyPy", "another Python with packages of its own"),
    "uv": ("uv", "none"),
    "shim": ("pyenv or another manager", "none"),
}


class Work(NamedTuple):
    """A hook with little and with much to do."""

    little: Event
    much: Event


def scan(lines: int) -> Event:
    """Return an event for which the secret scanner reads a file of so many lines."""
    text = "".join(f"value_{n} = compute({n}, 'item {n}')\\n" for n in range(lines))
    stdin = f'{{"tool_name": "Write", "tool_input": {{"file_path": "a.py", "content": "{text}"}}}}'
    return Event("secret_scanner.py", stdin)


WORK = Work(scan(1), scan(20_000))


def run(
    python: str, env: dict[str, str], events: Iterable[Event], ways: Sequence[str], seconds: float
) -> Results:
    """Measure the hooks of these events under one interpreter, ``seconds`` in all."""
    with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as name:
        project = Path(name).resolve() / "project"
        hooks = hook_project.lay_hooks(project)
        hook_project.reset(project)
        inside = hook_project.environment(project) | env
        tasks = [
            measure.Task(hooks / event.hook, Payload(event.hook, event.arguments, event.stdin))
            for event in events
        ]
        return measure.measure(
            measure.Plan(
                open_project(project, inside, agents=agents),
                tasks,
                resolve(python, cwd=project, env=inside),
                inside,
                ways,
                seconds,
                progress=_show_progress,
            )
        )


def _show_progress(step: str, share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {step:<50}", end="", file=sys.stderr)


def interpreters(directory: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield a fresh Python of each version, and the variables that put its shim on PATH."""
    env = timing.environment()
    try:
        shim = find("python3", cwd=directory, env=env)
        root = shim.parents[1] if is_shim(shim) else None
    except InterpreterError:
        root = None
    found = list(cold.found())
    ours = {Path(p).parents[1].name: p for p in found if root and Path(p).is_relative_to(root)}
    without_shims = ":".join(each for each in env["PATH"].split(":") if Path(each).name != "shims")
    pyenv = shims.fresh(root, list(ours), directory) if root and ours else directory
    for number, python in enumerate(found):
        version = next((name for name, path in ours.items() if path == python), "")
        if version:
            path = f"{pyenv / 'shims'}:{env['PATH']}"
            variables = {"PATH": path, "PYENV_ROOT": str(pyenv), "PYENV_VERSION": version}
            yield str(pyenv / "versions" / version / "bin/python3"), variables
        else:
            yield cold.fresh(python, directory / f"venv-{number}"), {"PATH": without_shims}


def usual_table(tables: Sequence[Results]) -> Iterator[str]:
    """Yield a row for each interpreter: the geometric mean and the slowest hook of each way."""
    names = ("wrapper", *USUAL)
    yield "| Python | hooks | source, median | " + " | ".join(names) + " |"
    yield "|" + " --- |" * (3 + len(names))
    for table in tables:
        source = statistics.median(hook.source.median for hook in table.hooks)
        cells = [table.python, str(len(table.hooks)), f"{source * 1000:.1f} ms"]
        cells += [_mean_and_worst(ratios_of(table, name)) for name in names]
        yield "| " + " | ".join(cells) + " |"


def ratios_of(table: Results, name: str) -> list[float]:
    """Return the ratios of one way to the source, one for each hook that it shows the same of."""
    return [
        found.value
        for hook in table.hooks
        for way in hook.ways
        if way.name == name and (found := hook.ratio(way)) is not None
    ]


def _is(way: Way, name: str) -> bool:
    return way.name == name and not way.unequal


def _mean_and_worst(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    return f"{statistics.geometric_mean(ratios):.2f} (to {max(ratios):.2f}, {len(ratios)} hooks)"


def built_table(launches: Results, work: Results) -> Iterator[str]:
    """Yield a row for each way: start-up, execution, and what it asks of its user."""
    little, much = work.hooks
    source = much.source.median - little.source.median
    yield "| way | start-up | execution | built in | size | needs | upkeep |"
    yield "|" + " --- |" * 7
    for name, (needs, upkeep) in KEEPING.items():
        ways = [way for hook in launches.hooks for way in hook.ways if way.name == name]
        if not ways:
            continue
        spent = [way.median for hook in (little, much) for way in hook.ways if _is(way, name)]
        executed = f"{(spent[1] - spent[0]) / source:.2f}" if len(spent) == len(work.hooks) else ""
        seconds = statistics.median(way.build_seconds for way in ways)
        size = statistics.median(way.size for way in ways)
        built = f"{seconds:.1f} s" if name in ("cython", "nuitka") else ""
        start = _mean_and_worst(ratios_of(launches, name))
        cells = [name, start, executed, built, f"{size / 1e6:.1f} MB" if built else ""]
        yield "| " + " | ".join((*cells, needs, upkeep)) + " |"


def main() -> int:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--time", type=float, default=300.0, help="seconds for each interpreter")
    arguments = parser.parse_args()
    machine = timing.machine()
    with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as name:
        directory = Path(name).resolve()
        pythons = list(interpreters(directory))
        tables = [run(*python, MEASURED, USUAL, arguments.time) for python in pythons]
        built_for = next(
            (number for number, t in enumerate(tables) if f" {BUILT_FOR}." in t.python), 0
        )
        few = [next(event for event in MEASURED if event.hook == hook) for hook in FEW]
        launches = run(*pythons[built_for], few, BUILT, arguments.time)
        work = run(*pythons[built_for], WORK, BUILT, arguments.time)
    print(f"# Results\n\nMade by `python -m benchmarks.results` on {time.strftime('%Y-%m-%d')}.")
    print(f"{machine} at the start. Ratios to the source, both run in turn;")
    print("[how](bench.md) they are measured.\n")
    print("## Hooks of public shapes\n\nGeometric mean, and the slowest hook.\n")
    print("\n".join(usual_table(tables)))
    print(
        f"\n## Ways to make a hook faster\n\n{len(few)} hooks under {launches.python}. Start-up is"
    )
    print("a whole launch. Execution is the time that the secret scanner takes for 20,000 lines.\n")
    print("\n".join(built_table(launches, work)))
    left_out = {**launches.left_out, **work.left_out}
    for hook in launches.hooks:
        left_out |= {f"{way} of {hook.hook}": why for way, why in hook.refused.items()}
    for what, why in left_out.items():
        print(f"\n{what} was not measured: {why.splitlines()[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
