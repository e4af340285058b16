"""Commands whose wrapper is missing in a clone, on a branch, in a worktree, after a stash."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.wiring.committed import missing_wrappers
from hooks_compile.install import wrapper
from tests.support.repositories import GitRepo, write
from tests.support.tool import Tool

if TYPE_CHECKING:
    from hooks_compile.agents.wiring.committed import Place

ROOT = Path(__file__).parents[2]
HOOK = "import sys\nsys.exit(2)\n"
GUARD = ".claude/hooks/guard.py"
SETTINGS = ".claude/settings.json"
WRAPPER = ".claude/hooks/hook_wrapper.sh"
COMMAND = f'python3 "$CLAUDE_PROJECT_DIR"/{GUARD}'
WIRED = f'sh "$CLAUDE_PROJECT_DIR"/{WRAPPER} "$CLAUDE_PROJECT_DIR"/{GUARD}'
PLACES: tuple[Place, ...] = ("work tree", "index", "HEAD")
WHERE = "hooks.PreToolUse[0].hooks[0].command"
NAMED = f"{SETTINGS}: {WHERE} names {WRAPPER}, which is not in"


def settings(*commands: str) -> str:
    entries = [{"type": "command", "command": command} for command in commands]
    return json.dumps({"hooks": {"PreToolUse": [{"hooks": entries}]}})


def lines(repo: GitRepo, place: Place) -> list[str]:
    return [line for each in missing_wrappers(repo.path, place) for line in str(each).splitlines()]


def clone(repo: GitRepo, path: Path) -> GitRepo:
    repo.git("clone", "--quiet", repo.path, path)
    return GitRepo(path.resolve())


def status_of_hook(root: Path) -> int:
    command = json.loads((root / SETTINGS).read_text())["hooks"]["PreToolUse"][0]["hooks"][0]
    done = subprocess.run(
        ["sh", "-c", command["command"]],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "CLAUDE_PROJECT_DIR": str(root)},
        capture_output=True,
        check=False,
        cwd=root,
    )
    # Both a block of the hook and a missing script end with 2: only one says nothing.
    return done.returncode if not done.stderr else -1


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "project")
    repo.write(GUARD, HOOK)
    repo.write(SETTINGS, settings(COMMAND))
    repo.commit("before")
    return repo


@pytest.fixture
def tool(repo: GitRepo, tmp_path: Path) -> Tool:
    (tmp_path / "tool").mkdir()
    return Tool.create(repo.path, tmp_path / "tool")


@pytest.mark.parametrize("commit", [["commit", "-qam", "wired"], ["add", "-A"]])
def test_after_init_a_clone_has_command_and_wrapper(
    tool: Tool, repo: GitRepo, tmp_path: Path, commit: list[str]
) -> None:
    out = tool.ok("init", "--yes", "--no-git")
    assert f"{WRAPPER}: to be written\n{WRAPPER}: to be staged (git add), since clones need" in out
    repo.git(*commit)
    if commit[0] == "add":
        repo.git("commit", "-qm", "wired")
    assert repo.git("status", "--porcelain") == ""
    for place in PLACES:
        assert lines(repo, place) == []
    other = clone(repo, tmp_path / "clone")
    assert status_of_hook(other.path) == 2
    tool.ok("check", "--sources-only")


def test_a_commit_of_the_settings_alone_is_named_and_the_remedy_helps(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    tool.ok("init", "--yes", "--no-git")
    repo.git("reset", "--quiet")
    repo.git("add", SETTINGS)
    assert lines(repo, "index") == [f"{NAMED} the index", f"  to fix it: git add {WRAPPER}"]
    assert lines(repo, "HEAD") == []
    repo.git("commit", "-qm", "half")
    assert lines(repo, "work tree") == []
    assert lines(repo, "HEAD")[1] == f"  to fix it: git add {WRAPPER} && git commit"
    other = clone(repo, tmp_path / "clone")
    assert status_of_hook(other.path) == -1
    colleague = Tool(other.path, tool.env)
    for words in (["check"], ["check", "--sources-only"]):
        done = colleague.run(*words)
        assert (done.status, f"{NAMED} HEAD" in done.err) == (1, True), done
        value = json.loads(colleague.run(*words, "--json").out)
        assert not value["ok"]
        assert f"{NAMED} HEAD" in value["to_fix"][0]
    assert lines(other, "work tree")[1] == "  to fix it: hooks-compile wrapper .claude/hooks"
    remedy = lines(other, "HEAD")[1].removeprefix(
        "  to fix it: hooks-compile wrapper .claude/hooks"
    )
    colleague.ok("wrapper", ".claude/hooks")
    other.git(*remedy.split("&&")[1].split()[1:])
    other.git("commit", "-qm", "whole")
    colleague.ok("check", "--sources-only")
    assert status_of_hook(other.path) == 2


def test_the_index_of_a_commit_in_the_making_counts(tool: Tool, repo: GitRepo) -> None:
    """As in `git commit -a`, whose hooks see another index than the repository's."""
    tool.ok("init", "--yes", "--no-git")
    repo.git("reset", "--quiet")
    command = f"{shlex.quote(sys.executable)} -m hooks_compile compile --changed"
    repo.write(".git/hooks/pre-commit", f"#!/bin/sh\n{command}\n", executable=True)
    commit = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "wired"]
    done = subprocess.run(
        commit, cwd=repo.path, env=dict(tool.env), capture_output=True, check=False
    )
    assert done.returncode == 1, done
    assert f"{NAMED} the index".encode() in done.stderr
    repo.git("add", WRAPPER)
    subprocess.run(commit, cwd=repo.path, env=dict(tool.env), check=True)


