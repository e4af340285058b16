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
    skipped = scene.turn(*EXEC)
    assert skipped.notes == []
    assert skipped.files == ["allowed.txt", "denied.txt", "forbidden.txt", "slow.txt"]

    trust(scene)
    assert scene.turn(*EXEC) == plain
    assert {how for how, _ in scene.launches()} == {"hit"}


def test_hooks_in_toml_are_wired(scene: Scene) -> None:
    scene.settings.unlink()
    (scene.root / ".codex/config.toml").write_text(TOML)
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "denied.txt", "slow.txt"]
    scene.wire()
    assert scene.turn() == plain
    assert {how for how, _ in scene.launches()} == {"hit"}
