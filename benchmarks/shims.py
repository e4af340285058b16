"""The wrapper against ``python3 hook.py``, where ``python3`` is pyenv's shim.

``python -m benchmarks.shims`` takes the shim that is on PATH, and each version of CPython from 3.8
on behind it. It also counts the system calls that the wrapper makes before Python starts: without a
record, with one where ``python3`` is no shim, and past the shim. Exits 1 where a ratio is over
BOUND.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import shapes, timing
from hooks_compile import runtime_folder, shims, wrapper
from hooks_compile.compiler import Compiler
from hooks_compile.interpreters import find, is_shim, resolve
from hooks_compile.model import HookSource

BOUND = 0.35
"""The highest ratio of wrapper to source that is good enough."""


def measure(
    folder: Path, version: str, env: dict[str, str], rounds: int
) -> tuple[list[list[str]], float]:
    """Return the rows of the table for one version, and the highest ratio among them."""
    home = Path(env["HOOKS_COMPILE_HOME"])
    (folder / ".python-version").write_text(f"{version}\n")
    passing = shims.refresh(home, "python3", cwd=folder, env=env)
    if passing is None or passing.binary is None:
        raise SystemExit(f"the shim would be asked: {passing}")
    interpreter = resolve("python3", cwd=folder, env=env)
    rows, worst = [], 0.0
    for name, text in (("10 lines", shapes.TEN_LINES), ("144 lines", shapes.USUAL)):
        hook = folder / "hook.py"
        hook.write_text(text)
        with Compiler([interpreter], runtime_folder.read_key(home)) as compiler:
            compiler.compile([HookSource(hook)])
        commands = {
            "source": ["python3", str(hook)],
            "wrapper": ["sh", str(folder / wrapper.NAME), str(hook)],
            "binary": [str(passing.binary), str(hook)],
        }
        times = timing.in_turn(commands, rounds=rounds, env=env, stdin=shapes.EVENT)
        ratio = times["wrapper"].ratio_to(times["source"])
        worst = max(worst, ratio)
        rows.append(
            [
                interpreter.label,
                name,
                *(f"{times[kind].median_ms:.1f}" for kind in ("source", "binary", "wrapper")),
                f"{ratio:.3f}",
            ]
        )
    return rows, worst


def calls(folder: Path, env: dict[str, str]) -> int | None:
    """Return how many system calls the wrapper makes until Python starts; None without strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    trace = folder / "trace"
    command = [strace, "-o", str(trace), "sh", str(folder / wrapper.NAME), str(folder / "hook.py")]
    done = subprocess.run(command, env=env, cwd=folder, input=shapes.EVENT, capture_output=True)  # noqa: PLW1510 - the trace tells
    lines = trace.read_text(errors="replace").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("execve(") and " = 0" in line]
    return starts[1] - starts[0] if done.returncode == 0 and len(starts) > 1 else None


def count(folder: Path, env: dict[str, str], binary: Path) -> list[tuple[str, int | None]]:
    """Return the system calls of the wrapper before Python, in each of three situations."""
    home = Path(env["HOOKS_COMPILE_HOME"])
    plain = env | {"PATH": f"{binary.parent}:{env['PATH']}"}
    code, aside = home / shims.CODE, home / "aside"
    past = calls(folder, env)
    recorded = calls(folder, plain)
    code.rename(aside)
    nothing = calls(folder, plain)
    aside.rename(code)
    return [
        ("python3 is no shim, nothing was ever recorded", nothing),
        ("python3 is no shim, there is a record", recorded),
        ("past the shim", past),
    ]


def main() -> int:
    """Print the tables; 1 where a ratio is over the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--version", action="append", help="as pyenv names it; default: all")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
    here = Path.cwd()
    try:
        env = timing.environment(HOOKS_COMPILE_HOME=str(folder / "runtime"))
        # This script itself may run under the shim or in a virtual environment.
        ours = {os.path.dirname(sys.executable), os.path.join(sys.base_prefix, "bin")}  # noqa: PTH118, PTH120 - as in PATH
        env["PATH"] = os.pathsep.join(p for p in env["PATH"].split(os.pathsep) if p not in ours)
        env = shims.outside_of_shims(env)
        shim = find("python3", cwd=here, env=env)
        if not is_shim(shim):
            print(f"{shim} is no shim: put pyenv's shims first on PATH")
            return 1
        runtime_folder.ensure(folder / "runtime")
        wrapper.write(folder)
        os.chdir(folder)
        installed = sorted(shim.parents[1].glob("versions/3.*/bin/python3"))
        minors = {path.parents[1].name: path for path in installed}
        able = [name for name in minors if int(name.split(".")[1]) >= 8]
        print(timing.machine())
        print("| Python | hook | shim and source ms | binary and source ms | wrapper ms | ratio |")
        print("|" + " --- |" * 6)
        worst = 0.0
        for version in arguments.version or able:
            rows, ratio = measure(folder, version, env, arguments.rounds)
            worst = max(worst, ratio)
            for row in rows:
                print("| " + " | ".join(row) + " |", flush=True)
        print(f"\nhighest ratio of wrapper to shim and source: {worst:.3f} (bound: {BOUND})\n")
        print("| system calls of the wrapper before Python starts | |\n| --- | --- |")
        for situation, calls_ in count(folder, env, minors[(arguments.version or able)[-1]]):
            print(f"| {situation} | {'no strace here' if calls_ is None else calls_} |")
        return worst > BOUND
    finally:
        os.chdir(here)
        shutil.rmtree(folder)


if __name__ == "__main__":
    raise SystemExit(main())
