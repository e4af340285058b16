"""After every git operation: is the hook warm? ``docs/git.md`` lists where it is not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT
from tests.support import git_matrix, git_setups
from tests.support.git_matrix import COLUMNS, OPERATIONS
from tests.support.git_scene import NO_NEWER_GIT, gits, newer_git
from tests.support.precommit_scene import Packaged
from tests.support.tiers import IS_CI, IS_SOAK, ci_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.git_scene import Scene

DOCUMENT = (CHECKOUT / "docs" / "git.md").read_text()

# One of each kind: by what git tells of it, and whether it stops, is undone, or pops a stash.
SHORT = (
    *("clone", "checkout BRANCH", "restore --source", "worktree add", "merge --autostash"),
    *("rebase --abort", "am", "stash pop", "reset --hard", "commit FILE, after an edit in place"),
    *("apply", "cherry-pick --ff"),
)

_scenes: dict[tuple[str, str], Scene] = {}


@pytest.fixture
def scene_of(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Scene]:
    """Give a fresh copy of a set-up's scene, which is made once."""

    def scene_of(setup: str, version: str) -> Scene:
        key = (setup, version)
        if key not in _scenes:
            directory = tmp_path_factory.mktemp(setup) / "scene"
            make = getattr(git_setups, setup)
            _scenes[key] = make(
                directory, gits()[version], lambda: Packaged.shared(tmp_path_factory)
            )
        return _scenes[key].copy_to(tmp_path / "scene")

    return scene_of


def _rows(setup: str, version: str, names: Iterable[str]) -> list[object]:
    if not version:
        skip = pytest.mark.skip(reason=NO_NEWER_GIT)
        return [pytest.param(setup, "", "", id=setup, marks=skip)]
    marks = [] if setup == "native_files" else [ci_only]
    return [
        pytest.param(setup, version, name, id=f"{setup}-{version}-{name}", marks=marks)
        for name in names
    ]


# The first set-up has every row. The others differ from it in few, and soaks try all.
_FIRST, *_OTHERS = gits()
_FEW = OPERATIONS if IS_SOAK else SHORT
_SOME = OPERATIONS if IS_SOAK else dict.fromkeys([*SHORT, *list(OPERATIONS)[::4]])
ROWS = [
    *_rows("native_files", _FIRST, OPERATIONS if IS_CI else SHORT),
    *(row for version in _OTHERS for row in _rows("native_files", version, _FEW if IS_CI else ())),
    *_rows("native_config", newer_git(), _SOME),
    *_rows("pre_commit", _FIRST, _SOME),
    *_rows("husky_files", _FIRST, {**dict.fromkeys(_FEW), "reset --hard in a linked worktree": 0}),
    *_rows("husky_config", newer_git(), _FEW),
    *_rows("nothing", _FIRST, _FEW),
]


@pytest.mark.parametrize(("setup", "version", "name"), ROWS)
def test_what_runs_is_the_source_and_it_is_warm_unless_the_document_says_cold(
    setup: str, version: str, name: str, scene_of: Callable[[str, str], Scene]
) -> None:
    scene = scene_of(setup, version)
    state = git_matrix.result(OPERATIONS[name], scene)
    shutil.rmtree(scene.directory)  # there are hundreds of them
    if setup in COLUMNS:
        is_cold = name in git_matrix.cold(DOCUMENT)[setup]
    else:  # by its configuration git runs our hook wherever it runs one
        is_cold = setup == "nothing" or OPERATIONS[name].silent
    if name == "worktree move":  # it moves the entries, too
        is_cold = False
    assert state == ("miss" if is_cold else "hit")


def test_the_document_names_only_operations_that_there_are() -> None:
    cold = git_matrix.cold(DOCUMENT)
    assert set(cold) == set(COLUMNS)
    for names in cold.values():
        assert set(names) <= set(OPERATIONS)
        assert len(set(names)) == len(names)
    assert git_matrix.table(cold) in DOCUMENT
    assert f"{len(OPERATIONS)} operations of git" in DOCUMENT


def test_with_native_hooks_only_what_git_is_silent_about_is_cold() -> None:
    silent = {name for name, each in OPERATIONS.items() if each.silent}
    assert set(git_matrix.cold(DOCUMENT)["native_files"]) == silent
