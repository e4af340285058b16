from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hooks_compile import git
from hooks_compile.errors import GitError, pasted
from tests.support.git_calls import git_calls, note_git_calls
from tests.support.repositories import GitRepo, write

NAMES = ["plain.py", "with space.py", "ünïcode-名.py", "new\nline.py", '"quoted".py', ":(top)x.py"]


def test_a_lock_of_another_git_has_a_remedy_that_helps(git_repo: GitRepo) -> None:
    git_repo.write("file", "x")
    lock = git_repo.path / ".git/index.lock"
    lock.touch()
    with pytest.raises(GitError) as caught:
        git.add(git_repo.path, [git_repo.path / "file"])
    assert caught.value.remedy == f"wait for the other git; if none runs: rm {pasted(lock)}"


def test_work_tree_of_root_subdirectory_file_and_symlinked_path(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    file = git_repo.write("a/b/x.py")
    link = tmp_path / "link"
    link.symlink_to(git_repo.path / "a")
    for path in (git_repo.path, file.parent, file, link / "b"):
        assert git.work_tree(path) == git_repo.path


def test_no_work_tree_outside_in_a_bare_repository_and_inside_the_git_directory(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.git"
    git_repo.git("init", "--quiet", "--bare", bare)
    assert git.work_tree(tmp_path) is None
    assert git.work_tree(bare) is None
    assert git.work_tree(git_repo.path / ".git") is None


def test_a_git_file_that_leads_nowhere_is_no_work_tree(tmp_path: Path) -> None:
    write(tmp_path / "x/.git", "gitdir: /nowhere/at/all\n")
    assert git.work_tree(tmp_path / "x") is None


def test_a_git_file_that_is_garbage_is_an_error_with_what_git_said(tmp_path: Path) -> None:
    write(tmp_path / "x/.git", "garbage")
    with pytest.raises(GitError, match="invalid gitfile format") as caught:
        git.work_tree(tmp_path / "x")
    assert caught.value.path == tmp_path / "x"
    assert "git -C" in caught.value.remedy


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a directory away"
)
def test_a_repository_of_another_user_is_an_error_with_git_s_own_remedy(git_repo: GitRepo) -> None:
    os.chown(git_repo.path, 12345, 12345)
    os.chown(git_repo.path / ".git", 12345, 12345)
    with pytest.raises(GitError, match="dubious ownership") as caught:
        git.work_tree(git_repo.path)
    command = "git config --global --add safe.directory"
    assert caught.value.remedy == f"{command} {shlex.quote(str(git_repo.path))}"


def hooks_path(path: Path) -> Path:
    return git.require_repository(path).hooks_path


def test_linked_worktree_has_its_own_root_and_git_directory_and_shares_the_hooks(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.commit()
    linked = git_repo.worktree(tmp_path / "linked tree")
    found = git.open_repository(linked.path)
    assert found is not None
    assert found.work_tree == linked.path
    assert found.git_dir == git_repo.path / ".git/worktrees/linked-tree"
    assert found.common_dir == git_repo.path / ".git"
    assert found.hooks_path == git_repo.path / ".git/hooks"


def test_submodule_is_a_work_tree_of_its_own(git_repo: GitRepo, tmp_path: Path) -> None:
    inner = GitRepo.create(tmp_path / "inner")
    inner.commit()
    submodule = git_repo.submodule(inner, "sub")
    assert git.work_tree(submodule.path) == submodule.path
    assert hooks_path(submodule.path) == git_repo.path / ".git/modules/sub/hooks"


def test_work_tree_whose_path_holds_newlines_and_odd_letters(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path / "a\ntrue b\n" / " ü ")
    found = git.open_repository(repo.path)
    assert found is not None
    assert found.work_tree == repo.path
    assert found.hooks_path == repo.path / ".git/hooks"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_work_tree_whose_path_is_not_utf_8(tmp_path: Path) -> None:
    repo = GitRepo.create(tmp_path / os.fsdecode(b"caf\xe9"))
    assert git.work_tree(repo.path) == repo.path


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (".githooks", "ROOT/.githooks"),
        ("./.githooks/", "ROOT/.githooks"),
        ("../elsewhere", "ROOT/../elsewhere"),
        ("~/my hooks", "HOME/my hooks"),
        ("/dev/null", "/dev/null"),
    ],
)
@pytest.mark.parametrize("start", [".", "sub/directory"])
def test_core_hooks_path_counts_from_the_root_and_from_home(
    git_repo: GitRepo, home: Path, value: str, expected: str, start: str
) -> None:
    (git_repo.path / "sub/directory").mkdir(parents=True)
    git_repo.git("config", "core.hooksPath", value)
    wanted = expected.replace("ROOT", str(git_repo.path)).replace("HOME", str(home))
    assert hooks_path(git_repo.path / start) == Path(os.path.normpath(wanted))


