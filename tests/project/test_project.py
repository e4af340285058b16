"""What a command works on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hooks_compile import agents
from hooks_compile.errors import HooksCompileError, InterpreterError
from hooks_compile.install import runtime_directory
from hooks_compile.project.record import open_project
from hooks_compile.project.selection import find_interpreters, for_person
from tests.support.interpreters_found import found

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repositories import GitRepo


def test_the_project_is_the_work_tree_around_the_current_directory(git_repo: GitRepo) -> None:
    hook = git_repo.write(".claude/hooks/a.py", "import b\n")
    git_repo.write("src/deep/x.txt")
    project = open_project(git_repo.path / "src" / "deep", os.environ, agents=agents)
    assert project.root == git_repo.path
    assert [source.path for source in project.sources] == [hook]


def test_paths_are_taken_from_the_current_directory(git_repo: GitRepo) -> None:
    hook = git_repo.write("any/a.py", "pass\n")
    project = open_project(
        git_repo.path / "any", os.environ, [hook.relative_to(hook.parent)], agents=agents
    )
    assert [source.path for source in project.sources] == [hook]
    with pytest.raises(HooksCompileError, match=r"gone\.py"):
        open_project(git_repo.path, os.environ, [hook.with_name("gone.py")], agents=agents)


def test_modules_are_what_lies_beside_the_hooks_and_hooks_that_hooks_import(
    git_repo: GitRepo,
) -> None:
    directory = ".claude/hooks"
    git_repo.write(f"{directory}/a.py", "import os, c\nfrom pkg import x\n")
    git_repo.write(f"{directory}/b.py", "from a import main\n")
    git_repo.write(f"{directory}/c.py", "pass\n")
    git_repo.write(f"{directory}/d.py", "'import b'\n# import b\n")
    git_repo.write(f"{directory}/pkg/__init__.py")
    git_repo.write(f"{directory}/pkg/x.py")
    project = open_project(git_repo.path, os.environ, agents=agents)
    assert [m.path.name for m in project.modules()] == ["__init__.py", "x.py"]
    assert [m.path.name for m in project.importable()[2:]] == ["a.py", "c.py"]


def test_wrappers_go_beside_agents_hooks_not_beside_those_of_git(git_repo: GitRepo) -> None:
    agent = git_repo.write(".claude/hooks/a.py", "pass\n")
    git_repo.write(".githooks/pre-push", "#!/usr/bin/env python3\n")
    project = open_project(git_repo.path, os.environ, agents=agents)
    assert len(project.sources) == 2
    assert project.wrapper_directories() == [agent.parent]


def test_interpreters_that_launches_recorded_are_compiled_for_in_their_directory_only(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = found()[0].executable
    monkeypatch.setenv("HOOKS_COMPILE_HOME", str(tmp_path / "runtime"))
    runtime_directory.ensure(tmp_path / "runtime")
    hook = git_repo.write(".claude/hooks/a.py", "pass\n")
    project = open_project(git_repo.path, os.environ, agents=agents)
    rules = for_person(project, git_repo.path, os.environ)
    before = find_interpreters(project, rules)

    def record(name: str, binary: Path, directory: Path) -> None:
        note = os.fsencode(binary) + b"\0" + os.fsencode(directory)
        (tmp_path / "runtime" / "seen" / name).write_bytes(note)

    record("1", other, tmp_path)
    record("2", tmp_path / "gone", hook.parent)
    assert find_interpreters(project, rules) == before
    record("3", other, hook.parent)
    after = find_interpreters(project, rules)
    assert {i.executable for i in after} == {i.executable for i in before} | {other}
    # what the user names is all that counts
    (named,) = find_interpreters(project, rules, [str(other)])
    assert named.executable == other


def test_an_interpreter_that_is_asked_for_and_missing_is_an_error(git_repo: GitRepo) -> None:
    project = open_project(git_repo.path, os.environ, agents=agents)
    rules = for_person(project, git_repo.path, os.environ)
    with pytest.raises(InterpreterError, match=r"python3\.99"):
        find_interpreters(project, rules, ["python3.99"])
