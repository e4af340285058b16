"""CPython's own tests of how scripts are run pass through the launcher as they do without it.

With ``HOOKS_COMPILE_TESTS=ci`` under some versions, with ``soak`` under all.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots.snapshot_store import Store
from tests.support import snapshot_machine
from tests.support.interpreters_found import clean_environment, each_interpreter
from tests.support.snapshot_machine import NEEDS_LOADER
from tests.support.tiers import IS_SOAK as SOAK
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.interpreters_found import Found

SUITES = (
    "test_cmd_line_script",
    "test_atexit",
    "test_source_encoding",
    "test_multiprocessing_main_handling",
)

_IN_CI = ((3, 11), (3, 14), (3, 15))

Ended = dict[str, tuple[str, str]]


def _run(mode: str, python: Path, tests: Sequence[str], directory: Path, runtime: Path) -> Ended:
    results = directory / f"{mode}.json"
    work = directory / mode
    work.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *(str(python), str(Path(__file__).with_name("cpython_driver.py"))),
            *(mode, str(runtime / "launch.py"), str(runtime / "key"), str(results), *tests),
        ],
        cwd=work,
        env={**clean_environment(), "HOOKS_COMPILE_TRACE": str(directory / f"{mode}.trace")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert results.exists(), done.stderr.decode()
    ended: Ended = json.loads(results.read_text(encoding="utf-8"))
    return ended


def _require_all_that_passes_plainly(
    mode: str, python: Path, suite: str, directory: Path, runtime: Path
) -> None:
    """Run a suite through the launcher; what does not pass then must not pass without it either."""
    routed = _run(mode, python, [suite], directory, runtime)
    others = {name: f"{how}: {why}" for name, (how, why) in routed.items() if how != "passed"}
    assert len(others) < len(routed), f"nothing passes [{mode}]: {others}"
    # What fails in a fixture has another name.
    tests = [name.removeprefix("test.") for name in others if name.startswith("test.")]
    tests = tests if len(tests) == len(others) else [suite]
    plain = _run("plain", python, tests, directory, runtime) if others else {}
    passed = {name for name, (how, _) in plain.items() if how == "passed"}
    failed = [f"{name} [{mode}]: {why}" for name, why in others.items() if name in passed]
    assert not failed, "\n\n".join(failed)


@ci_only
@each_interpreter
@pytest.mark.parametrize("suite", SUITES)
def test_what_passes_without_the_launcher_passes_with_it(
    suite: str, interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    if not SOAK and interpreter.version[:2] not in _IN_CI:
        pytest.skip("HOOKS_COMPILE_TESTS=soak runs it under this version")
    probe = [str(interpreter.executable), "-c", f"import test.{suite}"]
    if subprocess.run(probe, capture_output=True, check=False, cwd=tmp_path).returncode != 0:
        pytest.skip(f"{interpreter.name} does not ship test.{suite}")
    for mode in ("primed", "cold") if SOAK else ("primed",):
        _require_all_that_passes_plainly(mode, interpreter.executable, suite, tmp_path, runtime)
        trace = tmp_path / f"{mode}.trace"
        if trace.exists():  # older versions of test_atexit start no process
            text = trace.read_text(encoding="utf-8", errors="replace")
            assert ("hit\t" if mode == "primed" else "miss\t") in text, text


@ci_only
@NEEDS_LOADER
@pytest.mark.parametrize("suite", SUITES if SOAK else SUITES[:1])
@pytest.mark.parametrize(
    "interpreter",
    snapshot_machine.interpreters()[slice(None if SOAK else -1, None)],
    ids=lambda found: found.name,
)
def test_what_passes_without_snapshots_passes_with_them(
    suite: str, interpreter: Found, tmp_path: Path
) -> None:
    snapshots = Store(tmp_path / "runtime")
    snapshots.create()
    snapshots.turn_on(snapshot_machine.loader())
    python = snapshot_machine.bare_environment(interpreter.executable)
    _require_all_that_passes_plainly("resumed", python, suite, tmp_path, snapshots.runtime)
    trace = tmp_path / "resumed.trace"
    text = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    assert suite != SUITES[0] or text.count("resumed\t") > text.count("\n") / 2, text
    assert not snapshots.crashes()
