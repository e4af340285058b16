"""What an event means for a tree, by table; what surveys bring, with a real project."""

from __future__ import annotations

import itertools
import math
import os
import time
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError
from hooks_compile.model import HookSource
from tests.support.repositories import write
from tests.support.watching import HOOK
from watcher.observer import Event
from watcher.survey import Options, Places, Survey, Target
from watcher.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.watcher.conftest import Scene
    from watcher.lines import Message

HOOKS = ".claude/hooks"
SOURCE, SURVEY, NOTHING = "source", "survey", "nothing"

FILES = [
    # the hook itself: compiled unless it vanishes
    (f"{HOOKS}/guard.py", SOURCE),
    (f"{HOOKS}/gone.py", SURVEY),
    (f"{HOOKS}/pre-commit", SOURCE),
    (f"{HOOKS}/helper.py", SOURCE),
    # another Python file: it may be a hook from now on
    (f"{HOOKS}/new.py", SURVEY),
    (f"{HOOKS}/__init__.py", SURVEY),
    (f"{HOOKS}/post-checkout", SURVEY),  # by its shebang
    # directories
    (f"{HOOKS}/deeper", SURVEY),
    (HOOKS, SURVEY),
    (".claude", SURVEY),
    (".", SURVEY),
    (".git", SURVEY),
    (f"{HOOKS}/__pycache_opt__", NOTHING),  # we make these ourselves
    (f"{HOOKS}/__pycache__", NOTHING),
    ("node_modules", NOTHING),
    ("../elsewhere", NOTHING),
    # configuration
    ("pyproject.toml", SURVEY),
    (".git/index", SURVEY),
    # what editors and hooks leave around
    (f"{HOOKS}/.#guard.py", NOTHING),
    (f"{HOOKS}/guard.py~", NOTHING),
    (f"{HOOKS}/#guard.py#", NOTHING),
    (f"{HOOKS}/.guard.py.swp", NOTHING),
    (f"{HOOKS}/guard.py___jb_tmp___", NOTHING),
    (f"{HOOKS}/guard.py.tmp.123.456", NOTHING),
    (f"{HOOKS}/guard.log", NOTHING),
    ("README.md", NOTHING),
    ("src/module.py", NOTHING),
    (".git/HEAD", NOTHING),
    (".git/index.lock", NOTHING),
]


def meaning(root: Path, name: str) -> str:
    """What a tree that knows some hooks does because of an event, long after it."""
    tree = Tree(root, Options({}), ignore, whole=True, clock=lambda: 100.0)
    places = Places(str(root))
    places.add_hooks(str(root / HOOKS))
    for path in (root, root / ".git/index", root / "pyproject.toml"):
        places.add(str(path))
    for each in ("guard.py", "pre-commit", "helper.py"):
        write(root / HOOKS / each, "#!/usr/bin/env python3\n")
    hooks = [root / HOOKS / each for each in ("guard.py", "pre-commit", "gone.py")]
    modules = [root / HOOKS / "helper.py"]
    known, helpers = ({str(p): HookSource(p) for p in paths} for paths in (hooks, modules))
    tree.found = Survey(root, known, helpers, Target((), b"", 0), places)
    tree._scan_due = tree._look_due = math.inf
    event = Event(os.path.normpath(root / name), 1.0)
    if places.has(event.path):
        tree.take(event)
    if tree.sources.due.take(100.0, 9):
        return SOURCE
    return SURVEY if tree.next_due() < math.inf else NOTHING


@pytest.mark.parametrize(("name", "expected"), FILES, ids=str)
def test_what_an_event_means(tmp_path: Path, name: str, expected: str) -> None:
    assert meaning(tmp_path, name) == expected


def ignore(_tree: Tree, _message: Message) -> None:
    """Report nothing."""


def tree_of(scene: Scene, said: list[Message], clock: Callable[[], float]) -> Tree:
    options = Options(scene.user.environment(), (scene.user.python,))
    return Tree(
        scene.root, options, lambda _, message: said.append(message), whole=True, clock=clock
    )


class Turned:
    """A tree whose clock the test turns, and what it said since somebody looked."""

    def __init__(self, scene: Scene) -> None:
        self.now = 100.0
        self._said: list[Message] = []
        self.tree = tree_of(scene, self._said, lambda: self.now)

    def step(self, seconds: float = 0.0) -> list[Message]:
        """Take a step when these seconds are over; return what it said."""
        self.now += seconds
        self.tree.step()
        said = self._said.copy()
        self._said.clear()
        return said


@pytest.fixture
def turned(scene: Scene) -> Iterator[Turned]:
    turned = Turned(scene)
    yield turned
    turned.tree.close()


def test_a_single_sync_counts_each_source_once(scene: Scene) -> None:
    """A hook that others import is a module too; a broken one is looked at twice."""
    scene.hook.with_name("other.py").write_text("import guard\n")
    scene.hook.with_name("broken.py").write_text("print((\n")
    said: list[Message] = []
    tree_of(scene, said, time.monotonic).sync()
    assert [message.event for message in said] == ["synced", "broken"]
    value = said[0].value
    assert (value["hooks"], value["modules"]) == (3, 0)
    assert value["counts"] == {"compiled": 2, "broken": 1}
    assert (scene.hook.parent / "__pycache__").exists()


def test_a_tree_that_can_not_be_used_ends_a_single_sync(scene: Scene) -> None:
    write(scene.root / ".hooks-compile.toml", "keep = 0\n")
    with pytest.raises(HooksCompileError):
        tree_of(scene, [], time.monotonic).sync()


def test_a_survey_that_fails_is_reported_once_and_forgets_nothing(
    scene: Scene, turned: Turned
) -> None:
    assert [message.event for message in turned.step()] == ["synced"]
    config = write(scene.root / ".hooks-compile.toml", "keep = 0\n")
    assert [message.event for message in turned.step(60)] == ["trouble"]
    assert turned.step(60) == []
    assert len(turned.tree.sources.hooks) == 2
    config.unlink()
    (notice,) = turned.step(60)
    assert "can be used again" in notice.text
    assert turned.step(60) == []


def test_surveys_do_not_take_all_of_the_time(scene: Scene) -> None:
    """With a clock that goes on by a second at each look, a survey takes one."""
    tree = tree_of(scene, [], map(float, itertools.count(100)).__next__)
    tree.step()  # at 101; the survey begins at 102 and ends at 103
    tree.take(Event(str(scene.root), 103.0))
    assert tree._survey_due() == 107.0
    tree.close()


def test_a_scan_removes_old_entries_but_none_in_use(scene: Scene, turned: Turned) -> None:
    cache = scene.hook.parent / "__pycache_opt__"
    scene.hook.write_text(HOOK.format(0))
    turned.step()
    for number in range(1, 6):  # as launches of other versions leave them
        scene.hook.write_text(HOOK.format(number))
        scene.user.compile(scene.hook)
    scene.hook.with_name("other.py").unlink()
    assert len(list(cache.glob("guard.*"))) == 6
    turned.step(60)
    assert len(list(cache.glob("guard.*"))) == 4  # three are kept
    assert not list(cache.glob("other.*"))
    scene.hook.write_text(HOOK.format(0))
    assert scene.user.launch(scene.hook).state == "hit"
