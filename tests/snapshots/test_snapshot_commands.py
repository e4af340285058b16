"""``hooks-compile snapshot``: on, off, status; and the queue of the background maker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.install import runtime_directory
from hooks_compile.snapshots import make_queue
from hooks_compile.snapshots.snapshot_store import Store
from tests.support.interpreters_found import Found, clean_environment
from tests.support.launches import WRAPPER, User
from tests.support.snapshot_machine import NEEDS_LOADER, bare_environment, interpreters, loader
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = NEEDS_LOADER

GUARD = "import sys\nimport json\nprint(json.dumps(sys.argv[1:]))\n"


class Scene:
    """A project with two hooks, and a user with a runtime directory."""

    def __init__(self, directory: Path) -> None:
        found = interpreters()[0]
        python = bare_environment(found.executable)
        self.python = str(python)
        self.user = User.create(directory, Found(found.implementation, found.version, python))
        home = directory / "home"
        home.mkdir()
        # in this locale Python sets LC_CTYPE itself, which no hook is started with
        self.user = self.user.with_env(HOME=str(home), LANG="C")
        self.project = directory / "project"
        hooks = self.project / ".claude" / "hooks"
        hooks.mkdir(parents=True)
        self.guard, self.small = hooks / "guard.py", hooks / "small.py"
        self.guard.write_text(GUARD, encoding="utf-8")
        self.small.write_text("print('small')\n", encoding="utf-8")
        self.snapshots = Store(self.user.runtime)

    def tool(self, *words: str, status: int = 0) -> str:
        """Run hooks-compile as a shell does in the background; return its stdout."""
        env = {**clean_environment(), **self.user.environment()}
        ignoring = ["sh", "-c", "trap '' INT QUIT; exec \"$@\"", "sh"]
        done = subprocess.run(
            [*ignoring, sys.executable, "-m", "hooks_compile", *words],
            cwd=self.project,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done
        return done.stdout

    def status(self) -> dict[str, Any]:
        """What ``snapshot status --json`` prints."""
        found: dict[str, Any] = json.loads(self.tool("snapshot", "status", "--json"))
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A new scene."""
    loader()
    return Scene(tmp_path)


def test_on_status_and_off(scene: Scene) -> None:
    assert scene.status() == {
        "on": False,
        "bytes": 0,
        "limit_mb": 256,
        "snapshots": [],
        "crashes": [],
    }
    made = json.loads(
        scene.tool("snapshot", "on", "--python", scene.python, "--limit-mb", "100", "--json")
    )
    assert made["on"]
    assert [each["kind"] for each in made["made"]] == ["base", "standard"]
    assert all(each["error"] is None for each in made["made"])
    assert all(0 < each["making_s"] < 60 and each["testing_s"] > 0 for each in made["made"])
    found = scene.status()
    assert (found["on"], found["limit_mb"], len(found["snapshots"])) == (True, 100, 2)
    assert all(each["bytes"] < 25 << 20 for each in found["snapshots"])
    copies = found["bytes"] - sum(each["bytes"] for each in found["snapshots"])
    assert 0 < copies < 25 << 20, "of the programs and libraries"
    assert {each["kind"] for each in found["snapshots"]} == {"base", "standard"}
    for hook, said in ((scene.guard, b'["x"]\n'), (scene.small, b"small\n")):
        for state in ("miss", "hit"):
            launched = scene.user.wrapped(hook, "x")
            assert (launched.resumed, launched.state, launched.stdout) == (True, state, said)
    assert "MB" in scene.tool("snapshot", "status")
    assert not list(scene.snapshots.directory.glob("test-*")), "the test leaves nothing"
    scene.tool("snapshot", "off")
    assert not scene.snapshots.directory.exists()
    launched = scene.user.wrapped(scene.guard, "x")
    assert (launched.resumed, launched.state) == (False, "hit")


