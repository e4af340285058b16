"""What only Claude Code has: ``onFailure``, the exec form, a status line, and plugins."""

from __future__ import annotations

import json
import os
import pty
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.agent_clients import CLAUDE
from tests.support.client_scene import TURN_S, Scene, each_state, wait_for
from tests.support.repositories import write
from tests.support.tiers import soak_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.agent_clients import Client
    from tests.support.model_server import Model

pytestmark = [soak_only, pytest.mark.timeout(600)]

HOOKS = "$CLAUDE_PROJECT_DIR/.claude/hooks"
CRASH = "import sys\nif 'crash' in sys.stdin.read():\n    1 / 0\n"
DECIDE = "import sys\nsys.exit(2 if 'denied' in sys.stdin.read() else 0)\n"
STATUS = "status of the hook"
SUGGESTION = "suggested/by-the-hook.txt"


@pytest.fixture
def scene(installed: Callable[[Client], Path], model: Model, tmp_path: Path) -> Scene:
    return Scene.create(CLAUDE, installed(CLAUDE), model, tmp_path)


def hook(command: str, **more: object) -> dict[str, Any]:
    return {"hooks": [{"type": "command", "command": command, **more}]}


def configure(scene: Scene, *before: dict[str, Any], **more: object) -> None:
    """Write settings with these hooks before each call of a tool."""
    scene.settings.write_text(json.dumps({"hooks": {"PreToolUse": before}, **more}, indent=2))


@each_state
def test_a_hook_that_fails_blocks_if_its_settings_say_so(scene: Scene, state: str) -> None:
    (scene.hooks / "crash.py").write_text(CRASH)
    configure(
        scene,
        hook(f'python3 "{HOOKS}/slow.py"', timeout=4, onFailure="block"),
        hook(f'python3 "{HOOKS}/crash.py"', onFailure="block"),
    )
    commands = [f"echo > {name}.txt" for name in ("allowed", "slow", "crash")]
    plain = scene.turn(commands=commands)
    assert plain.files == ["allowed.txt"]
    scene.wire(state)
    assert scene.turn(commands=commands) == plain
    assert set(scene.launches()) == {(state, "slow.py"), (state, "crash.py")}


def test_an_edit_by_the_agent_counts_at_the_next_call(scene: Scene) -> None:
    guard = (scene.hooks / "guard.py").read_text()
    configure(scene, hook(f'python3 "{HOOKS}/guard.py"'))
    commands = [
        "echo > forbidden.txt",
        "sed -i 's/f[o]rbidden/second/' .claude/hooks/guard.py",
        "echo > second.txt",
        "echo > forbidden.txt",
    ]
    plain = scene.turn(commands=commands)
    assert "guard says no" in plain.results[2]
    assert plain.files == ["forbidden.txt"]
    (scene.hooks / "guard.py").write_text(guard)
    scene.wire()
    assert scene.turn(commands=commands) == plain
    assert scene.launches() == {("hit", "guard.py"): 3, ("miss", "guard.py"): 1}


@each_state
def test_hooks_that_no_shell_starts_block(scene: Scene, state: str) -> None:
    hooks = "${CLAUDE_PROJECT_DIR}/.claude/hooks"
    write(scene.hooks / "run.py", f"#!/usr/bin/env python3\n{DECIDE}", executable=True)
    configure(
        scene,
        hook("python3", args=[f"{hooks}/guard.py", "an argument", "$HOME"]),
        hook(f"{hooks}/run.py", args=[]),
    )
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "slow.txt"]
    assert {tuple(note["argv"]) for note in plain.notes} == {("an argument", "$HOME")}
    scene.wire(state)
    assert scene.turn() == plain
    assert set(scene.launches()) == {(state, "guard.py"), (state, "run.py")}


