"""Which events matter, by table."""

from __future__ import annotations

import pytest

from watcher.filters import ALWAYS, SOURCES, Interest, Known, Meaning, meaning
from watcher.model import Event, Kind

HOOKS = "/repo/.claude/hooks"
KNOWN = Known(
    hooks={f"{HOOKS}/guard.py", f"{HOOKS}/pre-commit", f"{HOOKS}/both.py"},
    modules={f"{HOOKS}/helper.py", f"{HOOKS}/both.py"},
    places={
        HOOKS: ALWAYS,
        "/repo": Interest(frozenset({"pyproject.toml", ".git"}), folders=True),
        "/repo/.git": Interest(frozenset({"index"})),
        "/repo/.github/hooks": Interest(suffixes=frozenset({".json"})),
        "/": Interest(frozenset({"repo"})),
    },
)

FILES = [
    # the hook itself: compiled unless it goes
    (Kind.SAVED, f"{HOOKS}/guard.py", Meaning.HOOK),
    (Kind.MOVED_IN, f"{HOOKS}/guard.py", Meaning.HOOK),
    (Kind.CHANGED, f"{HOOKS}/guard.py", Meaning.HOOK),
    (Kind.CREATED, f"{HOOKS}/guard.py", Meaning.HOOK),
    (Kind.GONE, f"{HOOKS}/guard.py", Meaning.SHAPE),
    (Kind.SAVED, f"{HOOKS}/pre-commit", Meaning.HOOK),
    (Kind.SAVED, f"{HOOKS}/both.py", Meaning.HOOK),
    (Kind.SAVED, f"{HOOKS}/helper.py", Meaning.MODULE),
    (Kind.GONE, f"{HOOKS}/helper.py", Meaning.SHAPE),
    # another Python file: it may be a hook from now on
    (Kind.CREATED, f"{HOOKS}/new.py", Meaning.SHAPE),
    (Kind.MOVED_IN, f"{HOOKS}/new.py", Meaning.SHAPE),
    (Kind.GONE, f"{HOOKS}/old.py", Meaning.SHAPE),
    (Kind.CREATED, f"{HOOKS}/__init__.py", Meaning.SHAPE),
    # what is written into an excluded script changes nothing
    (Kind.SAVED, f"{HOOKS}/excluded.py", Meaning.NOTHING),
    (Kind.CHANGED, f"{HOOKS}/excluded.py", Meaning.NOTHING),
    # without a suffix the shebang decides
    (Kind.CREATED, f"{HOOKS}/post-checkout", Meaning.MAYBE),
    (Kind.SAVED, f"{HOOKS}/post-checkout", Meaning.MAYBE),
    (Kind.SAVED, f"{HOOKS}/pre-commit.legacy", Meaning.MAYBE),
    (Kind.GONE, f"{HOOKS}/4913", Meaning.NOTHING),
    # configuration
    (Kind.SAVED, "/repo/pyproject.toml", Meaning.SHAPE),
    (Kind.GONE, "/repo/pyproject.toml", Meaning.SHAPE),
    (Kind.MOVED_IN, "/repo/.git/index", Meaning.SHAPE),
    (Kind.SAVED, "/repo/.github/hooks/new.json", Meaning.SHAPE),
    (Kind.SAVED, f"{HOOKS}/hooks.json", Meaning.SHAPE),
    (Kind.CREATED, f"{HOOKS}/pyvenv.cfg", Meaning.SHAPE),
    # what editors and hooks leave around
    (Kind.CREATED, f"{HOOKS}/.#guard.py", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py~", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/#guard.py#", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/.guard.py.swp", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py___jb_tmp___", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.py.tmp.123.456", Meaning.NOTHING),
    (Kind.SAVED, f"{HOOKS}/guard.log", Meaning.NOTHING),
    (Kind.SAVED, "/repo/README.md", Meaning.NOTHING),
    (Kind.SAVED, "/repo/src/module.py", Meaning.NOTHING),
    (Kind.MOVED_IN, "/repo/.git/HEAD", Meaning.NOTHING),
    (Kind.SAVED, "/repo/.git/index.lock", Meaning.NOTHING),
]

FOLDERS = [
    (Kind.CREATED, f"{HOOKS}/deeper", Meaning.SHAPE),
    (Kind.MOVED_IN, "/repo/plugins", Meaning.SHAPE),
    (Kind.GONE, "/repo/plugins", Meaning.SHAPE),
    (Kind.CHANGED, "/repo/plugins", Meaning.NOTHING),
    (Kind.GONE, HOOKS, Meaning.SHAPE),
    (Kind.CHANGED, HOOKS, Meaning.SHAPE),  # as chmod does
    (Kind.GONE, "/repo", Meaning.SHAPE),
    (Kind.MOVED_IN, "/repo", Meaning.SHAPE),
    (Kind.CREATED, "/repo/.git", Meaning.SHAPE),
    (Kind.CREATED, f"{HOOKS}/guard.py", Meaning.SHAPE),
    # we make these ourselves
    (Kind.CREATED, f"{HOOKS}/__pycache_opt__", Meaning.NOTHING),
    (Kind.CREATED, f"{HOOKS}/__pycache__", Meaning.NOTHING),
    (Kind.GONE, f"{HOOKS}/__pycache_opt__", Meaning.CACHE),
    (Kind.GONE, f"{HOOKS}/__pycache__", Meaning.CACHE),
    (Kind.CREATED, "/repo/node_modules", Meaning.NOTHING),
    (Kind.CREATED, "/elsewhere/folder", Meaning.NOTHING),
]


@pytest.mark.parametrize(("kind", "path", "expected"), FILES, ids=str)
def test_what_an_event_about_a_file_means(kind: Kind, path: str, expected: Meaning) -> None:
    assert meaning(Event(kind, path, 1.0), KNOWN) is expected


@pytest.mark.parametrize(("kind", "path", "expected"), FOLDERS, ids=str)
def test_what_an_event_about_a_folder_means(kind: Kind, path: str, expected: Meaning) -> None:
    assert meaning(Event(kind, path, 1.0, is_folder=True), KNOWN) is expected


@pytest.mark.parametrize("kind", [Kind.CREATED, Kind.CHANGED, Kind.SAVED, Kind.MOVED_IN])
def test_writing_entries_never_wakes_the_watcher(kind: Kind) -> None:
    for name in ("__pycache_opt__", "__pycache__"):
        for path in (f"{HOOKS}/{name}/guard.cpython-311.opt-2.0123456789abcdef.pyc",):
            assert meaning(Event(kind, path, 1.0), KNOWN) is Meaning.NOTHING


def test_interests_add_up() -> None:
    names = Interest(frozenset({"settings.json"}))
    both = names | ALWAYS
    assert both.admits("settings.json", is_folder=False)
    assert both.admits("guard.py", is_folder=False)
    assert both.admits("deeper", is_folder=True)
    assert not names.admits("guard.py", is_folder=False)
    assert not names.admits("deeper", is_folder=True)
    assert names | Interest() == names
    assert not Interest(folders=True).in_content
    assert Interest(suffixes=SOURCES).in_content
