"""What makes watchers lose events: each of them ends with all hooks compiled all the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import watching as running
from tests.support.launches import User
from tests.support.repositories import GitRepo, write
from tests.support.tiers import scaled
from tests.support.watching import HOOK, is_warm, wait_until, wait_warm
from tests.watcher.conftest import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.watching import Watcher

NEW = HOOK.format("second")
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@ON_LINUX
def test_a_full_queue_is_said_and_made_good(scene: Scene) -> None:
    with open("/proc/sys/fs/inotify/max_queued_events") as file:  # noqa: PTH123 - a kernel's number
        size = int(file.read())
    if size > 100_000:
        pytest.skip(f"the queue holds {size} events: too many to fill in a test")
    with scene.watching() as watcher:
        watcher.wait_started()
        watcher.process.send_signal(signal.SIGSTOP)
        noise = [scene.hook.with_name(f"noise_{number}.py") for number in range(2)]
        for _ in range(size // 4 + 1):  # one after the other, or the kernel merges the events
            for path in noise:
                path.touch()
                path.unlink()
        scene.hook.write_text(NEW)
        watcher.process.send_signal(signal.SIGCONT)
        watcher.wait_for("notice", lambda message: "dropped events" in message["text"])
        scene.assert_hit()
        scene.hook.write_text(HOOK.format("third"))
        scene.assert_hit()


def in_a_namespace(limit: str, value: int) -> list[str]:
    """What runs a command with one of the user's inotify limits lowered."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    script = f'echo {value} > /proc/sys/user/{limit} && exec "$@"'
    words = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    if subprocess.run([*words, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no user namespace with limits of its own can be made here")
    return words


@ON_LINUX
@pytest.mark.parametrize(
    ("limit", "value"),
    [("max_inotify_watches", 3), ("max_inotify_instances", 0)][: scaled(1, 2, 2)],
)
def test_a_limit_that_is_reached_is_said_with_the_remedy_and_the_scan_comes_more_often(
    scene: Scene, limit: str, value: int
) -> None:
    prefix = in_a_namespace(limit, value)
    with running.watching(scene.user, scene.root, prefix=prefix) as watcher:
        watcher.wait_started()
        trouble = watcher.wait_for("trouble")
        name = limit.replace("inotify", "user")
        assert f"sudo sysctl fs.inotify.{name}=" in trouble["text"]
        assert "compared every 2 s" in trouble["text"]
        scene.hook.write_text(NEW)
        new = write(scene.root / ".codex/hooks/new.py", NEW)
        scene.assert_hit()
        scene.assert_hit(new)
        assert len(watcher.messages("trouble")) == 1


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, list[Path], Watcher]]:
    """Some projects, one for each test, and the watcher that all these tests share."""
    directory = tmp_path_factory.mktemp("losses").resolve()
    user = User.create(directory).with_env(HOME=str(directory))
    roots = [directory / f"project_{number}" for number in range(9)]
    for root in roots:
        for name in ("guard", "other"):
            write(root / f".claude/hooks/{name}.py", HOOK.format(name))
    roots[0].rename(directory / "real")
    roots[0].symlink_to("real")
    with running.watching(user, directory, *roots) as watcher:
        wait_until(lambda: len(watcher.messages("watching")) == len(roots), watcher.messages)
        yield user, roots, watcher


@pytest.fixture
def shared(several: tuple[User, list[Path], Watcher]) -> tuple[Scene, Watcher]:
    """A project of its own, and the watcher."""
    user, roots, watcher = several
    return Scene(GitRepo(roots.pop()), user), watcher


def test_a_root_that_is_deleted_and_made_again(shared: tuple[Scene, Watcher]) -> None:
    scene, watcher = shared
    shutil.rmtree(scene.root)
    gone = f"{scene.root}: does not exist any more"
    watcher.wait_for("trouble", lambda message: gone in message["text"])
    again = write(scene.hook, NEW)
    scene.assert_hit(again)
    again.write_text(HOOK.format("third"))
    scene.assert_hit(again)


def test_a_root_that_another_directory_is_renamed_over(shared: tuple[Scene, Watcher]) -> None:
    scene, _ = shared
    other = scene.root.with_name("other")
    shutil.copytree(scene.root, other, symlinks=True)
    (other / ".claude/hooks/guard.py").write_text(NEW)
    scene.root.rename(scene.root.with_name("old"))
    other.rename(scene.root)
    scene.assert_hit()
    scene.hook.write_text(HOOK.format("third"))
    scene.assert_hit()


def test_a_hooks_directory_that_another_is_renamed_over(shared: tuple[Scene, Watcher]) -> None:
    scene, _ = shared
    directory = scene.hook.parent
    other = write(scene.root / ".claude/new/guard.py", NEW).parent
    directory.rename(scene.root / ".claude/old")
    other.rename(directory)
    scene.assert_hit()
    scene.hook.write_text(HOOK.format("third"))
    scene.assert_hit()


def test_a_directory_above_the_hooks_that_is_renamed_away_and_back(
    shared: tuple[Scene, Watcher],
) -> None:
    scene, watcher = shared
    above = scene.root / ".claude"
    above.rename(scene.root / ".claude-off")
    watcher.wait_for("removed", lambda message: message["path"] == str(scene.hook))
    (scene.root / ".claude-off/hooks/guard.py").write_text(NEW)
    (scene.root / ".claude-off").rename(above)
    scene.assert_hit()
    scene.hook.write_text(HOOK.format("third"))
    scene.assert_hit()


