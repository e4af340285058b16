"""Everything that ``python3 script.py`` shows, the launcher shows.

By default every case meets every interpreter, and the runs, states and environments of a case are
dealt out between the interpreters; ``HOOKS_COMPILE_SOAK=1`` makes each with each.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conformance.bench import ENVIRONMENTS, Bench
from tests.conformance.cases import CASES
from tests.conformance.sides import STATES, fully_tested, problems
from tests.interpreters_found import each_interpreter, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.conformance.model import Case, Run, State
    from tests.interpreters_found import Found

SOAK = bool(os.environ.get("HOOKS_COMPILE_SOAK"))


def _dealt(
    case: Case, interpreter: Found
) -> Iterator[tuple[int, Run, Sequence[State], Mapping[str, str]]]:
    turn = found().index(interpreter) + CASES.index(case)
    for number, run in enumerate(case.runs):
        rotation = turn + number
        if not run.fits(interpreter):
            continue
        if SOAK:
            for environment in ENVIRONMENTS:
                yield rotation, run, STATES, environment
        elif fully_tested(interpreter) or rotation % 3 == 0 or len(case.runs) < 3:
            states: Sequence[State] = (
                ("cold",)
                if run.trace == "source"
                else (
                    ("compiled",),
                    ("cold", "primed"),
                    ("compiled",),
                    ("cold", "primed", "damaged"),
                )[rotation % 4]
            )
            yield rotation, run, states, ENVIRONMENTS[(rotation + rotation // 4) % 4]


@each_interpreter
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_launch_is_what_the_source_is(
    case: Case,
    interpreter: Found,
    tmp_path: Path,
    runtime: Path,
    tool_entries: Callable[[Found], Path],
) -> None:
    if not case.fits(interpreter):
        pytest.skip(f"nothing in it for {interpreter.name}")
    compiled = tool_entries(interpreter) / case.name
    wrong: list[str] = []
    for rotation, run, states, environment in _dealt(case, interpreter):
        bench = Bench(interpreter, tmp_path / "work", runtime, environment)
        wrong += problems(bench, case, run, states, compiled, rotation)
    assert not wrong, "\n\n".join(["", *wrong])
