"""How long after a save the compiled hook is on disk: hooks-watch and two usual ways, in turn.

``python -m benchmarks.watcher`` takes about four minutes. Each save adds a line to a random hook,
in place or by renaming a new file over it, by turns; the clock runs from the return of the last
write (or of the rename) until the compiled form of exactly this content is there. The others are
``watchmedo shell-command``, which comes with watchdog, and the command ``watchfiles``, both with
``python -m compileall``; to have it measured too: ``pip install watchfiles``. They are slower by so
much that fewer saves do.

``python -m benchmarks.watcher --idle`` takes two minutes: what hooks-watch needs of processor and
memory while nobody saves anything.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import shapes, timing
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters import resolve as interpreters
from hooks_compile.launcher import entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hooks_compile.model import Interpreter

# Median and 99th percentile in milliseconds, processor in percent, memory in MiB.
LATENCY_BOUNDS = {10: (15, 60), 1_000: (15, 60), 10_000: (30, 120)}
IDLE_BOUND = 0.1
MEMORY_BOUND = 50

_TURNS = 2
_IDLE_S = 60.0
_SETTLING_S = 2.0
_PATIENCE_S = 3.0
_IN_ONE_DIRECTORY = 1000
_COMPILEALL = "python -m compileall -q"


@dataclass
class Watcher:
    """A way to have hooks compiled at save; ``is_done`` tells it of a hook and its new content."""

    name: str
    command: Sequence[str]
    is_done: Callable[[Path, bytes], bool]
    saves: int
    seconds: list[float] = field(default_factory=list)
    missed: int = 0
    mib: float = float("nan")


def entries_are_there(key: bytes, found: Sequence[Interpreter]) -> Callable[[Path, bytes], bool]:
    """Return the test for our entries: one for each interpreter, at whatever level."""

    def test(hook: Path, content: bytes) -> bool:
        directory = hook.parent / entry.CACHE_DIRECTORY
        names = [entry.entry_names(key, content, hook.name, each.cache_tag) for each in found]
        return all(any((directory / name).exists() for name in each.values()) for each in names)

    return test


def pyc_is_there(tag: str) -> Callable[[Path, bytes], bool]:
    """Return the test for Python's own form; the size, which grows at each save, tells its age."""

    def test(hook: Path, content: bytes) -> bool:
        try:
            head = (hook.parent / "__pycache__" / f"{hook.stem}.{tag}.pyc").read_bytes()[:16]
        except OSError:
            return False
        return int.from_bytes(head[12:16], "little") == len(content)

    return test


def ours(hooks: Path, runtime: Path, commands: Sequence[str], saves: int, *options: str) -> Watcher:
    """Return hooks-watch."""
    found = [interpreters.resolve(each, cwd=hooks, env=os.environ) for each in commands]
    runtime_directory.ensure(runtime)
    pythons = [word for each in found for word in ("--python", str(each.executable))]
    command = [sys.executable, "-m", "watcher", "--json", *pythons, *options, str(hooks)]
    test = entries_are_there(runtime_directory.read_key(runtime), found)
    return Watcher("hooks-watch", command, test, saves)


def others(hooks: Path, command: str, saves: int, env: dict[str, str]) -> Iterator[Watcher]:
    """Go through those that are installed."""
    python = interpreters.resolve(command, cwd=hooks, env=os.environ)
    compileall = _COMPILEALL.replace("python", str(python.executable), 1)
    test = pyc_is_there(python.cache_tag)
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    if watchmedo := shutil.which("watchmedo", path=path):
        per_file = [
            watchmedo,
            *("shell-command", "--recursive", "--ignore-directories", "--patterns=**/*.py"),
            f"--command={compileall} ${{watch_src_path}} ${{watch_dest_path}}",
            str(hooks),
        ]
        yield Watcher("watchmedo, compileall FILE", per_file, test, saves)
    if watchfiles := shutil.which("watchfiles", path=path):
        whole = [watchfiles, "--filter", "python", f"{compileall} {hooks}", str(hooks)]
        yield Watcher("watchfiles, compileall DIRECTORY", whole, test, saves)


def save(hook: Path, content: bytes, *, rename: bool) -> float:
    """Write ``content`` as an editor does, and return when that was done."""
    if rename:
        draft = hook.with_name(f".{hook.name}.new")
        draft.write_bytes(content)
        draft.replace(hook)
    else:
        with hook.open("wb") as file:
            file.write(content)
    return time.perf_counter()


def wait_until(test: Callable[[], bool], seconds: float = _PATIENCE_S) -> float | None:
    """Return when ``test`` became true, None if it did not."""
    deadline = time.perf_counter() + seconds
    while (now := time.perf_counter()) < deadline:
        if test():
            return now
        time.sleep(0.0003)
    return None


def wait_until_idle(pid: int) -> None:
    """Wait until a process has used no time for a while."""
    before, deadline = "", time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(_SETTLING_S)
        try:
            used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
        except OSError:  # no Linux: let it be enough
            return
        if before == (now := " ".join(used)):
            return
        before = now