def test_clean_removes_snapshots_with_the_runtime_directory(scene: Scene) -> None:
    said = scene.tool("snapshot", "on", "--python", scene.python)
    assert re.search(r"an empty script takes [0-9.]+ ms instead of [0-9.]+\n", said)
    runtime_directory.remove(scene.user.runtime)
    assert not scene.user.runtime.exists()


def test_a_project_can_not_turn_it_on(scene: Scene) -> None:
    (scene.project / ".hooks-compile.toml").write_text("snapshot = true\n", encoding="utf-8")
    scene.tool("compile", "--python", scene.python, status=1)
    assert not scene.snapshots.is_on


def test_an_interpreter_of_which_there_can_be_no_snapshot(scene: Scene) -> None:
    environment = bare_environment(interpreters()[0].executable).parent.parent
    (packages,) = environment.glob("lib/python*/site-packages")
    bad = packages / "bad.pth"
    bad.write_text("import os; os.environ['X'] = 'y'\n", encoding="utf-8")
    try:
        made = json.loads(
            scene.tool("snapshot", "on", "--python", scene.python, "--json", status=1)
        )
    finally:
        bad.unlink()
    assert made["on"] is False
    assert [str(bad) in each["error"] for each in made["made"]] == [True]
    assert not scene.snapshots.directory.exists()


@ci_only
@pytest.mark.parametrize(
    ("options", "said"), [("size=3m", "No space left on device"), ("noexec", "noexec")]
)
def test_a_file_system_that_can_not_hold_them(scene: Scene, options: str, said: str) -> None:
    setup = (
        f'mount -t tmpfs -o mode=700,{options} none "$HOOKS_COMPILE_HOME" || exit 99\n'
        f'"$@"; echo $?; ls "$HOOKS_COMPILE_HOME"\n'
        f'sh "{WRAPPER}" --python="{scene.python}" "{scene.guard}" x\n'
    )
    words = [sys.executable, "-m", "hooks_compile", "snapshot", "on", "--python", scene.python]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", setup, "sh", *words],
        cwd=scene.project,
        env={**clean_environment(), **scene.user.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("needs the right to mount")
    status, *listed, shown = done.stdout.splitlines()
    assert (status, shown) == ("1", '["x"]')
    assert said in done.stderr
    assert "launch.py" in listed
    assert "snapshots" not in listed, "they are off, and nothing is left"


def test_the_background_maker_makes_what_became_stale(scene: Scene) -> None:
    scene.tool("snapshot", "on", "--python", scene.python)

    # what an upgrade does to a snapshot
    launcher = scene.user.runtime / "launch.py"
    launcher.write_bytes(launcher.read_bytes())
    before = {each.path: each.made for each in scene.snapshots.snapshots()}
    stale = scene.user.wrapped(scene.small)
    assert not stale.resumed
    assert (scene.snapshots.directory / "asked").exists()
    wait_until(
        lambda: all(before.get(each.path, 0) != each.made for each in scene.snapshots.snapshots())
    )
    assert scene.user.wrapped(scene.small).resumed


def wait_until(is_so: Any) -> None:
    """Wait for the background maker."""
    deadline = time.monotonic() + 100
    while not is_so():
        assert time.monotonic() < deadline, "the maker does not make it"
        time.sleep(0.2)


def test_a_request_for_what_the_user_did_not_turn_on_is_dropped(scene: Scene) -> None:
    scene.snapshots.create()
    scene.snapshots.turn_on(loader())
    lines = ["/usr/bin/python3", "PYTHONPATH=/evil", "HOME=/"]
    data = "\0".join(lines).encode()
    request = scene.snapshots.directory / "x.request"
    request.write_bytes(data)
    request.chmod(0o600)
    scene.tool("snapshot", "refresh")  # it takes the lowest priority
    assert list(scene.snapshots.places()) == []
    assert not request.exists()
    parsed = make_queue.Request.parse(data)
    assert parsed.python == "/usr/bin/python3"
    assert parsed.environment == {"PYTHONPATH": "/evil", "HOME": "/"}