@pytest.mark.parametrize(("taken", "missing"), [(SETTINGS, True), (WRAPPER, False)])
def test_a_merge_that_brings_only_one_of_both_is_judged(
    tool: Tool, repo: GitRepo, taken: str, missing: bool
) -> None:
    start = repo.git("rev-parse", "HEAD")
    tool.ok("init", "--yes", "--no-git")
    repo.commit("wired")
    wired = repo.git("rev-parse", "HEAD")
    repo.git("switch", "-qc", "part", start)
    repo.git("checkout", wired, "--", taken)
    repo.git("commit", "-qm", "part")
    repo.git("switch", "-qc", "main2", start)
    repo.write("x", "x")
    repo.commit()
    repo.git("merge", "-q", "--no-edit", "part")
    assert bool(lines(repo, "HEAD")) == missing
    assert bool(lines(repo, "index")) == missing
    assert bool(lines(repo, "work tree")) == missing


def test_a_branch_without_the_wrapper_and_settings_that_git_ignores(
    tool: Tool, repo: GitRepo
) -> None:
    repo.write(".gitignore", "settings.local.json\n")
    repo.write(".claude/settings.local.json", settings(COMMAND))
    repo.commit()
    repo.git("branch", "old")
    tool.ok("init", "--yes", "--no-git")
    repo.commit("wired")
    repo.git("switch", "-q", "old")
    assert lines(repo, "HEAD") == lines(repo, "index") == []
    assert "settings.local.json" in lines(repo, "work tree")[0]
    out = tool.ok("init", "--yes", "--no-git")
    assert f"{WRAPPER}: to be written" in out
    assert lines(repo, "work tree") == []