@contextlib.contextmanager
def running(watcher: Watcher, hooks: Sequence[Path], env: dict[str, str]) -> Iterator[int]:
    """Run the watcher, wait until a first save has come through, and give its process's number."""
    process = subprocess.Popen(
        watcher.command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(10):
            content = hooks[0].read_bytes() + b"# start\n"
            save(hooks[0], content, rename=False)
            if wait_until(functools.partial(watcher.is_done, hooks[0], content)):
                break
        else:
            raise SystemExit(f"{watcher.name} does nothing: {watcher.command}")
        wait_until_idle(process.pid)  # the first look at all hooks is no save's matter
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def write_hooks(count: int, directory: Path) -> list[Path]:
    """Write hooks, not more than a thousand into one directory."""
    hooks = []
    for number in range(count):
        hook = directory / f"part_{number // _IN_ONE_DIRECTORY}" / f"hook_{number}.py"
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(f"{shapes.USUAL}# {number}\n")
        hooks.append(hook)
    return hooks


def measure(
    count: int, saves: int, fewer: int, commands: Sequence[str], directory: Path
) -> list[Watcher]:
    """Return the watchers with what was measured over ``count`` hooks in an empty ``directory``."""
    place = directory / "hooks"
    hooks = write_hooks(count, place)
    env = timing.environment(HOOKS_COMPILE_HOME=str(directory / "runtime"))
    watchers = [ours(place, directory / "runtime", commands, saves)]
    watchers += others(place, commands[0], fewer, env) if fewer else []
    chance = random.Random(count)  # noqa: S311 - no secret
    ways = itertools.cycle((False, True))
    for _ in range(_TURNS):
        for watcher in watchers:
            with running(watcher, hooks, env) as pid:
                for _ in range(-(-watcher.saves // _TURNS)):
                    hook = chance.choice(hooks)
                    content = hook.read_bytes() + b"# %d\n" % chance.getrandbits(30)
                    time.sleep(0.02 + chance.random() / 12)
                    saved = save(hook, content, rename=next(ways))
                    done = wait_until(functools.partial(watcher.is_done, hook, content))
                    if done is None:
                        watcher.missed += 1
                    else:
                        watcher.seconds.append(done - saved)
                watcher.mib = resident_mib(pid)
    return watchers


def resident_mib(pid: int) -> float:
    """Return how much memory a process has, on Linux."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return float("nan")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def processor_s(pid: int) -> float:
    """Return the time that all threads of a process have run, on Linux: seconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def measure_idle(counts: Sequence[int], commands: Sequence[str], directory: Path) -> bool:
    """Print what hooks-watch takes while nothing happens; return whether the bounds hold.

    All are idle at the same time, first without the scan of all contents, then with it.
    """
    print("| hooks | scan | processor % | memory MiB |")
    print("| --- | --- | --- | --- |")
    holds = True
    for scan, options in (("", ["--scan", "86400"]), ("every 60 s", [])):
        with contextlib.ExitStack() as stack:
            pids = {}
            for count in counts:
                place = directory / str(count)
                hooks = [*place.rglob("*.py")] or write_hooks(count, place)
                env = timing.environment(HOOKS_COMPILE_HOME=str(directory / "runtime"))
                watcher = ours(place, directory / "runtime", commands, 0, *options)
                pids[count] = stack.enter_context(running(watcher, hooks, env))
            before = {count: processor_s(pid) for count, pid in pids.items()}
            time.sleep(_IDLE_S)
            for count, pid in pids.items():
                percent = (processor_s(pid) - before[count]) / _IDLE_S * 100
                mib = resident_mib(pid)
                print(f"| {count:,} | {scan} | {percent:.3f} | {mib:.1f} |", flush=True)
                holds &= mib <= MEMORY_BOUND and (bool(scan) or percent <= IDLE_BOUND)
    return holds


def measure_saves(arguments: argparse.Namespace, commands: Sequence[str]) -> bool:
    """Print how long saves take; return whether the bounds hold."""
    print("| hooks | watcher | median ms | 90 % | 99 % | worst | missed | memory MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    holds = True
    for count in arguments.counts:
        directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-")).resolve()
        try:
            watchers = measure(count, arguments.saves, arguments.others, commands, directory)
        finally:
            shutil.rmtree(directory)
        for watcher in watchers:
            print(row(count, watcher), flush=True)
        median, late = LATENCY_BOUNDS.get(count, LATENCY_BOUNDS[10_000])
        ms = watchers[0].seconds
        holds &= statistics.median(ms) * 1000 <= median and percentile(ms, 0.99) * 1000 <= late
        holds &= not watchers[0].missed and not watchers[0].mib > MEMORY_BOUND
    return holds


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the others does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def row(count: int, watcher: Watcher) -> str:
    """Return the table's row."""
    ms = [seconds * 1000 for seconds in watcher.seconds] or [float("nan")]
    parts = [statistics.median(ms), percentile(ms, 0.9), percentile(ms, 0.99), max(ms)]
    cells = [f"{value:.1f}" for value in parts]
    cells += [f"{watcher.missed} of {watcher.missed + len(watcher.seconds)}", f"{watcher.mib:.1f}"]
    return f"| {count:,} | {watcher.name} | {' | '.join(cells)} |"


def main() -> int:
    """Print the table; exit 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--saves", type=int, default=500, help="with hooks-watch")
    parser.add_argument("--others", type=int, default=30, help="saves with each other, 0 for none")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--python", action="append", default=[], help="once for each of several")
    parser.add_argument("--idle", action="store_true", help="measure what it takes while idle")
    arguments = parser.parse_args()
    commands = arguments.python or [os.path.realpath(sys.executable)]
    print(timing.machine())
    if arguments.idle:
        with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as name:
            holds = measure_idle(arguments.counts, commands, Path(name).resolve())
    else:
        holds = measure_saves(arguments, commands)
    print(timing.machine())
    if not holds:
        print("\na bound does not hold; on a busy machine measure again", file=sys.stderr)
    return int(not holds)


if __name__ == "__main__":
    raise SystemExit(main())
