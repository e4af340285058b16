"""``hooks-compile init`` and ``uninit``, with real processes: what they say, write and leave."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents import named_scripts
from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.wiring.plan import Scope, plan_init
from hooks_compile.git_hooks.setup import PRE_COMMIT_LINES
from hooks_compile.install import wrapper
from tests.support.repositories import GitRepo, write
from tests.support.tiers import scaled
from tests.support.tool import TIMEOUT_S, Done, Tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOOK = "import sys\nprint('ran', sys.argv[1:], len(sys.stdin.read()))\nsys.exit(2)\n"
GUARD = ".claude/hooks/guard.py"
SETTINGS = ".claude/settings.json"
WRAPPER = ".claude/hooks/hook_wrapper.sh"
OWN = wrapper.text().decode().partition("# hooks-compile ")[2].partition("(")[0] + "("
COMMAND = f'python3 "$CLAUDE_PROJECT_DIR"/{GUARD} --strict'
WIRED = f'sh "$CLAUDE_PROJECT_DIR"/{WRAPPER} "$CLAUDE_PROJECT_DIR"/{GUARD} --strict'

Tree = dict[str, tuple[str | bytes, int, int]]


def nested(*commands: str) -> dict[str, object]:
    """What Claude Code, Codex and Gemini CLI have in their settings."""
    return {"PreToolUse": [{"hooks": [{"type": "command", "command": c} for c in commands]}]}


def settings(*commands: str) -> str:
    return json.dumps({"hooks": nested(*commands)}, indent=2) + "\n"


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo.create(tmp_path / "project")
    repo.write(GUARD, HOOK)
    repo.write(SETTINGS, settings(COMMAND))
    return repo


@pytest.fixture
def tool(repo: GitRepo, tmp_path: Path) -> Tool:
    directory = tmp_path / "tool"
    directory.mkdir()
    return Tool.create(repo.path, directory)


def tree(root: Path) -> Tree:
    """Everything below a directory: content or target of a link, mode, time of the last change."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: str | bytes = b""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(root))] = (content, status.st_mode, status.st_mtime_ns)
    return found


def contents(root: Path) -> dict[str, tuple[str | bytes, int]]:
    """Files, links, their modes, and what is in git's index: no directories, no times.

    Objects stay in git's store until it collects them.
    """
    found = {
        name: (content, mode)
        for name, (content, mode, _) in tree(root).items()
        if (not (root / name).is_dir() or (root / name).is_symlink())
        and not name.startswith((".git/objects/", ".git/index"))
    }
    if (root / ".git").exists():
        found["index"] = (git_output(root, "ls-files", "--stage"), 0)
    return found