def test_git_variables_of_a_running_hook_do_not_redirect_us(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepo.create(tmp_path / "other")
    git_repo.write("mine.py")
    git_repo.commit()
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no such index"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.hooksPath'='/evil'")
    assert git.work_tree(git_repo.path) == git_repo.path
    assert hooks_path(git_repo.path) == git_repo.path / ".git/hooks"
    assert git.tracked_matching(git_repo.path, ["*.py"]) == ["mine.py"]


def test_environment_drops_git_s_variables_but_not_which_configuration_is_the_user_s(
    tmp_path: Path,
) -> None:
    given = {"GIT_DIR": "x", "GIT_TRACE": "1", "GIT_CONFIG_GLOBAL": "g", "PATH": "/p", "X": "x"}
    seen = git.environment(given, tmp_path)
    ours = {"GIT_OPTIONAL_LOCKS": "0", "HOOKS_COMPILE_GIT_HOOK": "1", "LC_ALL": "C"}
    assert seen == {**ours, "GIT_CONFIG_GLOBAL": "g", "PATH": "/p", "X": "x"}


@pytest.mark.parametrize("entry", ["", ".", "bin", "{tree}/bin", "{link}"])
def test_a_git_that_a_clone_brings_is_not_started(
    entry: str, git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    for name in ("git", "bin/git", "sub/git", "sub/bin/git"):
        git_repo.write(name, f"#!/bin/sh\n: > '{mark}'\n", executable=True)
    link = tmp_path / "link"
    link.symlink_to(git_repo.path / "bin")
    directory = entry.format(tree=git_repo.path, link=link)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    for cwd in (git_repo.path, git_repo.path / "sub"):
        monkeypatch.chdir(cwd)
        assert git.work_tree(cwd) == git_repo.path
    assert not mark.exists()


def test_a_bare_repository_in_a_clone_starts_nothing(git_repo: GitRepo, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    evil = git_repo.write("evil.sh", f"#!/bin/sh\n: > '{mark}'\n", executable=True)
    git_repo.git("init", "-q", "--bare", "docs")
    settings = f"bare = false\n\tworktree = inside\n\tfsmonitor = \"'{evil}'\"\n"
    git_repo.write("docs/config", f"[core]\n\trepositoryFormatVersion = 0\n\t{settings}")
    inside = GitRepo(git_repo.write("docs/inside/hook.py", "1").parent)
    inside.git("status")
    assert mark.exists(), "git alone obeys it, or this test shows nothing"
    mark.unlink()
    assert git.open_repository(inside.path) is None
    with pytest.raises(GitError, match="bare repository"):
        git.tracked_matching(inside.path, ["*"], untracked=True)
    assert not mark.exists()


def test_listing_fires_no_post_index_change_hook(git_repo: GitRepo, tmp_path: Path) -> None:
    file = git_repo.write("x.py", "1")
    git_repo.commit()
    fired = tmp_path / "fired"
    git_repo.write(".git/hooks/post-index-change", f"#!/bin/sh\n: > '{fired}'\n", executable=True)
    os.utime(file, (1, 1))  # the index would be refreshed
    git.tracked_matching(git_repo.path, ["*"], untracked=True)
    git.ignored(git_repo.path, [file])
    git.run(["status", "--porcelain"], cwd=git_repo.path)
    assert not fired.exists()


def test_our_own_stdin_is_left_to_the_hook(git_repo: GitRepo) -> None:
    program = (
        "import sys; from pathlib import Path; from hooks_compile import git; "
        "git.run(['hash-object', '--stdin'], cwd=Path(sys.argv[1])); print(sys.stdin.read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, git_repo.path],
        input="protocol",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "protocol\n"


def test_names_come_back_as_they_are_on_disk(git_repo: GitRepo) -> None:
    for name in NAMES:
        git_repo.write(name)
    assert sorted(git.tracked_matching(git_repo.path, ["*.py"], untracked=True)) == sorted(NAMES)
    assert git.tracked_matching(git_repo.path, ["*.py"]) == []
    git_repo.commit()
    assert sorted(git.tracked_matching(git_repo.path, ["*.py"])) == sorted(NAMES)


def test_ignored_names_come_back_as_they_are_on_disk(git_repo: GitRepo) -> None:
    paths = {git_repo.write(name) for name in NAMES}
    git_repo.write(".gitignore", "*.py\n")
    assert git.ignored(git_repo.path, paths) == paths


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_names_that_are_not_utf_8_are_listed_and_ignored(git_repo: GitRepo) -> None:
    path = git_repo.write(os.fsdecode(b"caf\xe9.py"))
    assert git.tracked_matching(git_repo.path, ["*.py"], untracked=True) == [path.name]
    git_repo.write(".gitignore", "*.py\n")
    assert git.ignored(git_repo.path, [path]) == {path}


def test_ignored_asks_all_rules_of_git_and_spares_what_is_tracked(
    git_repo: GitRepo, home: Path
) -> None:
    write(home / ".config/git/ignore", "by-user.py\n")
    git_repo.write(".git/info/exclude", "by-info.py\n")
    git_repo.write(".gitignore", "by-root.py\ndirectory/\ntracked.py\n")
    git_repo.write("deep/.gitignore", "by-directory.py\n!by-root.py\n")
    git_repo.write("tracked.py")
    git_repo.git("add", "--force", "tracked.py")
    names = ["by-user.py", "by-info.py", "by-root.py", "directory/x.py", "deep/by-directory.py"]
    kept = ["tracked.py", "deep/by-root.py", "plain.py"]
    paths = {name: git_repo.write(name) for name in [*names, *kept]}
    assert git.ignored(git_repo.path, paths.values()) == {paths[name] for name in names}


def test_ignored_of_nothing_is_nothing_and_of_a_submodule_s_file_an_error(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    assert git.ignored(git_repo.path, []) == set()
    inner = GitRepo.create(tmp_path / "inner")
    inner.write("x.py")
    inner.commit()
    submodule = git_repo.submodule(inner, "sub")
    with pytest.raises(GitError, match="is in submodule"):
        git.ignored(git_repo.path, [submodule.path / "x.py"])
    assert git.ignored(submodule.path, [submodule.path / "x.py"]) == set()


def test_without_a_work_tree_there_is_an_error_that_does_not_propose_git_init(
    git_repo: GitRepo, tmp_path: Path, home: Path
) -> None:
    """The .git of a home directory may be elsewhere, and a bare repository has no work tree."""
    git_repo.git("init", "--quiet", "--bare", tmp_path / "bare.git")
    for path in (tmp_path, home, tmp_path / "bare.git", git_repo.path / ".git"):
        with pytest.raises(GitError, match="is not in a git work tree") as caught:
            git.require_repository(path)
        assert caught.value.path == path
        assert "git init" not in str(caught.value)
        assert "hooks-compile sync" in caught.value.remedy


def test_settings_come_with_their_scope_the_weakest_first(git_repo: GitRepo) -> None:
    git_repo.commit()
    git_repo.git("config", "--global", "Core.hooksPath", "for all\nand more")
    git_repo.git("config", "extensions.worktreeConfig", "true")
    git_repo.git("config", "core.hooksPath", "here")
    git_repo.git("config", "--worktree", "core.hooksPath", "one")
    git_repo.write(".git/config", (git_repo.path / ".git/config").read_text() + "[hook]\n\tx\n")
    assert git.settings(git_repo.path, r"^(core\.hookspath|hook\.)") == [
        ("global", "core.hookspath", "for all\nand more"),
        ("local", "core.hookspath", "here"),
        ("local", "hook.x", "true"),
        ("worktree", "core.hookspath", "one"),
    ]
    assert [each.value for each in git.settings(git.ANYWHERE, "hookspath")] == ["for all\nand more"]
    assert git.settings(git_repo.path, "no such") == []


def test_staged_and_unstaged_as_asked_and_never_a_pattern(git_repo: GitRepo) -> None:
    paths = [git_repo.write(name, "new") for name in (*NAMES, "*.py", "-x")]
    git.add(git_repo.path, paths[-2:])
    assert sorted(git.tracked_matching(git_repo.path, ["."])) == ["*.py", "-x"]
    git.unstage(git_repo.path, paths[-1:])  # in a repository without a commit
    assert git.tracked_matching(git_repo.path, ["."]) == ["*.py"]
    git.add(git_repo.path, paths)
    git_repo.commit()
    paths[0].write_text("changed")
    git.add(git_repo.path, paths[:1])
    assert git.contents(git_repo.path, ["plain.py"]) == {"plain.py": b"changed"}
    git.unstage(git_repo.path, paths[:1])
    assert git.contents(git_repo.path, ["plain.py"]) == {"plain.py": b"new"}
    assert paths[0].read_text() == "changed"
    git.add(git_repo.path, [])
    git.unstage(git_repo.path, [])


def test_what_git_ignores_is_not_staged(git_repo: GitRepo) -> None:
    git_repo.write(".gitignore", "*.sh")
    with pytest.raises(GitError, match="git add failed: The following paths are ignored"):
        git.add(git_repo.path, [git_repo.write("x.sh")])


def test_contents_of_the_index_and_of_a_commit(git_repo: GitRepo) -> None:
    names = [name for name in NAMES if "\n" not in name]
    assert git.contents(git_repo.path, names, revision="HEAD") == {}
    for name in NAMES:
        git_repo.write(name, f"first of {name}\n\nx")
    git_repo.write("empty", "")
    git_repo.write("sub/x", b"\0\xff\n")
    git_repo.commit()
    for name in names:
        git_repo.write(name, f"second of {name}")
    git_repo.git("add", "-A")
    asked = [*NAMES, "not there", "two words missing", "sub", "empty", "sub/x"]
    also = {"empty": b"", "sub/x": b"\0\xff\n"}
    in_head = git.contents(git_repo.path, asked, revision="HEAD")
    assert in_head == {name: f"first of {name}\n\nx".encode() for name in names} | also
    in_index = git.contents(git_repo.path, asked)
    assert in_index == {name: f"second of {name}".encode() for name in names} | also


def test_missing_directory_and_missing_git_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GitError, match="is not a directory"):
        git.run(["version"], cwd=tmp_path / "gone")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git can't be started") as caught:
        git.run(["version"], cwd=tmp_path)
    assert "install git" in caught.value.remedy


def test_a_git_that_fails_without_a_word_is_named_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "bin/git", "#!/bin/sh\nexit 7\n", executable=True)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(GitError, match="exit status 7, and no message"):
        git.run(["version"], cwd=Path("/"))


def test_one_process_answers_each_question(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, log = note_git_calls(tmp_path, os.environ)
    monkeypatch.setenv("PATH", env["PATH"])
    path = git_repo.write("x")
    git_repo.commit()
    git_calls(log)
    git.open_repository(git_repo.path)
    git.settings(git_repo.path, "core")
    git.tracked_matching(git_repo.path, ["x"])
    git.ignored(git_repo.path, [path])
    git.contents(git_repo.path, ["x", "y"], revision="HEAD")
    git.add(git_repo.path, [path])
    git.unstage(git_repo.path, [path])
    expected = ["rev-parse", "config", "ls-files", "check-ignore", "cat-file", "add", "reset"]
    assert git_calls(log) == expected
