"""Everything that ``python3 script.py`` shows, the launcher shows.

In CI every case meets the oldest CPython, the newest ones, PyPy and our own version, and one of
those between; by default one interpreter in turn. A third of the runs is made, in CI every run
under the oldest or the newest; the states and environments are dealt out between them.
``HOOKS_COMPILE_TESTS=soak`` makes every run under every interpreter in every state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.bench import ENVIRONMENTS, Bench
from tests.conformance.cases import CASES
from tests.conformance.sides import STATES, fully_tested, is_always_tested, problems
from tests.support.interpreters_found import found, in_turn, used
from tests.support.tiers import IS_CI
from tests.support.tiers import IS_SOAK as SOAK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.conformance.model import Case, Run, State
    from tests.support.interpreters_found import Found


_LAUNCHER_LEAVES_IT: Sequence[State] = ("cold",)
_DEALT: Sequence[Sequence[State]] = (
    ("compiled",),
    ("cold", "primed"),
    ("compiled",),
    ("cold", "primed", "damaged"),
)


def _parameters() -> Iterator[object]:
    if not IS_CI:
        yield from in_turn(CASES, used(), lambda case: case.name, lambda case, it: case.fits(it))
        return
    between = [found for found in used() if not is_always_tested(found)]
    for number, case in enumerate(CASES):
        for interpreter in used():
            its_turn = between and interpreter == between[number % len(between)]
            if SOAK or is_always_tested(interpreter) or its_turn:
                yield pytest.param(case, interpreter, id=f"{case.name}-{interpreter.name}")


def _dealt(case: Case, interpreter: Found) -> Iterator[tuple[int, Run, Sequence[State]]]:
    """The runs to make, each with a number that deals out the rest, and its states."""
    turn, step = found().index(interpreter), 3
    if IS_CI and fully_tested(interpreter):
        turn, step = int(turn > 0), 2
    if SOAK or len(case.runs) < 3:
        step = 1
    for rotation, run in enumerate(case.runs, start=turn + CASES.index(case)):
        if rotation % step or not run.fits(interpreter):
            continue
        if run.trace == "source":
            yield rotation, run, _LAUNCHER_LEAVES_IT
        else:
            yield rotation, run, STATES if SOAK else _DEALT[rotation // 2 % 4]


@pytest.mark.parametrize(("case", "interpreter"), list(_parameters()))
def test_a_launch_is_what_the_source_is(
    case: Case,
    interpreter: Found,
    tmp_path: Path,
    runtime: Path,
    tool_entries: Callable[[Found], Path],
) -> None:
    if not case.fits(interpreter):
        pytest.skip(f"nothing in it for {interpreter.name}")
    wrong: list[str] = []
    for rotation, run, states in _dealt(case, interpreter):
        environment = ENVIRONMENTS[(rotation + rotation // 4) % 4]
        bench = Bench(interpreter, tmp_path / "work", runtime, environment)
        compiled = tool_entries(interpreter) / case.name
        wrong += problems(bench, case, run, states, compiled, rotation)
    assert not wrong, "\n\n".join(["", *wrong])
