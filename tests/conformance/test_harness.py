"""The harness finds what launchers get wrong: each of these is wrong in one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.bench import Bench
from tests.conformance.cases import CASES
from tests.conformance.model import Case, Run
from tests.conformance.sides import problems
from tests.support.launches import default_interpreter

if TYPE_CHECKING:
    from pathlib import Path

_TRACE = 'import os\nopen(os.environ["HOOKS_COMPILE_TRACE"], "a").write("{}\\tbecause\\tx\\n")\n'
_EXEC = (
    "import sys\nsys.argv.pop(0)\nexec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'))\n"
)
_STEP_ASIDE = "import sys\nos.execv(sys.executable, [w for w in sys.orig_argv if w != __file__])\n"

_PLAIN = Case("plain", {"hook.py": "print('hello')\n"})
_BY_NAME = {case.name: case for case in CASES}


def _found(launcher: str, case: Case, tmp_path: Path) -> str:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    (runtime / "launch.py").write_text(launcher)
    empty = tmp_path / "empty"
    empty.mkdir()
    bench = Bench(default_interpreter(), tmp_path / "work", runtime)
    found = problems(bench, case, case.runs[0], ("cold", "primed"), empty)
    return "\n".join(found)


def test_a_launcher_that_always_falls_back_is_found(tmp_path: Path) -> None:
    found = _found(_TRACE.format("source") + _STEP_ASIDE, _PLAIN, tmp_path)
    assert "('source', 'because')" in found
    assert "stdout" not in found
    assert "stderr" not in found


def test_a_launcher_that_always_compiles_is_found(tmp_path: Path) -> None:
    found = _found(_TRACE.format("miss") + _STEP_ASIDE, _PLAIN, tmp_path)
    assert "[primed]" in found
    assert "[cold]" not in found


def test_a_launcher_that_says_nothing_is_found(tmp_path: Path) -> None:
    assert "reports ()" in _found("import os\n" + _STEP_ASIDE, _PLAIN, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["dump-plain", "uncaught", "siblings", "the-loader-of-main"],
)
def test_a_launcher_that_only_executes_the_code_is_found(name: str, tmp_path: Path) -> None:
    found = _found(_TRACE.format("miss") + _EXEC, _BY_NAME[name], tmp_path)
    assert "[cold]" in found


@pytest.mark.parametrize(
    ("spoilt", "shown"),
    [
        ("import sys; sys.exit(3)", "status: 3 instead of 0"),
        ("print('more')", "+more"),
        ("import sys; sys.stderr.write('oops')", "stderr"),
        ("open('left', 'w').close()", "file 'left'"),
        ("import os; os.chmod('hook.py', 0o600)", "file 'hook.py'"),
        ("import os; os.kill(os.getpid(), 15)", "status: -15 instead of 0"),
    ],
)
def test_each_kind_of_difference_is_found(spoilt: str, shown: str, tmp_path: Path) -> None:
    launcher = _TRACE.format("miss") + _EXEC + spoilt + "\n"
    assert shown in _found(launcher, _PLAIN, tmp_path)


def test_a_case_that_fails_for_another_reason_than_it_says_is_found(tmp_path: Path) -> None:
    case = Case("wrong", {"hook.py": "print(undefined)\n"}, (Run(shows="hello"),))
    found = _found(_TRACE.format("miss") + _EXEC, case, tmp_path)
    assert "the source ended with 1, not 0" in found
    assert "the source did not show b'hello'" in found


def test_the_names_of_cases_are_unique() -> None:
    assert len(_BY_NAME) == len(CASES)
