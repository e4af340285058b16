"""The ways in which a project may have us in git: the columns of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.git_hooks.hook_script import EVENTS
from tests.support.git_scene import Scene, husky_script
from tests.support.precommit_scene import CONFIG, PRE_COMMIT, STAGES, Packaged, with_pre_commit

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.git_hooks.installer import Method


def nothing(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """Nobody compiles but the launches themselves."""
    return Scene.create(folder, git)


def pre_commit(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """The ids, installed by pre-commit; in new clones through its template."""
    scene = Scene.create(folder, git, {CONFIG: packaged.config()})
    scene = with_pre_commit(scene, packaged)
    template = scene.folder / "template"
    types = [word for stage in STAGES for word in ("-t", stage)]
    scene.run(PRE_COMMIT, "init-templatedir", *types, template)
    scene.git("config", "--global", "init.templateDir", template)
    return scene


def native_files(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """``hooks-compile git-hooks install`` with a git before 2.54; in new clones by ``--global``."""
    return _native(Scene.create(folder, git), "files")


def native_config(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """The same with git 2.54 or later."""
    return _native(Scene.create(folder, git), "config")


def husky_files(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """husky has ``core.hooksPath`` and runs pre-commit; then ours are installed as files."""
    return _native(_husky(folder, git, packaged), "files")


def husky_config(folder: Path, git: Path, packaged: Packaged) -> Scene:
    """The same with git 2.54 or later."""
    return _native(_husky(folder, git, packaged), "config")


def _native(scene: Scene, method: Method) -> Scene:
    scene.install(method)
    scene.install(method, global_=True)
    return scene


def _husky(folder: Path, git: Path, packaged: Packaged) -> Scene:
    files = {CONFIG: packaged.config()}
    for stage in ("pre-commit", *EVENTS[:4]):
        words: list[str | Path] = [
            PRE_COMMIT,
            "hook-impl",
            f"--config={CONFIG}",
            f"--hook-type={stage}",
            "--",
        ]
        files[f".husky/{stage}"] = husky_script(words)
    scene = Scene.create(folder, git, files).with_env(**packaged.env)
    scene.put_husky()
    return scene
