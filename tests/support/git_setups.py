"""The ways in which a project may have us in git: the columns of the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hooks_compile.git_hooks.hook_files import EVENTS
from tests.support.git_scene import Scene, husky_script
from tests.support.precommit_scene import CONFIG, PRE_COMMIT, STAGES, Packaged, with_pre_commit

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.git_hooks.installer import Method


# Building our ids takes long, and not every set-up needs them.
Packaging = Callable[[], Packaged]


def nothing(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """Nobody compiles but the launches themselves."""
    return Scene.create(directory, git)


def pre_commit(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """The ids, installed by pre-commit; in new clones through its template."""
    scene = Scene.create(directory, git, {CONFIG: packaged().config()})
    scene = with_pre_commit(scene, packaged())
    template = scene.directory / "template"
    types = [word for stage in STAGES for word in ("-t", stage)]
    scene.run(PRE_COMMIT, "init-templatedir", *types, template)
    scene.git("config", "--global", "init.templateDir", template)
    return scene


def native_files(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """``hooks-compile git-hooks install`` with a git before 2.54; in new clones by ``--global``."""
    return _native(Scene.create(directory, git), "files")


def native_config(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """The same with git 2.54 or later."""
    return _native(Scene.create(directory, git), "config")


def husky_files(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """husky has ``core.hooksPath`` and runs pre-commit; then ours are installed as files."""
    return _native(_husky(directory, git, packaged), "files")


def husky_config(directory: Path, git: Path, packaged: Packaging) -> Scene:
    """The same with git 2.54 or later."""
    return _native(_husky(directory, git, packaged), "config")


def _native(scene: Scene, method: Method) -> Scene:
    scene.install(method)
    scene.install(method, global_=True)
    return scene


def _husky(directory: Path, git: Path, packaged: Packaging) -> Scene:
    files = {CONFIG: packaged().config()}
    for stage in ("pre-commit", *EVENTS[:4]):
        words: list[str | Path] = [
            PRE_COMMIT,
            "hook-impl",
            f"--config={CONFIG}",
            f"--hook-type={stage}",
            "--",
        ]
        files[f".husky/{stage}"] = husky_script(words)
    scene = Scene.create(directory, git, files).with_env(**packaged().env)
    scene.put_husky()
    return scene
