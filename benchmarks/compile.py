"""Many sources, compiled by us and by ``compileall``: ``python -m benchmarks.compile``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import shapes, timing

_COMMAND = [sys.executable, "-m", "hooks_compile"]


def measure(count: int, python: str, rounds: int, directory: Path) -> list[str]:
    """Return the row of the table for ``count`` sources; ``directory`` is new and thrown away.

    What a run has written is moved away and stays until the end: ext4 searches long for a free
    inode if many have just been deleted, and that would be much of what is measured.
    """
    hooks = directory / "hooks"
    hooks.mkdir(parents=True)
    for number in range(count):
        (hooks / f"hook_{number}.py").write_text(f"{shapes.USUAL}# {number}\n")
    env = timing.environment(HOOKS_COMPILE_HOME=str(directory / "runtime"))
    ours = [*_COMMAND, "compile", "--python", python, str(hooks)]
    check = [*_COMMAND, "check", "--python", python, str(hooks)]
    theirs = [python, "-m", "compileall", "-q", "-j0", str(hooks)]
    seconds: dict[str, list[float]] = {"ours": [], "theirs": [], "check": []}
    for round_ in range(rounds):
        for name, command in (("ours", ours), ("check", check), ("theirs", theirs)):
            for cache in hooks.glob("__pycache*__") if name != "check" else ():
                cache.rename(directory / f"{name}{round_}{cache.name}")
            start = time.perf_counter()
            subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
            seconds[name].append(time.perf_counter() - start)
            if name == "theirs":
                break
    timed = {name: timing.Timing(tuple(values)) for name, values in seconds.items()}
    return [
        f"{count:,}",
        *(f"{timed[name].median_ms:.0f}" for name in ("ours", "theirs")),
        f"{timed['ours'].ratio_to(timed['theirs']):.2f}",
        f"{timed['check'].median_ms:.0f}",
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=os.path.realpath(sys.executable))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1_000, 10_000])
    arguments = parser.parse_args()
    print(timing.machine())
    print("| sources | compile ms | compileall -j0 ms | ratio | check, nothing to do, ms |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="hooks-compile-bench-") as directory:
        for count in arguments.counts:
            own = Path(directory, str(count))
            row = measure(count, arguments.python, arguments.rounds, own)
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
