"""The hooks of the benchmark, which have the shapes of public ones: source against wrapper."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

import pytest

from benchmarks import hook_project
from benchmarks.hook_events import MEASURED, MORE, Event
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import clean_environment, few, in_turn
from tests.support.launches import CACHE_DIRECTORY, User
from tests.support.tiers import IS_SOAK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interpreters_found import Found
    from tests.support.launches import Launched

# What differs from run to run in the files that the hooks write: dates and times, seconds since
# the epoch, and hashes over them.
CHANGING = re.compile(
    rb"\d{4}-\d\d-\d\d(?:T[\d:]+(?:\.\d+)?(?:\+00:00)?)?|\b1\d{9}\b|\b[0-9a-f]{64}\b"
)
SPAWNING = {"lint_gate.py", "pre_compact.py", "session-start.py"}


def _id(event: Event) -> str:
    return f"{event.hook}-{(MEASURED + MORE).index(event)}"


def _hooks() -> list[Path]:
    """The hooks, without the modules that they import."""
    modules = hook_project.modules(hook_project.SOURCES)
    found = (path for path in hook_project.SOURCES.rglob("*") if path.is_file())
    return sorted(p for p in found if p not in modules and "__pycache__" not in p.parts)


def _written(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): CHANGING.sub(b"~", path.read_bytes())
        for path in project.rglob("*")
        if path.is_file() and not {"__pycache__", CACHE_DIRECTORY} & set(path.parts)
    }


@pytest.mark.parametrize(
    ("event", "interpreter"),
    [
        *in_turn(MEASURED, few(), name=_id),
        *in_turn(MORE, few(), name=_id, one_each=not IS_SOAK),
    ],
)
def test_a_hook_of_public_shape_does_the_same_from_source_miss_and_hit(
    event: Event, interpreter: Found, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    hooks = hook_project.lay_hooks(project)
    hook, *arguments = hook_project.words(event, project)
    user = User.create(tmp_path, interpreter).with_env(**hook_project.environment(project))
    stdin = hook_project.stdin(event, project)

    def run(how: str) -> tuple[Launched, tuple[object, ...]]:
        hook_project.reset(project)
        launch = user.source if how == "source" else user.wrapped
        done = launch(hook, *arguments, cwd=project, stdin=stdin)
        return done, (*done.shown, _written(project))

    done, source = run("source")
    assert done.status == event.status, done.stderr.decode()
    assert b"Traceback" not in done.stderr or event.status == 1

    miss, by_miss = run("wrapper")
    assert (miss.state, by_miss) == ("miss", source)
    hit, by_hit = run("wrapper")
    assert (hit.state, by_hit) == ("hit", source)

    script = hooks / event.hook
    shutil.rmtree(script.parent / CACHE_DIRECTORY)
    for cache in hooks.rglob("__pycache__"):
        shutil.rmtree(cache)
    assert all(result.error is None for result in user.compile(script))
    user.compile_modules(*hook_project.modules(hooks))
    compiled, by_compiled = run("wrapper")
    assert (compiled.state, by_compiled) == ("hit", source)


def test_every_hook_is_measured_once() -> None:
    names = [path.relative_to(hook_project.SOURCES).as_posix() for path in _hooks()]
    assert Counter(event.hook for event in MEASURED) == Counter(names)
    assert {event.hook for event in MORE} <= set(names)


def test_the_hooks_have_the_shapes_of_public_ones() -> None:
    hooks = _hooks()
    sources = [path.read_text(encoding="utf-8") for path in hooks]
    lines = sorted(text.count("\n") for text in sources)

    def share(flags: list[bool]) -> float:
        return sum(flags) / len(flags)

    assert len(hooks) >= 28
    assert lines[0] == 10
    assert 130 <= median(lines) <= 160
    assert lines[-1] >= 700
    assert sum(n >= 250 for n in lines) >= 3
    assert share([bool(re.search(r"from (?:lib|redaction|hook_io)\b", t)) for t in sources]) >= 0.3
    assert 0.4 <= share([not text.isascii() for text in sources]) <= 0.6
    assert 0.2 <= share(["-" in path.name for path in hooks]) <= 0.4
    assert 0.4 <= share(["__file__" in text for text in sources]) <= 0.6
    assert 0.4 <= share([event.leaves_early for event in MEASURED]) <= 0.6
    assert 0.1 <= share([event.status == 2 for event in MEASURED]) <= 0.2
    assert {event.hook for event in MEASURED} >= SPAWNING


def test_the_benchmark_checks_measures_and_judges(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.cold", "--as-is", "--python", sys.executable]
    done = subprocess.run(
        [*command, "--rounds", "1", "--hooks", "p*g.py"],
        cwd=CHECKOUT,
        env={**clean_environment(), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "| ping.py | 10 |" in done.stdout
    assert "geometric mean" in done.stdout
    assert not list(tmp_path.iterdir()), "the project is thrown away"
