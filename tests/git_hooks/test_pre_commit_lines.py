"""The lines that ``init`` tells for pre-commit, as they are, under the real managers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from hooks_compile.git_hooks.setup import PRE_COMMIT_LINES
from tests.support.git_scene import HOOK, TOOL, Scene
from tests.support.precommit_scene import CHECKOUT, CONFIG, MANAGERS
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "import sys\n\ndef f(:\n    pass\n"


def test_the_lines_say_what_the_ids_of_the_repository_say() -> None:
    ids = {
        each["id"]: each
        for each in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    }
    for hook in yaml.safe_load(PRE_COMMIT_LINES)["repos"][0]["hooks"]:
        ours = ids[hook["id"]]
        command = ours["entry"].removeprefix("hooks-compile ")
        assert f"exec hooks-compile {command}" in hook["entry"]
        for key in ("name", "types_or", "files", "always_run", "pass_filenames", "require_serial"):
            assert hook.get(key) == ours.get(key), key
        assert hook.get("stages", ["pre-commit"]) == ours["stages"]


@pytest.mark.parametrize("manager", MANAGERS[: scaled(1, 2, 2)], ids=lambda path: path.name)
def test_a_project_with_these_lines_is_compiled_and_its_commits_checked(
    manager: Path, tmp_path: Path
) -> None:
    scene = Scene.create(tmp_path, files={CONFIG: PRE_COMMIT_LINES})
    command = tmp_path / "bin/hooks-compile"
    command.symlink_to(TOOL)
    scene.run(manager, "install", "--install-hooks")
    scene.edit()
    scene.git("add", "-A")
    done = scene.run(scene.git_binary, "commit", "-m", "change")
    assert scene.launch() == "hit", done
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.hook.write_text(BROKEN)
    scene.git("add", "-A")
    done = scene.run(scene.git_binary, "commit", "-m", "broken", status=1)
    shown = done.stdout + done.stderr
    assert shown.count(f"{HOOK}:3: SyntaxError") == 1, "it is reported once"
    command.unlink()  # a colleague who does not have the tool
    assert shutil.which("hooks-compile", path=scene.env["PATH"]) is None
    scene.git("commit", "-q", "-m", "broken")
    scene.git("checkout", "-q", "main")
