"""Cold launches of hooks of public shapes: ``python -m benchmarks.cold``.

Lays the hooks of ``benchmarks/hooks`` into throw-away projects, and measures ``PYTHON hook.py`` as
if hooks-compile were not there against ``hook_wrapper.sh --python=PYTHON hook.py``, and against the
launcher without the wrapper. All are run in turn, in every round; what is printed are medians of
the ratios of a round. Before that each hook is checked: source and wrapper give the same stdout,
stderr and exit status, and the launch is a hit.

The interpreters are ``--python CMD`` (several times for more), else CPython 3.11 to 3.15 and the
system's, if they are found. Each runs in a fresh virtual environment without pip, because the
``.pth`` files of a full site-packages (setuptools brings one) cost up to 20 ms of each launch, in
source and wrapper alike, and hide the rest; ``--as-is`` takes the interpreter itself.

Wall clock decides. The processor time of the launch is printed too, since it is steadier on a
busy machine. PYTHONDONTWRITEBYTECODE and all else of the caller's environment are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import hook_project, timing
from benchmarks.hook_events import MEASURED, Event
from hooks_compile.entries.compiler import Compiler
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.model import HookSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from benchmarks.timing import Spent
    from hooks_compile.model import Imports, Interpreter

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
MEAN_BOUND = 0.87
WORST_BOUND = 1.02

_KINDS = ("source", "wrapper", "launcher")


@dataclass(frozen=True)
class Row:
    """One hook: the source's median in milliseconds, the others as ratios to it."""

    hook: str
    lines: int
    leaves_early: bool
    source_ms: float
    wrapper: float
    launcher: float
    source_cpu_ms: float
    wrapper_cpu: float
    launcher_cpu: float

    @classmethod
    def create(cls, event: Event, spent: dict[str, list[Spent]]) -> Row:
        """Make the row from all rounds."""

        def ratio(kind: str, of: Callable[[Spent], float]) -> float:
            pairs = zip(spent[kind], spent["source"], strict=True)
            return statistics.median(of(a) / of(b) for a, b in pairs)

        source = (hook_project.SOURCES / event.hook).read_bytes()
        return cls(
            event.hook,
            source.count(b"\n"),
            event.leaves_early,
            statistics.median(map(wall, spent["source"])) * 1000,
            ratio("wrapper", wall),
            ratio("launcher", wall),
            statistics.median(map(cpu, spent["source"])) * 1000,
            ratio("wrapper", cpu),
            ratio("launcher", cpu),
        )


@dataclass(frozen=True)
class Table:
    """All hooks under one interpreter."""

    python: str
    rows: list[Row]

    @property
    def mean(self) -> float:
        """The geometric mean of wrapper/source."""
        return statistics.geometric_mean(row.wrapper for row in self.rows)

    @property
    def worst(self) -> Row:
        """The hook that gains least."""
        return max(self.rows, key=lambda row: row.wrapper)

    @property
    def holds(self) -> bool:
        """Whether the bounds hold: the mean's, and each hook's."""
        return self.mean <= MEAN_BOUND and self.worst.wrapper <= WORST_BOUND

    def as_json(self) -> dict[str, object]:
        """Return what a program may want of it."""
        return {
            "python": self.python,
            "hooks": [asdict(row) for row in self.rows],
            "geometric_mean": self.mean,
            "worst": self.worst.hook,
            "mean_bound": MEAN_BOUND,
            "worst_bound": WORST_BOUND,
            "holds": self.holds,
        }


def wall(spent: Spent) -> float:
    """Return the seconds by the clock."""
    return spent.wall


def cpu(spent: Spent) -> float:
    """Return the seconds of the processor."""
    return spent.cpu


class Shown(NamedTuple):
    """What a launch showed."""

    status: int
    stdout: bytes
    stderr: bytes


