"""The loop in this process: what goes wrong in it ends nothing."""

from __future__ import annotations

import itertools
import json
import math
import mmap
import os
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.interpreters_found import found
from tests.support.launches import interpreter_record
from tests.support.repositories import GitRepo, write
from tests.support.watching import HOOK, is_warm, wait_until, wait_warm
from watcher.loop import Loop
from watcher.survey import Options, Places
from watcher.tree import Tree
from watcher.watch_status import Station

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.watcher.conftest import Scene
    from watcher.lines import Message


class Running:
    """A loop in a thread, and what its tree said."""

    def __init__(self, scene: Scene, tree: type[Tree], options: Options) -> None:
        self.said: list[Message] = []
        self.loop = Loop()
        self.tree = tree(
            scene.root, options, lambda _, message: self.said.append(message), whole=True
        )
        self.tree.watch(self.loop.put, Station(scene.user.runtime, scene.root))

    def wait_idle(self) -> None:
        """Wait until nothing has been due for a while."""
        busy = time.monotonic()

        def is_idle() -> bool:
            nonlocal busy
            now = time.monotonic()
            if self.tree.next_due() < now + 1:
                busy = now
            return now > busy + 0.3

        wait_until(is_idle, self.tree.next_due)

    def of(self, event: str) -> list[Message]:
        return [message for message in self.said if message.event == event]

    def wait_for(self, event: str, text: str = "") -> Message:
        def found() -> list[Message]:
            return [message for message in self.of(event) if text in str(message)]

        wait_until(found, lambda: f"{event} {text!r}; said was {self.said}")
        return found()[0]


@contextmanager
def running(
    scene: Scene, tree: type[Tree] = Tree, options: Options | None = None, **changes: Any
) -> Iterator[Running]:
    """Run a loop until the end of the block, with ``changes`` of the usual options.

    With ``most_watches=0`` no event comes to it.
    """
    usual = Options(scene.user.environment(), (scene.user.python,))
    runs = Running(scene, tree, (options or usual)._replace(**changes))
    signals: list[int] = []
    thread = threading.Thread(target=lambda: signals.append(runs.loop.run([runs.tree])))
    thread.start()
    try:
        runs.wait_for("watching")
        yield runs
    finally:
        runs.loop.put(15)
        thread.join()
        runs.tree.close()
    assert signals == [15]


class Failing(Tree):
    """A tree with a bug in it: it fails as often as ``flaws`` says."""

    flaws: int = 0

    def _compile(self) -> None:
        is_due = self.sources.due.next_due() < math.inf
        super()._compile()
        if self.flaws and is_due:
            self.flaws -= 1
            raise RuntimeError("a bug")


def test_a_bug_in_the_handling_of_an_event_ends_nothing(scene: Scene) -> None:
    with running(scene, Failing) as runs:
        assert isinstance(runs.tree, Failing)
        runs.tree.flaws = 1
        scene.hook.write_text(HOOK.format("second"))
        notice = runs.wait_for("trouble", "an error in hooks-watch; it goes on")
        assert "RuntimeError: a bug" in notice.value["text"]
        scene.assert_hit()
        scene.hook.write_text(HOOK.format("third"))
        scene.assert_hit()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_replaced_by_the_scan(scene: Scene) -> None:
    class Bug(Places):
        def has(self, _: str) -> bool:
            sys.exit()

    with running(scene, scan_s=1.0) as runs:
        assert runs.tree._monitor is not None
        runs.tree._monitor._places = Bug("")
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()
        numbers = itertools.count()

        def an_event_comes() -> bool:
            scene.hook.write_text(HOOK.format(next(numbers)))
            time.sleep(0.1)
            return runs.of("changed")[-1].value["ms"] is not None

        wait_until(an_event_comes, lambda: "an event has come")
        scene.assert_hit()


def test_after_lost_events_all_contents_are_compared_and_it_is_said_once(scene: Scene) -> None:
    with running(scene, most_watches=0) as runs:
        runs.wait_idle()
        scene.hook.write_text(HOOK.format("second"))
        for _ in range(5):
            runs.loop.put(runs.tree.lost)
        scene.assert_hit()
        assert len([m for m in runs.of("notice") if "dropped events" in str(m)]) == 1


