"""The wrapper against ``python3 hook.py``, where ``python3`` is pyenv's shim.

``python -m benchmarks.shims`` takes the pyenv whose shims are on PATH, and each version of CPython
from 3.8 on behind it; ``--version`` names some. They run in a copy of pyenv's directory, in which
the versions are fresh virtual environments: the ``.pth`` files of a full site-packages cost each
launch up to 20 ms, with and without the shim. ``--as-is`` leaves all as it is.

It also counts the system calls that the wrapper makes before Python starts: without a record, with
one where ``python3`` is no shim, and past the shim. Exits 1 if a ratio is over BOUND.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import shapes, snapshot, timing
from hooks_compile.entries.compiler import Compiler
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.interpreters import shims
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.model import HookSource

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONG_AGO = 1_700_000_000
BOUND = 0.35
"""The highest ratio of wrapper to source that is good enough."""

RESUMED_BOUND = 0.06
"""The same, with snapshots."""


def measure(
    directory: Path, version: str, env: dict[str, str], rounds: int, *, resumed: bool
) -> tuple[list[list[str]], float]:
    """Return the rows of the table for one version, and the highest ratio among them."""
    home = Path(env["HOOKS_COMPILE_HOME"])
    (directory / ".python-version").write_text(f"{version}\n")
    bypass = shims.bypass_of(home, "python3", cwd=directory, env=env, record=True)
    if bypass is None or bypass.binary is None:
        raise SystemExit(f"the shim would be asked: {bypass}")
    interpreter = resolve("python3", cwd=directory, env=env)
    if resumed:
        snapshot.turn_on(home, interpreter, env)
    rows, worst = [], 0.0
    for name, text in (("10 lines", shapes.TEN_LINES), ("144 lines", shapes.USUAL)):
        hook = directory / "hook.py"
        hook.write_text(text)
        with Compiler([interpreter], runtime_directory.read_key(home)) as compiler:
            compiler.compile([HookSource(hook)])
        commands = {
            "source": ["python3", str(hook)],
            "wrapper": ["sh", str(directory / wrapper.NAME), str(hook)],
            "binary": [str(bypass.binary), str(hook)],
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


def fresh(root: Path, versions: Sequence[str], directory: Path) -> Path:
    """Return the directory of a pyenv like that in ``root``, whose versions are fresh."""
    ours = directory / "pyenv"
    for name in ("libexec", "pyenv.d", "plugins"):
        if (root / name).is_dir():
            spared = shutil.ignore_patterns(".*", "share", "test", "man")  # thousands of files
            shutil.copytree(root / name, ours / name, symlinks=True, ignore=spared)
    for version in versions:
        python = root / "versions" / version / "bin" / "python3"
        place = ours / "versions" / version
        subprocess.run([python, "-m", "venv", "--without-pip", place], check=True)
    env = {**os.environ, "PYENV_ROOT": str(ours)}
    subprocess.run([ours / "libexec" / "pyenv", "rehash"], env=env, check=True)
    for path in ours.rglob("*"):  # a record trusts no file that has just been written
        os.utime(path, (_LONG_AGO, _LONG_AGO), follow_symlinks=False)
    return ours


def calls(directory: Path, env: dict[str, str]) -> int | None:
    """Return how many system calls the wrapper makes until Python starts; None without strace."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    trace = directory / "trace"
    command = [
        strace,
        "-o",
        str(trace),
        "sh",
        str(directory / wrapper.NAME),
        str(directory / "hook.py"),
    ]
    done = subprocess.run(command, env=env, cwd=directory, input=shapes.EVENT, capture_output=True)  # noqa: PLW1510 - the trace tells
    lines = trace.read_text(errors="replace").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("execve(") and " = 0" in line]
    return starts[1] - starts[0] if done.returncode == 0 and len(starts) > 1 else None


def count(directory: Path, env: dict[str, str], binary: Path) -> list[tuple[str, int | None]]:
    """Return the system calls of the wrapper before Python, in each of three situations."""
    home = Path(env["HOOKS_COMPILE_HOME"])
    plain = env | {"PATH": f"{binary.parent}:{env['PATH']}"}
    code, aside = home / shims.CODE, home / "aside"
    past = calls(directory, env)
    recorded = calls(directory, plain)
    code.rename(aside)
    nothing = calls(directory, plain)
    aside.rename(code)
    return [
        ("python3 is no shim, nothing was ever recorded", nothing),
        ("python3 is no shim, there is a record", recorded),
        ("past the shim", past),
    ]


def _is_able(version: Path) -> bool:
    """Return whether this is a directory of CPython 3.8 or later."""
    numbers = version.name.split(".")
    return len(numbers) == 3 and int(numbers[1]) >= 8 and (version / "bin" / "python3").exists()


def main() -> int:
    """Print the tables; return 1 if a ratio is over the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--version", action="append", help="as pyenv names it; default: all")
    parser.add_argument("--as-is", action="store_true", help="the versions as they are")
    parser.add_argument("--snapshots", action="store_true", help="resume snapshots")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
    here = Path.cwd()
    try:
        env = timing.environment(HOOKS_COMPILE_HOME=str(directory / "runtime"))
        # This script itself may run under the shim or in a virtual environment.
        ours = {os.path.dirname(sys.executable), os.path.join(sys.base_prefix, "bin")}  # noqa: PTH118, PTH120 - as in PATH
        env["PATH"] = os.pathsep.join(p for p in env["PATH"].split(os.pathsep) if p not in ours)
        env = shims.outside_of_shims(env)
        shim = find("python3", cwd=here, env=env)
        if not is_shim(shim):
            print(f"{shim} is no shim: put pyenv's shims first on PATH")
            return 1
        runtime_directory.ensure(directory / "runtime")
        wrapper.write(directory)
        os.chdir(directory)
        root = shim.parents[1]
        able = sorted(path.name for path in root.glob("versions/3.*") if _is_able(path))
        able = arguments.version or able
        if not arguments.as_is:
            root = fresh(root, able, directory)
            env["PATH"] = f"{root / 'shims'}:{env['PATH']}"
        print(timing.machine())
        print("| Python | hook | shim and source ms | binary and source ms | wrapper ms | ratio |")
        print("|" + " --- |" * 6)
        worst = 0.0
        for version in able:
            rows, ratio = measure(
                directory, version, env, arguments.rounds, resumed=arguments.snapshots
            )
            worst = max(worst, ratio)
            for row in rows:
                print("| " + " | ".join(row) + " |", flush=True)
        bound = RESUMED_BOUND if arguments.snapshots else BOUND
        print(f"\nhighest ratio of wrapper to shim and source: {worst:.3f} (bound: {bound})\n")
        print("| system calls of the wrapper before Python starts | |\n| --- | --- |")
        for situation, calls_ in count(
            directory, env, root / "versions" / able[-1] / "bin" / "python3"
        ):
            print(f"| {situation} | {'no strace here' if calls_ is None else calls_} |")
        return worst > bound
    finally:
        os.chdir(here)
        shutil.rmtree(directory)


if __name__ == "__main__":
    raise SystemExit(main())
