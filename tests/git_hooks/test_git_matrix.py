"""After every git operation: is the hook warm? The table in ``docs/git.md`` says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import git_matrix, git_setups
from tests.support.git_matrix import CELLS, COLUMNS, OPERATIONS
from tests.support.git_scene import gits
from tests.support.precommit_scene import Packaged
from tests.support.tiers import IS_SOAK as SOAK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.git_scene import Scene

DOCUMENT = Path(__file__).parents[2] / "docs" / "git.md"

# With pre-commit a row takes seconds: a short run has those in which the columns differ in kind.
SHORT = {
    "nothing": ("merge", "stash pop"),
    "pre_commit": (
        *("clone", "checkout BRANCH", "restore --source", "worktree add", "merge", "rebase"),
        *("merge --no-commit", "cherry-pick", "am", "stash pop", "reset --hard"),
    ),
    "husky_files": (
        *("clone", "checkout BRANCH", "restore --source", "worktree add", "rebase --abort"),
        *("am", "stash pop", "reset --hard", "commit -a, after an edit in place"),
    ),
    "husky_config": ("checkout BRANCH", "restore --source", "stash pop"),
}

# husky's folder is not tracked, so that a linked worktree has none of its hooks.
NOT_IN_WORKTREES = {("husky_files", "reset --hard in a linked worktree")}

_scenes: dict[tuple[str, str], Scene] = {}


@pytest.fixture
def scene_of(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Scene]:
    """Give a fresh copy of a set-up's scene, which is made once."""

    def scene_of(setup: str, version: str) -> Scene:
        key = (setup, version)
        if key not in _scenes:
            folder = tmp_path_factory.mktemp(setup) / "scene"
            packaged = Packaged.shared(tmp_path_factory)
            _scenes[key] = getattr(git_setups, setup)(folder, gits()[version], packaged)
        return _scenes[key].copy_to(tmp_path / "scene")

    return scene_of


def _rows(setup: str) -> list[object]:
    names = OPERATIONS if SOAK else SHORT.get(setup, tuple(OPERATIONS))
    marks = [pytest.mark.soak] if setup in SHORT else []
    versions = [
        version
        for version in gits()
        if not setup.endswith("_config") or tuple(map(int, version.split(".")[:2])) >= (2, 54)
    ]
    if not versions:
        why = "a git of 2.54 or later (name its folder in HOOKS_COMPILE_TEST_GIT)"
        skip = pytest.mark.skip(reason=f"{why} is not on this machine")
        return [pytest.param(setup, "", "", id=setup, marks=skip)]
    return [
        pytest.param(setup, version, name, id=f"{setup}-{version}-{name}", marks=marks)
        for version in versions
        for name in names
    ]


ROWS = [
    row for setup in ("nothing", *COLUMNS, "native_config", "husky_config") for row in _rows(setup)
]


@pytest.mark.parametrize(("setup", "version", "name"), ROWS)
def test_what_runs_is_the_source_and_it_is_warm_where_the_table_says_so(
    setup: str, version: str, name: str, scene_of: Callable[[str, str], Scene]
) -> None:
    scene = scene_of(setup, version)
    state = git_matrix.result(OPERATIONS[name], scene)
    shutil.rmtree(scene.folder)  # there are hundreds of them
    if setup == "nothing":
        assert state == "miss"
    elif setup in COLUMNS:
        assert CELLS[state] == git_matrix.parse(DOCUMENT.read_text())[setup, name]
    if setup.startswith(("native", "husky")):
        cold = OPERATIONS[name].silent or (setup, name) in NOT_IN_WORKTREES
        assert state == ("miss" if cold else "hit")


def test_the_table_has_every_operation_and_no_other() -> None:
    document = git_matrix.parse(DOCUMENT.read_text())
    assert set(document) == {(column, name) for column in COLUMNS for name in OPERATIONS}
    assert git_matrix.table(document) in DOCUMENT.read_text()


def test_with_native_hooks_only_what_git_is_silent_about_is_cold() -> None:
    document = git_matrix.parse(DOCUMENT.read_text())
    cold = {
        name
        for (column, name), cell in document.items()
        if cell == "cold" and column == "native_files"
    }
    assert cold == {name for name, each in OPERATIONS.items() if each.silent}
