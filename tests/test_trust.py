"""What a work tree brings is not started: neither by name nor by path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hooks_compile import trust as outside
from tests.support.launches import default_interpreter
from tests.support.repositories import GitRepo, write


@pytest.fixture
def real() -> Path:
    return default_interpreter().executable


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    directory = tmp_path.resolve() / "tree"
    directory.mkdir()
    return directory


def link(path: Path, target: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def test_directories_of_path_in_the_tree_are_left_out(tree: Path, tmp_path: Path) -> None:
    led = link(tmp_path / "link", tree / "bin")
    path = f"/usr/bin::.:bin:{tree}:{tree}/x:{led}:/bin"
    assert outside.search_path(path, tree) == "/usr/bin:/bin"
    assert outside.environment({"PATH": path, "X": "x"}, tree) == {
        "PATH": "/usr/bin:/bin",
        "X": "x",
    }
    assert outside.environment({}, tree)["PATH"]


def test_a_tree_that_holds_the_home_directory_is_the_users_own(tree: Path) -> None:
    home = tree / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin"}
    for root in (home, tree):
        assert outside.environment(env, root) == env
        assert outside.command("python3", env, root) == "python3"
    assert outside.environment(env, home / "project")["PATH"] == f"{home}/bin:/usr/bin"
    assert outside.environment({**env, "HOME": ""}, tree)["PATH"] == "/usr/bin"
    assert outside.environment({"PATH": "bin:/usr/bin"}, Path("/"))["PATH"] == "bin:/usr/bin"


def test_the_tree_around_a_directory_is_the_outermost_repository(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = git_repo.path / "sub/deep"
    deep.mkdir(parents=True)
    assert outside.tree_around(deep) == git_repo.path
    (deep.parent / ".git").write_text("gitdir: elsewhere")
    assert outside.tree_around(deep) == git_repo.path
    assert outside.tree_around(tmp_path) == tmp_path
    monkeypatch.setenv("HOME", str(git_repo.path))
    assert outside.tree_around(deep) == deep.parent
    assert outside.tree_around(git_repo.path) == git_repo.path


def test_a_name_is_itself_where_path_finds_it_outside_first(tree: Path) -> None:
    write(tree / "bin/sh", "", executable=True)
    for path in (f"/bin:{tree}/bin", "/bin", f"{tree}/bin:/bin", "/nowhere"):
        assert outside.command("sh", {"PATH": path}, tree) == "sh"
    assert outside.command("./sh", {"PATH": f"{tree}/bin"}, tree) == "./sh"


def test_a_virtual_environment_in_the_tree_is_the_python_that_it_leads_to(
    tree: Path, real: Path
) -> None:
    python = link(tree / ".venv/bin/python3", real)
    env = {"PATH": f"{python.parent}:/usr/bin"}
    assert outside.command("python3", env, tree) == str(real.resolve())
    assert outside.python(python, tree, env) == str(real.resolve())
    # the one that a person activated is theirs
    activated = {**env, "VIRTUAL_ENV": str(tree / ".venv")}
    assert outside.command("python3", activated, tree) == str(python)
    assert outside.python(python, tree, activated) == str(python)
    other = {**env, "VIRTUAL_ENV": str(tree / "other")}
    assert outside.command("python3", other, tree) == str(real.resolve())


def test_a_link_in_the_tree_leads_to_nothing_but_a_python_of_this_user(
    tree: Path, tmp_path: Path
) -> None:
    python = tree / "bin/python3"
    env = {"PATH": f"{python.parent}:/usr/bin"}
    foreign = write(tmp_path / "python3", "", executable=True)
    targets = [Path("/bin/sh"), write(tree / "deep/python3", "", executable=True), Path("/gone")]
    if os.geteuid() == 0:
        os.chown(foreign, 12345, 12345)
        targets.append(foreign)
    for target in targets:
        python.unlink(missing_ok=True)
        link(python, target)
        assert outside.python(python, tree, env) == ""
        assert outside.command("python3", env, tree) == "python3"
    assert outside.python(foreign, tree, env) == str(foreign), "no clone brings it"


@pytest.mark.parametrize("module", ["hooks_compile", "watcher"])
def test_no_module_of_the_current_directory_is_imported(
    module: str, git_repo: GitRepo, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    for name in ("argparse", "sqlite3", "rich", "watchdog"):
        write(git_repo.path / f"{name}.py", f"open({str(mark)!r}, 'w')\n")
    write(git_repo.path / ".claude/hooks/guard.py", "import sqlite3\nif x:\n    sqlite3.y\n")
    write(git_repo.path / ".hooks-compile.toml", 'imports = "deferred"\n')
    words = ["--help"] if module == "watcher" else ["compile", "--python", sys.executable]
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=git_repo.path,
        env={**os.environ, "HOOKS_COMPILE_HOME": str(tmp_path / "runtime")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not mark.exists()