def test_worktrees_are_judged_by_their_own_index_and_commit(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    other = repo.worktree(tmp_path / "tree")
    tool.ok("init", "--yes", "--no-git")
    repo.git("reset", "--quiet")
    repo.git("commit", "-qam", "half")
    assert lines(repo, "HEAD") != []
    assert lines(other, "HEAD") == lines(other, "index") == []
    other.git("merge", "-q", repo.git("rev-parse", "HEAD"))
    assert lines(other, "HEAD") != []
    user = Tool(other.path, tool.env)
    user.ok("init", "--yes", "--no-git")
    assert WRAPPER in other.git("ls-files")
    assert WRAPPER not in repo.git("ls-files")


def test_a_stash_takes_both_and_brings_both(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes", "--no-git")
    repo.git("stash")
    assert status_of_hook(repo.path) == 2
    assert lines(repo, "work tree") == []
    repo.git("stash", "pop")
    assert status_of_hook(repo.path) == 2
    for place in PLACES:
        assert lines(repo, place) == []


def test_a_wrapper_that_git_only_intends_to_add_is_missing(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes", "--no-git")
    repo.git("reset", "--quiet")
    repo.git("add", SETTINGS)
    repo.git("add", "-N", WRAPPER)
    assert lines(repo, "index") != []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (SETTINGS, settings(f"cd .claude/hooks && sh ./{wrapper.NAME} guard.py")),
        (SETTINGS, settings(f"if true; then sh {WRAPPER} {GUARD}; fi")),
        (SETTINGS, settings(f'sh "$(git rev-parse --show-toplevel)/{WRAPPER}" {GUARD}')),
        ("sub/.claude/settings.json", settings(WIRED)),
        (".codex/config.toml", f"\ufeff[[hooks.A]]\n[[hooks.A.hooks]]\ncommand = 'sh {WRAPPER} x'"),
        (".cursor/hooks.json", json.dumps({"hooks": {"a": [{"command": f"sh {WRAPPER} x"}]}})),
        (".gemini/settings.json", settings(f"sh $GEMINI_PROJECT_DIR/{WRAPPER} x.py")),
        (".github/hooks/a.json", json.dumps({"hooks": {"a": [{"bash": f"sh {WRAPPER} x"}]}})),
        ("p/hooks/hooks.json", settings(f'sh "${{CLAUDE_PLUGIN_ROOT}}"/hooks/{wrapper.NAME} x.py')),
        (
            SETTINGS,
            json.dumps({"statusLine": {"command": "sh", "args": [f"./{WRAPPER}", GUARD]}}),
        ),
    ],
)
def test_every_agents_file_and_every_form_is_read(repo: GitRepo, name: str, text: str) -> None:
    repo.write(name, text)
    for place in PLACES:
        repo.git("add", "-A")
        if place == "HEAD":
            repo.commit()
        found = missing_wrappers(repo.path, place)
        assert [each.path for each in found] == [Path(name)], place
    top = repo.path / name.partition("/")[0] if name.startswith(("p/", "sub/")) else repo.path
    write(top / (WRAPPER if top.name != "p" else f"hooks/{wrapper.NAME}"), wrapper.text())
    repo.commit()
    for place in PLACES:
        assert missing_wrappers(repo.path, place) == []


def test_links_and_submodules_are_followed(repo: GitRepo, tmp_path: Path) -> None:
    other = GitRepo.create(tmp_path / "other")
    other.write("x.py", HOOK)
    wrapper.write(other.path)
    other.commit()
    repo.submodule(other, "sub")
    repo.write("real/y.py", HOOK)
    wrapper.write(repo.path / "real")
    (repo.path / "linked").symlink_to("real")
    commands = ["sh sub/hook_wrapper.sh sub/x.py", "sh linked/hook_wrapper.sh linked/y.py"]
    repo.write(SETTINGS, settings(*commands, f"sh /elsewhere/{wrapper.NAME} /elsewhere/x.py"))
    repo.commit()
    for place in PLACES:
        (found,) = missing_wrappers(repo.path, place)
        assert "/elsewhere/hook_wrapper.sh" in found.named


def test_without_git_or_a_commit_there_is_nothing_in_them(tmp_path: Path) -> None:
    write(tmp_path / "plain" / SETTINGS, settings(WIRED))
    empty = GitRepo.create(tmp_path / "empty")
    empty.write(SETTINGS, settings(WIRED))
    for root in (tmp_path / "plain", empty.path):
        assert missing_wrappers(root, "HEAD") == missing_wrappers(root, "index") == []
        assert len(missing_wrappers(root, "work tree")) == 1


def test_the_pre_commit_id_runs_for_every_configuration_file() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (types,) = re.findall(r"^  types_or: \[(.*)\]$", text, re.MULTILINE)
    suffixes = {name.rpartition(".")[2] for a in AGENTS for name in (*a.names, *a.plugin_names)}
    assert {"python", "shell", *suffixes} <= set(types.split(", "))
