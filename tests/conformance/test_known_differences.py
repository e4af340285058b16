"""What differs between a source and its launch, and stays so: asserted here, masked nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.conformance.bench import Bench
from tests.conformance.model import Case, Run
from tests.interpreters_found import each_cpython, each_interpreter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interpreters_found import Found

_STACKS = """\
import inspect, sys, traceback
def inner():
    for frame in traceback.extract_stack():
        print("extracted", frame.filename, frame.name)
    for info in inspect.stack(0)[::-1]:
        print("inspected", info.filename, info.function)
inner()
try:
    print(sys._getframe(1).f_code.co_filename)
except ValueError as error:
    print(error)
"""

_FAULT = """\
import faulthandler
faulthandler.dump_traceback()
"""

_PS = """\
print(open("/proc/self/cmdline").read().split("\\0")[1:])
"""

_SITE = {
    "hook.py": "import sys\nprint(sys.seen, sys.argv)\n",
    "site/sitecustomize.py": "import sys\nsys.seen = list(getattr(sys, 'argv', []))\n",
}


def _both(
    case: Case, run: Run, interpreter: Found, tmp_path: Path, runtime: Path
) -> tuple[list[str], list[str]]:
    """The lines that source and launch print, in this order."""
    bench = Bench(interpreter, tmp_path / "work", runtime)
    source = bench.source(case, run)
    launched = bench.launch(case, run, (str(runtime / "launch.py"),)).outcome
    assert (source.status, launched.status) == (0, 0), (source, launched)
    return (
        (source.stdout + source.stderr).decode().splitlines(),
        (launched.stdout + launched.stderr).decode().splitlines(),
    )


@each_interpreter
def test_one_more_frame_is_at_the_very_bottom_of_the_stack(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("stacks", {"hook.py": _STACKS})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    ours = str(runtime / "launch.py")
    assert source[-1] == "call stack is not deep enough"
    assert launched.pop() == ours
    for kind in ("extracted", "inspected"):
        of_source = [line for line in source if line.startswith(kind)]
        of_launch = [line for line in launched if line.startswith(kind)]
        assert of_launch == [f"{kind} {ours} <module>", *of_source]


@each_cpython
def test_faulthandler_shows_that_frame_last(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("fault", {"hook.py": _FAULT})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    ours = f'  File "{runtime / "launch.py"}", line'
    assert [line for line in launched if not line.startswith(ours)] == source
    assert len(launched) == len(source) + 1


@each_interpreter
def test_ps_shows_the_launcher_before_the_script(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("ps", {"hook.py": _PS})
    source, launched = _both(case, Run(("hook.py", "argument")), interpreter, tmp_path, runtime)
    assert source == ["['hook.py', 'argument', '']"]
    assert launched == [f"['{runtime / 'launch.py'}', 'hook.py', 'argument', '']"]


@each_interpreter
def test_a_sitecustomize_runs_before_the_launcher_and_sees_its_arguments(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    run = Run(env={"PYTHONPATH": "{dir}/site"})
    source, launched = _both(Case("site", _SITE), run, interpreter, tmp_path, runtime)
    assert launched[0].endswith("['hook.py']")
    ours = re.escape(f"'{runtime / 'launch.py'}', ")
    assert [re.sub(ours, "", line) for line in launched] == source
