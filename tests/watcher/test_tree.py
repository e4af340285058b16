"""What an event means for a tree, by table; what surveys bring, with a real project."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError
from hooks_compile.model import HookSource
from tests.support.repositories import write
from tests.support.watching import HOOK
from watcher.survey import Options, Survey, Target, find, is_project
from watcher.tree import Tree, sync
from watcher.watch_places import Event, Kind, Places

if TYPE_CHECKING:
    from tests.support.repositories import GitRepo
    from tests.watcher.conftest import Scene
    from watcher.lines import Message

HOOKS = "/repo/.claude/hooks"
SOURCE, SURVEY, NOTHING = "source", "survey", "nothing"

FILES = [
    # the hook itself: compiled unless it vanishes
    (Kind.SAVED, f"{HOOKS}/guard.py", SOURCE),
    (Kind.CHANGED, f"{HOOKS}/guard.py", SOURCE),
    (Kind.GONE, f"{HOOKS}/guard.py", SURVEY),
    (Kind.SAVED, f"{HOOKS}/pre-commit", SOURCE),
    (Kind.SAVED, f"{HOOKS}/helper.py", SOURCE),
    (Kind.GONE, f"{HOOKS}/helper.py", SURVEY),
    # another Python file: it may be a hook from now on
    (Kind.CHANGED, f"{HOOKS}/new.py", SURVEY),
    (Kind.SAVED, f"{HOOKS}/new.py", SURVEY),
    (Kind.GONE, f"{HOOKS}/old.py", SURVEY),
    (Kind.CHANGED, f"{HOOKS}/__init__.py", SURVEY),
    # without a suffix the shebang decides, and there is none
    (Kind.CHANGED, f"{HOOKS}/post-checkout", NOTHING),
    (Kind.GONE, f"{HOOKS}/4913", NOTHING),
    # configuration
    (Kind.SAVED, "/repo/pyproject.toml", SURVEY),
    (Kind.GONE, "/repo/pyproject.toml", SURVEY),
    (Kind.SAVED, "/repo/.git/index", SURVEY),
    # what editors and hooks leave around
    (Kind.CHANGED, f"{HOOKS}/.#guard.py", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py~", NOTHING),
    (Kind.SAVED, f"{HOOKS}/#guard.py#", NOTHING),
    (Kind.SAVED, f"{HOOKS}/.guard.py.swp", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py___jb_tmp___", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py.tmp.123.456", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.log", NOTHING),
    (Kind.SAVED, "/repo/README.md", NOTHING),
    (Kind.SAVED, "/repo/src/module.py", NOTHING),
    (Kind.SAVED, "/repo/.git/HEAD", NOTHING),
    (Kind.SAVED, "/repo/.git/index.lock", NOTHING),
]

DIRECTORIES = [
    (Kind.CHANGED, f"{HOOKS}/deeper", SURVEY),
    (Kind.GONE, f"{HOOKS}/deeper", SURVEY),
    (Kind.GONE, HOOKS, SURVEY),
    (Kind.CHANGED, HOOKS, SURVEY),  # as chmod does
    (Kind.GONE, "/repo/.claude", SURVEY),
    (Kind.GONE, "/repo", SURVEY),
    (Kind.CHANGED, "/repo/.git", SURVEY),
    (Kind.CHANGED, f"{HOOKS}/guard.py", SURVEY),
    (Kind.CHANGED, f"{HOOKS}/__pycache_opt__", NOTHING),  # we make these ourselves
    (Kind.CHANGED, f"{HOOKS}/__pycache__", NOTHING),
    (Kind.CHANGED, "/repo/node_modules", NOTHING),
    (Kind.CHANGED, "/elsewhere/directory", NOTHING),
]


def meaning(event: Event) -> str:
    """What a tree that knows some hooks does because of an event, long after it."""
    tree = Tree(Path("/repo"), Options({}), whole=True, clock=lambda: 100.0)
    places = Places("/repo")
    places.add_hooks(HOOKS)
    for path in ("/repo", "/repo/.git/index", "/repo/pyproject.toml"):
        places.add(path)
    hooks = [f"{HOOKS}/guard.py", f"{HOOKS}/pre-commit"]
    by_path = {path: HookSource(Path(path)) for path in hooks}
    modules = {f"{HOOKS}/helper.py": HookSource(Path(HOOKS) / "helper.py")}
    tree.take(Survey(Path("/repo"), by_path, modules, Target((), b"", 0), places))
    tree.scan_due = math.inf
    tree.sources.asked.clear()
    tree.route(event)
    if tree.sources.due.take(100.0):
        return SOURCE
    return SURVEY if tree.start_survey() is not None else NOTHING


@pytest.mark.parametrize(("kind", "path", "expected"), FILES, ids=str)
def test_what_an_event_about_a_file_means(kind: Kind, path: str, expected: str) -> None:
    assert meaning(Event(kind, path, 1.0)) == expected


@pytest.mark.parametrize(("kind", "path", "expected"), DIRECTORIES, ids=str)
def test_what_an_event_about_a_directory_means(kind: Kind, path: str, expected: str) -> None:
    assert meaning(Event(kind, path, 1.0, is_directory=True)) == expected


def test_what_stands_for_a_project(git_repo: GitRepo, tmp_path: Path) -> None:
    directory = git_repo.write(".claude/hooks/guard.py").parent
    plain = write(tmp_path / "plain/x.py").parent
    project = write(tmp_path / "project/.claude/hooks/x.py").parents[2]
    assert is_project(git_repo.path)
    assert is_project(project)
    assert not is_project(directory)
    assert not is_project(plain)
    assert not is_project(directory / "guard.py")


def tree_of(scene: Scene) -> Tree:
    options = Options(scene.user.environment(), (scene.user.python,))
    return Tree(scene.root, options, whole=True)


def test_a_single_sync_counts_each_source_once(scene: Scene) -> None:
    """A hook that others import is a module too; a broken one is looked at twice."""
    scene.hook.with_name("other.py").write_text("import guard\n")
    scene.hook.with_name("broken.py").write_text("print((\n")
    said: list[Message] = []
    assert not sync(tree_of(scene), said.append)
    assert [message.event for message in said] == ["synced", "broken"]
    value = said[0].value
    assert (value["hooks"], value["modules"]) == (3, 0)
    assert value["counts"] == {"compiled": 2, "broken": 1}
    assert (scene.hook.parent / "__pycache__").exists()


def test_a_bug_in_a_survey_is_no_trouble_of_the_users(scene: Scene) -> None:
    tree = tree_of(scene)
    assert sync(tree, lambda _: None)
    with pytest.raises(ZeroDivisionError):
        tree.fail(ZeroDivisionError())
    assert tree.sources.hooks


def test_a_survey_that_fails_is_reported_once_and_forgets_nothing(scene: Scene) -> None:
    tree = tree_of(scene)
    assert sync(tree, lambda _: None)
    (notice,) = tree.fail(HooksCompileError("keep has to be 1 or more"))
    assert notice.event == "trouble"
    assert tree.fail(HooksCompileError("keep has to be 1 or more")) == []
    assert tree.sources.hooks


def test_a_tree_that_can_not_be_used_ends_a_single_sync(scene: Scene) -> None:
    write(scene.root / ".hooks-compile.toml", "keep = 0\n")
    with pytest.raises(HooksCompileError):
        sync(tree_of(scene), lambda _: None)


def test_surveys_do_not_take_all_of_the_time(scene: Scene) -> None:
    now = [100.0]
    tree = Tree(scene.root, Options({}), whole=True, clock=lambda: now[0])
    assert tree.start_survey() is not None
    tree.scan_due = 0.0
    assert tree.start_survey() is None  # one is running
    now[0] = 102.0
    tree.fail(HooksCompileError("x"))
    tree.route(Event(Kind.GONE, str(scene.root), 102.0, is_directory=True))
    now[0] = 109.9
    assert tree.start_survey() is None
    assert tree.next_due() == 110.0
    now[0] = 110.0
    assert tree.start_survey() is not None


def test_a_hook_that_appears_between_two_listings_of_a_survey_is_no_module(scene: Scene) -> None:
    """Hooks are listed first, modules later: such a hook is found among the modules alone."""
    tree = tree_of(scene)
    assert sync(tree, lambda _: None)
    before = find(scene.root, tree._options, None, whole=True)
    new = write(scene.hook.with_name("new.py"), HOOK.format("new"))
    torn = before._replace(modules={str(new): HookSource(new, "local module")})
    assert tree.take(torn) == []
    assert (tree.sources.hooks.keys(), tree.sources.modules) == (before.hooks.keys(), {})
    assert tree.next_due() < time.monotonic() + 60  # it is looked for again
    tree.take(find(scene.root, tree._options, None, whole=True))
    assert str(new) in tree.sources.hooks
    assert not tree.sources.modules


def test_a_new_module_is_one_when_two_surveys_have_found_it(scene: Scene) -> None:
    tree = tree_of(scene)
    assert sync(tree, lambda _: None)
    module = write(scene.hook.with_name("package") / "__init__.py")
    for known in ([], [str(module)]):
        tree.take(find(scene.root, tree._options, None, whole=True))
        assert list(tree.sources.modules) == known


def test_a_scan_removes_old_entries_but_none_in_use(scene: Scene) -> None:
    cache = scene.hook.parent / "__pycache_opt__"
    tree = tree_of(scene)
    scene.hook.write_text(HOOK.format(0))
    assert sync(tree, lambda _: None)
    for number in range(1, 6):  # as launches of other versions leave them
        scene.hook.write_text(HOOK.format(number))
        scene.user.compile(scene.hook)
    scene.hook.with_name("other.py").unlink()
    assert len(list(cache.glob("guard.*"))) == 6
    tree.scan_due = 0.0
    while (search := tree.start_survey()) is None:  # it rests after the first
        time.sleep(0.05)
    tree.take(search())
    assert len(list(cache.glob("guard.*"))) == 4  # three are kept
    assert not list(cache.glob("other.*"))
    scene.hook.write_text(HOOK.format(0))
    assert scene.user.launch(scene.hook).state == "hit"
