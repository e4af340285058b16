"""Which folders are watched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hooks_compile import agents
from hooks_compile.project.record import open_project
from tests.support.repositories import GitRepo, write
from watcher import places

if TYPE_CHECKING:
    from pathlib import Path

    from watcher.places import Places


def wanted(root: Path) -> Places:
    project = open_project(root, os.environ, agents=agents)
    modules = [str(module.path) for module in project.modules()]
    return places.of_project(project, modules, places.structure_of(root))


def content(found: Places, root: Path) -> set[str]:
    """The folders whose Python files matter, relative to ``root``."""
    return {os.path.relpath(path, root) for path in found if ".py" in found[path].suffixes}


def test_the_folders_of_hooks_and_modules_and_where_git_takes_hooks(git_repo: GitRepo) -> None:
    git_repo.write(".claude/hooks/guard.py")
    git_repo.write(".claude/hooks/inner/check.py")
    git_repo.write(".claude/hooks/package/__init__.py")
    git_repo.write(".claude/hooks/package/sub/__init__.py")
    git_repo.write(".codex/hooks/empty/README")
    git_repo.write("src/module.py")
    assert content(wanted(git_repo.path), git_repo.path) == {
        ".claude/hooks",
        ".claude/hooks/inner",
        ".claude/hooks/package",
        ".claude/hooks/package/sub",
        ".codex/hooks",
        ".codex/hooks/empty",
        ".git/hooks",
    }


def test_the_files_that_decide_what_a_hook_is(git_repo: GitRepo) -> None:
    root = git_repo.path
    found = wanted(root)
    for name in ("pyproject.toml", ".hooks-compile.toml", ".gitignore", ".git"):
        assert name in found[str(root)].names
    assert "index" in found[str(root / ".git")].names
    assert "config" in found[str(root / ".git")].names
    assert "exclude" in found[str(root / ".git/info")].names
    for name in (".claude/settings.json", ".codex/hooks.json", ".cursor/hooks.json"):
        path = root / name
        assert path.name in found[str(path.parent)].names, name
    assert ".json" in found[str(root / ".github/hooks")].suffixes


def test_new_folders_are_seen_all_over_the_tree_but_not_in_what_git_ignores(
    git_repo: GitRepo,
) -> None:
    root = git_repo.path
    git_repo.write(".gitignore", "/build/\n")
    for name in ("src/deep/x", "build/x/y", "node_modules/a/b", ".venv/lib/x", "plugins/hooks/x"):
        git_repo.write(name)
    git_repo.write(".venv/pyvenv.cfg")
    GitRepo.create(root / "vendor/other").write("inner/x")
    found = wanted(root)
    seen = {os.path.relpath(path, root) for path in found if found[path].folders}
    assert {"src", "src/deep", "plugins", "plugins/hooks", "vendor"} <= seen
    assert not {"build", "build/x", "node_modules", "vendor/other", ".venv/lib"} & seen
    assert "hooks.json" in found[str(root / "plugins/hooks")].names


def test_what_the_configuration_includes(git_repo: GitRepo) -> None:
    root = git_repo.path
    git_repo.write(
        "pyproject.toml",
        '[tool.hooks-compile]\ninclude = ["tools/**/*.py", "scripts/one", "more/two"]\n',
    )
    for name in ("tools/a/b/c.py", "scripts/other/x", "more/two/deep/x.py"):
        git_repo.write(name)
    found = wanted(root)
    assert {"tools", "tools/a", "tools/a/b", "more/two", "more/two/deep"} <= content(found, root)
    assert "one" in found[str(root / "scripts")].names
    assert "two" in found[str(root / "more")].names
    assert "scripts/other" not in content(found, root)


def test_hooks_that_git_takes_from_elsewhere(git_repo: GitRepo, tmp_path: Path) -> None:
    shared = write(tmp_path / "shared/pre-commit", "#!/usr/bin/env python3\n").parent
    git_repo.git("config", "core.hooksPath", shared)
    found = wanted(git_repo.path)
    assert ".py" in found[str(shared.resolve())].suffixes


def test_a_worktree_has_its_own_index_and_shares_the_rest(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.commit()
    tree = git_repo.worktree(tmp_path / "tree")
    found = wanted(tree.path)
    own = [path for path in found if "index" in found[path].names]
    assert own == [str(git_repo.path / ".git/worktrees/tree")]
    assert "config" in found[str(git_repo.path / ".git")].names


def test_without_git(tmp_path: Path) -> None:
    hook = write(tmp_path / "project/.claude/hooks/guard.py")
    found = wanted(tmp_path / "project")
    assert str(hook.parent) in found
    assert str(tmp_path / "project/.claude") in found


def test_a_hard_linked_hook_is_watched_itself(git_repo: GitRepo, tmp_path: Path) -> None:
    hook = git_repo.write(".claude/hooks/guard.py")
    other = git_repo.write(".claude/hooks/other.py")
    (tmp_path / "elsewhere.py").hardlink_to(hook)
    found = wanted(git_repo.path)
    assert str(hook) in found
    assert str(other) not in found


def test_only_the_given_folder_and_what_is_below_it(git_repo: GitRepo) -> None:
    root = git_repo.path
    given = git_repo.write("tools/hooks/deep/x.py").parents[1]
    git_repo.write(".claude/hooks/guard.py")
    project = open_project(root, os.environ, [given], agents=agents)
    found = places.of_given(project, given, [])
    assert content(found, root) == {"tools/hooks", "tools/hooks/deep"}
    file = given / "deep/x.py"
    project = open_project(root, os.environ, [file], agents=agents)
    assert content(places.of_given(project, file, []), root) == {"tools/hooks/deep"}


def test_for_a_place_that_is_missing_the_nearest_folder_above_is_watched(tmp_path: Path) -> None:
    missing = tmp_path / "a/b/c"
    found = places.that_exist(places.of_names([missing / "x.py"]))
    assert {path: set(interest.names) for path, interest in found.items()} == {str(tmp_path): {"a"}}
    (tmp_path / "a/b").mkdir(parents=True)
    found = places.that_exist(places.of_names([missing / "x.py"]))
    assert set(found) == {str(tmp_path / "a/b")}


def test_the_folders_between_a_place_and_the_root_are_watched_for_their_names(
    tmp_path: Path,
) -> None:
    found = places.with_folders_above(places.of_names([tmp_path / "a/b/x.py"]), str(tmp_path))
    assert {os.path.relpath(path, tmp_path): set(found[path].names) for path in found} == {
        "a/b": {"x.py"},
        "a": {"b"},
        ".": {"a"},
    }
