"""Launches through the wrapper against the source, in turn: ``python -m benchmarks.launch``.

A miss is measured as the first launch after an edit. The interpreter is called by its real path.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import shapes, timing
from hooks_compile.entries.compiler import Compiler
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.model import HookSource


def measure(python: str, rounds: int, directory: Path) -> list[list[str]]:
    """Return the rows of the table for one interpreter; ``directory`` is empty and thrown away."""
    home = directory / "runtime"
    launch = runtime_directory.ensure(home)
    key = runtime_directory.read_key(home)
    script = directory / wrapper.NAME
    wrapper.write(directory)
    env = timing.environment(HOOKS_COMPILE_HOME=str(home))
    interpreter = resolve(python, cwd=directory, env=os.environ)
    real = str(interpreter.executable)
    rows = []
    for name, text in (("10 lines", shapes.TEN_LINES), ("144 lines", shapes.USUAL)):
        hook = directory / "hook.py"
        hook.write_text(text)
        commands = {
            "source": [real, str(hook)],
            "wrapper": [str(script), f"--python={real}", str(hook)],
            "launcher": [real, str(launch), str(hook)],
            "bare": [real, "-I", "-S", "-c", "pass"],
        }
        with Compiler([interpreter], key) as compiler:
            compiler.compile([HookSource(hook)])
        hits = timing.in_turn(commands, rounds=rounds, env=env, stdin=shapes.EVENT)
        edits = iter(range(1_000_000))

        def edit(_: str, hook: Path = hook, text: str = text, edits: object = edits) -> None:
            hook.write_text(f"{text}# edit {next(edits)}\n")  # type: ignore[call-overload]

        misses = timing.in_turn(
            {name: commands[name] for name in ("source", "wrapper")},
            rounds=rounds,
            env=env,
            stdin=shapes.EVENT,
            before=edit,
        )
        rows.append(
            [
                interpreter.label,
                name,
                *(f"{hits[kind].median_ms:.1f}" for kind in ("bare", "source", "wrapper")),
                f"{hits['wrapper'].ratio_to(hits['source']):.3f}",
                f"{hits['launcher'].ratio_to(hits['source']):.3f}",
                f"{misses['wrapper'].ratio_to(misses['source']):.3f}",
            ]
        )
    return rows


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", help="an interpreter; several times for more")
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args()
    header = ["Python", "hook", "bare ms", "source ms", "wrapper ms", "wrapper/source"]
    header += ["launcher alone/source", "first launch after an edit/source"]
    print(timing.machine())
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for python in arguments.python or [sys.executable]:
        directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
        try:
            for row in measure(python, arguments.rounds, directory):
                print("| " + " | ".join(row) + " |")
        finally:
            shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
