"""What becomes of a plan that can't be carried out: nothing is changed, or all is taken back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.apply import applied
from hooks_compile.agents.wiring.describe import describe, summary
from hooks_compile.agents.wiring.plan import Scope
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import wrapper
from tests.support.repositories import GitRepo, write
from tests.support.wired_project import carry_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENV: dict[str, str] = {}
GUARD = ".claude/hooks/guard.py"
SETTINGS = ".claude/settings.json"
WRAPPER = ".claude/hooks/hook_wrapper.sh"
COMMAND = f"python3 {GUARD}"


def settings(*commands: str) -> str:
    entries = [{"type": "command", "command": command} for command in commands]
    return json.dumps({"hooks": {"PreToolUse": [{"hooks": entries}]}})


def state(repo: GitRepo) -> dict[str, str | bytes]:
    found: dict[str, str | bytes] = {
        str(path.relative_to(repo.path)): path.read_bytes()
        for path in repo.path.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    return found | {"index": repo.git("ls-files", "--stage")}


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "project")
    repo.write(GUARD, "pass\n")
    repo.write("other/x.py", "pass\n")
    repo.write(SETTINGS, settings(COMMAND))
    repo.write(".codex/hooks.json", settings("python3 other/x.py"))
    repo.commit()
    return repo


def plan(repo: GitRepo, way: str) -> wiring_plan.Plan:
    if way == "init":
        return wiring_plan.plan_init(Scope(repo.path, ENV))
    directories = [repo.path / ".claude/hooks", repo.path / "other"]
    return wiring_plan.plan_uninit(Scope(repo.path, ENV), directories)


@pytest.mark.parametrize("way", ["init", "uninit"])
def test_a_later_step_that_fails_takes_all_back(repo: GitRepo, way: str) -> None:
    if way == "uninit":
        carry_out(plan(repo, "init"))
    before = state(repo)
    with pytest.raises(HooksCompileError, match="git's part"), applied(plan(repo, way)):
        assert state(repo) != before
        raise HooksCompileError("git's part failed")
    assert state(repo) == before


@pytest.mark.parametrize("way", ["init", "uninit"])
def test_what_can_not_be_taken_back_is_named(repo: GitRepo, way: str) -> None:
    if way == "uninit":
        carry_out(plan(repo, "init"))
    with pytest.raises(HooksCompileError) as caught, applied(plan(repo, way)):
        (repo.path / SETTINGS).write_text("{}")  # somebody else's change is not ours to undo
        raise HooksCompileError("git's part failed")
    assert str(repo.path / SETTINGS) in caught.value.cause
    assert "git's part failed" in caught.value.cause
    assert (repo.path / SETTINGS).read_text() == "{}"


def test_a_wrapper_that_another_process_names_by_now_is_not_taken_back(repo: GitRepo) -> None:
    local = repo.path / ".claude/settings.local.json"
    write(local, settings())
    ours = plan(repo, "init")
    with pytest.raises(KeyboardInterrupt), applied(ours):
        local.write_text(settings(f"sh {WRAPPER} {GUARD}"))
        raise KeyboardInterrupt
    assert (repo.path / WRAPPER).read_bytes() == wrapper.text()


def test_a_file_that_fails_to_be_written_takes_the_ones_before_back(repo: GitRepo) -> None:
    before = state(repo)
    ours = plan(repo, "init")
    pid = os.fork()
    if pid == 0:
        writes = 0

        def fail(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal writes
            if event == "os.rename" and str(arguments[1]).endswith(".json"):
                writes += 1
                if writes == 2:
                    raise OSError(28, "No space left on device")

        sys.addaudithook(fail)
        try:
            carry_out(ours)
        except OSError as error:
            os._exit(1 if "No space left" in str(error) else 2)
        finally:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert state(repo) == before


def test_an_index_that_stays_locked_stops_everything(repo: GitRepo) -> None:
    before = state(repo)
    ours = plan(repo, "init")
    (repo.path / ".git/index.lock").touch()
    with pytest.raises(HooksCompileError, match=r"index\.lock"):
        carry_out(ours)
    (repo.path / ".git/index.lock").unlink()
    assert state(repo) == before


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Make a directory read-only; root is not held by modes, but by a mount."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in [directory, *directory.rglob("*")]}
        for path, mode in modes.items():
            path.chmod(mode & 0o555)
        yield
        for path, mode in modes.items():
            path.chmod(mode)
        return
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("no mount on this machine")
    if subprocess.run([mount, "--bind", directory, directory], check=False).returncode:
        pytest.skip("no mounts here")
    try:
        subprocess.run([mount, "-o", "remount,bind,ro", directory], check=True)
        yield
    finally:
        subprocess.run([umount, directory], check=True)


@pytest.mark.parametrize("way", ["init", "uninit"])
def test_a_read_only_git_directory_takes_all_back(repo: GitRepo, way: str) -> None:
    if way == "uninit":
        carry_out(plan(repo, "init"))
    before = state(repo)
    ours = plan(repo, way)
    with read_only(repo.path / ".git"):
        with pytest.raises(HooksCompileError) as caught:
            carry_out(ours)
        assert "index.lock" in caught.value.cause
        assert str(repo.path / ".git") in caught.value.remedy
    assert state(repo) == before


def test_a_wrapper_that_is_named_again_while_it_is_removed_is_there(repo: GitRepo) -> None:
    carry_out(plan(repo, "init"))
    wired = repo.path / ".git/wired"
    shutil.copy(repo.path / SETTINGS, wired)
    # git calls this when uninit unstages the wrapper: as if another init had just written it
    script = f"#!/bin/sh\ncp .git/wired {SETTINGS}\n"
    write(repo.path / ".git/hooks/post-index-change", script, executable=True)
    carry_out(plan(repo, "uninit"))
    assert (repo.path / SETTINGS).read_bytes() == wired.read_bytes()
    assert (repo.path / WRAPPER).read_bytes() == wrapper.text()


def test_nothing_is_asked_of_a_read_only_git_directory_that_needs_no_change(repo: GitRepo) -> None:
    for directory in (".claude/hooks", "other"):
        wrapper.write(repo.path / directory)
    repo.commit()
    with read_only(repo.path / ".git"):
        ours = plan(repo, "init")
        assert ours.troubles == ()
        assert summary(ours) == "2 commands in 2 files"
        carry_out(ours)


def test_a_wrapper_in_a_submodule_is_staged_there(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo.create(tmp_path / "other")
    other.write("x.py", "pass\n")
    other.commit()
    inner = repo.submodule(other, "sub")
    repo.write(SETTINGS, settings("python3 sub/x.py"))
    carry_out(plan(repo, "init"))
    assert inner.git("diff", "--cached", "--name-only") == wrapper.NAME
    carry_out(plan(repo, "uninit"))
    assert inner.git("status", "--porcelain") == ""


def test_the_users_own_wrapper_is_staged_only_if_their_settings_are_tracked(
    tmp_path: Path,
) -> None:
    home = GitRepo.create(tmp_path / "home")
    project = GitRepo.create(tmp_path / "project")
    home.write(GUARD, "pass\n")
    home.write(SETTINGS, settings(f"python3 ~/{GUARD}"))

    def staged() -> tuple[Path, ...]:
        env = {"HOME": str(home.path)}
        return wiring_plan.plan_init(Scope(project.path, env, home=home.path)).staged

    assert staged() == ()
    home.git("add", SETTINGS)
    assert staged() == (home.path / WRAPPER,)


# What the question says


@pytest.mark.parametrize(
    ("name", "shell"),
    [
        (".claude/settings.json", "Claude Code uses PowerShell (if Git Bash is missing)"),
        (".qwen/settings.json", "Qwen Code uses cmd or PowerShell"),
        (".gemini/settings.json", "Gemini CLI uses PowerShell"),
    ],
)
def test_commands_that_windows_would_run_are_named(repo: GitRepo, name: str, shell: str) -> None:
    repo.write(name, settings(*["python3 other/x.py"] * 3))
    short, long = (describe(plan(repo, "init"), verbose=verbose) for verbose in (False, True))
    at = short.index("  warning: 3 commands would fail on Windows, and let all pass:")
    assert short[at + 1] == f"    there {shell}, which has no sh"
    assert short[at + 2].endswith(" and 1 more")
    assert long[at + 2].count("hooks.") == 3
    carry_out(plan(repo, "init"))
    assert not any("on Windows" in line for line in describe(plan(repo, "uninit")))


@pytest.mark.parametrize(
    ("command", "suggestion"),
    [
        (
            f"[ -f {GUARD} ] && {{ python3 {GUARD}; }}",
            f"[ -f {GUARD} ] && {{ sh {WRAPPER} {GUARD}; }}",
        ),
        (
            f'python3 -u "$(git rev-parse --show-toplevel)/{GUARD}" --x',
            f'sh "$(git rev-parse --show-toplevel)/{WRAPPER}" '
            f'-u "$(git rev-parse --show-toplevel)/{GUARD}" --x',
        ),
        (f"bash -c 'python -u {GUARD}'", f"bash -c 'sh {WRAPPER} --python=python -u {GUARD}'"),
        ("{ python3 gone/x.py; }", ""),
        ("{ node x.js; }", ""),
    ],
)
def test_a_command_that_stays_has_a_line_to_write_instead(
    repo: GitRepo, command: str, suggestion: str
) -> None:
    repo.write(SETTINGS, settings(command))
    (left,) = plan(repo, "init").files[0].result.left
    assert left.suggestion == suggestion
    lines = describe(plan(repo, "init"), verbose=True)
    assert any(line == f"    you may write instead: {suggestion}" for line in lines) == bool(
        suggestion
    )
    if suggestion:
        repo.write(SETTINGS, settings(suggestion))
        assert [left.suggestion for left in plan(repo, "init").files[0].result.left] in ([], [""])


def test_a_directory_that_python_runs_and_a_link_out_of_the_project_stay(
    repo: GitRepo, tmp_path: Path
) -> None:
    repo.write("g/__main__.py", "pass\n")
    store = write(tmp_path / "store/abc-guard.py", "pass\n")
    (repo.path / "linked.py").symlink_to(store)
    (repo.path / "dir").symlink_to(store.parent)
    commands = ["python3 g", "python3 other", "python3 linked.py", "python3 dir/abc-guard.py"]
    repo.write(SETTINGS, settings(*commands))
    (repo.path / ".codex/hooks.json").unlink()
    found = plan(repo, "init")
    assert [left.reason for left in found.files[0].result.left] == [
        "`g` is a directory, which Python runs as a whole",
        "there is no file `other`",
        f"`{repo.path}/linked.py` is a symlink to `{store}`, outside the project",
        f"`{repo.path}/dir/abc-guard.py` is a symlink to `{store}`, outside the project",
    ]
    assert summary(found) == ""
