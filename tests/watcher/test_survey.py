"""Which directories are watched, and what matters in them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import GitRepo, write
from watcher.survey import MOST_WATCHES, Options, Places, find, is_project

if TYPE_CHECKING:
    from pathlib import Path


def wanted(root: Path, given: Path | None = None) -> Places:
    options = Options({**os.environ, "HOOKS_COMPILE_HOME": f"{root}-runtime"}, (sys.executable,))
    return find(given or root, options, None, whole=given is None).places


def of_hooks(found: Places, root: Path) -> set[str]:
    """The directories whose Python files matter, relative to ``root``."""
    return {os.path.relpath(path, root) for path in found.hooks if path.startswith(str(root))}


def test_the_directories_of_hooks_and_modules_and_where_git_takes_hooks(git_repo: GitRepo) -> None:
    git_repo.write(".claude/hooks/guard.py")
    git_repo.write(".claude/hooks/inner/check.py")
    git_repo.write(".claude/hooks/package/__init__.py")
    git_repo.write(".claude/hooks/package/sub/__init__.py")
    git_repo.write(".codex/hooks/empty/README")
    git_repo.write("src/module.py")
    assert of_hooks(wanted(git_repo.path), git_repo.path) == {
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
    names = [
        ".gitignore",
        ".git",
        "pyproject.toml",
        ".hooks-compile.toml",
        ".claude",
        ".codex/hooks",
    ]
    names += [".git/index", ".git/config", ".git/hooks", ".claude/settings.json", "."]
    assert {str(root / name) for name in names} <= wanted(root).paths.keys()


def test_a_large_tree_with_few_hooks_takes_few_watches(git_repo: GitRepo) -> None:
    for number in range(400):
        git_repo.write(f"src/part_{number % 20}/inner_{number}/module.py")
    git_repo.write(".claude/hooks/guard.py")
    git_repo.write("tools/check.py")
    git_repo.write("pyproject.toml", '[tool.hooks-compile]\ninclude = ["tools/check.py"]\n')
    found = wanted(git_repo.path)
    assert len(found.directories()) < MOST_WATCHES / 4, found.directories()
    assert not [path for path in found.paths if "/src" in path]


def test_the_directories_of_hooks_come_first(git_repo: GitRepo) -> None:
    hooks = [git_repo.write(f".claude/hooks/part_{number}/x.py") for number in range(30)]
    for number in range(70):
        git_repo.write(f".codex/hooks/empty_{number}/README")
    first = list(wanted(git_repo.path).directories())[:MOST_WATCHES]
    assert {str(hook.parent) for hook in hooks} <= set(first)


def test_what_the_configuration_includes(git_repo: GitRepo) -> None:
    root = git_repo.path
    git_repo.write(
        "pyproject.toml",
        '[tool.hooks-compile]\ninclude = ["tools/**/*.py", "scripts/one", "more/two"]\n',
    )
    for name in ("tools/a/b/c.py", "scripts/other/x", "more/two/deep/x.py"):
        git_repo.write(name)
    found = wanted(root)
    sources = of_hooks(found, root)
    assert {"tools", "tools/a", "tools/a/b", "more/two", "more/two/deep"} <= sources
    assert {str(root / "scripts/one"), str(root / "more/two")} <= found.paths.keys()
    assert "scripts/other" not in sources


def test_hooks_that_git_takes_from_elsewhere(git_repo: GitRepo, tmp_path: Path) -> None:
    shared = write(tmp_path / "shared/pre-commit", "#!/usr/bin/env python3\n").parent
    git_repo.git("config", "core.hooksPath", shared)
    assert str(shared.resolve()) in wanted(git_repo.path).hooks


def test_a_link_that_leads_out_of_the_tree_is_not_followed(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside/inner/x.py").parents[1]
    git_repo.write(".claude/x")
    (git_repo.path / ".claude/hooks").symlink_to(outside)
    found = wanted(git_repo.path)
    assert not [path for path in found.directories() if path.startswith(str(outside))]
    assert str(git_repo.path / ".claude/hooks") in found.paths


def test_a_worktree_has_its_own_index_and_shares_the_rest(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.commit()
    tree = git_repo.worktree(tmp_path / "tree")
    found = wanted(tree.path)
    own = [path for path in found.paths if path.endswith("/index")]
    assert own == [str(git_repo.path / ".git/worktrees/tree/index")]
    assert str(git_repo.path / ".git/config") in found.paths


def test_without_git(tmp_path: Path) -> None:
    hook = write(tmp_path / "project/.claude/hooks/guard.py")
    found = wanted(tmp_path / "project")
    assert str(hook.parent) in found.hooks
    assert str(tmp_path / "project/.claude") in found.directories()


def test_only_the_given_directory_and_what_is_below_it(git_repo: GitRepo) -> None:
    root = git_repo.path
    given = git_repo.write("tools/hooks/deep/x.py").parents[1]
    git_repo.write(".claude/hooks/guard.py")
    found = wanted(root, given)
    assert of_hooks(found, root) == {"tools/hooks", "tools/hooks/deep"}
    file = given / "deep/x.py"
    assert of_hooks(wanted(root, file), root) == {"tools/hooks/deep"}


def test_for_a_path_that_is_missing_its_nearest_parent_is_watched(tmp_path: Path) -> None:
    found = Places(str(tmp_path / "root"))
    found.add(str(tmp_path / "a/b/c/x.py"))
    assert list(found.directories()) == [str(tmp_path)]
    assert str(tmp_path / "a") in found.paths
    write(tmp_path / "a/b/c", "a file if a directory is expected")
    assert list(found.directories()) == [str(tmp_path / "a/b"), str(tmp_path / "a"), str(tmp_path)]


def test_the_parents_up_to_the_root_report_a_rename(git_repo: GitRepo) -> None:
    git_repo.write("a/b/hooks/hooks.json", "{}")
    git_repo.write("a/b/hooks/x.py")
    found = wanted(git_repo.path)
    names = ("a/b/hooks", "a/b", "a", ".")
    assert {str(git_repo.path / name) for name in names} <= found.paths.keys()
    assert str(git_repo.path.parent) in found.directories()


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("guard.py", True),
        ("pre-commit", True),
        ("pre-commit.legacy", True),
        ("hooks.json", True),
        ("deeper/", True),
        ("pyvenv.cfg", True),
        ("../settings.json", True),
        ("../hooks/", True),  # the directory itself
        ("../other.json", False),
        ("../other.py", False),
        ("guard.log", False),
        (".#guard.py", False),  # Emacs locks a file with a symlink that leads nowhere
        ("guard.sync-conflict-1.py", False),
        ("__pycache__/", False),
        ("__pycache_opt__/", False),
        ("node_modules/", False),
    ],
)
def test_what_matters(tmp_path: Path, name: str, matters: bool) -> None:
    found = Places(str(tmp_path))
    found.add_hooks(str(tmp_path / ".claude/hooks"))
    found.add(str(tmp_path / ".claude/settings.json"))
    path = os.path.normpath(tmp_path / ".claude/hooks" / name)
    assert found.has(path) is matters


def test_what_stands_for_a_project(git_repo: GitRepo, tmp_path: Path) -> None:
    directory = git_repo.write(".claude/hooks/guard.py").parent
    plain = write(tmp_path / "plain/x.py").parent
    project = write(tmp_path / "project/.claude/hooks/x.py").parents[2]
    assert is_project(git_repo.path)
    assert is_project(project)
    assert not is_project(directory)
    assert not is_project(plain)
    assert not is_project(directory / "guard.py")
