"""Which directories are watched, and what matters in them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from hooks_compile import agents
from hooks_compile.project.record import open_project
from tests.support.repositories import GitRepo, write
from watcher import directories
from watcher.directories import HOOKS, matches
from watcher.observer import MOST_WATCHES

if TYPE_CHECKING:
    from pathlib import Path

    from watcher.directories import Directories


def wanted(root: Path, given: Path | None = None) -> Directories:
    project = open_project(root, os.environ, () if given is None else (given,), agents=agents)
    modules = [str(module.path) for module in project.modules()]
    return directories.of_tree(project, given or root, modules, whole=given is None)


def with_sources(found: Directories, root: Path) -> set[str]:
    """The directories whose Python files matter, relative to ``root``."""
    inside = {path for path in found if path.startswith(str(root))}
    return {os.path.relpath(path, root) for path in inside if "*.py" in found[path]}


def test_the_directories_of_hooks_and_modules_and_where_git_takes_hooks(git_repo: GitRepo) -> None:
    git_repo.write(".claude/hooks/guard.py")
    git_repo.write(".claude/hooks/inner/check.py")
    git_repo.write(".claude/hooks/package/__init__.py")
    git_repo.write(".claude/hooks/package/sub/__init__.py")
    git_repo.write(".codex/hooks/empty/README")
    git_repo.write("src/module.py")
    assert with_sources(wanted(git_repo.path), git_repo.path) == {
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
    for name in ("pyproject.toml", ".hooks-compile.toml", ".gitignore", ".git", ".claude"):
        assert name in found[str(root)]
    assert {"index", "config", "info", "hooks"} <= found[str(root / ".git")]
    assert "exclude" in found[str(root / ".git/info")]
    git_repo.write(".claude/x")
    git_repo.write(".github/hooks/x.json")
    found = wanted(root)
    assert {"settings.json", "hooks"} <= found[str(root / ".claude")]
    assert "*.json" in found[str(root / ".github/hooks")]


def test_a_large_tree_with_few_hooks_takes_few_watches(git_repo: GitRepo) -> None:
    for number in range(400):
        git_repo.write(f"src/part_{number % 20}/inner_{number}/module.py")
    git_repo.write(".claude/hooks/guard.py")
    git_repo.write("tools/check.py")
    git_repo.write("pyproject.toml", '[tool.hooks-compile]\ninclude = ["tools/check.py"]\n')
    found = wanted(git_repo.path)
    assert len(found) < MOST_WATCHES / 3, sorted(found)
    assert not [path for path in found if "/src" in path]


def test_the_directories_of_hooks_come_first(git_repo: GitRepo) -> None:
    hooks = [git_repo.write(f".claude/hooks/part_{number}/x.py") for number in range(30)]
    for number in range(70):
        git_repo.write(f".codex/hooks/empty_{number}/README")
    first = list(wanted(git_repo.path))[:MOST_WATCHES]
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
    sources = with_sources(found, root)
    assert {"tools", "tools/a", "tools/a/b", "more/two", "more/two/deep"} <= sources
    assert "one" in found[str(root / "scripts")]
    assert "two" in found[str(root / "more")]
    assert "scripts/other" not in sources


def test_hooks_that_git_takes_from_elsewhere(git_repo: GitRepo, tmp_path: Path) -> None:
    shared = write(tmp_path / "shared/pre-commit", "#!/usr/bin/env python3\n").parent
    git_repo.git("config", "core.hooksPath", shared)
    assert "*.py" in wanted(git_repo.path)[str(shared.resolve())]


def test_a_link_that_leads_out_of_the_tree_is_not_followed(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    outside = write(tmp_path / "outside/inner/x.py").parents[1]
    git_repo.write(".claude/x")
    (git_repo.path / ".claude/hooks").symlink_to(outside)
    found = wanted(git_repo.path)
    assert not [path for path in found if path.startswith(str(outside))]
    assert "hooks" in found[str(git_repo.path / ".claude")]


def test_a_worktree_has_its_own_index_and_shares_the_rest(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.commit()
    tree = git_repo.worktree(tmp_path / "tree")
    found = wanted(tree.path)
    own = [path for path in found if "index" in found[path]]
    assert own == [str(git_repo.path / ".git/worktrees/tree")]
    assert "config" in found[str(git_repo.path / ".git")]


def test_without_git(tmp_path: Path) -> None:
    hook = write(tmp_path / "project/.claude/hooks/guard.py")
    found = wanted(tmp_path / "project")
    assert str(hook.parent) in found
    assert str(tmp_path / "project/.claude") in found


def test_only_the_given_directory_and_what_is_below_it(git_repo: GitRepo) -> None:
    root = git_repo.path
    given = git_repo.write("tools/hooks/deep/x.py").parents[1]
    git_repo.write(".claude/hooks/guard.py")
    found = wanted(root, given)
    assert with_sources(found, root) == {"tools/hooks", "tools/hooks/deep"}
    file = given / "deep/x.py"
    assert with_sources(wanted(root, file), root) == {"tools/hooks/deep"}


def test_for_a_directory_that_is_missing_its_nearest_parent_is_watched(tmp_path: Path) -> None:
    missing = tmp_path / "a/b/c"
    found = directories.of_names([missing / "x.py"])
    assert {path: set(interest) for path, interest in found.items()} == {str(tmp_path): {"a"}}
    (tmp_path / "a/b").mkdir(parents=True)
    write(missing, "a file where a directory is expected")
    assert {path: set(interest) for path, interest in found.items()} == {str(tmp_path): {"a"}}
    assert set(directories.of_names([missing / "x.py"])) == {str(tmp_path / "a/b")}


def test_the_parents_up_to_the_root_report_a_rename(git_repo: GitRepo) -> None:
    git_repo.write("a/b/hooks/hooks.json", "{}")
    git_repo.write("a/b/hooks/x.py")
    found = wanted(git_repo.path)
    assert "hooks" in found[str(git_repo.path / "a/b")]
    assert "b" in found[str(git_repo.path / "a")]
    assert "a" in found[str(git_repo.path)]
    assert git_repo.path.name in found[str(git_repo.path.parent)]


def test_what_matters_in_a_directory() -> None:
    names = frozenset({"settings.json"})
    both = names | HOOKS
    assert matches(both, "settings.json", is_directory=False)
    assert matches(both, "guard.py", is_directory=False)
    assert matches(both, "pre-commit", is_directory=False)
    assert matches(both, "deeper", is_directory=True)
    assert matches(both, "__pycache_opt__", is_directory=True)
    assert not matches(both, "node_modules", is_directory=True)
    assert not matches(both, "guard.log", is_directory=False)
    assert not matches(both, ".#guard.py", is_directory=False)
    assert not matches(names, "guard.py", is_directory=False)
    assert not matches(names, "deeper", is_directory=True)


def test_directories_are_merged_and_one_that_vanished_is_its_parent(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a/x").parent, write(tmp_path / "b/x").parent
    names = frozenset({"settings.json"})
    several = [{str(a): names}, {str(a): HOOKS, str(b): names}]
    assert directories.merged(several) == {str(a): names | HOOKS, str(b): names}
    shutil.rmtree(b)
    assert directories.merged(several) == {str(a): names | HOOKS, str(tmp_path): {"b"}}
