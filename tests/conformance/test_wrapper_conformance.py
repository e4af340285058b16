"""Through the wrapper, under each shell, everything is as a shell would have started it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from hooks_compile.install import wrapper
from tests.conformance.bench import Bench
from tests.conformance.cases.attributes import DUMP
from tests.conformance.compare import differences, not_as_told
from tests.conformance.model import Case, Link, Run
from tests.support.interpreters_found import each_interpreter, few
from tests.support.tiers import IS_CI

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.interpreters_found import Found

SHELLS = (("dash",), ("bash",), ("bash", "--posix"), ("zsh", "--emulate", "sh"), ("busybox", "sh"))

_FAILS = """\
import sys
def inner():
    raise ValueError(ascii(sys.stdin.read()))
inner()
"""

CASE = Case(
    "wrapped",
    {
        "hook.py": DUMP,
        "fails.py": _FAILS,
        "exits.py": "import sys\nprint(sys.argv)\nsys.exit(int(sys.argv[1]))\n",
        "killed.py": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n",
        "sp ace $x.py": "import sys\nprint(sys.argv, __file__)\n",
        "broken.py": "print(1)\nif:\n",
        "guard": "print(__file__)\n",
        "link": Link("guard"),
        "app/__main__.py": "import sys\nprint(sys.argv)\n",
    },
)

RUNS = (
    Run(("hook.py", "a b", "*", "$HOME", "", "--", "-x", "\\n"), shows="modules"),
    Run(("hook.py",), ("-I", "-W", "ignore", "-Xdev"), shows="modules"),
    Run(("hook.py",), ("-uB", "-W", "error", "-X", "utf8"), shows="modules"),
    Run(("{dir}/fails.py",), stdin="some\ntext \u00e9", status=1, shows="some"),
    Run(("exits.py", "2"), status=2),
    Run(("exits.py", "255"), status=255),
    Run(("./killed.py",), status=-15),
    Run(("sp ace $x.py", "argument"), shows="sp ace"),
    Run(("broken.py",), status=1, shows="SyntaxError", trace="source"),
    Run(("missing.py",), status=2, trace="source"),
    Run(("link",), shows="link"),
    Run(("app", "x"), shows="app", trace="source"),
    Run(("exits.py", "3"), ("-x",), status=None, trace="any"),
    Run(("exits.py", "4"), ("-O",), status=4, trace="source"),
    Run(("-c", "import sys; print(sys.argv)", "x"), shows="-c", trace="any"),
    Run(("-m", "hook"), trace="any"),
    Run(("-", "x"), stdin="import sys; print(sys.argv)", shows="['-', 'x']", trace="any"),
    Run(("exits.py", "0"), stdin=None),
    Run(("exits.py", "0"), stdout="closed", status=None),
)


@each_interpreter
def test_the_wrapper_is_what_python3_would_be(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    _compare(("sh",), interpreter, tmp_path, runtime)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_wrapper_works_under_every_shell(
    shell: tuple[str, ...], tmp_path: Path, runtime: Path
) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not on this machine")
    runs = RUNS[SHELLS.index(shell) % 2 :: 2] if not IS_CI else RUNS
    _compare(shell, few()[-1], tmp_path, runtime, runs)


def _compare(
    shell: tuple[str, ...],
    interpreter: Found,
    tmp_path: Path,
    runtime: Path,
    runs: Sequence[Run] = RUNS,
) -> None:
    script = tmp_path / "hook_wrapper.sh"
    script.write_bytes(wrapper.text())
    bench = Bench(interpreter, tmp_path / "work", runtime)
    python = str(interpreter.executable)
    wrong: list[str] = []
    for run in runs:
        direct = [*shell, "-c", 'exec "$@"', "sh", python, *run.flags]
        expected = bench.launched(CASE, run, direct).outcome
        wrong += not_as_told(run, expected)
        wrapped = [*shell, str(script), f"--python={python}", *run.flags]
        got = bench.launched(CASE, run, wrapped)
        where = f"{run.flags} {run.argv}"
        wrong += [f"{where}: {text}" for text in differences(expected, got.outcome)]
        states = [state for state, _ in got.trace]
        if run.trace != "any" and states != (["miss"] if run.trace == "entry" else ["source"]):
            wrong.append(f"{where}: the launcher reports {got.trace}")
    assert not wrong, "\n\n".join(wrong)


@each_interpreter
def test_without_a_runtime_directory_the_wrapper_is_plain_python(
    interpreter: Found, tmp_path: Path
) -> None:
    script = tmp_path / "hook_wrapper.sh"
    script.write_bytes(wrapper.text())
    bench = Bench(interpreter, tmp_path / "work", tmp_path / "nowhere")
    python = str(interpreter.executable)
    for run in RUNS[:6]:
        expected = bench.launched(CASE, run, ["sh", "-c", 'exec "$@"', "sh", python, *run.flags])
        wrapped = ["sh", str(script), f"--python={python}", *run.flags]
        got = bench.launched(CASE, run, wrapped)
        assert differences(expected.outcome, got.outcome) == []
        assert got.trace == ()