def test_what_changes_in_too_many_directories_is_left_to_the_scan(scene: Scene) -> None:
    with running(scene, scan_s=0.5, most_watches=1) as runs:
        runs.wait_for("notice", "too many directories to watch")
        other = write(scene.root / ".codex/hooks/other.py", HOOK.format("other"))
        scene.assert_hit(other)


def hard_link(hook: Path) -> None:
    elsewhere = hook.with_suffix(".txt")
    elsewhere.hardlink_to(hook)
    elsewhere.write_text(HOOK.format("by its other name"))


def memory(hook: Path) -> None:
    """inotify(7): changes made through mmap(2) are not reported."""
    with hook.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        start = mapped.find(b"other name")
        mapped[start : start + 5] = b"OTHER"
        mapped.flush()


def removed_cache(hook: Path) -> None:
    shutil.rmtree(hook.parent / "__pycache_opt__")


def test_the_scan_finds_what_no_event_tells_of(scene: Scene) -> None:
    with running(scene, scan_s=0.5, most_watches=0) as runs:
        scene.hook.write_text(HOOK.format("second"))
        new = write(scene.hook.with_name("new.py"), HOOK.format("new"))
        scene.assert_hit()
        scene.assert_hit(new)
        changed = [message.value for message in runs.of("changed")]
        assert sorted(value["path"] for value in changed) == [str(scene.hook), str(new)]
        assert {value["ms"] for value in changed} == {None}  # nobody knows when they were saved
        for change in (hard_link, memory, removed_cache):
            change(scene.hook)
            scene.assert_hit()
        entry = scene.user.entry_path(scene.hook, 2)
        damaged = entry.read_bytes()[:-1] + b"?"
        entry.write_bytes(damaged)
        wait_until(lambda: entry.read_bytes() != damaged, lambda: "the entry is written anew")
        scene.assert_hit()


def test_a_syntax_error_is_said_when_the_file_is_quiet_and_again_with_every_change(
    scene: Scene,
) -> None:
    with running(scene) as runs:
        scene.hook.write_text("print(1\n")
        broken = runs.wait_for("broken")
        error = broken.value["results"][0]["error"]
        assert (error["line"], error["column"]) == (1, 6)
        assert list(runs.tree.sources.broken) == [str(scene.hook)]
        scene.hook.write_text(HOOK.format("fine"))
        runs.wait_for("changed", "'fixed': True")
        assert runs.tree.sources.broken == {}
        assert len(runs.of("broken")) == 1


def test_what_is_broken_at_the_start_is_said(scene: Scene) -> None:
    scene.hook.write_text("def f(:\n")
    with running(scene) as runs:
        runs.wait_for("broken")
        assert is_warm(scene.user, scene.hook.with_name("other.py"))


def test_a_broken_module_beside_the_hooks_is_said_too(scene: Scene) -> None:
    module = write(scene.hook.with_name("package") / "__init__.py").with_name("helper.py")
    module.write_text("VALUE = 1\n")
    with running(scene) as runs:
        cached = module.parent / "__pycache__" / f"helper.{scene.user.interpreter.cache_tag}.pyc"
        assert cached.exists()
        before = cached.read_bytes()
        module.write_text("VALUE = 2\n")
        wait_until(lambda: cached.read_bytes() != before, lambda: "the module is compiled")
        module.write_text("VALUE = (\n")
        broken = runs.wait_for("broken")
        assert broken.value["kind"] == "module"
        new = write(module.with_name("new_module.py"), "NEW = 1\n")
        made = cached.with_name(cached.name.replace("helper", "new_module"))
        wait_until(made.exists, lambda: str(new))


def test_old_versions_and_entries_of_removed_hooks_are_pruned_by_the_scan(scene: Scene) -> None:
    cache = scene.hook.parent / "__pycache_opt__"
    with running(scene, scan_s=0.5):
        scene.hook.with_name("other.py").unlink()
        for number in range(6):
            scene.hook.write_text(HOOK.format(number))
            wait_warm(scene.user, scene.hook)
        wait_until(
            lambda: not list(cache.glob("other.*")) and len(list(cache.glob("guard.*"))) == 3,
            lambda: str(list(cache.iterdir())),
        )
        scene.assert_hit()