def git_output(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
    return done.stdout.decode(errors="surrogateescape")


def refused(tool: Tool, *words: str) -> Done:
    """Run a command that has to change nothing and to say so by its status."""
    before = tree(tool.cwd)
    done = tool.run(*words)
    assert done.status == 1, done
    assert tree(tool.cwd) == before
    return done


def commands_of(path: Path) -> list[str]:
    groups = json.loads(path.read_text())["hooks"]["PreToolUse"]
    return [entry["command"] for group in groups for entry in group["hooks"]]


def run_command(tool: Tool, command: str, root: Path | None = None) -> tuple[str, Done]:
    """Run a hook's command as Claude Code does; return ``hit``, ``miss`` or ``source`` too."""
    trace = tool.runtime.parent / "trace"
    trace.unlink(missing_ok=True)
    user = tool.with_env(CLAUDE_PROJECT_DIR=str(root or tool.cwd), HOOKS_COMPILE_TRACE=str(trace))
    done = user.shell(command, b"{}")
    return trace.read_text().partition("\t")[0] if trace.exists() else "", done


# What init does


def test_a_dry_run_prints_a_diff_and_changes_nothing(tool: Tool, repo: GitRepo) -> None:
    before = tree(repo.path), tree(tool.home)
    assert "diff --git" not in tool.ok("init", "--dry-run")
    out = tool.ok("init", "--dry-run", "--verbose")
    assert (tree(repo.path), tree(tool.home)) == before
    assert not tool.runtime.exists()
    assert f"\n--- a/{SETTINGS}\n+++ b/{SETTINGS}\n" in out
    assert f"\n--- /dev/null\n+++ b/{WRAPPER}\n" in out


@pytest.mark.parametrize(
    "way", ["git apply", "patch -R -p1", "patch -p1", "git apply -R"][: scaled(2, 4, 4)]
)
def test_the_diff_of_a_dry_run_is_what_git_and_patch_take(
    tool: Tool, repo: GitRepo, way: str
) -> None:
    (repo.path / SETTINGS).write_bytes(settings(COMMAND).replace("\n", "\r\n").rstrip().encode())
    before = contents(repo.path)
    process = tool.start("init", "--dry-run", "--verbose", "--no-git", stdout=subprocess.PIPE)
    patch, _ = process.communicate(timeout=TIMEOUT_S)
    tool.ok("init", "--yes", "--no-git")
    after = contents(repo.path)
    if "-R" not in way:
        tool.ok("uninit", "--yes")
    command = [*way.split(), *(["--binary"] if "patch" in way else [])]
    done = subprocess.run(command, input=patch, cwd=repo.path, check=False, capture_output=True)
    assert done.returncode == 0, done
    caches = {n: it for n, it in contents(repo.path).items() if "__pycache" in n}
    expected = before if "-R" in way else {n: it for n, it in after.items() if "__pycache" not in n}
    left = {n: it for n, it in contents(repo.path).items() if n not in caches}
    assert left | {"index": expected["index"]} == expected


def test_the_diff_of_names_with_spaces_and_quotes_can_be_applied(tool: Tool, repo: GitRepo) -> None:
    directory = 'my "own" höoks'
    repo.write(f"{directory}/x.py", HOOK)
    repo.write(f"{directory}/y.py", HOOK)
    command = f"python3 {shlex.quote(f'{directory}/x.py')}"
    repo.write(SETTINGS, settings(command))
    patch = tool.ok("init", "--dry-run", "--verbose", "--no-git")
    done = subprocess.run(
        ["git", "apply"], input=patch.encode(), cwd=repo.path, check=False, capture_output=True
    )
    assert done.returncode == 0, done
    assert (repo.path / directory / wrapper.NAME).read_bytes() == wrapper.text()


def test_after_init_the_command_of_the_settings_hits_and_does_the_same(
    tool: Tool, repo: GitRepo
) -> None:
    _, before = run_command(tool, COMMAND)
    out = tool.ok("init", "--yes")
    assert commands_of(repo.path / SETTINGS) == [WIRED]
    state, after = run_command(tool, WIRED)
    assert (state, after) == ("hit", before)
    assert after == Done(2, "ran ['--strict'] 2\n", "")
    assert ": 1 compiled, 0 up to date (" in out.splitlines()[-1]
    assert "post-checkout" in out
    assert "the way back: hooks-compile uninit" in out


def test_a_second_init_changes_nothing_and_says_so(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes")
    before = tree(repo.path)
    out = tool.ok("init")  # there is nothing to ask about
    assert tree(repo.path) == before
    assert "\nnothing to change\n" in out
    assert "on the wrapper already: 1 command" in out
    assert "the way back" not in out


def test_init_in_a_directory_of_the_project_is_about_the_whole_project(
    tool: Tool, repo: GitRepo
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hooks_compile", "init", "--yes"],
        cwd=repo.path / ".claude/hooks",
        env=dict(tool.env),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done
    assert commands_of(repo.path / SETTINGS) == [WIRED]


def test_without_a_git_repository_there_are_no_git_hooks(tmp_path: Path) -> None:
    project, directory = tmp_path / "plain", tmp_path / "tool"
    directory.mkdir()
    write(project / GUARD, HOOK)
    write(project / SETTINGS, settings(COMMAND))
    tool = Tool.create(project, directory)
    before = contents(project)
    assert "git hooks: none, this is no git repository" in tool.ok("init", "--yes")
    assert run_command(tool, WIRED)[0] == "hit"
    tool.ok("uninit", "--yes")
    assert contents(project) == before


def test_no_git_leaves_git_alone(tool: Tool, repo: GitRepo) -> None:
    before = {
        n: it for n, it in contents(repo.path / ".git").items() if not n.startswith("objects/")
    }
    out = tool.ok("init", "--yes", "--no-git")
    assert "git hooks" not in out
    tool.ok("uninit", "--yes", "--no-git")
    after = contents(repo.path / ".git")
    assert {n: it for n, it in after.items() if not n.startswith(("objects/", "index"))} == before


def test_a_project_without_hooks_is_told_which_agents_are_known(tool: Tool, repo: GitRepo) -> None:
    (repo.path / GUARD).unlink()
    repo.write(SETTINGS, settings("echo hello"))
    before = tree(repo.path)
    out = tool.ok("init", "--yes")
    assert tree(repo.path) == before
    assert out.endswith(", ".join(agent.title for agent in AGENTS) + "\n")
    assert "nothing was changed" in out


def test_a_dry_run_with_many_commands_fits_a_screen(tool: Tool, repo: GitRepo) -> None:
    commands = [f"python3 {GUARD} {number}" for number in range(20)]
    commands += [f'python "$CLAUDE_PROJECT_DIR"/{GUARD} {number}' for number in range(20)]
    commands += [f"bash -c 'python3 {GUARD} {number}'" for number in range(5)]
    repo.write(SETTINGS, settings(*commands))
    lines = tool.ok("init", "--dry-run").splitlines()
    wired = f'sh "$CLAUDE_PROJECT_DIR"/{WRAPPER} --python=python'
    assert f"  20 commands: python3 => sh {WRAPPER}" in lines
    assert f"  20 commands: python => {wired}" in lines
    assert "  5 commands stay, because it runs through `bash`" in lines
    assert lines[-1].startswith("would change: 40 commands in 1 file, 1 wrapper")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", "prek.toml"][: scaled(1, 2, 2)])
def test_where_pre_commit_is_configured_its_lines_are_told_and_no_hook_is_installed(
    tool: Tool, repo: GitRepo, name: str
) -> None:
    path = repo.write(name, "repos: []\n" if name.endswith("yaml") else "repos = []\n")
    before = tree(repo.path / ".git/hooks")
    out = tool.ok("init", "--yes")
    manager = "prek" if name == "prek.toml" else "pre-commit"
    assert f"to {name}, then run: {manager} install --install-hooks" in out
    assert "".join(f"    {line}\n" for line in PRE_COMMIT_LINES.splitlines()) in out
    assert tree(repo.path / ".git/hooks") == before
    assert commands_of(repo.path / SETTINGS) == [WIRED]
    path.write_text("# hooks-compile-sync\n")
    again = tool.ok("init", "--yes")
    assert f"git hooks: {name} has hooks-compile-sync" in again
    assert "hooks-compile-sync\n" in again
    assert "default_install_hook_types" not in again
    back = tool.ok("uninit", "--yes")
    assert f"git hooks: {name} names hooks-compile: take its lines out yourself" in back


def test_a_refusal_about_git_names_the_way_without_it(tool: Tool, repo: GitRepo) -> None:
    (repo.path.parent / "shared").mkdir()
    (tool.home / ".gitconfig").write_text(f"[core]\nhooksPath = {repo.path.parent / 'shared'}\n")
    before = tree(repo.path)
    done = tool.run("init", "--yes")
    if done.status == 0:
        pytest.skip("this git takes hooks from its configuration: nothing to refuse")
    assert done.status == 1
    assert "or leave git's hooks alone: --no-git" in done.err
    assert tree(repo.path) == before
    tool.ok("init", "--yes", "--no-git")


# The way back


ODD = {
    "tabs": '{\t"hooks":{\n\t"Stop":[\t{"hooks":[{"command":"python3 %s"\n\n}]}]}}\n\n\n',
    "crlf": '{\r\n  "hooks": {"Stop": [{"hooks": [{"command": "python3 %s"}]}]}\r\n}\r\n',
    "mark": '\ufeff{"hooks": {"Stop": [{"hooks": [{"command": "python3 %s"}]}]}}\n',
    "no end": '{"hooks": {"Stop": [{"hooks": [{"command": "python3 %s"}]}]}}',
    "jsonc": '// mine\n{"hooks": {"Stop": [{"hooks": [{"command": /* x */ "python3 %s",},],}]}}\n',
    "escapes": '{"ü\\u00fc": 1e5, "statusLine": {"command": "python3 %s \\u00fc"}}\n',
}


@pytest.mark.parametrize("name", list(ODD)[:: scaled(2, 1, 1)])
def test_uninit_restores_settings_of_any_form_byte_for_byte(
    tool: Tool, repo: GitRepo, name: str
) -> None:
    mode = 0o600 if len(name) % 2 else 0o644
    path = repo.write(SETTINGS, ODD[name] % GUARD)
    path.chmod(mode)
    before = contents(repo.path)
    tool.ok("init", "--yes")
    assert wrapper.NAME in path.read_text()
    assert path.stat().st_mode & 0o777 == mode
    tool.ok("uninit", "--yes")
    assert contents(repo.path) == before


def test_uninit_leaves_no_trace_and_a_second_one_finds_nothing(tool: Tool, repo: GitRepo) -> None:
    before = contents(repo.path)
    tool.ok("init", "--yes")
    out = tool.ok("uninit", "--yes")
    assert contents(repo.path) == before
    assert not (repo.path / ".claude/hooks/__pycache_opt__").exists()
    assert f"{WRAPPER}: to be removed" in out
    assert "nothing to change" in tool.ok("uninit")
    assert contents(repo.path) == before


def test_a_dry_run_of_uninit_changes_nothing(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes")
    before = tree(repo.path)
    out = tool.ok("uninit", "--dry-run", "--verbose")
    assert f"\n--- a/{WRAPPER}\n+++ /dev/null\n" in out
    assert tree(repo.path) == before


def test_uninit_goes_by_value_where_something_else_changed(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes")
    path = repo.path / SETTINGS
    changed = json.loads(path.read_text())
    changed["hooks"]["PreToolUse"][0]["hooks"][0]["command"] += " --more"
    changed["permissions"] = {"allow": ["Bash"]}
    path.write_text(json.dumps(changed, indent=7))
    tool.ok("uninit", "--yes")
    changed["hooks"]["PreToolUse"][0]["hooks"][0]["command"] = f"{COMMAND} --more"
    assert path.read_text() == json.dumps(changed, indent=7)
    assert not (repo.path / WRAPPER).exists()


def test_uninit_puts_a_foreign_git_hook_back(tool: Tool, repo: GitRepo) -> None:
    hook = repo.write(".git/hooks/post-checkout", "#!/bin/sh\necho mine\n", executable=True)
    before = contents(repo.path)
    tool.ok("init", "--yes")
    tool.ok("uninit", "--yes")
    assert contents(repo.path) == before
    assert hook.exists()


def test_an_edited_wrapper_stays_when_its_commands_are_taken_off(tool: Tool, repo: GitRepo) -> None:
    tool.ok("init", "--yes")
    path = repo.path / WRAPPER
    path.write_text(path.read_text() + "# mine\n")
    out = tool.ok("uninit", "--yes")
    assert commands_of(repo.path / SETTINGS) == [COMMAND]
    assert path.read_text().endswith("# mine\n")
    assert f"{WRAPPER}: left alone: it was edited" in out


def test_the_wrapper_stays_where_a_file_that_can_not_be_read_may_name_it(
    tool: Tool, repo: GitRepo
) -> None:
    repo.write(".cursor/hooks.json", json.dumps({"hooks": {"stop": [{"command": COMMAND}]}}))
    tool.ok("init", "--yes", "--agent", "claude", "--agent", "cursor")
    broken = repo.path / ".cursor/hooks.json"
    broken.write_text(broken.read_text() + "}")
    done = refused(tool, "uninit", "--yes")
    assert ".cursor/hooks.json (Cursor)\n  can't be changed: it does not parse" in done.out
    out = tool.ok("uninit", "--yes", "--agent", "claude")
    assert commands_of(repo.path / SETTINGS) == [COMMAND]
    assert (repo.path / WRAPPER).exists()
    assert f"{WRAPPER}: stays: named in .cursor/hooks.json" in out


# Which agents


def several(repo: GitRepo) -> dict[str, Path]:
    """Give the project hooks of all agents, in four directories and one plugin."""
    for name in (".codex", ".cursor", ".gemini", ".github/hooks", "plugins/mine/hooks"):
        repo.write(f"{name}/h.py", HOOK)
    plugin = "python3 ${CLAUDE_PLUGIN_ROOT}/hooks/h.py"
    status = {"statusLine": {"type": "command", "command": f"python3 {GUARD}"}}
    bash = {"version": 1, "hooks": {"preToolUse": [{"type": "command", "bash": "python3 h.py"}]}}
    bash["hooks"]["preToolUse"][0]["cwd"] = ".github/hooks"  # type: ignore[index]
    toml = (
        "# mine\n[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\n"
        "command = 'python3 .codex/h.py' # x\n"
    )
    cursor = {"version": 1, "hooks": {"stop": [{"command": "python .cursor/h.py"}]}}
    return {
        "claude": repo.write(SETTINGS, json.dumps({"hooks": nested(COMMAND), **status})),
        "local": repo.write(".claude/settings.local.json", settings(COMMAND)),
        "plugin": repo.write("plugins/mine/hooks/hooks.json", settings(plugin)),
        "codex": repo.write(".codex/config.toml", toml),
        "cursor": repo.write(".cursor/hooks.json", json.dumps(cursor)),
        "gemini": repo.write(
            ".gemini/settings.json", settings("python3 $GEMINI_PROJECT_DIR/.gemini/h.py")
        ),
        "copilot": repo.write(".github/hooks/x.json", json.dumps(bash, indent="\t")),
    }


def test_all_agents_are_wired_at_once_and_come_back(tool: Tool, repo: GitRepo) -> None:
    paths = several(repo)
    before = contents(repo.path)
    out = tool.ok("init", "--yes")
    assert wrapper.NAME not in paths["cursor"].read_text()
    assert ".cursor/hooks.json: add --agent cursor\n" in out, "its client was never run"
    tool.ok("init", "--yes", "--agent", "cursor")
    for path in paths.values():
        assert wrapper.NAME in path.read_text(), path
    wrappers = {str(p.parent.relative_to(repo.path)) for p in repo.path.rglob(wrapper.NAME)}
    assert wrappers == {
        ".claude/hooks",
        *(".codex", ".cursor", ".gemini", ".github/hooks", "plugins/mine/hooks"),
    }
    assert paths["codex"].read_text().startswith("# mine\n")
    assert "Codex will ask you to trust the changed hooks once more" in out
    assert "    until then it skips them, `codex exec` in silence" in out
    assert "Gemini CLI will ask you to trust" in out
    assert "Claude Code will ask" not in out
    assert f"  1 command: python3 => sh {WRAPPER}\n" in out, "the status line's"
    tool.ok("uninit", "--yes")
    assert contents(repo.path) == before


@pytest.mark.parametrize(
    ("agents", "wired"),
    [
        (["claude"], {"claude", "local", "plugin"}),
        (["codex"], {"codex"}),
        (["cursor", "copilot"], {"cursor", "copilot"}),
        (["gemini"], {"gemini"}),
    ],
)
def test_agent_limits_the_work_to_some(
    tool: Tool, repo: GitRepo, agents: list[str], wired: set[str]
) -> None:
    paths = several(repo)
    before = contents(repo.path)
    words = [word for agent in agents for word in ("--agent", agent)]
    tool.ok("init", "--yes", "--no-git", *words)
    assert {name for name, path in paths.items() if wrapper.NAME in path.read_text()} == wired
    tool.ok("uninit", "--yes", "--no-git", *words)
    left = {name: it for name, it in contents(repo.path).items() if "__pycache" not in name}
    assert left == before


@pytest.mark.parametrize("command", ["init", "uninit"])
def test_the_help_names_every_agent(tool: Tool, command: str) -> None:
    text = tool.ok(command, "--help")
    for name in (agent.name for agent in AGENTS):
        assert name in text


@pytest.mark.parametrize("command", ["init", "uninit"])
def test_an_agent_that_nobody_knows_is_an_error_with_the_names(tool: Tool, command: str) -> None:
    done = refused(tool, command, "--yes", "--agent", "clod")
    assert "there is no agent 'clod'" in done.err
    for name in (agent.name for agent in AGENTS):
        assert f"--agent {name}" in done.err


def test_ones_own_settings_are_wired_only_when_that_is_asked_for(tool: Tool, repo: GitRepo) -> None:
    hook = write(tool.home / ".claude/hooks/own.py", HOOK)
    own = write(tool.home / SETTINGS, settings("python3 ~/.claude/hooks/own.py"))
    before = contents(tool.home)
    tool.ok("init", "--yes")
    assert contents(tool.home) == before
    out = tool.ok("init", "--yes", "--user")
    assert "~/.claude/settings.json (Claude Code)" in out
    assert commands_of(own) == ["sh ~/.claude/hooks/hook_wrapper.sh ~/.claude/hooks/own.py"]
    state, done = run_command(tool, commands_of(own)[0])
    assert (state, done.status) == ("hit", 2), done
    assert hook.exists()
    assert "2 hooks for" in out
    tool.ok("uninit", "--yes")
    assert commands_of(own) != []
    assert (hook.parent / wrapper.NAME).exists()
    tool.ok("uninit", "--yes", "--user")
    assert contents(tool.home) == before
    assert commands_of(repo.path / SETTINGS) == [COMMAND]


def test_a_home_directory_that_is_the_project_is_wired_once(tool: Tool, repo: GitRepo) -> None:
    user = tool.with_env(HOME=str(repo.path))
    before = (repo.path / SETTINGS).read_bytes()
    out = user.ok("init", "--yes", "--user", "--no-git")
    assert out.count("(Claude Code)") == 1
    user.ok("uninit", "--yes", "--user", "--no-git")
    assert (repo.path / SETTINGS).read_bytes() == before


def test_one_file_under_two_names_is_changed_once(tool: Tool, repo: GitRepo) -> None:
    link = repo.path / ".claude/settings.local.json"
    link.symlink_to("settings.json")
    before = contents(repo.path)
    tool.ok("init", "--yes")
    assert link.is_symlink()
    assert commands_of(link) == [WIRED]
    tool.ok("uninit", "--yes")
    assert contents(repo.path) == before


# Large repositories


def packages(repo: GitRepo) -> None:
    """Give two directories below hooks and settings of their own, one of them kept out of git."""
    for name in ("packages/a", "packages/b"):
        repo.write(f"{name}/{GUARD}", HOOK)
        repo.write(f"{name}/{SETTINGS}", settings(COMMAND))
    repo.write("tools/shared.py", HOOK)
    local = settings('python3 "$CLAUDE_PROJECT_DIR"/../../tools/shared.py')
    repo.write("packages/a/.claude/settings.local.json", local)
    repo.write(".gitignore", "settings.local.json\n")


def test_init_in_a_directory_below_takes_what_is_configured_from_there_up(
    tool: Tool, repo: GitRepo
) -> None:
    packages(repo)
    repo.commit()
    before = contents(repo.path)
    inner = repo.path / "packages/a"
    user = Tool(inner, tool.env)
    user.ok("init", "--yes")
    assert commands_of(repo.path / SETTINGS) == [WIRED]
    assert commands_of(inner / SETTINGS) == [WIRED]
    assert "tools/hook_wrapper.sh" in (inner / ".claude/settings.local.json").read_text()
    assert commands_of(repo.path / "packages/b" / SETTINGS) == [COMMAND]
    assert run_command(user, WIRED, inner)[0] == "hit"
    (inner / GUARD).write_text(HOOK + "# new\n")
    tool.ok("sync")
    assert run_command(user, WIRED, inner)[0] == "hit"
    (inner / GUARD).write_text(HOOK)
    user.ok("uninit", "--yes")
    assert contents(repo.path) == before


def test_init_at_the_root_leaves_directories_below_and_keeps_those_up_that_are_wired(
    tool: Tool, repo: GitRepo
) -> None:
    packages(repo)
    tool.ok("init", "--yes")
    for name in ("packages/a", "packages/b"):
        assert commands_of(repo.path / name / SETTINGS) == [COMMAND]
    Tool(repo.path / "packages/b", tool.env).ok("init", "--yes")
    (repo.path / "packages/b" / WRAPPER).unlink()
    out = tool.ok("init", "--yes")
    assert f"packages/b/{WRAPPER}: to be written" in out
    tool.ok("uninit", "--yes")
    assert commands_of(repo.path / "packages/b" / SETTINGS) == [COMMAND]
    assert not (repo.path / "packages/b" / WRAPPER).exists()


# Asking


def on_a_terminal(
    tool: Tool, *words: str, answer: bytes, meanwhile: Callable[[], object] | None = None
) -> tuple[int, str]:
    """Run a command in a terminal, and answer as soon as it asks."""
    ours, theirs = pty.openpty()
    process = tool.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    answered = False
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            data = os.read(ours, 65536)
        except OSError:  # EIO: nobody has the other end any more
            break
        if not data:
            break
        seen += data
        if not answered and b"[y/N]" in seen:
            answered = True
            if meanwhile is not None:
                meanwhile()
            os.write(ours, answer)
    os.close(ours)
    return process.wait(TIMEOUT_S), seen.decode()


@pytest.mark.parametrize("answer", [b"y\n", b"YES\n"][: scaled(1, 2, 2)])
def test_on_a_terminal_it_asks_and_does_it_after_a_yes(
    tool: Tool, repo: GitRepo, answer: bytes
) -> None:
    status, seen = on_a_terminal(tool, "init", answer=answer)
    assert status == 0, seen
    assert "Change 1 command in 1 file, 1 wrapper (staged: git add), git's hooks? [y/N] " in seen
    assert commands_of(repo.path / SETTINGS) == [WIRED]
    status, seen = on_a_terminal(tool, "uninit", answer=answer)
    assert status == 0, seen
    assert commands_of(repo.path / SETTINGS) == [COMMAND]


@pytest.mark.parametrize("answer", [b"\n", b"\x04", b"n\n", b"maybe\n"][: scaled(2, 4, 4)])
def test_on_a_terminal_any_other_answer_changes_nothing(
    tool: Tool, repo: GitRepo, answer: bytes
) -> None:
    before = tree(repo.path)
    status, seen = on_a_terminal(tool, "init", answer=answer)
    assert status == 1
    assert seen.endswith("\nhooks-compile: nothing was changed\r\n")
    assert tree(repo.path) == before


def test_an_interrupt_while_it_asks_changes_nothing(tool: Tool, repo: GitRepo) -> None:
    before = tree(repo.path)
    ours, theirs = pty.openpty()
    process = tool.start("init", stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    seen = b""
    while b"[y/N] " not in seen:  # not in stdout, which is no terminal
        seen += os.read(process.stderr.fileno(), 65536)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, err) == (130, b""), out
    assert tree(repo.path) == before


@pytest.mark.parametrize("command", ["init", "uninit"])
def test_without_a_terminal_it_asks_for_yes(tool: Tool, repo: GitRepo, command: str) -> None:
    if command == "uninit":
        tool.ok("init", "--yes")
    done = refused(tool, command)
    assert done.err.splitlines()[-1].endswith("nobody is there to ask: add --yes")
    assert "  1 command: " in done.out


def test_a_file_that_changes_while_it_asks_stops_everything(tool: Tool, repo: GitRepo) -> None:
    path = repo.path / SETTINGS
    new = settings(COMMAND, COMMAND)
    status, seen = on_a_terminal(
        tool, "init", answer=b"y\n", meanwhile=lambda: path.write_text(new)
    )
    assert status == 1
    assert "it changed since it was read" in seen
    assert path.read_text() == new
    assert not (repo.path / WRAPPER).exists()


def test_a_wrapper_that_appears_while_it_asks_stops_everything(tool: Tool, repo: GitRepo) -> None:
    status, seen = on_a_terminal(
        tool, "init", answer=b"y\n", meanwhile=lambda: repo.write(WRAPPER, "#!/bin/sh\n")
    )
    assert status == 1
    assert "it changed since it was read" in seen
    assert commands_of(repo.path / SETTINGS) == [COMMAND]


# What can't be done


def test_a_file_that_does_not_parse_stops_everything_before_anything_is_written(
    tool: Tool, repo: GitRepo
) -> None:
    repo.write(".gemini/settings.json", '{"hooks": {\n  "a": [}')
    done = refused(tool, "init", "--yes")
    assert "can't be changed: it does not parse: line 2, column 9" in done.out
    assert "nothing was changed, because of 1 file" in done.err
    assert "--agent NAME" in done.err
    tool.ok("init", "--yes", "--agent", "claude")
    assert commands_of(repo.path / SETTINGS) == [WIRED]


def test_a_file_that_is_not_utf_8_stops_everything(tool: Tool, repo: GitRepo) -> None:
    (repo.path / SETTINGS).write_bytes(b'{"hooks": "\xff"}')
    assert "it is not UTF-8 text (byte 11)" in refused(tool, "init", "--yes").out


def test_a_file_with_a_second_name_stops_everything(tool: Tool, repo: GitRepo) -> None:
    (repo.path / "second.json").hardlink_to(repo.path / SETTINGS)
    done = refused(tool, "init", "--yes")
    assert "can't be changed: it has a second name (a hard link)" in done.out
    remedy = done.out.split("to fix it: ")[1].splitlines()[0]
    assert subprocess.run(["sh", "-c", remedy], check=False).returncode == 0
    tool.ok("init", "--yes")
    assert (repo.path / "second.json").read_text() == settings(COMMAND)


def test_a_link_to_nothing_stops_everything(tool: Tool, repo: GitRepo) -> None:
    (repo.path / ".claude/settings.local.json").symlink_to("nowhere.json")
    assert "it can't be read: No such file" in refused(tool, "init", "--yes").out


def test_a_file_linked_from_outside_the_project_stays_and_the_others_are_done(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    outside = write(tmp_path / "dotfiles/settings.json", settings(COMMAND))
    (repo.path / ".claude/settings.local.json").symlink_to(outside)
    done = tool.run("init", "--yes")
    assert done.status == 1
    assert f"because this file is a symlink to {outside}, outside of the project" in done.out
    assert "1 command stays for a reason that you can remove" in done.err
    assert outside.read_text() == settings(COMMAND)
    assert commands_of(repo.path / SETTINGS) == [WIRED]


def test_a_link_from_outside_that_names_no_hook_is_no_trouble(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    outside = write(tmp_path / "dotfiles/settings.json", "{}")
    (repo.path / ".claude/settings.local.json").symlink_to(outside)
    tool.ok("init", "--yes")


@pytest.mark.parametrize(
    "kind", ["foreign", "symlink", "edited", "newer", "directory"][: scaled(2, 5, 5)]
)
def test_beside_a_wrapper_that_is_not_ours_the_command_stays(
    tool: Tool, repo: GitRepo, kind: str
) -> None:
    path = repo.path / WRAPPER
    text = wrapper.text().decode()
    if kind == "directory":
        path.mkdir()
    elif kind == "symlink":
        path.symlink_to(repo.write("elsewhere.sh", text))
    elif kind == "newer":
        newer = text.replace(OWN, "wrapper 99 (").encode()
        digits = text.split(OWN)[1][:16].encode()
        path.write_bytes(newer.replace(digits, wrapper.digest(newer)))
    else:
        path.write_text("#!/bin/sh\necho mine\n" if kind == "foreign" else text + "# mine\n")
    repo.write("other/x.py", HOOK)
    repo.write(SETTINGS, settings(COMMAND, "python3 other/x.py"))
    before = contents(repo.path)[WRAPPER] if kind != "directory" else None
    done = tool.run("init", "--yes")
    assert done.status == 1
    words = {"edited": "it was edited", "newer": "a newer hooks-compile wrote it"}
    why = words.get(kind, "it is not ours")
    assert f"stays, because the hook_wrapper.sh beside it was left alone: {why}" in done.out
    assert commands_of(repo.path / SETTINGS) == [
        COMMAND,
        "sh other/hook_wrapper.sh other/x.py",
    ]
    if before is not None:
        assert contents(repo.path)[WRAPPER] == before


def test_an_older_wrapper_is_replaced(tool: Tool, repo: GitRepo) -> None:
    text = wrapper.text().decode()
    older = text.replace(OWN, "wrapper 0 (").encode() + b"# older\n"
    digits = text.split(OWN)[1][:16].encode()
    tool.ok("init", "--yes")
    (repo.path / WRAPPER).write_bytes(older.replace(digits, wrapper.digest(older)))
    out = tool.ok("init", "--yes")
    assert f"{WRAPPER}: to be written" in out
    assert (repo.path / WRAPPER).read_bytes() == wrapper.text()


def test_a_wrapper_that_is_gone_although_commands_call_it_is_written_again(
    tool: Tool, repo: GitRepo
) -> None:
    tool.ok("init", "--yes")
    (repo.path / WRAPPER).unlink()
    assert run_command(tool, WIRED)[1].status not in (0, 1)
    out = tool.ok("init", "--yes")
    assert f"{WRAPPER}: to be written" in out
    assert run_command(tool, WIRED)[0] == "hit"


def test_a_wrapper_that_git_ignores_is_not_named_in_a_file_that_it_does_not(
    tool: Tool, repo: GitRepo
) -> None:
    repo.write(".gitignore", "*.sh\n.claude/settings.local.json\n")
    repo.write(".claude/settings.local.json", settings(COMMAND))
    done = tool.run("init", "--yes")
    assert done.status == 1
    assert "because git ignores the wrapper but not this file" in done.out
    assert commands_of(repo.path / SETTINGS) == [COMMAND]
    assert commands_of(repo.path / ".claude/settings.local.json") == [WIRED]


def test_hooks_in_a_linked_directory_or_a_submodule_are_wired(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    other = GitRepo.create(tmp_path / "other")
    other.write("x.py", HOOK)
    other.commit()
    repo.commit()
    repo.submodule(other, "sub")
    repo.write("real/y.py", HOOK)
    (repo.path / "linked").symlink_to("real")
    repo.write(SETTINGS, settings("python3 sub/x.py", "python3 linked/y.py"))
    tool.ok("init", "--yes")
    assert (repo.path / "sub" / wrapper.NAME).exists()
    assert (repo.path / "real" / wrapper.NAME).exists()
    for command in commands_of(repo.path / SETTINGS):
        assert run_command(tool, command)[1].status == 2


def test_what_stays_is_listed_with_its_reason(tool: Tool, repo: GitRepo) -> None:
    stays = {
        "python3 .claude/hooks/gone.py": "there is no file `.claude/hooks/gone.py`",
        f"uv run python {GUARD}": "only uv knows what these words of `uv run` mean",
        "npx prettier --check .": "it does not launch a Python script",
    }
    repo.write(SETTINGS, settings(*stays))
    before = tree(repo.path)
    out = tool.ok("init", "--yes", "--no-git", "--verbose")
    assert {n: it for n, it in tree(repo.path).items() if n in before} == before | {
        ".claude/hooks": tree(repo.path)[".claude/hooks"]
    }
    for command, reason in stays.items():
        assert f"stays, because {reason}\n      {command}\n" in out
    assert not (repo.path / WRAPPER).exists()


def test_a_command_is_shown_on_one_line_and_steers_no_terminal(tool: Tool, repo: GitRepo) -> None:
    repo.write(SETTINGS, settings("echo a\n- b\x1b[2K\u202e"))
    out = tool.ok("init", "--yes", "--no-git", "--verbose")
    assert "      echo a\\n- b\\x1b[2K\\u202e\n" in out


def test_names_that_no_file_can_have_are_no_bug(tool: Tool, repo: GitRepo) -> None:
    repo.write(SETTINGS, settings("python3 \ud83d.py", "python3 a\0b.py", "python3 ''"))
    out = tool.ok("init", "--yes", "--no-git")
    assert "there is no file `\\ud83d.py`" in out
    assert "nothing to change" in out


def test_a_plugin_in_a_directory_whose_name_is_not_utf_8_is_wired(
    tool: Tool, repo: GitRepo
) -> None:
    directory = repo.path / os.fsdecode(b"plugin-\xff")
    write(directory / "hooks/x.py", HOOK)
    write(directory / "hooks/hooks.json", settings('python3 "${CLAUDE_PLUGIN_ROOT}"/hooks/x.py'))
    before = contents(repo.path)
    assert "plugin-\udcff/hooks/hooks.json" in tool.ok("init", "--dry-run", "--verbose")
    tool.ok("init", "--yes")
    assert (directory / "hooks" / wrapper.NAME).exists()
    tool.ok("uninit", "--yes")
    assert contents(repo.path) == before


def test_a_file_moved_out_of_the_project_keeps_the_wrapper_that_it_names(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    tool.ok("init", "--yes")
    (repo.path / SETTINGS).rename(tmp_path / "settings.json")
    (repo.path / SETTINGS).symlink_to(tmp_path / "settings.json")
    done = tool.run("uninit", "--yes")
    assert done.status == 1
    assert "outside of the project" in done.out
    assert f"{WRAPPER}: stays: named in {SETTINGS}" in done.out
    assert run_command(tool, WIRED)[1].status == 2


def test_a_linked_worktree_has_a_wiring_of_its_own(
    tool: Tool, repo: GitRepo, tmp_path: Path
) -> None:
    repo.commit()
    other = repo.worktree(tmp_path / "tree")
    user = Tool(other.path, tool.env)
    user.ok("init", "--yes")
    assert commands_of(other.path / SETTINGS) == [WIRED]
    assert commands_of(repo.path / SETTINGS) == [COMMAND]
    assert run_command(user, WIRED)[0] == "hit"
    other.commit("wired")
    repo.git("merge", "--quiet", "other")
    assert run_command(tool, WIRED, repo.path)[1].status == 2
    assert run_command(user, WIRED, repo.path)[0] == "hit"  # where the variable stays behind


def test_a_hook_that_does_not_compile_is_reported_and_still_wired(
    tool: Tool, repo: GitRepo
) -> None:
    repo.write(GUARD, "def (:\n")
    done = tool.run("init", "--yes")
    assert done.status == 1
    assert f"{GUARD}:1: SyntaxError" in done.err
    assert commands_of(repo.path / SETTINGS) == [WIRED]


@pytest.mark.parametrize("read_only", [".claude/hooks", ".claude"][: scaled(1, 2, 2)])
def test_a_directory_that_can_not_be_written_is_left_alone(
    unprivileged: Path, read_only: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: as root, another user could not start the tests' interpreter."""
    from hooks_compile.agents.wiring import plan as wiring_plan  # noqa: PLC0415
    from hooks_compile.agents.wiring.describe import describe  # noqa: PLC0415

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = unprivileged / "project"
    write(root / GUARD, HOOK)
    write(root / SETTINGS, settings(COMMAND))
    (root / read_only).chmod(0o555)
    before = tree(root)
    plan = wiring_plan.plan_init(Scope(root, os.environ))
    assert not plan.changes
    lines = "\n".join(describe(plan))
    if read_only == ".claude":
        assert "can't be changed: it can't be written: its directory is read-only" in lines
        assert plan.troubles[0].remedy == f"chmod u+w {root / '.claude'}"
    else:
        assert "because its directory can't be written, and the wrapper has to be there" in lines
        assert plan.unfinished == 1
    assert tree(root) == before
    (root / read_only).chmod(0o755)


# What a hostile clone brings

DEEP = "[" * 50_000 + "]" * 50_000
HOSTILE = {
    "device": "",
    "pipe": "",
    "huge": " " * (5 << 20),
    "deep": DEEP,
    "digits": '{"a": ' + "1" * 5000 + "}",
    "unclosed": '{"a": "' + "\\u0041" * 10_000,
    "comment": "/*" * 100_000,
    "twice": '{"hooks": {}, "hooks": {}}',
}


@pytest.mark.parametrize("name", [SETTINGS, ".codex/config.toml"][: scaled(1, 2, 2)])
@pytest.mark.parametrize("kind", list(HOSTILE)[:: scaled(2, 1, 1)])
def test_a_hostile_settings_file_stops_init_and_holds_nothing_up(
    repo: GitRepo, name: str, kind: str
) -> None:
    path = repo.write(name, "")
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text(("hooks = " if kind == "deep" and "toml" in name else "") + HOSTILE[kind])
    start = time.process_time()
    assert [error.path for error in plan_init(Scope(repo.path, {})).troubles] == [path]
    named_scripts(repo.path)  # as a git hook does after a checkout
    assert time.process_time() - start < 10


def test_a_hostile_settings_file_is_named_by_init(tool: Tool, repo: GitRepo) -> None:
    os.mkfifo(repo.write(".codex/config.toml").parent / "hooks.json")
    done = tool.run("init", "--yes", "--no-git")
    assert done.status == 1, done
    assert "can't be changed: it can't be read: it is not a regular file" in done.out
    assert not (repo.path / WRAPPER).exists()
    tool.ok("sync")


def test_names_in_a_clone_steer_no_terminal(tool: Tool, repo: GitRepo) -> None:
    directory = repo.path / "plug\x1b]0;owned\x07\u202e\x9b2J"
    write(directory / "hooks/x.py", HOOK)
    write(directory / "hooks/hooks.json", settings('python3 "${CLAUDE_PLUGIN_ROOT}"/hooks/x.py'))
    command = "python3 '.claude/hooks/g\x1b[31mo.py' \x9b2J\u202e"
    repo.write(".claude/hooks/g\x1b[31mo.py", HOOK)
    repo.write(SETTINGS, "// \x1b[2J\n" + settings(command))
    shown = ""
    for words in (["init", "--dry-run"], ["init"], ["uninit", "--dry-run"], ["uninit"]):
        status, seen = on_a_terminal(tool, *words, answer=b"y\n")
        assert status == 0, seen
        shown += seen
    assert "\\x1b" in shown
    plain = shown.replace("\r\n", "").replace("\t", "")
    # What rich writes around its own table heads is ours.
    for own in ("\x1b[1m", "\x1b[0m"):
        plain = plain.replace(own, "")
    assert [c for c in plain if not c.isprintable() and c != "\n"] == []


# At the same time


def test_inits_and_uninits_at_the_same_time_leave_one_of_both_states(
    tool: Tool, repo: GitRepo
) -> None:
    before = contents(repo.path)
    for words in (["init"] * 4, ["init", "uninit"] * 2, ["uninit"] * 3):
        running = [
            tool.start(word, "--yes", "--no-git", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for word in words
        ]
        for process in running:
            out, err = process.communicate(timeout=TIMEOUT_S)
            # Who comes too late changes nothing and says so.
            too_late = (b"it changed since it was read", b"another init or uninit has removed it")
            assert process.returncode == 0 or any(each in out + err for each in too_late), err
            assert process.returncode == 0 or b"  to fix it: run this again\n" in out + err
        (command,) = commands_of(repo.path / SETTINGS)
        assert command in (COMMAND, WIRED)
        assert command == COMMAND or (repo.path / WRAPPER).read_bytes() == wrapper.text()
    tool.ok("uninit", "--yes", "--no-git")
    assert contents(repo.path) == before
