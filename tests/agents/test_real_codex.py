"""Codex runs a hook only if its user trusts it, and a changed one is another."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.agent_clients import CODEX
from tests.support.client_scene import Scene
from tests.support.tiers import soak_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.agent_clients import Client
    from tests.support.model_server import Model

pytestmark = [soak_only, pytest.mark.timeout(600)]

EXEC = ("exec", "--dangerously-bypass-approvals-and-sandbox", "do what the plan says")

TOML = """\
[[hooks.PreToolUse]]
[[hooks.PreToolUse.hooks]]
type = 'command'
command = 'python3 .codex/hooks/guard.py toml'  # it stays
"""


def hooks_of(scene: Scene) -> list[dict[str, Any]]:
    """Return what Codex itself says about the project's hooks."""
    client = {"name": "tests", "version": "1"}
    requests = [
        {"id": 1, "method": "initialize", "params": {"clientInfo": client}},
        {"method": "initialized"},
        {"id": 2, "method": "hooks/list", "params": {"cwds": [str(scene.root)]}},
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with scene.started("app-server", **pipes) as server:
        assert server.stdin
        assert server.stdout
        with server.stdin as stdin, server.stdout as stdout:
            for request in requests:
                stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            answers = (json.loads(line) for line in stdout)
            answer = next(each for each in answers if each.get("id") == 2)
    hooks: list[dict[str, Any]] = answer["result"]["data"][0]["hooks"]
    return hooks


def states(scene: Scene) -> set[str]:
    return {hook["trustStatus"] for hook in hooks_of(scene)}


def skipped_hooks(scene: Scene) -> list[str]:
    """Return what doctor says about hooks that Codex skips."""
    findings = json.loads(scene.tool.run("doctor", "--json").out)
    return [each["text"] for each in findings if "not trusted in Codex" in each["text"]]


def trust(scene: Scene) -> None:
    """Write down what Codex does when its user trusts all hooks."""
    tables = [
        f'[hooks.state."{hook["key"]}"]\ntrusted_hash = "{hook["currentHash"]}"\n'
        for hook in hooks_of(scene)
    ]
    settings = scene.tool.home / ".codex/config.toml"
    text = settings.read_text().partition("[hooks.state.")[0]
    settings.write_text(text + "\n".join(tables))


@pytest.fixture
def scene(installed: Callable[[Client], Path], model: Model, tmp_path: Path) -> Scene:
    return Scene.create(CODEX, installed(CODEX), model, tmp_path)


def test_exec_skips_a_wired_hook_in_silence_until_it_is_trusted(scene: Scene) -> None:
    trust(scene)
    assert states(scene) == {"trusted"}
    plain = scene.turn(*EXEC)
    assert plain.of("guard.py")
    assert plain.files == ["allowed.txt", "slow.txt"]

    scene.wire()
    assert states(scene) == {"modified"}
    number = len(hooks_of(scene))
    (text,) = skipped_hooks(scene)
    assert f": {number} hooks are not trusted in Codex" in text
    skipped = scene.turn(*EXEC)
    assert skipped.notes == []
    assert skipped.files == ["allowed.txt", "denied.txt", "forbidden.txt", "slow.txt"]

    trust(scene)
    assert skipped_hooks(scene) == []
    assert scene.turn(*EXEC) == plain
    assert {how for how, _ in scene.launches()} == {"hit"}


def test_doctor_and_codex_agree_about_hooks_of_the_user(scene: Scene) -> None:
    """Those in ``hooks.json`` and in ``config.toml``: never trusted, trusted, and modified."""
    scene.settings.unlink()
    home = scene.tool.home / ".codex"
    command = f"sh {scene.hooks}/hook_wrapper.sh {scene.hooks}/guard.py"
    group = {"hooks": [{"type": "command", "command": command, "timeout": 5}]}
    (home / "hooks.json").write_text(json.dumps({"hooks": {"Stop": [group]}}))
    settings = home / "config.toml"
    settings.write_text(
        settings.read_text() + TOML.replace("python3 .codex/hooks/guard.py", command)
    )

    assert states(scene) == {"untrusted"}
    assert [text.partition(":")[0] for text in skipped_hooks(scene)] == [
        str(home / "hooks.json"),
        str(settings),
    ]
    trust(scene)
    assert states(scene) == {"trusted"}
    assert skipped_hooks(scene) == []
    (home / "hooks.json").write_text(json.dumps({"hooks": {"Stop": [group, group]}}))
    assert states(scene) == {"trusted", "untrusted"}
    (text,) = skipped_hooks(scene)
    assert text.startswith(f"{home}/hooks.json: 1 hook is not trusted in Codex")


def test_hooks_in_toml_are_wired(scene: Scene) -> None:
    scene.settings.unlink()
    (scene.root / ".codex/config.toml").write_text(TOML)
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "denied.txt", "slow.txt"]
    scene.wire()
    assert scene.turn() == plain
    assert {how for how, _ in scene.launches()} == {"hit"}
