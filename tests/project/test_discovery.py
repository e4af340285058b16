from __future__ import annotations

import json
import os
import sys
import zipapp
from pathlib import Path

import pytest

from hooks_compile import agents, git
from hooks_compile.errors import GitError, HooksCompileError, pasted
from hooks_compile.model import HookSource
from hooks_compile.project import discovery
from hooks_compile.project.config import Config
from hooks_compile.project.discovery import PROJECT_DIRECTORIES, from_arguments
from hooks_compile.project.search import local_modules, repository_above
from tests.support.git_calls import git_calls, note_git_calls
from tests.support.repositories import GitRepo, write

SHEBANG = "#!/usr/bin/env python3\n"


def discover(
    root: Path, config: Config | None = None, *, home: Path | None = None
) -> list[HookSource]:
    repository = git.open_repository(root) if repository_above(str(root.resolve())) else None
    return discovery.discover(root, config or Config(), repository, agents, home=home).sources


def found(root: Path, config: Config = Config(), *, home: Path | None = None) -> dict[str, str]:  # noqa: B008 - it is frozen
    """What is discovered: names relative to ``root``, each with its origin."""
    sources = discover(root, config, home=home)
    assert sources == sorted(sources)
    assert len({source.path for source in sources}) == len(sources)
    for source in sources:
        assert source.path == source.path.resolve(strict=True)
    real = root.resolve()
    return {Path(os.path.relpath(s.path, real)).as_posix(): s.origin for s in sources}


def names(root: Path, config: Config = Config(), *, home: Path | None = None) -> set[str]:  # noqa: B008 - it is frozen
    return set(found(root, config, home=home))


