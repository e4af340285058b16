"""Our native hooks beside those of the real pre-commit and the real prek."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from tests.support.git_scene import Scene, hook_text
from tests.support.precommit_scene import CHECKOUT, CONFIG, LOCAL, MANAGERS, PRE_COMMIT, STAGES
from tests.support.repositories import write
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from pathlib import Path

IDS = ("hooks-compile", "hooks-compile-sync", "hooks-compile-check")


def test_the_manifest_is_valid_and_says_what_each_id_needs(local: Scene) -> None:
    path = CHECKOUT / ".pre-commit-hooks.yaml"
    local.run(PRE_COMMIT, "validate-manifest", path)
    hooks = {hook["id"]: hook for hook in yaml.safe_load(path.read_text())}
    assert tuple(hooks) == IDS
    sync = hooks["hooks-compile-sync"]
    # The stages after an operation pass no files: without always_run the hook would be skipped.
    assert sync["always_run"] is True
    assert sync["pass_filenames"] is False
    assert sync["stages"] == list(STAGES[1:])
    assert all(hook["minimum_pre_commit_version"] == "3.2.0" for hook in hooks.values())
    assert all(hook["language"] == "python" for hook in hooks.values())


def test_every_id_is_in_the_documentation() -> None:
    document = (CHECKOUT / "docs" / "git.md").read_text()
    assert [each for each in IDS if f"`{each}`" not in document] == []


@pytest.fixture(params=MANAGERS, ids=lambda path: path.name)
def manager(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def local(tmp_path: Path) -> Scene:
    """A project with another hook of pre-commit's, and nothing installed."""
    noted = tmp_path / "noted"
    files = {CONFIG: LOCAL.format(noted=noted)}
    scene = Scene.create(tmp_path / "scene", files=files)
    scene.make_warm()
    return scene


def hooks_in(scene: Scene) -> dict[str, bytes]:
    directory = scene.repo / ".git/hooks"
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.suffix != ".sample"}


def assert_both_run(scene: Scene, branch: str) -> None:
    noted = scene.directory.parent / "noted"
    noted.unlink(missing_ok=True)
    done = scene.run(scene.git_binary, "checkout", "-q", branch)
    assert "bug" not in done.stderr
    assert noted.read_text() == "1\n"
    assert scene.launch() == "hit"


ORDERS = [
    *((MANAGERS[0], "ours"), (MANAGERS[1], "theirs")),
    *((MANAGERS[0], "theirs"), (MANAGERS[1], "ours")),
][: scaled(2, None, None)]


@pytest.mark.parametrize(("manager", "first"), ORDERS, ids=lambda each: getattr(each, "name", each))
def test_beside_native_hooks_in_any_order(first: str, local: Scene, manager: Path) -> None:
    before = hooks_in(local)
    if first == "theirs":
        local.run(manager, "install")
        alone = hooks_in(local)
        local.install("files")
    else:
        local.install("files")
        local.run(manager, "install")
    assert_both_run(local, "topic")
    # Each again, as happens with every new clone of a colleague's set-up script.
    for _ in range(2):
        local.install("files")
        local.run(manager, "install")
    assert_both_run(local, "clash")
    assert "not installed" not in local.tool("git-hooks", "status").stdout
    if first == "theirs":
        local.tool("git-hooks", "uninstall")
        assert hooks_in(local) == alone
        local.run(manager, "uninstall")
    else:
        local.run(manager, "uninstall")
        assert_both_run_without_theirs(local)
        local.tool("git-hooks", "uninstall")
    assert hooks_in(local) == before


def assert_both_run_without_theirs(scene: Scene) -> None:
    scene.git("checkout", "-q", "main")
    scene.edit()
    scene.git("stash", "-q")
    assert scene.launch() == "hit"
    assert "not installed" not in scene.tool("git-hooks", "status").stdout


def test_with_a_hook_from_before_both(local: Scene, manager: Path) -> None:
    noted = local.directory / "first"
    script = f'#!/bin/sh\necho first >> "{noted}"\n'
    write(local.repo / ".git/hooks/post-checkout", script, executable=True)
    before = hooks_in(local)
    local.run(manager, "install")
    local.install("files")
    assert_both_run(local, "topic")
    assert noted.read_text() == "first\n"
    local.tool("git-hooks", "uninstall")
    local.run(manager, "uninstall")
    assert hooks_in(local) == before


def test_while_unstaged_edits_are_hidden_nothing_is_synced(local: Scene, manager: Path) -> None:
    local.run(manager, "install")
    local.install("files")
    calls = local.directory / "calls"
    front = f"#!/bin/sh\necho call >> '{calls}'\n"
    local.install("files", tool=write(local.directory / "front", front, executable=True))
    write(local.repo / "new.txt", "new\n")
    local.git("add", "-A")
    local.edit("unstaged")
    calls.unlink(missing_ok=True)
    local.git("commit", "-q", "-m", "new")
    assert local.hook.read_text() == hook_text("unstaged", "edited")
    assert len(calls.read_text().splitlines()) <= 3  # before, and after; not while
