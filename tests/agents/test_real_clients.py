"""Real agents run hooks, first as they are and then wired, against a stand-in for their model.

The clients come from npm. Nothing else is reached: see ``tests/support/client_scene.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.agent_clients import CLAUDE, CLIENTS, COPILOT, Client
from tests.support.client_scene import Scene, each_state
from tests.support.tiers import soak_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.client_scene import Turn
    from tests.support.model_server import Model

pytestmark = [soak_only, pytest.mark.timeout(900)]

each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


def assert_did_its_work(turn: Turn, scene: Scene) -> None:
    """All that a turn has to show, whether its hooks are wired or not."""
    assert turn.status == 0
    assert turn.files == ["allowed.txt", "slow.txt"]
    assert turn.has_context
    forbidden, denied = turn.results[1:3]
    assert "guard says no" in forbidden or scene.client.name == "copilot", forbidden
    assert "decide says no" in denied
    events = {note["argv"][0] for note in turn.of("record.py")}
    # Qwen Code ends a session without a person in silence.
    assert set(scene.client.events) - events <= {"SessionEnd"}, events
    assert len(turn.of("slow.py")) in (1, 2), "it was ended, by a signal that it sees or KILL"
    assert not [note for note in turn.notes if "survived" in note]


@each_client
@each_state
def test_a_wired_turn_is_like_one_from_source(
    client: Client,
    state: str,
    installed: Callable[[Client], Path],
    model: Model,
    tmp_path: Path,
) -> None:
    scene = Scene.create(client, installed(client), model, tmp_path)
    plain = scene.turn()
    assert_did_its_work(plain, scene)
    assert not scene.launches()

    original = scene.settings.read_bytes()  # Qwen Code itself adds a version at its first start
    scene.wire(state)
    wired = scene.turn()
    assert wired == plain
    launches = scene.launches()
    assert {how for how, _ in launches} == {state}
    for script in ("context.py", "decide.py", "guard.py", "record.py"):
        assert launches[state, script] == len(plain.of(script))

    scene.unwire()
    assert scene.settings.read_bytes() == original


@each_client
@each_state
def test_an_interruption_ends_a_wired_hook_like_its_source(
    client: Client,
    state: str,
    installed: Callable[[Client], Path],
    model: Model,
    tmp_path: Path,
) -> None:
    scene = Scene.create(client, installed(client), model, tmp_path)
    scene.configure(slow_limit_s=60)
    plain = scene.interrupted()
    scene.wire(state)
    wired = scene.interrupted()
    assert scene.launches()[state, "slow.py"] == 1
    assert wired == plain
    assert wired.goes_on == (client is COPILOT)  # it ends without its hooks


def test_copilot_runs_the_wired_hooks_of_claude_code(
    installed: Callable[[Client], Path], model: Model, tmp_path: Path
) -> None:
    client = replace(CLAUDE, name=COPILOT.name, words=COPILOT.words, env=COPILOT.env)
    scene = Scene.create(client, installed(COPILOT), model, tmp_path)
    plain = scene.turn()
    assert plain.files == ["allowed.txt", "slow.txt"]
    scene.wire()
    assert scene.turn() == plain
    assert {how for how, _ in scene.launches()} == {"hit"}