class Scene:
    """A project as if we were not there, and one whose hooks are compiled and on the wrapper."""

    def __init__(
        self,
        directory: Path,
        python: str,
        interpreter: Interpreter,
        imports: Imports = "as-written",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Lay both into an empty ``directory``, and compile for ``interpreter``.

        ``variables`` are added to the environment of each launch.
        """
        self.python = python
        self.variables = variables or {}
        self.plain = directory / "plain"  # names of one length: paths are part of what is read
        self.wired = directory / "wired"
        self.event = directory / "event"
        self.runtime = directory / "runtime"
        hook_project.lay_hooks(self.plain)
        hooks = hook_project.lay_hooks(self.wired)
        self.launch = runtime_directory.ensure(self.runtime)
        wrapper.write(hooks)
        self.wrapper = hooks / wrapper.NAME
        with Compiler([interpreter], runtime_directory.read_key(self.runtime)) as compiler:
            results = compiler.compile(
                [HookSource(hooks / event.hook, imports=imports) for event in MEASURED]
            )
            modules = [HookSource(path) for path in hook_project.modules(hooks)]
            results += compiler.modules(modules, write=True)
        for result in results:
            if result.error is not None:
                raise SystemExit(f"{result.source.path}: {result.error}")

    def commands(self, event: Event, project: Path) -> dict[str, list[str]]:
        """Return the ways to launch the event's hook in a project."""
        words = hook_project.words(event, project)
        return {
            "source": [self.python, *words],
            "wrapper": [str(self.wrapper), f"--python={self.python}", *words],
            "launcher": [self.python, str(self.launch), *words],
        }

    def environment(self, project: Path, **extra: str) -> dict[str, str]:
        """Return the environment of a launch."""
        home = str(self.runtime)
        return hook_project.environment(project, HOOKS_COMPILE_HOME=home, **self.variables, **extra)

    def check(self, event: Event) -> None:
        """Compare source and wrapper; raise SystemExit if they differ or it is no hit."""
        source = self.require_same(event, _KINDS[1:], b"hit\t")
        if source.status != event.status:
            raise SystemExit(f"{event.hook} exits with {source}, not {event.status}")

    def require_same(self, event: Event, kinds: Iterable[str], traced: bytes) -> Shown:
        """Return what the source shows.

        Raise SystemExit if a launch of other ``kinds`` shows something else, or if its line of the
        trace does not begin with ``traced``.
        """
        source, _ = self._show(event, "source")
        for kind in kinds:
            shown, trace = self._show(event, kind)
            if not trace.startswith(traced):
                raise SystemExit(f"{event.hook}, {kind}: {trace.decode()}")
            if shown != source:
                raise SystemExit(f"{event.hook}: {kind} {shown}, source {source}")
        return source

    def _show(self, event: Event, kind: str) -> tuple[Shown, bytes]:
        trace = self.event.with_name("trace")
        hook_project.reset(self.wired)
        trace.unlink(missing_ok=True)
        done = subprocess.run(
            self.commands(event, self.wired)[kind],
            cwd=self.wired,
            env=self.environment(self.wired, HOOKS_COMPILE_TRACE=str(trace)),
            input=hook_project.stdin(event, self.wired),
            capture_output=True,
            check=False,
        )
        shown = Shown(done.returncode, done.stdout, done.stderr)
        return shown, trace.read_bytes() if trace.exists() else b""

    def lay_event(self, event: Event) -> None:
        """Make both projects as on the first day, and write what the hook reads in each."""
        for project in (self.plain, self.wired):
            hook_project.reset(project)
            self.input_of(project).write_bytes(hook_project.stdin(event, project))

    def input_of(self, project: Path) -> Path:
        """Return the file with what a hook in ``project`` reads."""
        return self.event.with_name(f"event-{project.name}")

    def measure(self, event: Event, rounds: int) -> Row:
        """Launch the event's hook in turn, each way ``rounds`` times."""
        spent: dict[str, list[Spent]] = {kind: [] for kind in _KINDS}
        projects = {kind: self.plain if kind == "source" else self.wired for kind in _KINDS}
        self.lay_event(event)
        commands = {kind: self.commands(event, projects[kind])[kind] for kind in _KINDS}
        for number in range(rounds + 1):
            # to and fro, so that nobody always comes after the same
            for kind in _KINDS if number % 2 else reversed(_KINDS):
                project = projects[kind]
                with contextlib.chdir(project):
                    one = timing.spawn(
                        commands[kind],
                        env=self.environment(project),
                        stdin=self.input_of(project),
                    )
                if one.status != event.status:
                    raise SystemExit(f"{event.hook}: {kind} exits with {one.status}")
                if number:  # the first one warms the disk's cache, and Python's for modules
                    spent[kind].append(one)
        return Row.create(event, spent)


def found() -> Iterator[str]:
    """Give the interpreters of VERSIONS that are on this machine, and the system's own."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    unpacked = Path(os.environ.get("HOOKS_COMPILE_PYTHONS", "/nowhere"))
    for version in VERSIONS:
        known = sorted((pyenv / "versions").glob(f"{version}.*/bin/python3"))
        known += unpacked.glob(f"{version}/bin/python3")
        for candidate in (sys.executable, *known, shutil.which(f"python{version}")):
            if candidate and _version(candidate) == version:
                yield str(candidate)
                break
    if Path("/usr/bin/python3").exists() and _version("/usr/bin/python3") in VERSIONS:
        yield "/usr/bin/python3"


def _version(python: str | Path) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(
        [python, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def fresh(python: str, directory: Path) -> str:
    """Make a virtual environment without a package, and return its Python."""
    command = [python, "-m", "venv", "--without-pip", str(directory)]
    subprocess.run(command, check=True, env=timing.environment())
    return str(directory / "bin" / "python")


def measure(
    python: str,
    events: Sequence[Event],
    rounds: int,
    imports: Imports,
    *,
    as_is: bool,
    normal_exit: bool,
    progress: bool,
) -> Table:
    """Check and measure the hooks of these events under one interpreter."""
    directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-")).resolve()
    try:
        if not as_is:
            python = fresh(python, directory / "venv")
        interpreter = resolve(python, cwd=directory, env=os.environ)
        if as_is:
            python = str(interpreter.executable)
        variables = {"HOOKS_COMPILE_NORMAL_EXIT": "1"} if normal_exit else {}
        scene = Scene(directory, python, interpreter, imports, variables)
        for event in events:
            scene.check(event)
        rows = []
        for number, event in enumerate(events, 1):
            if progress:
                print(f"\r{number}/{len(events)} {event.hook:<30}", end="", file=sys.stderr)
            rows.append(scene.measure(event, rounds))
        if progress:
            print(f"\r{'':<40}\r", end="", file=sys.stderr)
        return Table(interpreter.label, rows)
    finally:
        shutil.rmtree(directory)


def show(table: Table) -> None:
    """Print the table, and what it comes to."""
    header = ["hook", "lines", "leaves early", "source ms", "wrapper/source", "launcher/source"]
    header += ["source CPU ms", "wrapper/source CPU", "launcher/source CPU"]
    print(f"\n{table.python}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in table.rows:
        cells = [row.hook, str(row.lines), "yes" if row.leaves_early else ""]
        cells += [f"{row.source_ms:.1f}", f"{row.wrapper:.3f}", f"{row.launcher:.3f}"]
        cells += [f"{row.source_cpu_ms:.1f}", f"{row.wrapper_cpu:.3f}", f"{row.launcher_cpu:.3f}"]
        print("| " + " | ".join(cells) + " |")
    print(f"\n{len(table.rows)} hooks, {_means(table.rows)}")
    for name, early in (("that leave early", True), ("that do their work", False)):
        rows = [row for row in table.rows if row.leaves_early is early]
        if rows:
            print(f"{len(rows)} {name}, {_means(rows)}")
    print(f"worst: {table.worst.hook} {table.worst.wrapper:.3f}")
    verdict = "hold" if table.holds else "do NOT hold"
    print(f"bounds {verdict}: mean at most {MEAN_BOUND}, each hook at most {WORST_BOUND}")


def _means(rows: Sequence[Row]) -> str:
    mean = statistics.geometric_mean
    by_clock, by_cpu = mean(row.wrapper for row in rows), mean(row.wrapper_cpu for row in rows)
    alone = mean(row.launcher for row in rows)
    return (
        f"geometric mean: wrapper/source {by_clock:.3f} (CPU {by_cpu:.3f}), "
        f"launcher/source {alone:.3f}"
    )


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", action="append", help="an interpreter; several times for more")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--hooks", metavar="PATTERN", default="*", help="only these, as fnmatch")
    parser.add_argument("--deferred", action="store_true", help='with imports = "deferred"')
    parser.add_argument("--as-is", action="store_true", help="no fresh virtual environment")
    parser.add_argument("--normal-exit", action="store_true", help="Python ends each launch")
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    arguments = parser.parse_args()
    events = [event for event in MEASURED if fnmatch.fnmatch(event.hook, arguments.hooks)]
    pythons = arguments.python or list(found())
    if not events or not pythons:
        parser.error("no such hook" if pythons else "no CPython was found: give one by --python")
    before = timing.machine()
    if not arguments.json:
        print(f"{before}, {arguments.rounds} rounds", flush=True)
    tables = []
    for python in pythons:
        table = measure(
            python,
            events,
            arguments.rounds,
            "deferred" if arguments.deferred else "as-written",
            as_is=arguments.as_is,
            normal_exit=arguments.normal_exit,
            progress=sys.stderr.isatty(),
        )
        tables.append(table)
        if not arguments.json:
            show(table)
    if arguments.json:
        result = {"machine": before, "rounds": arguments.rounds}
        print(json.dumps(result | {"interpreters": [t.as_json() for t in tables]}, indent=2))
    else:
        print(f"\n{timing.machine()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
