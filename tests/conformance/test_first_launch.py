"""The first launches of all: under an interpreter, in a runtime directory, in a hooks directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hooks_compile.install import runtime_directory
from tests.conformance.bench import ENVIRONMENTS, Bench
from tests.conformance.cases.attributes import DUMP
from tests.conformance.compare import differences
from tests.conformance.model import Case, Run
from tests.conformance.sides import writes_bytecode
from tests.support.interpreters_found import each_cpython

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.interpreters_found import Found

CASE = Case("first", {"hook.py": DUMP})


@each_cpython
@pytest.mark.parametrize("environment", [ENVIRONMENTS[0], ENVIRONMENTS[3]], ids=["plain", "set"])
def test_the_first_launch_in_a_runtime_directory_is_what_the_source_is(
    environment: Mapping[str, str], interpreter: Found, tmp_path: Path
) -> None:
    runtime = tmp_path / "runtime"
    launch = (str(runtime_directory.ensure(runtime)),)
    bench = Bench(interpreter, tmp_path / "work", runtime, environment)
    run = Run(("./hook.py", "an argument"), ("-W", "once"))
    expected = bench.source(CASE, run)
    first = bench.launch(CASE, run, launch)
    kept = bench.stash.rename(tmp_path / "kept")
    second = bench.launch(CASE, run, launch, kept)
    wrong = differences(expected, first.outcome) + differences(expected, second.outcome)
    assert not wrong, "\n".join(wrong)
    again = "hit" if writes_bytecode(run, bench) else "miss"
    assert [state for state, _ in first.trace + second.trace] == ["miss", again]
