"""Every row of the table: what becomes of a command, that it comes back, that it runs the same."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.shell import launches
from hooks_compile.agents.shell.launches import RefusedError
from hooks_compile.agents.wiring.command import Rewritten, unwire_command, wire_command
from hooks_compile.install import wrapper
from hooks_compile.install.runtime_directory import ensure
from tests.support import wiring_shapes as shapes
from tests.support.tiers import scaled
from tests.support.wired_project import Project, Seen, as_the_agent_gives_it, shells

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.agents.wiring.command import Surroundings
    from tests.support.wiring_shapes import Shape

TABLE = shapes.load()
WIRED = [shape for shape in TABLE if shape.wired is not None]
run_shapes = pytest.mark.parametrize(
    "shape", WIRED[:: scaled(8, 1, 1)], ids=lambda shape: shape.name
)
run_some_shapes = pytest.mark.parametrize(
    "shape", WIRED[:: scaled(10, 2, 1)], ids=lambda shape: shape.name
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.create(tmp_path_factory.mktemp("agents"))


@pytest.fixture(scope="module")
def spaced(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.create(tmp_path_factory.mktemp("agents"), "my prójects")


def filled(text: str, project: Project) -> str:
    return text.replace("{root}", str(project.root)).replace("{home}", str(project.home))


def test_the_table_shows_each_command_once() -> None:
    commands = Counter((shape.agent, shape.command) for shape in TABLE)
    assert [command for command, count in commands.items() if count > 1] == []


def outcome(command: str, around: Surroundings) -> Rewritten | str | None:
    """Return the new form, the reason for which it stays, or None if it is wired already."""
    try:
        return wire_command(command, around)
    except RefusedError as refused:
        return str(refused)


def test_a_command_becomes_exactly_what_the_table_says(project: Project) -> None:
    wrong = []
    for shape in TABLE:
        seen = outcome(filled(shape.command, project), project.surroundings(shape.agent))
        expected = shape.wired or shape.reason
        form = seen.command if isinstance(seen, Rewritten) else seen
        if form != (expected and filled(expected, project)):
            wrong.append(f"{shape.name}: {form!r}, not {expected!r}")
        elif isinstance(seen, Rewritten):
            assert seen.wrappers
            assert all(path.parent.is_dir() for path in seen.wrappers)
    assert wrong == [], "\n".join(wrong)


def test_a_wired_command_comes_back_to_the_letter(project: Project) -> None:
    for shape in WIRED:
        around = project.surroundings(shape.agent)
        wired = filled(shape.wired or "", project)
        back = unwire_command(wired, around)
        assert back is not None
        assert back.command == filled(shape.command, project)
        assert outcome(wired, around) is None


@run_some_shapes
def test_old_and_new_command_show_the_same_from_source(shape: Shape, project: Project) -> None:
    for shell in shells(shape.agent):
        old, new = both(shape, project, shell, project.environment(shape.agent))
        assert new == old


@run_shapes
def test_old_and_new_command_show_the_same_from_entries(
    shape: Shape, project: Project, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    ensure(tmp_path / "runtime")
    environment = project.environment(shape.agent) | {
        "HOOKS_COMPILE_HOME": str(tmp_path / "runtime"),
        "HOOKS_COMPILE_TRACE": str(trace),
    }
    for _ in ("a miss", "a hit"):
        old, new = both(shape, project, shells(shape.agent)[-1], environment)
        assert new == old
    last = trace.read_text().splitlines()[-1]
    state = "hit"
    if "-O" in shape.command or "PYTHONOPTIMIZE" in shape.command:
        state = "source"
    elif " -B" in shape.command or (
        "PYTHONDONTWRITEBYTECODE" in shape.command and " -I" not in shape.command
    ):
        state = "miss"  # it may store no entry
    assert last.startswith(f"{state}\t")


@run_some_shapes
def test_old_and_new_command_agree_under_a_directory_with_a_space(
    shape: Shape, spaced: Project
) -> None:
    if "{root}" in shape.command:
        pytest.skip("a path with a space would have to be quoted")
    shell = shells(shape.agent)[0]
    old, new = both(shape, spaced, shell, spaced.environment(shape.agent))
    if b"told" in old.stdout + old.stderr or b"begun" in old.stdout:
        assert new == old
    else:  # the old command breaks on the space before the hook runs, and so does the new one
        assert (new.status, new.stdout) == (old.status, old.stdout)


def both(
    shape: Shape, project: Project, shell: tuple[str, ...], environment: dict[str, str]
) -> tuple[Seen, Seen]:
    """What the old and the new command show, run where the agent runs them."""
    command = filled(shape.command, project)
    around = project.surroundings(shape.agent)
    for start in around.starts or (project.elsewhere,):
        wired = outcome(command, around._replace(starts=around.starts and (start,)))
        if isinstance(wired, Rewritten):
            break
    assert isinstance(wired, Rewritten)
    for needed in ("timeout", "/usr/bin/python3", "/usr/bin/env"):
        if needed in command.split() and shutil.which(needed) is None:
            pytest.skip(f"{needed} is not on this machine")
    project.write_wrappers(wired.wrappers)
    old, new = (
        project.run(
            shell, as_the_agent_gives_it(shape.agent, text, project.root), start, environment
        )
        for text in (command, wired.command)
    )
    return old, new


def test_the_name_of_the_wrapper_is_the_same_everywhere() -> None:
    assert wrapper.NAME == launches.WRAPPER_NAME
