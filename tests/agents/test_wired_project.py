"""A wired project elsewhere: cloned to another path, as another user, in a linked worktree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import wrapper
from hooks_compile.agents import claude, files, rewrite
from hooks_compile.runtime_folder import ensure
from tests.repositories import GitRepo

if TYPE_CHECKING:
    from collections.abc import Iterator

HOOK = "import sys\nprint('ran', sys.argv[1:], sys.stdin.read())\nsys.exit(2)\n"
COMMANDS = [
    'python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/guard.py --from "the project"',
    "python3 $CLAUDE_PROJECT_DIR/.claude/hooks/guard.py",
    "python3 .claude/hooks/guard.py",
    "cd .claude/hooks && python3 -B guard.py",
    "/usr/bin/env python3 ./.claude/hooks/guard.py",
]
SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")


def wire(root: Path) -> list[str]:
    """Put the project on the wrapper, as the command line does, and return its commands."""
    hooks = root / ".claude/hooks"
    hooks.mkdir(parents=True)
    (hooks / "guard.py").write_text(HOOK)
    groups = [{"hooks": [{"type": "command", "command": command} for command in COMMANDS]}]
    settings = root / ".claude/settings.json"
    settings.write_text(json.dumps({"hooks": {"PreToolUse": groups}}, indent=2))
    config = claude.files(root, None)[0]
    file = files.read(settings, root)
    result = rewrite.wire(file.text, config, files.look_in(root))
    assert len(result.changes) == len(COMMANDS)
    for path in {path for change in result.changes for path in change.wrappers}:
        wrapper.write(path.parent)
    files.replace(file, result.text)
    return [change.new for change in result.changes]


def assert_hooks_run(
    root: Path, cwd: Path, commands: list[str], home: Path, *, user: int | None = None
) -> None:
    for command in commands:
        finished = subprocess.run(
            ["/bin/sh", "-c", command],
            input="{}",
            capture_output=True,
            text=True,
            cwd=cwd,
            env={
                "PATH": os.environ["PATH"] if user is None else "/usr/bin:/bin:/usr/local/bin",
                "HOME": str(home),
                "CLAUDE_PROJECT_DIR": str(root),
            },
            user=user,
            extra_groups=None if user is None else [],
            check=False,
        )
        assert finished.returncode == 2, finished.stderr
        assert finished.stdout.startswith("ran ")
        assert finished.stderr == ""


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[tuple[GitRepo, list[str]]]:
    repo = GitRepo.create(tmp_path / "first")
    commands = wire(repo.path)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "wired")
    yield repo, commands


def test_a_clone_at_another_path_runs_its_hooks_without_the_tool(
    repo: tuple[GitRepo, list[str]], tmp_path: Path, home: Path
) -> None:
    source, commands = repo
    clone = tmp_path / "somewhere else" / "clone"
    source.git("clone", "-q", str(source.path), str(clone))
    unquoted = [command for command in commands if " $CLAUDE_PROJECT_DIR/" in command]
    assert len(unquoted) == 1  # a space in the path breaks it, as it did before
    assert_hooks_run(clone, clone, [c for c in commands if c not in unquoted], home)


def test_a_wrapper_without_its_execute_bit_still_runs(
    repo: tuple[GitRepo, list[str]], home: Path
) -> None:
    source, commands = repo
    (source.path / ".claude/hooks/hook_wrapper.sh").chmod(0o644)
    assert_hooks_run(source.path, source.path, commands, home)


def test_a_linked_worktree_runs_its_own_hooks_and_those_of_the_main_checkout(
    repo: tuple[GitRepo, list[str]], tmp_path: Path, home: Path
) -> None:
    source, commands = repo
    tree = tmp_path / "tree"
    source.git("worktree", "add", "-q", str(tree))
    assert_hooks_run(tree, tree, commands, home)
    assert_hooks_run(source.path, tree, commands, home)  # where the variable stays behind
    ensure(home / ".local/share/hooks-compile")
    for _ in ("a miss", "a hit"):
        assert_hooks_run(source.path, tree, commands, home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(SYSTEM_PYTHON is None, reason="no python3 that every user can run")
def test_another_user_runs_the_hooks_of_a_project_that_is_not_theirs() -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        base.chmod(0o755)
        (base / "home").mkdir()
        root = base / "project"
        root.mkdir()
        commands = wire(root)
        assert_hooks_run(root, root, commands, base / "home", user=12345)
