"""Everything that ``python3 script.py`` shows, a resumed launch shows.

The third mode of the conformance suite: the same cases, the same environments. Where nothing says
otherwise, the launch has to be resumed. The interpreters take turns: each case meets one of them in
CI, every sixth case by default, and ``HOOKS_COMPILE_TESTS=soak`` lets all meet all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots import snapshot_keys, snapshot_store
from tests.conformance.bench import ENVIRONMENTS, Bench
from tests.conformance.cases import CASES
from tests.conformance.compare import differences, not_as_told
from tests.conformance.sides import entries_of_the_tool
from tests.support.interpreters_found import Found
from tests.support.snapshot_machine import (
    NEEDS_LOADER,
    bare_environment,
    interpreters,
    loader,
    make,
)
from tests.support.tiers import IS_SOAK as SOAK
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hooks_compile.snapshots.snapshot_store import Store
    from tests.conformance.bench import Outcome
    from tests.conformance.model import Case, Run

pytestmark = NEEDS_LOADER


@dataclass(frozen=True)
class ResumingBench(Bench):
    """Launches by the loader; the snapshots for an environment are made when they are needed."""

    snapshots: snapshot_store.Store = field(default_factory=lambda: pytest.fail("no store"))

    def _process(self, run: Run, command: Sequence[str]) -> Outcome:
        env = self._environment(run)
        if command[0] == str(self.snapshots.loader) and not self.is_other_environment(env):
            place = self.snapshots.place(str(self.interpreter.executable), env)
            for kind in snapshot_store.KINDS:
                if not (place.directory / kind).exists():
                    make(self.snapshots, place, kind)
        return super()._process(run, command)

    def is_other_environment(self, env: Mapping[str, str]) -> bool:
        """Whether a run has an environment of its own, of which no snapshot is made here."""
        usual = {"HOME", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
        names = set(snapshot_keys.keyed_environment(env))
        return not {"HOME"} <= names <= usual

    def _trace_lines(self) -> Iterator[tuple[str, str]]:
        if self.trace_file.exists():
            text = self.trace_file.read_text(encoding="utf-8", errors="surrogateescape")
            for resumed, state, reason in re.findall(
                r"(?m)^(resumed\t)?(hit|miss|source)\t([^\t\n]*)\t", text
            ):
                yield state, resumed + reason


@pytest.fixture(scope="module")
def benches(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[snapshot_store.Store, Path]]:
    """For each interpreter, its snapshots and the entries that the tool makes of its cases."""
    made = {}
    for interpreter in interpreters():
        base = tmp_path_factory.mktemp(interpreter.name)
        snapshots = snapshot_store.Store(base / "runtime")
        snapshots.create()
        snapshots.turn_on(loader())
        (base / "home").mkdir()
        found = bare(interpreter)
        made[interpreter.name] = (
            snapshots,
            entries_of_the_tool(
                [case for case, each in _dealt() if each == interpreter],
                found,
                snapshots.runtime,
                base / "entries",
            ),
        )
    return made


def bare(interpreter: Found) -> Found:
    """The interpreter's own virtual environment."""
    python = bare_environment(interpreter.executable)
    return Found(interpreter.implementation, interpreter.version, python)


def _dealt() -> Iterator[tuple[Case, Found]]:
    """The cases, each with an interpreter that it meets."""
    found = interpreters()
    for number, case in enumerate(CASES[:: scaled(6, 1, 1)]):
        for interpreter in found if SOAK else found[number % (len(found) or 1) :][:1]:
            yield case, interpreter


@pytest.mark.parametrize(
    ("case", "interpreter"),
    [pytest.param(case, it, id=f"{case.name}-{it.name}") for case, it in _dealt()],
)
def test_a_resumed_launch_is_what_the_source_is(
    case: Case,
    interpreter: Found,
    tmp_path: Path,
    benches: dict[str, tuple[Store, Path]],
) -> None:
    snapshots, entries = benches[interpreter.name]
    wrong: list[str] = []
    for number, run in enumerate(case.runs):
        if run.flags or not run.fits(interpreter):
            continue
        rotation = number + CASES.index(case)
        for environment in ENVIRONMENTS if SOAK else [ENVIRONMENTS[rotation % 4]]:
            home = str(snapshots.runtime.with_name("home"))
            bench = ResumingBench(
                bare(interpreter),
                tmp_path / "work",
                snapshots.runtime,
                {"HOME": home, **environment},
                snapshots,
            )
            expected = bench.source(case, run)
            wrong += not_as_told(run, expected)
            words = [
                *(str(snapshots.loader), str(bench.interpreter.executable)),
                str(snapshots.runtime / "launch.py"),
            ]
            got = bench.launched(case, run, words, entries / case.name)
            where = f"{run.argv} {dict(run.env)} {dict(environment)} {run.stdout}"
            wrong += [f"{where}: {text}" for text in differences(expected, got.outcome)]
            env = bench._environment(run)
            is_long = sum(map(len, [*run.argv, *filter(None, run.env.values())])) > 100_000
            may_be_cold = (
                run.trace in ("any", "source") or is_long or bench.is_other_environment(env)
            )
            if not may_be_cold and [reason[:8] for _, reason in got.trace] != ["resumed\t"]:
                wrong.append(f"{where}: not resumed: {got.trace}")
    assert not wrong, "\n\n".join(["", *wrong])
    assert not snapshots.crashes()