def on_terminal(scene: Scene) -> dict[str, dict[str, Any]]:
    """Use the client on a terminal, and return what the status line and the suggestions noted."""
    scene.begin([])
    # It has to begin as the time before: after a kill, for example, it draws in another way.
    shutil.rmtree(scene.tool.home / ".claude", ignore_errors=True)
    state = {
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {"approved": ["none"], "rejected": []},
        "bypassPermissionsModeAccepted": True,
        "projects": {str(scene.root): {"hasTrustDialogAccepted": True}},
    }
    write(scene.tool.home / ".claude.json", json.dumps(state))
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while data := os.read(ours, 65536):
                shown.extend(data)
        except OSError:  # the last process of the terminal has ended
            return

    reader = threading.Thread(target=read)
    words = ("--dangerously-skip-permissions",)
    with scene.started(*words, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        reader.start()
        wait_for(lambda: STATUS.encode() in shown, 60)
        os.write(ours, b"@x")
        wait_for(lambda: SUGGESTION.encode() in shown, 60)
        notes = {note["script"]: note for note in scene.notes()}
    reader.join()
    os.close(ours)
    return notes


def test_the_status_line_and_suggestions_of_files_are_shown(scene: Scene) -> None:
    record = (scene.hooks / "record.py").read_text()
    (scene.hooks / "status.py").write_text(f"{record}print({STATUS!r})\n")
    (scene.hooks / "suggest.py").write_text(f"{record}print({SUGGESTION!r})\n")
    line = {"type": "command", "command": f'python3 "{HOOKS}/status.py" line'}
    suggestion = {"type": "command", "command": f'python3 "{HOOKS}/suggest.py" file'}
    configure(scene, statusLine=line, fileSuggestion=suggestion)
    plain = on_terminal(scene)
    assert set(plain) == {"status.py", "suggest.py"}
    scene.wire()
    assert on_terminal(scene) == plain
    assert set(scene.launches()) == {("hit", "status.py"), ("hit", "suggest.py")}


def write_plugin(scene: Scene, directory: Path) -> Path:
    """Write a plugin with the guard, and return its file of hooks."""
    about = {"name": "mine", "version": "1.0.0", "description": "a guard"}
    write(directory / ".claude-plugin/plugin.json", json.dumps(about))
    write(directory / "hooks/guard.py", (scene.hooks / "guard.py").read_text())
    hooks = {"PreToolUse": [hook('python3 "${CLAUDE_PLUGIN_ROOT}"/hooks/guard.py')]}
    return write(directory / "hooks/hooks.json", json.dumps({"hooks": hooks}))


def install_plugin(scene: Scene, market: Path) -> None:
    """Install the plugin in ``market/mine`` as its user does."""
    entry = {"name": "mine", "source": "./mine"}
    manifest = {"name": "market", "owner": {"name": "a test"}, "plugins": [entry]}
    write(market / ".claude-plugin/marketplace.json", json.dumps(manifest))
    for words in (("marketplace", "add", str(market)), ("install", "mine@market")):
        with scene.started("plugin", *words) as process:
            assert process.wait(TURN_S) == 0


def test_an_installed_plugin_is_left_as_it_is(scene: Scene) -> None:
    configure(scene)
    write_plugin(scene, scene.root.parent / "market/mine")
    install_plugin(scene, scene.root.parent / "market")
    (hooks,) = (scene.tool.home / ".claude/plugins/cache").rglob("hooks.json")
    original = hooks.read_bytes()
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "denied.txt", "slow.txt"]
    scene.tool.ok("init", "--yes", "--user")
    assert hooks.read_bytes() == original
    assert scene.turn() == plain
    assert not scene.launches()


def test_a_plugin_of_the_project_is_wired(scene: Scene) -> None:
    configure(scene)
    directory = scene.root / "plugins/mine"
    write_plugin(scene, directory)
    words = scene.prompt_words("--plugin-dir", str(directory))
    plain = scene.turn(*words)
    assert plain.files == ["allowed.txt", "denied.txt", "slow.txt"]
    scene.wire()
    assert scene.turn(*words) == plain
    assert set(scene.launches()) == {("hit", "guard.py")}


def test_the_users_own_hooks_are_wired(scene: Scene) -> None:
    configure(scene)
    write(scene.tool.home / ".claude/hooks/guard.py", (scene.hooks / "guard.py").read_text())
    own = {"hooks": {"PreToolUse": [hook("python3 ~/.claude/hooks/guard.py")]}}
    write(scene.tool.home / ".claude/settings.json", json.dumps(own))
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "denied.txt", "slow.txt"]
    scene.tool.ok("init", "--yes", "--user")
    assert scene.turn() == plain
    assert set(scene.launches()) == {("hit", "guard.py")}
