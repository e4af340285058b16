"""How long after a save the compiled hook is on disk: hooks-watch and two usual ways, in turn.

``python -m benchmarks.watcher [--saves N] [--counts 10 1000 10000] [--python CMD]...``

Each save adds a line to a random hook, in place or by renaming a new file over it, by turns; the
clock runs from the return of the last write (or of the rename) until the compiled form of exactly
this content is there. The others are ``watchmedo shell-command`` and the command ``watchfiles``,
both with ``python -m compileall``; one that is not installed is left out.
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
from hooks_compile import interpreters, runtime_folder
from hooks_compile.runtime import entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hooks_compile.model import Interpreter

_BLOCK = 50
_SETTLING_S = 2.0
_PATIENCE_S = 3.0
_IN_ONE_FOLDER = 1000
_COMPILEALL = "python -m compileall -q"


@dataclass
class Watcher:
    """A way to have hooks compiled at save; ``is_done`` tells it of a hook and its new content."""

    name: str
    command: Sequence[str]
    is_done: Callable[[Path, bytes], bool]
    seconds: list[float] = field(default_factory=list)
    missed: int = 0


def entries_are_there(key: bytes, found: Sequence[Interpreter]) -> Callable[[Path, bytes], bool]:
    """Return the test for our entries: one for each interpreter, at whatever level."""

    def test(hook: Path, content: bytes) -> bool:
        folder = hook.parent / entry.FOLDER
        suffix = entry.entry_suffix(key, content)
        prefixes = [entry.entry_prefix(hook.name, each.cache_tag) for each in found]
        return all(
            any((folder / f"{prefix}{level}{suffix}").exists() for level in (2, 1, 0))
            for prefix in prefixes
        )

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


def watchers(
    hooks: Path, runtime: Path, commands: Sequence[str], env: dict[str, str]
) -> Iterator[Watcher]:
    """Go through what is installed."""
    found = [interpreters.resolve(each, cwd=hooks, env=os.environ) for each in commands]
    runtime_folder.ensure(runtime)
    options = [word for each in found for word in ("--python", str(each.executable))]
    ours = [sys.executable, "-m", "watcher", "--json", *options, str(hooks)]
    test = entries_are_there(runtime_folder.read_key(runtime), found)
    yield Watcher("hooks-watch", ours, test)
    python = found[0].executable
    compileall = _COMPILEALL.replace("python", str(python), 1)
    test = pyc_is_there(found[0].cache_tag)
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    if watchmedo := shutil.which("watchmedo", path=path):
        per_file = [
            watchmedo,
            *("shell-command", "--recursive", "--ignore-directories", "--patterns=**/*.py"),
            f"--command={compileall} ${{watch_src_path}} ${{watch_dest_path}}",
            str(hooks),
        ]
        yield Watcher("watchmedo, compileall FILE", per_file, test)
    if watchfiles := shutil.which("watchfiles", path=path):
        whole = [watchfiles, "--filter", "python", f"{compileall} {hooks}", str(hooks)]
        yield Watcher("watchfiles, compileall FOLDER", whole, test)


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
    """Return when ``test`` became true, None where it did not."""
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
def running(watcher: Watcher, hooks: Sequence[Path], env: dict[str, str]) -> Iterator[None]:
    """Run the watcher, and wait until a first save has come through."""
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
        yield
    finally:
        process.terminate()
        process.wait()


def measure(count: int, saves: int, commands: Sequence[str], folder: Path) -> list[Watcher]:
    """Return the watchers with what was measured over ``count`` hooks in an empty ``folder``."""
    hooks = []
    for number in range(count):
        hook = folder / "hooks" / f"part_{number // _IN_ONE_FOLDER}" / f"hook_{number}.py"
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(f"{shapes.USUAL}# {number}\n")
        hooks.append(hook)
    env = timing.environment(HOOKS_COMPILE_HOME=str(folder / "runtime"))
    all_watchers = list(watchers(folder / "hooks", folder / "runtime", commands, env))
    chance = random.Random(count)  # noqa: S311 - no secret
    ways = itertools.cycle((False, True))
    for start in range(0, saves, _BLOCK):
        for watcher in all_watchers:
            with running(watcher, hooks, env):
                for _ in range(min(_BLOCK, saves - start)):
                    hook = chance.choice(hooks)
                    content = hook.read_bytes() + b"# %d\n" % chance.getrandbits(30)
                    time.sleep(0.05 + chance.random() / 10)
                    saved = save(hook, content, rename=next(ways))
                    done = wait_until(functools.partial(watcher.is_done, hook, content))
                    if done is None:
                        watcher.missed += 1
                    else:
                        watcher.seconds.append(done - saved)
    return all_watchers


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--saves", type=int, default=100)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--python", action="append", default=[], help="once for each of several")
    arguments = parser.parse_args()
    print(timing.machine())
    print("| hooks | watcher | median ms | 90 % | 99 % | worst | missed of |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in arguments.counts:
        folder = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-")).resolve()
        try:
            commands = arguments.python or [os.path.realpath(sys.executable)]
            for watcher in measure(count, arguments.saves, commands, folder):
                print(row(count, watcher, arguments.saves), flush=True)
        finally:
            shutil.rmtree(folder)
    print(timing.machine())
    return 0


def row(count: int, watcher: Watcher, saves: int) -> str:
    """Return the table's row."""
    ms = sorted(seconds * 1000 for seconds in watcher.seconds) or [float("nan")]
    parts = [ms[min(int(len(ms) * share), len(ms) - 1)] for share in (0.9, 0.99)]
    cells = [f"{value:.1f}" for value in (statistics.median(ms), *parts, ms[-1])]
    return f"| {count:,} | {watcher.name} | {' | '.join(cells)} | {watcher.missed} of {saves} |"


if __name__ == "__main__":
    raise SystemExit(main())