def claude_settings(command: str) -> str:
    hook = {"type": "command", "command": command}
    return json.dumps({"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook]}]}})


@pytest.fixture(params=["git", "plain directory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A work tree, and a directory without git: what the same rules hold for."""
    directory = tmp_path / "project"
    directory.mkdir()
    return GitRepo.create(directory).path if request.param == "git" else directory.resolve()


# Where hooks are found without anybody naming them


def test_nothing_is_found_in_an_empty_directory(root: Path) -> None:
    write(root / "x.py")
    write(root / "src/hooks/x.py")
    write(root / ".claude/x.py")
    assert found(root) == {}


@pytest.mark.parametrize("directory", PROJECT_DIRECTORIES)
def test_python_files_in_hook_directories_are_sources(root: Path, directory: str) -> None:
    for name in ("a.py", "deep/er/b.py", "with space.py", "hy-phen.py", "ünïcode-名.py"):
        write(root / directory / name)
    write(root / directory / "pre-commit", SHEBANG)
    for name, text in (("notes.md", SHEBANG), ("guard.sh", "#!/bin/sh\n"), ("run", "#!/bin/sh\n")):
        write(root / directory / name, text)
    write(root / directory / "a.pyc")
    write(root / directory / "commit-msg", "import sys\n")
    assert found(root) == {
        f"{directory}/{name}": f"in {directory}"
        for name in (
            *("a.py", "deep/er/b.py", "with space.py", "hy-phen.py", "ünïcode-名.py"),
            "pre-commit",
        )
    }


NO_HOOKS = (
    *("._guard.py", ".guard.py", ".#guard.py", "#guard.py"),
    "guard.sync-conflict-20240101-101010-ABCDEFG.py",
    "guard (Anna's conflicted copy 2024-01-01).py",
    *("guard_BACKUP_17.py", "guard_LOCAL_17.py"),
)


def test_hidden_files_conflicts_and_zip_archives_are_no_sources(root: Path) -> None:
    directory = root / ".claude/hooks"
    for name in NO_HOOKS:
        write(directory / name, b"\0\5\x16\7\xff")
        write(directory / "package" / name, b"\0\5\x16\7\xff")
    write(directory / "package/__init__.py")
    write(root / "app/__main__.py", "print(1)\n")
    zipapp.create_archive(root / "app", directory / "app", "/usr/bin/env python3")
    write(root / ".claude/settings.json", claude_settings(".claude/hooks/app"))
    write(directory / "guard.py")
    assert names(root) == {".claude/hooks/guard.py"}
    assert [path.name for path in local_modules(discover(root))] == ["guard.py", "__init__.py"]
    assert [source.path.name for source in from_arguments([directory])] == ["guard.py"]
    hidden = Config(include=(".claude/hooks/.guard.py",))
    assert names(root, hidden) == {".claude/hooks/guard.py", ".claude/hooks/.guard.py"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_names_that_are_not_utf_8_are_found_and_their_rules_hold(root: Path) -> None:
    directory = root / ".claude/hooks"
    hook = write(directory / os.fsdecode(b"caf\xe9.py"))
    write(directory / os.fsdecode(b"gone\xe9.py"))
    write(directory / os.fsdecode(b"\xff/x.py"))
    config = Config(exclude=(".claude/hooks/gone*", ".claude/hooks/*/x.py"))
    assert [source.path for source in discover(root, config)] == [hook]


@pytest.mark.parametrize("plugin", ["", "plugins/my plugin/", ".claude/plugins/x/", "a/b/c/d/e/"])
def test_python_files_beside_a_plugin_s_hooks_json_are_sources(root: Path, plugin: str) -> None:
    write(root / f"{plugin}hooks/hooks.json", "{}")
    write(root / f"{plugin}hooks/x.py")
    write(root / f"{plugin}hooks/scripts/y.py")
    write(root / f"{plugin}other.py")
    write(root / "xhooks/hooks.json", "{}")
    write(root / "xhooks/no.py")
    write(root / "src/hooks/no.py")
    origin = f"beside {plugin}hooks/hooks.json"
    assert found(root) == {f"{plugin}hooks/x.py": origin, f"{plugin}hooks/scripts/y.py": origin}


def test_a_hooks_json_that_git_tracks_and_that_is_gone_is_none(git_repo: GitRepo) -> None:
    file = git_repo.write("p/hooks/hooks.json", "{}")
    git_repo.write("p/hooks/x.py")
    git_repo.commit()
    assert names(git_repo.path) == {"p/hooks/x.py"}
    file.unlink()
    assert names(git_repo.path) == set()


def test_packages_hold_modules_and_no_hooks(root: Path) -> None:
    directory = root / ".claude/hooks"
    write(directory / "hook.py")
    write(directory / "lib/__init__.py")
    write(directory / "lib/module.py")
    write(directory / "lib/deeper/module.py")
    write(directory / "scripts/__init__.txt")
    write(directory / "scripts/other.py")
    assert names(root) == {".claude/hooks/hook.py", ".claude/hooks/scripts/other.py"}


def test_a_hook_directory_that_is_itself_a_package_still_holds_hooks(root: Path) -> None:
    write(root / ".claude/hooks/__init__.py")
    write(root / ".claude/hooks/hook.py")
    assert names(root) == {".claude/hooks/hook.py"}


def test_caches_environments_and_node_modules_are_never_searched(root: Path) -> None:
    for directory in ("__pycache__", "__pycache_opt__", "node_modules", "node_modules/p/hooks"):
        for top in (".claude/hooks", "tools", ""):
            write(root / top / directory / "x.py")
            write(root / top / directory / "hooks.json", "{}")
    for top in (".claude/hooks/my env", ".husky/v", "tools/v"):
        write(root / top / "pyvenv.cfg")
        write(root / top / "hooks/hooks.json", "{}")
        write(root / top / "hooks/x.py")
        write(root / top / "bin/tool", SHEBANG)
    write(root / "tools/hook.py")
    assert names(root, Config(include=("tools/**", "**/x.py"))) == {"tools/hook.py"}


def test_pipes_sockets_and_directories_with_a_hook_s_name_are_no_sources(root: Path) -> None:
    directory = root / ".claude/hooks"
    (directory / "directory.py").mkdir(parents=True)
    os.mkfifo(directory / "pipe.py")
    os.mkfifo(directory / "pipe")
    (directory / "to-pipe.py").symlink_to("pipe")
    (directory / "to-zero.py").symlink_to("/dev/zero")
    write(directory / "directory.py/x.py")
    assert names(root) == {".claude/hooks/directory.py/x.py"}


@pytest.fixture
def _imported(tmp_path: Path) -> None:
    discover(tmp_path, Config())


@pytest.mark.usefixtures("_imported")
def test_what_can_t_be_read_is_left_out_of_a_search_and_a_directory_is_an_error_as_an_argument(
    unprivileged: Path,
) -> None:
    directory = unprivileged / ".claude/hooks"
    write(directory / "x.py")
    write(directory / "closed", SHEBANG).chmod(0o200)
    write(directory / "closed directory/y.py").parent.chmod(0o100)
    assert names(unprivileged) == {".claude/hooks/x.py"}
    closed = directory / "closed directory"
    with pytest.raises(HooksCompileError, match="Permission denied") as caught:
        from_arguments([closed])
    assert caught.value.path == closed


# What git ignores


def test_what_git_ignores_is_left_out(git_repo: GitRepo, home: Path) -> None:
    write(home / ".config/git/ignore", "private-*\n")
    git_repo.write(".gitignore", "/.cursor/\n*.local.py\nplugin/hooks/gen.py\n")
    git_repo.write(".claude/hooks/.gitignore", "scratch\n")
    for name in ("kept.py", "a.local.py", "scratch/b.py", "private-c.py"):
        git_repo.write(f".claude/hooks/{name}")
    git_repo.write(".cursor/hooks/d.py")
    git_repo.write("plugin/hooks/hooks.json")
    git_repo.write("plugin/hooks/gen.py")
    git_repo.write("plugin/hooks/real.py")
    expected = {".claude/hooks/kept.py", "plugin/hooks/real.py"}
    assert names(git_repo.path) == expected
    git_repo.commit()
    assert names(git_repo.path) == expected


def test_what_git_tracks_is_not_ignored(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", ".claude/\n")
    git_repo.write(".claude/hooks/tracked.py")
    git_repo.write(".claude/hooks/untracked.py")
    git_repo.git("add", "--force", ".claude/hooks/tracked.py")
    assert names(git_repo.path) == {".claude/hooks/tracked.py"}


def test_what_a_literal_include_names_counts_though_git_ignores_it(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", "local/\n.claude/\nnode_modules/\n")
    for name in ("local/hook.py", "local/other.py", "local/odd.hook", ".claude/hooks/a.py"):
        git_repo.write(name)
    git_repo.write("node_modules/p/x.py")
    git_repo.write("node_modules/p/node_modules/y.py")
    assert names(git_repo.path, Config(include=("local/*.py", "**/a.py", "**/x.py"))) == set()
    literal = Config(include=("local/hook.py", "local/odd.hook", "local/gone.py", ".claude/hooks"))
    assert found(git_repo.path, literal) == {
        "local/hook.py": "matches local/hook.py",
        "local/odd.hook": "matches local/odd.hook",
        ".claude/hooks/a.py": "matches .claude/hooks",
    }
    assert names(git_repo.path, Config(include=("node_modules/p",))) == {"node_modules/p/x.py"}


def test_what_an_agent_s_command_names_counts_though_git_ignores_it(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", ".claude/\n")
    git_repo.write(".claude/hooks/named.py")
    git_repo.write(".claude/hooks/unnamed.py")
    git_repo.write(
        ".claude/settings.json",
        claude_settings('python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/named.py'),
    )
    assert found(git_repo.path) == {".claude/hooks/named.py": "named by .claude/settings.json"}


# What an agent names


def test_a_named_script_is_a_source_wherever_it_is_in_the_work_tree(root: Path) -> None:
    write(root / "tools/guard", SHEBANG)
    write(root / ".claude/hooks/a.py")
    write(root / ".claude/settings.json", claude_settings("tools/guard --x && .claude/hooks/a.py"))
    assert found(root) == {
        "tools/guard": "named by .claude/settings.json",
        ".claude/hooks/a.py": "in .claude/hooks",
    }


def test_a_named_script_in_an_environment_or_outside_is_none(root: Path) -> None:
    outside = write(root.parent / "outside.py")
    write(root / ".venv/pyvenv.cfg")
    write(root / ".venv/bin/tool", SHEBANG)
    (root / "link.py").symlink_to(outside)
    for command in (f"python3 {outside}", ".venv/bin/tool", "python3 link.py", "../outside.py"):
        write(root / ".claude/settings.json", claude_settings(command))
        assert found(root) == {}


# What git runs


@pytest.mark.parametrize("value", ["my hooks", "./my hooks/", "{root}/my hooks"])
def test_core_hooks_path_in_the_work_tree_is_a_hook_directory(
    git_repo: GitRepo, value: str
) -> None:
    git_repo.git("config", "core.hooksPath", value.format(root=git_repo.path))
    git_repo.write("my hooks/pre-commit", SHEBANG, executable=True)
    git_repo.write("my hooks/helper.py")
    git_repo.write(".git/hooks/pre-push", SHEBANG, executable=True)
    assert found(git_repo.path) == {
        "my hooks/pre-commit": "in core.hooksPath",
        "my hooks/helper.py": "in core.hooksPath",
    }


def test_core_hooks_path_counts_though_git_ignores_it(git_repo: GitRepo) -> None:
    # husky's .husky/_ ignores itself
    git_repo.git("config", "core.hooksPath", ".husky/_")
    git_repo.write(".husky/_/.gitignore", "*")
    git_repo.write(".husky/_/pre-commit", SHEBANG)
    assert found(git_repo.path) == {".husky/_/pre-commit": "in core.hooksPath"}


@pytest.mark.parametrize("value", ["~/hooks", "/dev/null", "../elsewhere", "/no/such/directory"])
def test_core_hooks_path_out_of_the_work_tree_is_left_alone(
    git_repo: GitRepo, home: Path, value: str
) -> None:
    git_repo.git("config", "core.hooksPath", value)
    write(home / "hooks/pre-commit", SHEBANG)
    write(git_repo.path.parent / "elsewhere/pre-commit", SHEBANG)
    git_repo.write(".git/hooks/pre-commit", SHEBANG)
    assert found(git_repo.path) == {}


@pytest.mark.parametrize("value", [".", ""])
def test_core_hooks_path_that_is_the_root_does_not_make_every_script_a_hook(
    git_repo: GitRepo, value: str
) -> None:
    git_repo.git("config", "core.hooksPath", value)
    git_repo.write("pre-commit", SHEBANG)
    git_repo.write("src/x.py")
    assert "src/x.py" not in names(git_repo.path)


def test_the_repository_s_own_hooks_are_sources_and_samples_are_not(git_repo: GitRepo) -> None:
    git_repo.write(".git/hooks/pre-commit", SHEBANG, executable=True)
    git_repo.write(".git/hooks/pre-commit.sample", SHEBANG)
    git_repo.write(".git/hooks/pre-push.legacy", SHEBANG)  # pre-commit goes on running it
    git_repo.write(".git/hooks/pre-rebase.old", SHEBANG)
    git_repo.write(".git/hooks/commit-msg", "#!/bin/sh\n")
    assert found(git_repo.path) == {
        ".git/hooks/pre-commit": "in .git/hooks",
        ".git/hooks/pre-push.legacy": "in .git/hooks",
    }


def test_an_own_hook_that_links_into_the_work_tree_is_its_target(git_repo: GitRepo) -> None:
    git_repo.write("tools/check", SHEBANG)
    outside = write(git_repo.path.parent / "outside", SHEBANG)
    hooks = git_repo.path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "pre-commit").symlink_to("../../tools/check")
    (hooks / "pre-push").symlink_to(outside)
    (hooks / "post-merge").symlink_to("nowhere")
    assert found(git_repo.path) == {"tools/check": "in .git/hooks"}


def test_a_custom_directory_inside_the_git_directory_counts_as_own(git_repo: GitRepo) -> None:
    git_repo.git("config", "core.hooksPath", ".git/my-hooks")
    git_repo.write(".git/my-hooks/pre-commit", SHEBANG)
    assert found(git_repo.path) == {".git/my-hooks/pre-commit": "in .git/hooks"}


# What the configuration says


def test_include_adds_python_files_and_exclude_takes_away(root: Path) -> None:
    for name in ("tools/a.py", "tools/b", "tools/c.txt", "tools/d/e.py", "tools/d/f.py", "g.py"):
        write(root / name, SHEBANG)
    write(root / ".claude/hooks/h.py")
    write(root / ".claude/hooks/old/i.py")
    write(root / "pkg/__init__.py")
    assert found(root, Config(include=("tools/*", "pkg/*"))) == {
        "tools/a.py": "matches tools/*",
        "tools/b": "matches tools/*",
        "pkg/__init__.py": "matches pkg/*",
        ".claude/hooks/h.py": "in .claude/hooks",
        ".claude/hooks/old/i.py": "in .claude/hooks",
    }
    both = Config(include=("tools/**", "g.py"), exclude=("**/old", "tools/d/e.py", "g.py", "*/b"))
    assert names(root, both) == {"tools/a.py", "tools/d/f.py", ".claude/hooks/h.py"}
    assert names(root, Config(exclude=("**",))) == set()


def test_an_include_of_a_directory_searches_it(root: Path) -> None:
    for name in (
        "tools/a.py",
        "tools/b/c.py",
        "tools/pkg/__init__.py",
        "tools/pkg/d.py",
        "e/f/g.py",
    ):
        write(root / name)
    assert names(root, Config(include=("tools", "*/f/"))) == {
        "tools/a.py",
        "tools/b/c.py",
        "e/f/g.py",
    }


def test_an_include_of_a_tracked_file_that_is_gone_finds_the_others(git_repo: GitRepo) -> None:
    gone = git_repo.write("tools/gone.py")
    git_repo.write("tools/there.py")
    git_repo.commit()
    gone.unlink()
    assert names(git_repo.path, Config(include=("tools/*.py", "nowhere/*.py"))) == {
        "tools/there.py"
    }


# A hostile clone


@pytest.mark.parametrize("include", [(), ("in/*.py", "in/x.py", "dir/**", "dir")])
def test_symlinks_out_of_the_work_tree_are_not_followed(
    root: Path, include: tuple[str, ...]
) -> None:
    outside = root.parent / "project-secret"  # a sibling that begins with the root's name
    write(outside / "x.py")
    write(outside / "hooks/x.py")
    write(outside / "hooks/hooks.json", "{}")
    for name in (".claude/hooks", "in", "plugin"):
        (root / name).mkdir(parents=True)
    (root / ".claude/hooks/x.py").symlink_to(outside / "x.py")
    (root / ".claude/hooks/directory").symlink_to(outside)
    (root / ".claude/hooks/up").symlink_to("../../../project-secret")
    (root / ".codex").symlink_to(outside)
    (root / ".githooks").symlink_to("/")
    (root / "in/x.py").symlink_to(outside / "x.py")
    (root / "dir").symlink_to(outside)
    (root / "plugin/hooks").symlink_to(outside / "hooks")
    assert found(root, Config(include=include)) == {}


def test_symlinks_inside_the_work_tree_are_resolved_and_counted_once(root: Path) -> None:
    write(root / "scripts/a.py")
    write(root / "scripts/run.bin", SHEBANG)
    directory = root / ".claude/hooks"
    directory.mkdir(parents=True)
    (directory / "a.py").symlink_to("../../scripts/a.py")
    (directory / "again.py").symlink_to("a.py")
    (directory / "all").symlink_to("../../scripts")
    (directory / "loop").symlink_to(".")
    (directory / "self").symlink_to("self")
    (directory / "pre-commit").symlink_to("../../scripts/run.bin")
    (root / ".cursor").symlink_to(".claude")
    assert found(root) == {
        "scripts/a.py": "in .claude/hooks",
        "scripts/run.bin": "in .claude/hooks",
    }


def test_symlinks_into_what_is_never_searched_are_not_followed(root: Path) -> None:
    write(root / "node_modules/x.py")
    write(root / "v/pyvenv.cfg")
    write(root / "v/lib/x.py")
    write(root / ".git/x.py")
    directory = root / ".claude/hooks"
    directory.mkdir(parents=True)
    for i, target in enumerate(("node_modules", "v", "v/lib", ".git")):
        (directory / f"directory{i}").symlink_to(root / target)
        (directory / f"file{i}.py").symlink_to(root / target / "x.py")
    assert found(root) == {}


def test_a_symlink_to_what_git_ignores_is_not_followed(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", "build/\n")
    git_repo.write("build/x.py")
    git_repo.write(".claude/hooks/y.py")
    (git_repo.path / ".claude/hooks/x.py").symlink_to("../../build/x.py")
    assert names(git_repo.path) == {".claude/hooks/y.py"}


def test_a_root_that_is_a_symlink_gives_real_paths(root: Path, tmp_path: Path) -> None:
    write(root / ".claude/hooks/x.py")
    write(root / "tools/y.py")
    link = tmp_path / "link"
    link.symlink_to(root)
    assert names(link, Config(include=("tools/*.py",))) == {".claude/hooks/x.py", "tools/y.py"}


# Worktrees, submodules, repositories in repositories


def test_a_linked_worktree_has_its_own_sources_and_the_shared_git_hooks(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.write(".claude/hooks/x.py")
    git_repo.write(".git/hooks/pre-commit", SHEBANG)
    git_repo.commit()
    linked = git_repo.worktree(tmp_path / "linked tree")
    linked.write(".claude/hooks/y.py")
    assert {source.path for source in discover(linked.path, Config())} == {
        linked.path / ".claude/hooks/x.py",
        linked.path / ".claude/hooks/y.py",
        git_repo.path / ".git/hooks/pre-commit",
    }


def test_a_worktree_inside_the_work_tree_is_not_searched(git_repo: GitRepo) -> None:
    git_repo.write(".claude/hooks/x.py")
    git_repo.write("plugin/hooks/hooks.json")
    git_repo.write("plugin/hooks/y.py")
    git_repo.commit()
    git_repo.worktree(git_repo.path / ".claude/worktrees/other")
    config = Config(include=("**/*.py",))
    assert names(git_repo.path, config) == {".claude/hooks/x.py", "plugin/hooks/y.py"}
    plain = git_repo.path / ".claude"
    (plain / "worktrees/other/hooks").mkdir()
    write(plain / "worktrees/other/hooks/hooks.json")
    assert names(git_repo.path) == {".claude/hooks/x.py", "plugin/hooks/y.py"}


def test_a_submodule_is_a_work_tree_of_its_own(git_repo: GitRepo, tmp_path: Path) -> None:
    inner = GitRepo.create(tmp_path / "inner")
    inner.write("plugin/hooks/hooks.json")
    inner.write("plugin/hooks/x.py")
    inner.write(".gitignore", "no.py")
    inner.commit()
    submodule = git_repo.submodule(inner, "sub")
    submodule.write("plugin/hooks/no.py")
    assert names(submodule.path) == {"plugin/hooks/x.py"}
    assert names(git_repo.path, Config(include=("**/*.py", "sub/**"))) == set()


def test_a_submodule_that_is_a_hook_directory_is_searched_past_git_s_rules(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    inner = GitRepo.create(tmp_path / "inner")
    inner.write("hooks/x.py")
    inner.commit()
    for name in (".codex/hooks", ".githooks/shared"):
        git_repo.submodule(inner, name).write("no.py")
    git_repo.write(".gitignore", "no.py")
    git_repo.write(".husky/no.py")
    git_repo.commit()
    found_there = {
        f"{name}/{file}"
        for name in (".codex/hooks", ".githooks/shared")
        for file in ("hooks/x.py", "no.py")
    }
    assert names(git_repo.path) == found_there
    git_repo.submodule(inner, ".claude")
    assert names(git_repo.path) > {*found_there, ".claude/hooks/x.py"}


def test_a_repository_in_a_hook_directory_that_git_ignores_is_left_out(git_repo: GitRepo) -> None:
    for name in ("vendor", "own"):
        inner = GitRepo.create(git_repo.path / ".claude/hooks" / name)
        inner.write("x.py")
    git_repo.write(".gitignore", "vendor/\n")
    deeper = GitRepo.create(git_repo.path / ".claude/hooks/vendor/deeper")
    deeper.write("y.py")
    assert names(git_repo.path) == {".claude/hooks/own/x.py"}


@pytest.mark.parametrize("content", ["garbage", "gitdir: /nowhere\n"])
def test_a_broken_git_file_in_a_hook_directory_keeps_nothing_from_being_found(
    git_repo: GitRepo, content: str
) -> None:
    git_repo.write(".claude/hooks/x.py")
    git_repo.write(".claude/hooks/inner/.git", content)
    git_repo.write(".claude/hooks/inner/y.py")
    assert names(git_repo.path) == {".claude/hooks/x.py", ".claude/hooks/inner/y.py"}


def test_a_submodule_that_is_not_there_keeps_nothing_from_being_found(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    inner = GitRepo.create(tmp_path / "inner")
    inner.write("x.py")
    inner.commit()
    submodule = git_repo.submodule(inner, ".claude")
    (submodule.path / ".git").unlink()
    git_repo.write(".claude/hooks/y.py")
    git_repo.write(".codex/hooks/z.py")
    assert names(git_repo.path) == {".claude/hooks/y.py", ".codex/hooks/z.py"}


def test_a_directory_below_the_root_of_a_work_tree_follows_git_s_rules(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", "no.py\n/sub/.claude/hooks/never.py\n")
    for name in ("yes.py", "no.py", "never.py"):
        git_repo.write(f"sub/.claude/hooks/{name}")
    git_repo.write(".claude/hooks/above.py")
    assert names(git_repo.path / "sub") == {".claude/hooks/yes.py"}


def test_a_repository_that_git_refuses_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "x/.git", "garbage")
    with pytest.raises(GitError, match="invalid gitfile format"):
        discover(tmp_path / "x", Config())


def test_a_directory_without_git_needs_no_git_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "p/.claude/hooks/x.py")
    monkeypatch.setenv("PATH", "")
    assert names(tmp_path / "p") == {".claude/hooks/x.py"}


def test_discovery_in_a_running_git_hook_sees_the_tree_it_was_asked_about(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.create(tmp_path / "other")
    other.write(".gitignore", "*")
    git_repo.write(".claude/hooks/x.py")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    assert names(git_repo.path) == {".claude/hooks/x.py"}


# The user's own hooks


def test_the_user_s_hooks_count_only_where_the_home_directory_is_given(
    root: Path, home: Path
) -> None:
    write(home / ".claude/hooks/a.py")
    write(home / ".claude/plugins/cache/m/p/1.0/hooks/hooks.json", "{}")
    write(home / ".claude/plugins/cache/m/p/1.0/hooks/b.py")
    write(home / "bin/c.py")
    write(home / ".claude/settings.json", claude_settings("python3 ~/bin/c.py"))
    write(home / ".githooks/no.py")
    (home / ".gemini").symlink_to(root)
    write(root / "hooks/no.py")
    write(root / ".claude/hooks/d.py")
    assert names(root) == {".claude/hooks/d.py"}
    sources = discover(root, Config(), home=home)
    assert {source.path: source.origin for source in sources} == {
        home / ".claude/hooks/a.py": "in ~/.claude/hooks",
        home / ".claude/plugins/cache/m/p/1.0/hooks/b.py": "beside ~/.claude/plugins/cache/m/p/"
        "1.0/hooks/hooks.json",
        home / "bin/c.py": "named by ~/.claude/settings.json",
        root / ".claude/hooks/d.py": "in .claude/hooks",
    }


def test_a_project_can_name_no_script_in_the_home_directory(root: Path, home: Path) -> None:
    write(home / "mine.py")
    write(root / ".claude/settings.json", claude_settings("python3 ~/mine.py"))
    assert discover(root, Config(), home=home) == []


# Arguments


def test_a_file_given_is_taken_whatever_its_name_and_place(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.write(".gitignore", "*\n")
    paths = [
        git_repo.write("x.py"),
        git_repo.write("node_modules/odd.txt", "print(1)"),
        git_repo.write("no-shebang", ""),
        write(tmp_path / "outside/__init__.py"),
    ]
    link = tmp_path / "link.py"
    link.symlink_to(paths[0])
    assert from_arguments([*paths, link, paths[0]]) == [HookSource(path) for path in sorted(paths)]


def test_a_relative_argument_counts_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path.resolve() / "a b/x.py")
    monkeypatch.chdir(tmp_path)
    assert from_arguments([Path("a b/x.py")]) == from_arguments([Path("a b")])
    assert from_arguments([Path("a b")]) == [HookSource(path)]


def test_a_directory_given_is_searched_past_git_s_rules(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", "*\n")
    for name in ("a.py", "b/c", "node_modules/d.py", "v/e.py", "v/pyvenv.cfg", "pkg/f.py"):
        git_repo.write(f"given/{name}", SHEBANG)
    git_repo.write("given/pkg/__init__.py")
    git_repo.write("given/__pycache_opt__/g.py")
    git_repo.write("given/plain.txt", SHEBANG)
    git_repo.write("other.py")
    given = git_repo.path / "given"
    assert from_arguments([given]) == [HookSource(given / "a.py"), HookSource(given / "b/c")]
    assert from_arguments([given / "node_modules"]) == [HookSource(given / "node_modules/d.py")]
    assert from_arguments([given / "v"]) == [HookSource(given / "v/e.py")]
    assert from_arguments([given / "pkg"]) == [HookSource(given / "pkg/f.py")]


def test_symlinks_in_a_directory_given_lead_as_far_as_its_work_tree(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    inside = git_repo.write("scripts/x.py")
    outside = write(tmp_path / "outside/y.py")
    (git_repo.path / "given").mkdir()
    (git_repo.path / "given/x.py").symlink_to(inside)
    (git_repo.path / "given/y.py").symlink_to(outside)
    assert from_arguments([git_repo.path / "given"]) == [HookSource(inside)]
    link = tmp_path / "link"
    link.symlink_to(outside.parent)
    assert from_arguments([link]) == [HookSource(outside)]
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "x.py").symlink_to(inside)
    assert from_arguments([plain]) == []


def test_an_argument_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("gone.py", "dangling"):
        with pytest.raises(HooksCompileError, match="No such file") as caught:
            from_arguments([tmp_path / name])
        assert caught.value.path == tmp_path / name
        assert caught.value.remedy == f"ls -ld {pasted(tmp_path / name)}"


# Modules that hooks import


def test_local_modules_are_the_files_and_packages_beside_the_hooks(tmp_path: Path) -> None:
    directory = tmp_path.resolve() / "hooks"
    hooks = [write(directory / "a.py"), write(directory / "b"), write(directory / "deep/c.py")]
    beside = [
        write(directory / "helper.py"),
        write(directory / "lib/__init__.py"),
        write(directory / "lib/x.py"),
        write(directory / "lib/inner/__init__.py"),
        write(directory / "lib/inner/y.py"),
        write(directory / "deep/sibling.py"),
    ]
    for name in ("lib/data/z.py", "plain/z.py", "lib/__pycache__/z.py", "node_modules/__init__.py"):
        write(directory / name)
    write(directory / "v/pyvenv.cfg")
    write(directory / "v/__init__.py")
    write(directory / "notes.txt")
    write(tmp_path / "outside.py")
    (directory / "linked.py").symlink_to(tmp_path / "outside.py")
    (directory / "linked").symlink_to(directory / "lib")
    os.mkfifo(directory / "pipe.py")
    sources = [HookSource(path) for path in hooks]
    assert local_modules(sources) == sorted([hooks[0], hooks[2], *beside])
    assert local_modules([]) == []


# Cost


def test_two_git_processes_are_enough_for_an_ordinary_work_tree(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".claude/hooks/a.py", ".githooks/pre-commit", "tools/b.py", ".husky/c.py"):
        git_repo.write(name, SHEBANG)
    git_repo.write("plugin/hooks/hooks.json")
    git_repo.write("plugin/hooks/d.py")
    git_repo.commit()
    git_repo.write(".claude/hooks/untracked.py")
    env, log = note_git_calls(tmp_path, os.environ)
    monkeypatch.setenv("PATH", env["PATH"])
    assert len(names(git_repo.path, Config(include=("tools/*.py",)))) == 6
    assert git_calls(log) == ["rev-parse", "ls-files"]
