"""After every git operation: is the hook warm? And the table in ``docs/git.md`` says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import git_matrix, git_setups
from tests.git_matrix import OPERATIONS
from tests.git_scene import gits
from tests.precommit_scene import Packaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.git_scene import Scene

SOAK = bool(os.environ.get("HOOKS_COMPILE_SOAK"))
DOCUMENT = Path(__file__).parent.parent / "docs" / "git.md"

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


def rows(setup: str, *, all_: bool) -> list[object]:
    """The rows of a set-up: all, or those of a short run; with every git that it fits."""
    found = []
    for version in gits():
        new = tuple(map(int, version.split(".")[:2])) >= (2, 54)
        if setup.endswith("config") and not new:
            continue
        names = [n for n, each in OPERATIONS.items() if all_ or each.sample]
        found += [pytest.param(setup, version, n, id=f"{setup}-{version}-{n}") for n in names]
    return found


# Three quarters of an hour of git and pre-commit in all: each set-up's peculiar rows, always.
PARAMETERS = [
    *rows("nothing", all_=SOAK),
    *rows("native_files", all_=True),
    *rows("native_config", all_=True),
    *rows("pre_commit", all_=SOAK),
    *rows("husky_files", all_=SOAK),
    *rows("husky_config", all_=SOAK),
]


@pytest.mark.parametrize(("setup", "version", "name"), PARAMETERS)
def test_what_runs_is_the_source_and_it_is_warm_where_the_table_says_so(
    setup: str, version: str, name: str, scene_of: Callable[[str, str], Scene]
) -> None:
    scene = scene_of(setup, version)
    state = git_matrix.result(OPERATIONS[name], scene)
    git_matrix.remove_scene(scene)
    print(setup, name, state)
