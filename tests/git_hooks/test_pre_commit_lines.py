"""The lines that ``init`` tells for pre-commit, as they are, under the real managers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

from hooks_compile.git_hooks.pre_commit_lines import as_toml, as_yaml, repositories
from tests.support.git_scene import HOOK, TOOL, Scene
from tests.support.precommit_scene import (
    CHECKOUT,
    CONFIG,
    MANAGERS,
    PRE_COMMIT,
    PREK,
    shipped_repository,
)
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "import sys\n\ndef f(:\n    pass\n"
WAYS = [(manager, CONFIG, as_yaml) for manager in MANAGERS] + [(PREK, "prek.toml", as_toml)]


def test_the_lines_say_what_the_ids_of_the_repository_say() -> None:
    ids = {
        each["id"]: each
        for each in yaml.safe_load((CHECKOUT / ".pre-commit-hooks.yaml").read_text())
    }
    for hook in repositories(None)[0]["hooks"]:
        ours = ids[hook["id"]]
        command = ours["entry"].removeprefix("hooks-compile ")
        assert f'exec hooks-compile {command} "$@"' in hook["entry"]
        for key in ("name", "types_or", "files", "always_run", "pass_filenames", "require_serial"):
            assert hook.get(key) == ours.get(key), key
        assert hook.get("stages", ["pre-commit"]) == ours["stages"]


@pytest.mark.parametrize("origin", [None, ("https://host.invalid/it.git", "0123abc")])
def test_both_forms_are_the_same_configuration(origin: tuple[str, str] | None) -> None:
    in_yaml = yaml.safe_load("\n".join(as_yaml(origin)))
    assert in_yaml == tomllib.loads("\n".join(as_toml(origin)))
    assert in_yaml["repos"] == repositories(origin)


@pytest.mark.parametrize(("manager", "name", "form"), WAYS, ids=["pre-commit", "prek", "toml"])
def test_a_project_with_these_lines_is_compiled_and_its_commits_checked(
    manager: Path, name: str, form: object, tmp_path: Path
) -> None:
    assert callable(form)
    scene = Scene.create(tmp_path, files={name: "\n".join(form(None)) + "\n"})
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
    assert f"{HOOK}:3: SyntaxError" in done.stdout + done.stderr
    command.unlink()  # a colleague who does not have the tool
    assert shutil.which("hooks-compile", path=scene.env["PATH"]) is None
    scene.git("commit", "-q", "-m", "broken")
    scene.git("checkout", "-q", "main")


@ci_only
def test_a_tool_that_pip_took_from_a_repository_tells_that_repository(
    tmp_path: Path,
) -> None:
    repo = shipped_repository(tmp_path / "shipped")
    url, revision = repo.path.as_uri(), repo.git("rev-parse", "HEAD")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "-q", "--no-deps", f"git+{url}"], check=True)
    code = (
        "import json; from hooks_compile.git_hooks.pre_commit_lines import as_yaml, installed_from;"
        "print(json.dumps([installed_from(), as_yaml(installed_from())]))"
    )
    done = subprocess.run(
        [venv / "bin/python", "-c", code], capture_output=True, check=True, cwd=tmp_path
    )
    origin, lines = json.loads(done.stdout)
    assert origin == [url, revision]
    # What tests/git_hooks/test_precommit.py runs with the real managers, for these two values.
    config = tmp_path / CONFIG
    config.write_text("\n".join(lines) + "\n")
    subprocess.run([PRE_COMMIT, "validate-config", config], check=True)
    assert yaml.safe_load(config.read_text())["repos"] == repositories((url, revision))