def test_a_root_that_is_a_symlink_and_leads_elsewhere_then(
    several: tuple[User, list[Path], Watcher],
) -> None:
    user, (link, *_), _ = several
    real = link.resolve()
    second = link.with_name("second")
    shutil.copytree(real, second)
    hook = real / ".claude/hooks/guard.py"
    scene = Scene(GitRepo(real), user)
    hook.write_text(NEW)
    scene.assert_hit(hook)
    new = link.with_name("new")
    new.symlink_to(second)
    new.replace(link)
    there = second / ".claude/hooks/guard.py"
    scene.assert_hit(there)
    there.write_text(NEW)
    scene.assert_hit(there)


def test_a_symlinked_hook_edited_by_its_other_name(shared: tuple[Scene, Watcher]) -> None:
    scene, _ = shared
    real = write(scene.root / "tools/real.py", HOOK.format("first"))
    link = scene.hook.with_name("linked.py")
    link.symlink_to("../../tools/real.py")
    scene.assert_hit(real)
    real.write_text(NEW)
    scene.assert_hit(real)
    link.write_text(HOOK.format("third"))
    scene.assert_hit(real)
    assert scene.user.launch(link).state == "hit"


def test_a_symlink_that_leads_to_another_script_then(shared: tuple[Scene, Watcher]) -> None:
    scene, _ = shared
    for name in ("one", "two"):
        write(scene.root / f"tools/{name}.py", HOOK.format(name))
    link = scene.hook.with_name("linked.py")
    link.symlink_to("../../tools/one.py")
    scene.assert_hit(scene.root / "tools/one.py")
    new = scene.hook.with_name("new")
    new.symlink_to("../../tools/two.py")
    new.replace(link)
    scene.assert_hit(scene.root / "tools/two.py")
    assert scene.user.launch(link).state == "hit"


def test_files_that_come_with_their_directory(
    shared: tuple[Scene, Watcher], tmp_path: Path
) -> None:
    """The files are there before there is a watch on the directory."""
    scene, _ = shared
    made = write(scene.root / ".codex/hooks/deep/deeper/new.py", NEW)
    scene.assert_hit(made)
    outside = write(tmp_path / "outside/moved.py", NEW).parent
    outside.rename(scene.hook.with_name("inside"))
    scene.assert_hit(scene.hook.with_name("inside") / "moved.py")


def test_what_happens_while_the_watcher_starts(scene: Scene) -> None:
    hooks = [scene.hook.with_name(f"early_{number}.py") for number in range(150)]
    with scene.watching():
        for number, hook in enumerate(hooks):
            hook.write_text(f"print({number})\n")
            if number % 3 == 0:
                scene.hook.write_text(HOOK.format(number))
            time.sleep(0.01)
        wait_warm(scene.user, scene.hook, *hooks)
        scene.assert_hit()


@pytest.mark.soak
@pytest.mark.timeout(scaled(600, 600, 1800))
def test_killed_at_any_moment_nothing_is_lost_and_no_lock_stays(scene: Scene) -> None:
    chance = random.Random(9)  # noqa: S311 - no secret
    hooks = [scene.hook.with_name(f"h{number}.py") for number in range(40)]
    moments = [0.3, 0.6, *(chance.random() for _ in range(scaled(0, 4, 200)))]
    for moment in moments:
        with scene.watching() as watcher:
            end = time.monotonic() + moment
            while time.monotonic() < end:
                chance.choice(hooks).write_text(HOOK.format(chance.random()))
                time.sleep(chance.random() / 100)
            scene.hook.write_text(HOOK.format(chance.random()))
            watcher.end(signal.SIGKILL)
        for hook in hooks[:5]:
            hook.write_text(HOOK.format(chance.random()))
        with scene.watching() as watcher:
            watcher.wait_started()
            there = [hook for hook in hooks if hook.exists()]
            wait_warm(scene.user, scene.hook, *there)
            scene.assert_hit()
        drafts = [path for path in scene.root.rglob("*.tmp") if path.is_file()]
        assert len(drafts) <= 1  # one writer at most was at work; sync removes what it left
        for draft in drafts:
            draft.unlink()
        assert not list((scene.user.runtime / "watch").glob("*.json"))


def test_changes_while_nobody_watched_are_made_good_at_the_start(scene: Scene) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
    scene.hook.write_text(NEW)
    with scene.watching() as watcher:
        watcher.wait_started()
        assert is_warm(scene.user, scene.hook)


def test_changes_while_the_machine_slept_are_made_good(shared: tuple[Scene, Watcher]) -> None:
    """A stopped process stands for a machine asleep: its queue is kept, so no event is lost."""
    scene, watcher = shared
    watcher.process.send_signal(signal.SIGSTOP)
    scene.hook.write_text(NEW)
    watcher.process.send_signal(signal.SIGCONT)
    scene.assert_hit()


def test_a_new_key_makes_all_be_compiled_anew(scene: Scene) -> None:
    """As after ``hooks-compile clean --runtime``: entries under the old key are worth nothing."""
    with scene.watching() as watcher:
        watcher.wait_started()
        key = scene.user.runtime / "key"
        new = key.with_name(".key.new")
        new.touch(mode=0o600)
        new.write_bytes(os.urandom(16))
        new.replace(key)
        scene.assert_hit()