def test_a_changed_configuration_changes_the_set_of_hooks(scene: Scene) -> None:
    tool = write(scene.root / "tools/check.py", HOOK.format("tool"))
    other = scene.hook.with_name("other.py")
    with running(scene) as runs:
        config = scene.root / "pyproject.toml"
        config.write_text(
            '[tool.hooks-compile]\ninclude = ["tools/*.py"]\nexclude = ["**/other.py"]\n'
        )
        scene.assert_hit(tool)
        runs.wait_for("removed", str(other))
        config.write_text("[tool.hooks-compile]\ninclude = 7\n")
        runs.wait_for("trouble", "a list")
        scene.hook.write_text(HOOK.format("meanwhile"))
        scene.assert_hit()
        config.unlink()
        runs.wait_for("notice", "can be used again")
        other.write_text(HOOK.format("back"))
        scene.assert_hit(other)


def test_a_changed_agent_configuration_changes_the_set_of_hooks(scene: Scene) -> None:
    tool = write(scene.root / "tools/check.py", HOOK.format("tool"))
    command = {"type": "command", "command": 'python3 "$CLAUDE_PROJECT_DIR"/tools/check.py'}
    settings = {"hooks": {"Stop": [{"hooks": [command]}]}}
    with running(scene):
        write(scene.root / ".claude/settings.json", json.dumps(settings))
        scene.assert_hit(tool)
        tool.write_text(HOOK.format("changed"))
        scene.assert_hit(tool)


def test_a_forced_level_in_the_configuration_is_obeyed_at_once(scene: Scene) -> None:
    with running(scene):
        assert scene.user.entry_path(scene.hook, 2).exists()
        write(scene.root / ".hooks-compile.toml", "optimize = 1\n")
        wait_until(scene.user.entry_path(scene.hook, 1).exists, lambda: "level 1")


def test_a_file_without_a_suffix_is_a_hook_by_its_shebang(scene: Scene) -> None:
    with running(scene):
        hook = write(scene.hook.with_name("check"), "#!/usr/bin/env python3\nprint(1)\n")
        scene.assert_hit(hook)
        write(scene.hook.with_name("script"), "#!/bin/sh\necho 1\n")
        link = scene.hook.with_name("linked")
        write(scene.root / "tools/inside.py", HOOK.format("inside"))
        link.symlink_to("../../tools")
        scene.assert_hit(scene.root / "tools/inside.py")


def test_a_tree_that_becomes_a_part_of_another_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    GitRepo.create(tmp_path)
    other = write(tmp_path / ".claude/hooks/others.py", HOOK.format("others"))
    with running(scene) as runs:
        shutil.rmtree(scene.root / ".git")
        runs.wait_for("trouble", "is no work tree of its own any more")
        assert not is_warm(scene.user, other)
        scene.repo.git("init", "--quiet")
        runs.wait_for("notice", "can be used again")


def test_a_python_that_ran_a_hook_gets_entries_from_then_on(scene: Scene, tmp_path: Path) -> None:
    others = [f for f in found() if f.is_cpython and f.executable != Path(scene.user.python)]
    if not others:
        pytest.skip("there is only one CPython here")
    path = write(tmp_path / "bin/README").parent
    (path / "python3").symlink_to(scene.user.python)
    env = scene.user.environment() | {"PATH": f"{path}:{os.environ['PATH']}"}
    with running(scene, options=Options(env), scan_s=0.5) as runs:
        assert [each.version for each in runs.tree.found.target.interpreters] == [
            sys.version_info[:3]
        ]
        note = scene.user.runtime / "seen" / "launched"
        note.write_bytes(os.fsencode(others[0].executable) + b"\0" + bytes(scene.hook.parent))
        cache = scene.hook.parent / "__pycache_opt__"
        tag = interpreter_record(others[0]).cache_tag
        wait_until(lambda: list(cache.glob(f"guard.{tag}.*")), lambda: str(list(cache.iterdir())))
        assert len(runs.tree.found.target.interpreters) == 2
