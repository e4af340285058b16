"""What an event means for a tree, by table; what surveys bring, with a real project."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import ConfigError
from hooks_compile.model import HookSource
from tests.support.repositories import write
from tests.support.watching import HOOK
from watcher.directories import HOOKS as EVERYTHING
from watcher.events import Event, Kind
from watcher.loop import sync
from watcher.survey import Options, is_project
from watcher.tree import Tree

if TYPE_CHECKING:
    from tests.support.repositories import GitRepo
    from tests.watcher.conftest import Scene
    from watcher.lines import Message

HOOKS = "/repo/.claude/hooks"
SOURCE, SURVEY, NOTHING = "source", "survey", "nothing"

FILES = [
    # the hook itself: compiled unless it vanishes
    (Kind.SAVED, f"{HOOKS}/guard.py", SOURCE),
    (Kind.MOVED_IN, f"{HOOKS}/guard.py", SOURCE),
    (Kind.CHANGED, f"{HOOKS}/guard.py", SOURCE),
    (Kind.CREATED, f"{HOOKS}/guard.py", SOURCE),
    (Kind.GONE, f"{HOOKS}/guard.py", SURVEY),
    (Kind.SAVED, f"{HOOKS}/pre-commit", SOURCE),
    (Kind.SAVED, f"{HOOKS}/helper.py", SOURCE),
    (Kind.GONE, f"{HOOKS}/helper.py", SURVEY),
    # another Python file: it may be a hook from now on
    (Kind.CREATED, f"{HOOKS}/new.py", SURVEY),
    (Kind.MOVED_IN, f"{HOOKS}/new.py", SURVEY),
    (Kind.GONE, f"{HOOKS}/old.py", SURVEY),
    (Kind.CREATED, f"{HOOKS}/__init__.py", SURVEY),
    # the content of an excluded script changes nothing
    (Kind.SAVED, f"{HOOKS}/excluded.py", NOTHING),
    (Kind.CHANGED, f"{HOOKS}/excluded.py", NOTHING),
    # without a suffix the shebang decides, and there is none
    (Kind.CREATED, f"{HOOKS}/post-checkout", NOTHING),
    (Kind.GONE, f"{HOOKS}/4913", NOTHING),
    # configuration
    (Kind.SAVED, "/repo/pyproject.toml", SURVEY),
    (Kind.GONE, "/repo/pyproject.toml", SURVEY),
    (Kind.MOVED_IN, "/repo/.git/index", SURVEY),
    (Kind.SAVED, "/repo/.github/hooks/new.json", SURVEY),
    (Kind.SAVED, f"{HOOKS}/hooks.json", SURVEY),
    (Kind.CREATED, f"{HOOKS}/pyvenv.cfg", SURVEY),
    # what editors and hooks leave around
    (Kind.CREATED, f"{HOOKS}/.#guard.py", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py~", NOTHING),
    (Kind.SAVED, f"{HOOKS}/#guard.py#", NOTHING),
    (Kind.SAVED, f"{HOOKS}/.guard.py.swp", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py___jb_tmp___", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py.tmp.123.456", NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.log", NOTHING),
    (Kind.SAVED, "/repo/README.md", NOTHING),
    (Kind.SAVED, "/repo/src/module.py", NOTHING),
    (Kind.MOVED_IN, "/repo/.git/HEAD", NOTHING),
    (Kind.SAVED, "/repo/.git/index.lock", NOTHING),
    # our own entries
    (Kind.SAVED, f"{HOOKS}/__pycache_opt__/guard.cpython-311.opt-2.0123456789abcdef.pyc", NOTHING),
    (Kind.CREATED, f"{HOOKS}/__pycache__/helper.cpython-311.pyc", NOTHING),
]

DIRECTORIES = [
    (Kind.CREATED, f"{HOOKS}/deeper", SURVEY),
    (Kind.MOVED_IN, "/repo/plugins", SURVEY),
    (Kind.GONE, "/repo/plugins", SURVEY),
    (Kind.CHANGED, "/repo/plugins", NOTHING),
    (Kind.GONE, HOOKS, SURVEY),
    (Kind.CHANGED, HOOKS, SURVEY),  # as chmod does
    (Kind.GONE, "/repo", SURVEY),
    (Kind.MOVED_IN, "/repo", SURVEY),
    (Kind.CREATED, "/repo/.git", SURVEY),
    (Kind.CREATED, f"{HOOKS}/guard.py", SURVEY),
    # we make these ourselves
    (Kind.CREATED, f"{HOOKS}/__pycache_opt__", NOTHING),
    (Kind.CREATED, f"{HOOKS}/__pycache__", NOTHING),
    (Kind.GONE, f"{HOOKS}/__pycache_opt__", SOURCE),
    (Kind.GONE, f"{HOOKS}/__pycache__", SOURCE),
    (Kind.CREATED, "/repo/node_modules", NOTHING),
    (Kind.CREATED, "/elsewhere/directory", NOTHING),
]


def meaning(event: Event) -> str:
    """What a tree that knows some hooks does because of an event, long after it."""
    tree = Tree(Path("/repo"), Options({}), whole=True, clock=lambda: 100.0)
    tree.scan_due = math.inf
    hooks = [f"{HOOKS}/guard.py", f"{HOOKS}/pre-commit"]
    tree.sources.hooks = {path: HookSource(Path(path)) for path in hooks}
    tree.sources.modules = {f"{HOOKS}/helper.py": HookSource(Path(HOOKS) / "helper.py")}
    tree.directories = {
        HOOKS: EVERYTHING,
        "/repo": frozenset({"pyproject.toml", ".git", "*/"}),
        "/repo/.git": frozenset({"index"}),
        "/repo/.github/hooks": frozenset({"*.json"}),
        "/": frozenset({"repo"}),
    }
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
    (value,) = said[0].values
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
    (notice,) = tree.fail(ConfigError("keep has to be 1 or more"))
    assert notice.event == "trouble"
    assert tree.fail(ConfigError("keep has to be 1 or more")) == []
    assert tree.sources.hooks
    assert "pyproject.toml" in tree.directories[str(scene.root)]


def test_a_tree_that_can_not_be_used_ends_a_single_sync(scene: Scene) -> None:
    write(scene.root / ".hooks-compile.toml", "keep = 0\n")
    with pytest.raises(ConfigError):
        sync(tree_of(scene), lambda _: None)


def test_surveys_do_not_take_all_of_the_time(scene: Scene) -> None:
    now = [100.0]
    tree = Tree(scene.root, Options({}), whole=True, clock=lambda: now[0])
    assert tree.start_survey() is not None
    now[0] = 102.0
    tree.fail(ConfigError("x"))
    tree.route(Event(Kind.GONE, str(scene.root), 102.0, is_directory=True))
    now[0] = 109.9
    assert tree.start_survey() is None
    now[0] = 110.1
    assert tree.start_survey() is not None


def test_only_one_survey_runs_at_a_time(scene: Scene) -> None:
    tree = tree_of(scene)
    assert tree.start_survey() is not None
    tree.scan_due = 0.0
    assert tree.start_survey() is None


def test_a_removed_hook_is_watched_for_a_while(scene: Scene) -> None:
    """An editor may remove a file and write it anew."""
    tool = write(scene.root / "tools/check.py", HOOK.format("tool"))
    write(scene.root / ".hooks-compile.toml", 'include = ["tools/*.py"]\n')
    tree = tree_of(scene)
    assert sync(tree, lambda _: None)
    tool.unlink()
    tree.scan_due = 0.0
    find = tree.start_survey()
    assert find is not None
    assert [message.values[0]["path"] for message in tree.take(find())] == [str(tool)]
    assert "check.py" in tree.directories[str(tool.parent)]
