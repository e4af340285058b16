"""Real agents load the rewired files and run the hooks: offline, with no account.

They are taken from PATH and are not installed for the tests. Their hooks for a session's start and
for a prompt run before anything is asked of a server, and no server can be reached here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.clients import claude, codex, copilot, gemini
from hooks_compile.agents.wiring import config_files as files
from hooks_compile.agents.wiring import rewrite
from hooks_compile.agents.wiring.command import wire_command
from hooks_compile.install import wrapper
from hooks_compile.install.runtime_directory import ensure
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from pathlib import Path

    from hooks_compile.agents.clients.base import Agent

pytestmark = ci_only

NOWHERE = "http://127.0.0.1:9"
HOOK = """\
import json, os, sys
event = sys.argv[1]
assert {"session_id", "sessionId"} & set(json.load(sys.stdin))
with open(os.path.join(os.path.dirname(__file__), event + ".ran"), "a") as f:
    f.write(os.getcwd())
print("{}")
"""


def nested(commands: dict[str, str]) -> str:
    """The hooks of Claude Code, Codex and Gemini CLI, which nest them in the same way."""
    hooks = {
        event: [{"hooks": [{"type": "command", "command": command}]}]
        for event, command in commands.items()
    }
    return json.dumps({"hooks": hooks}, indent=2)


def wired_project(root: Path, agent: Agent, contents: dict[str, str]) -> None:
    """Write the configuration files, and put all their commands on the wrapper."""
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    hooks = root / next(iter(contents)).split("/")[0] / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "h.py").write_text(HOOK)
    wrapper.write(hooks)
    for config in agent.files(root, None):
        if config.origin in contents:
            file = files.read(config.path, root)
            result = rewrite.rewrite(wire_command, file.text, config, files.look_in(root))
            assert result.changes
            assert not result.left
            files.replace(file, result.text)


def run_until(words: list[str], cwd: Path, extra: dict[str, str], expected: list[Path]) -> str:
    """Run a client until its hooks have left their files, and return what it said."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "HOOKS_COMPILE_TRACE": str(cwd / "trace"),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "LANG": "C.UTF-8",
        **extra,
    }
    for path in expected:
        path.unlink(missing_ok=True)
    log = cwd / "client.log"
    with log.open("wb") as stream:
        client = subprocess.Popen(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not all(path.exists() for path in expected) and time.monotonic() < deadline:
            time.sleep(0.1)
        if client.poll() is None:
            os.killpg(client.pid, signal.SIGKILL)
        client.wait()
    return log.read_text(errors="replace")


def assert_hits(root: Path) -> None:
    """The hooks of the second session ran from their entry."""
    lines = (root / "trace").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines].count("hit") >= 1


def client(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on PATH (try: npm install --global {package})")
    return path


def test_claude_code_runs_the_rewired_hooks(tmp_path: Path, home: Path) -> None:
    program = client("claude", "@anthropic-ai/claude-code")
    commands = {
        "SessionStart": 'python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/h.py start',
        "UserPromptSubmit": "cd .claude/hooks && python h.py prompt || true",
    }
    wired_project(tmp_path, claude.AGENT, {".claude/settings.json": nested(commands)})
    ensure(home / ".local/share/hooks-compile")
    expected = [tmp_path / ".claude/hooks" / name for name in ("start.ran", "prompt.ran")]
    extra = {
        "ANTHROPIC_API_KEY": "none",
        "ANTHROPIC_BASE_URL": NOWHERE,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    for _ in ("a miss", "a hit"):
        said = run_until([program, "-p", "hello"], tmp_path, extra, expected)
        assert all(path.exists() for path in expected), said
        assert "settings did not load" not in said
    assert expected[0].read_text() == str(tmp_path)
    assert_hits(tmp_path)


def test_gemini_cli_runs_the_rewired_hooks(tmp_path: Path, home: Path) -> None:
    program = client("gemini", "@google/gemini-cli")
    commands = {
        "SessionStart": "python3 $GEMINI_PROJECT_DIR/.gemini/hooks/h.py start",
        "BeforeAgent": "python3 .gemini/hooks/h.py prompt",
    }
    root = tmp_path / "my project"
    root.mkdir()
    wired_project(root, gemini.AGENT, {".gemini/settings.json": nested(commands)})
    (home / ".gemini").mkdir()
    security = {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}}
    (home / ".gemini/settings.json").write_text(json.dumps({"security": security}))
    expected = [root / ".gemini/hooks" / name for name in ("start.ran", "prompt.ran")]
    extra = {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": NOWHERE}
    said = run_until([program, "-p", "hello"], root, extra, expected)
    assert all(path.exists() for path in expected), said


def test_codex_runs_the_rewired_hooks(tmp_path: Path, home: Path) -> None:
    program = client("codex", "@openai/codex")
    toml = (
        "[[hooks.UserPromptSubmit]]\n[[hooks.UserPromptSubmit.hooks]]\n"
        "type = 'command'\ncommand = 'python3 .codex/hooks/h.py prompt'  # kept\n"
    )
    json_text = nested({"SessionStart": "python3 .codex/hooks/h.py start"})
    contents = {".codex/hooks.json": json_text, ".codex/config.toml": toml}
    wired_project(tmp_path, codex.AGENT, contents)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text(
        'model_provider = "none"\n[model_providers.none]\nname = "none"\n'
        f'base_url = "{NOWHERE}"\nenv_key = "NONE"\nrequest_max_retries = 0\n'
        f'[projects."{tmp_path}"]\ntrust_level = "trusted"\n'
    )
    expected = [tmp_path / ".codex/hooks" / name for name in ("start.ran", "prompt.ran")]
    words = [program, "exec", "--dangerously-bypass-hook-trust", "hello"]
    said = run_until(words, tmp_path, {"NONE": "none"}, expected)
    assert all(path.exists() for path in expected), said


def test_copilot_runs_the_rewired_hooks(tmp_path: Path, home: Path) -> None:
    program = client("copilot", "@github/copilot")
    start = {"type": "command", "bash": "python3 .github/hooks/h.py start", "timeoutSec": 20}
    prompt = {"type": "command", "bash": 'python "$COPILOT_PROJECT_DIR"/.github/hooks/h.py prompt'}
    prompt["cwd"] = ".github/hooks"
    text = json.dumps(
        {"version": 1, "hooks": {"sessionStart": [start], "userPromptSubmitted": [prompt]}}
    )
    wired_project(tmp_path, copilot.AGENT, {".github/hooks/mine.json": text})
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    ensure(home / ".local/share/hooks-compile")
    expected = [tmp_path / ".github/hooks" / name for name in ("start.ran", "prompt.ran")]
    extra = {
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_BASE_URL": NOWHERE,
        "COPILOT_MODEL": "none",
        "COPILOT_AUTO_UPDATE": "false",
    }
    for _ in ("a miss", "a hit"):
        said = run_until([program, "--trust-folder", "-p", "hello"], tmp_path, extra, expected)
        assert all(path.exists() for path in expected), said
    assert expected[0].read_text() == str(tmp_path)
    assert_hits(tmp_path)
