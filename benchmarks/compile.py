"""Many sources, compiled by us and by ``compileall``: ``python -m benchmarks.compile``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import shapes, timing

_COMMAND = [sys.executable, "-m", "hooks_compile"]


def measure(count: int, python: str, rounds: int, folder: Path) -> list[str]:
    """Return the row of the table for ``count`` sources; ``folder`` is empty and thrown away."""
    hooks = folder / "hooks"
    hooks.mkdir()
    for number in range(count):
        (hooks / f"hook_{number}.py").write_text(f"{shapes.USUAL}# {number}\n")
    env = timing.environment(HOOKS_COMPILE_HOME=str(folder / "runtime"))
    ours = [*_COMMAND, "compile", "--python", python, str(hooks)]
    check = [*_COMMAND, "check", "--python", python, str(hooks)]
    theirs = [python, "-m", "compileall", "-q", "-j0", str(hooks)]
    seconds: dict[str, list[float]] = {"ours": [], "theirs": [], "check": []}
    for _ in range(rounds):
        for name, command in (("ours", ours), ("check", check), ("theirs", theirs)):
            if name != "check":
                for cache in ("__pycache__", "__pycache_opt__"):
                    shutil.rmtree(hooks / cache, ignore_errors=True)
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
    for count in arguments.counts:
        folder = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
        try:
            print(
                "| " + " | ".join(measure(count, arguments.python, arguments.rounds, folder)) + " |"
            )
        finally:
            shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
