"""An entry made under some flags is right under all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.bench import Bench
from tests.conformance.compare import differences, not_as_told
from tests.conformance.model import Case, Run
from tests.support.interpreters_found import few, in_turn, used
from tests.support.tiers import IS_SOAK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.interpreters_found import Found

_SHOWS = '''\
"""The docstring."""
import sys

def divide(a, b):
    """Its docstring."""
    return [a["x"] / b["y"] + 1]

print(__debug__, __doc__, divide.__doc__, sys.flags.optimize)
try:
    assert len(sys.argv) > 5, "asserted"
except AssertionError as error:
    print("assertion", error)
number = lambda: %s
print(b"a" == "a", number() > 1)
divide({"x": 1}, {"y": 0})
'''

# Its number is too long for a SyntaxError-free compile where digits are limited, as by default.
CASES = (
    Case("plain", {"hook.py": _SHOWS % "123"}),
    Case("long-number", {"hook.py": _SHOWS % ("9" * 5000)}),
)

_FLAGS: tuple[tuple[tuple[str, ...], Mapping[str, str], tuple[int, int]], ...] = (
    (("-O",), {}, (3, 8)),
    (("-OO",), {}, (3, 8)),
    ((), {"PYTHONOPTIMIZE": "1"}, (3, 8)),
    (("-X", "no_debug_ranges"), {}, (3, 11)),
    ((), {"PYTHONNODEBUGRANGES": "1"}, (3, 11)),
    (("-X", "int_max_str_digits=0"), {}, (3, 11)),
    (("-X", "int_max_str_digits=0", "-X", "no_debug_ranges"), {}, (3, 11)),
    (("-W", "error"), {}, (3, 8)),
    (("-X", "dev"), {}, (3, 8)),
    (("-I", "-B", "-u", "-s"), {}, (3, 8)),
    (("-bb",), {}, (3, 8)),
)


each_case = pytest.mark.parametrize(
    ("case", "interpreter"), in_turn(CASES, used() if IS_SOAK else few(), lambda case: case.name)
)


def _runs(interpreter: Found) -> Iterator[Run]:
    for flags, env, minimum in _FLAGS:
        run = Run(flags=flags, env=env, status=1, minimum=minimum)
        if run.fits(interpreter):
            yield run


@each_case
def test_flags_of_the_launch_that_made_an_entry_do_not_reach_other_launches(
    case: Case, interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    bench = Bench(interpreter, tmp_path / "work", runtime)
    launch = (str(runtime / "launch.py"),)
    plain = Run(status=1)
    expected = bench.source(case, plain)
    wrong = not_as_told(plain, expected)
    for run in _runs(interpreter):
        bench.launch(case, run, launch)
        made = bench.stash.rename(tmp_path / "made")
        got = bench.launch(case, plain, launch, made)
        made.rename(tmp_path / f"made.{'_'.join(run.flags)}{len(wrong)}{len(run.env)}")
        wrong += [
            f"made under {run.flags} {run.env}: {w}" for w in differences(expected, got.outcome)
        ]
    assert not wrong, "\n\n".join(wrong)


@each_case
def test_an_entry_made_without_flags_is_right_under_every_flag(
    case: Case, interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    bench = Bench(interpreter, tmp_path / "work", runtime)
    launch = (str(runtime / "launch.py"),)
    bench.launch(case, Run(), launch)
    made = bench.stash.rename(tmp_path / "made")
    wrong = []
    for run in _runs(interpreter):
        expected = bench.source(case, run)
        got = bench.launch(case, run, launch, made)
        wrong += not_as_told(run, expected)
        wrong += [f"under {run.flags} {run.env}: {w}" for w in differences(expected, got.outcome)]
    assert not wrong, "\n\n".join(wrong)
