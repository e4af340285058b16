"""``uv run`` against the wrapper in its place, in turn: ``python -m benchmarks.uv``.

uv is taken from PATH, works offline, and has a cache of its own that is warm. "interpreter" is the
source under the interpreter that uv chose, called by its path: what uv itself costs is above it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import shapes, snapshot, timing
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.interpreters.resolve import resolve

BLOCK = '# /// script\n# requires-python = ">=3.8"\n# dependencies = []\n# ///\n'
PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = []\n'
KINDS = {
    "uv run --script HOOK": (["--script", "hook.py"], BLOCK, ""),
    "uv run HOOK, in a project": (["hook.py"], "", PROJECT),
    "uv run HOOK, neither": (["hook.py"], "", ""),
}


def measure(
    python: str, kind: str, text: str, rounds: int, directory: Path, *, resumed: bool
) -> list[str]:
    """Return the cells of one row; ``directory`` is empty and thrown away."""
    words, block, project = KINDS[kind]
    runtime_directory.ensure(directory / "runtime")
    work = directory / "work"
    work.mkdir()
    (work / "hook.py").write_text(block + text)
    if project:
        (work / "pyproject.toml").write_text(project)
    wrapper.write(work)
    env = timing.environment(
        HOOKS_COMPILE_HOME=str(directory / "runtime"),
        UV_CACHE_DIR=str(directory / "cache"),
        UV_OFFLINE="1",
        UV_PYTHON_DOWNLOADS="never",
        PATH=f"{Path(python).parent}:{os.environ['PATH']}",
    )
    env.pop("VIRTUAL_ENV", None)
    commands = {
        "uv": ["uv", "run", *words],
        "wrapper": ["sh", wrapper.NAME, "--uv", *words],
    }
    os.chdir(work)
    for _ in range(2):  # uv makes the environment, and it is recorded
        subprocess.run(
            commands["wrapper"], env=env, input=shapes.EVENT, capture_output=True, check=True
        )
    (record,) = (directory / "runtime").glob("uv/**/*.uv")
    chosen = record.read_text().split("\n")[0]
    if chosen == "-":
        raise SystemExit(f"{kind}: {record.read_text()}")
    if resumed:
        interpreter = resolve(chosen, cwd=work, env=env)
        try:
            snapshot.turn_on(directory / "runtime", interpreter, env)
        except SystemExit as error:  # without an environment uv takes the interpreter as it is
            return [f"no snapshot: {str(error).splitlines()[0]}", "", "", ""]
    commands["interpreter"] = [chosen, "hook.py"]
    times = timing.in_turn(commands, rounds=rounds, env=env, stdin=shapes.EVENT)
    return [
        f"{times['uv'].median_ms:.1f}",
        f"{times['wrapper'].median_ms:.1f}",
        f"{times['wrapper'].ratio_to(times['uv']):.3f}",
        f"{times['interpreter'].ratio_to(times['uv']):.3f}",
    ]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", help="an interpreter; several times for more")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--snapshots", action="store_true", help="resume snapshots")
    arguments = parser.parse_args()
    print(timing.machine())
    print("| Python | launched by | hook | uv ms | wrapper ms | wrapper/uv | interpreter/uv |")
    print("|" + " --- |" * 7)
    for python in arguments.python or [sys.executable]:
        real = os.path.realpath(python)
        for kind in KINDS:
            for name, text in (("10 lines", shapes.TEN_LINES), ("144 lines", shapes.USUAL)):
                directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
                try:
                    cells = measure(
                        *(real, kind, text, arguments.rounds, directory),
                        resumed=arguments.snapshots,
                    )
                finally:
                    os.chdir("/")
                    shutil.rmtree(directory)
                label = Path(real).parts[-3]
                print("| " + " | ".join([label, kind, name, *cells]) + " |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
