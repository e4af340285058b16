"""A wired project elsewhere: cloned to another path, as another user, in a linked worktree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.agents.wiring import config_files as files
from hooks_compile.agents.wiring.command import wire_command
from hooks_compile.agents.wiring.rewrite import rewrite
from hooks_compile.install import wrapper
from hooks_compile.install.runtime_directory import ensure
from tests.support.repositories import GitRepo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.wiring.rewrite import Change
from tests.support.tiers import scaled
from tests.support.wired_project import BY_NAME

HOOK = """\
import json
import os
import sys

import beside

print("ran", sys.argv, __file__, __name__, sys.path[0], os.getcwd(), beside.NAME)
print(json.load(sys.stdin), file=sys.stderr)
sys.exit(2)
"""
COMMANDS = [
    'python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/guard.py --from "the project"',
    "python3 $CLAUDE_PROJECT_DIR/.claude/hooks/guard.py",
    "python3 .claude/hooks/guard.py",
    "cd .claude/hooks && python3 -B guard.py",
    "/usr/bin/env python3 ./.claude/hooks/guard.py",
    '"$CLAUDE_PROJECT_DIR"/.claude/hooks/direct one',
]
SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")


def wire(root: Path) -> list[Change]:
    """Put the project on the wrapper, as the command line does, and return what changed."""
    hooks = root / ".claude/hooks"
    hooks.mkdir(parents=True)
    (hooks / "guard.py").write_text(HOOK)
    (hooks / "beside.py").write_text("NAME = 'größe'\n", encoding="utf-8")
    (hooks / "direct").write_text(f"#!/usr/bin/env python3\n{HOOK}")
    (hooks / "direct").chmod(0o755)
    groups = [{"hooks": [{"type": "command", "command": command} for command in COMMANDS]}]
    settings = root / ".claude/settings.json"
    settings.write_text(json.dumps({"hooks": {"PreToolUse": groups}}, indent=2))
    config = next(BY_NAME["claude"].files(root, None))
    file = files.read(settings, root)
    result = rewrite(wire_command, file.text, config, files.look_in(root))
    assert len(result.changes) == len(COMMANDS)
    for path in {path for change in result.changes for path in change.wrappers}:
        wrapper.write(path.parent)
    files.replace(file, result.text)
    return list(result.changes)


def run(
    command: str, root: Path, cwd: Path, home: Path, user: int | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", command],
        input='{"tool": "Bash"}',
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"] if user is None else "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "CLAUDE_PROJECT_DIR": str(root),
        },
        user=user,
        extra_groups=None if user is None else [],
        check=False,
    )


def assert_hooks_run(
    root: Path, cwd: Path, changes: list[Change], home: Path, *, user: int | None = None
) -> None:
    """The new commands do in this place what the old ones do."""
    for change in changes:
        old, new = (run(text, root, cwd, home, user) for text in (change.old, change.new))
        assert (new.returncode, new.stdout, new.stderr) == (old.returncode, old.stdout, old.stderr)
        assert new.returncode == 2
        assert new.stdout.startswith("ran "), new


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[tuple[GitRepo, list[Change]]]:
    repo = GitRepo.create(tmp_path / "first")
    changes = wire(repo.path)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "wired")
    yield repo, changes


def test_a_clone_at_another_path_runs_its_hooks_without_the_tool(
    repo: tuple[GitRepo, list[Change]], tmp_path: Path, home: Path
) -> None:
    source, changes = repo
    clone = tmp_path / "somewhere else" / "clone"
    source.git("clone", "-q", str(source.path), str(clone))
    unquoted = [each for each in changes if " $CLAUDE_PROJECT_DIR/" in each.old]
    assert len(unquoted) == 1  # a space in the path breaks it, as it did before
    assert_hooks_run(clone, clone, [each for each in changes if each not in unquoted], home)
    assert list(home.iterdir()) == [home / ".gitconfig"]  # nothing is left in an empty home


def test_a_wrapper_without_its_execute_bit_still_runs(
    repo: tuple[GitRepo, list[Change]], home: Path
) -> None:
    source, changes = repo
    (source.path / ".claude/hooks/hook_wrapper.sh").chmod(0o644)
    assert_hooks_run(source.path, source.path, changes, home)


def test_a_linked_worktree_runs_its_own_hooks_and_those_of_the_main_checkout(
    repo: tuple[GitRepo, list[Change]], tmp_path: Path, home: Path
) -> None:
    source, changes = repo
    tree = tmp_path / "tree"
    source.git("worktree", "add", "-q", str(tree))
    assert_hooks_run(tree, tree, changes, home)
    assert_hooks_run(source.path, tree, changes, home)  # where the variable stays behind
    ensure(home / ".local/share/hooks-compile")
    for _ in ("a miss", "a hit"):
        assert_hooks_run(source.path, tree, changes[:: scaled(3, 1, 1)], home)


@pytest.mark.parametrize(("shell", "status"), [("dash", 2), ("busybox", 2), ("bash", 127)])
def test_where_the_wrapper_is_not_found_the_status_is_that_of_the_shell(
    repo: tuple[GitRepo, list[Change]], tmp_path: Path, shell: str, status: int
) -> None:
    """As docs/wiring.md says of a relative path in another directory."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on this machine")
    change = next(each for each in repo[1] if each.old.startswith("python3 .claude"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to(found)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    statuses = [
        subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, env={"PATH": path}, check=False
        ).returncode
        for command in (change.old, change.new)
    ]
    assert statuses == [2, status]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_hook_sees_of_the_wrappers_shell_what_the_documentation_names(
    tmp_path: Path, shell: str
) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on this machine")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to(found)
    (tmp_path / "x.py").write_text("import json, os; print(json.dumps(dict(os.environ)))\n")
    wrapper.write(tmp_path)
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "SHLVL": "3"}
    old, new = (
        json.loads(
            subprocess.run(
                ["bash", "-c", text], cwd=tmp_path, env=env, check=True, capture_output=True
            ).stdout
        )
        for text in ("python3 x.py", "sh ./hook_wrapper.sh x.py")
    )
    seen = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    assert seen <= ({"_", "SHLVL"} if shell == "bash" else {"_"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(SYSTEM_PYTHON is None, reason="no python3 that every user can run")
def test_another_user_runs_the_hooks_of_a_project_and_of_their_clone_of_it() -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        base.chmod(0o755)
        (base / "home").mkdir()
        source = GitRepo.create(base / "project")
        changes = wire(source.path)
        source.commit()
        assert_hooks_run(source.path, source.path, changes, base / "home", user=12345)
        clone = base / "clone"
        source.git("clone", "-q", str(source.path), str(clone))
        for path in (clone, *clone.rglob("*")):
            os.chown(path, 12345, 12345)
        assert_hooks_run(clone, clone, changes, base / "home", user=12345)
        assert list((base / "home").iterdir()) == []


def test_git_is_asked_once_for_a_path_and_arguments_need_no_shell(
    repo: tuple[GitRepo, list[Change]], tmp_path: Path, home: Path
) -> None:
    root = repo[0].path
    ensure(home / ".local/share/hooks-compile")
    counting = tmp_path / "bin" / "git"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho >>{tmp_path}/asked\nexec {shutil.which("git")} "$@"\n')
    counting.chmod(0o755)
    hook = ".claude/hooks/guard.py"
    text = f'python3 "$(git rev-parse --show-toplevel)/{hook}" one'
    entries: list[dict[str, Any]] = [
        {"type": "command", "command": text},
        {"type": "command", "command": "python3", "args": [f"${{CLAUDE_PROJECT_DIR}}/{hook}"]},
    ]
    config = next(BY_NAME["claude"].files(root, None))
    before = json.dumps({"hooks": {"Stop": [{"hooks": entries}]}})
    wired = json.loads(rewrite(wire_command, before, config, files.look_in(root)).text)
    new = wired["hooks"]["Stop"][0]["hooks"]
    env = {
        "PATH": f"{counting.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "HOOKS_COMPILE_TRACE": str(tmp_path / "trace"),
    }

    def shown(entry: dict[str, Any]) -> tuple[int, bytes, bytes]:
        words = ["/bin/sh", "-c", entry["command"]]
        if "args" in entry:  # as Claude Code does it
            words = [entry["command"], *entry["args"]]
            words = [word.replace("${CLAUDE_PROJECT_DIR}", str(root)) for word in words]
        (tmp_path / "asked").write_text("")
        done = subprocess.run(
            words, input=b"{}", capture_output=True, cwd=hooks, env=env, check=False
        )
        return done.returncode, done.stdout, done.stderr

    hooks = root / ".claude"
    for old, other in zip(entries, new, strict=True):
        expected = shown(old)
        assert expected[0] == 2
        for _ in ("a miss", "a hit"):
            assert shown(other) == expected
            assert (tmp_path / "asked").read_text() == ("\n" if old is entries[0] else "")
    assert (tmp_path / "trace").read_text().count("hit\t") == 3
