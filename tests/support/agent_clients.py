"""The command line clients of agents: how each is installed, set up and run for one turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_INSTALL_S = 300
_VERSION_S = 60

EVENTS = ("start", "prompt", "before", "after", "stop", "end")
"""Moments of a session; ``before`` and ``after`` are those of a tool call."""


class InstallError(Exception):
    """A client can't be had here."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook on one of ``EVENTS``: a script in the directory of hooks, with a time limit."""

    event: str
    script: str
    timeout_s: int = 60


@dataclass(frozen=True, slots=True)
class Client:
    """An agent's client.

    ``settings`` is its file of a project, ``events`` are its names for ``EVENTS``. ``launch`` is
    the command of a hook named ``SCRIPT``. ``words`` are the arguments of one turn without
    a person, before the prompt. ``env`` and ``user_files`` are made from the model's address.
    """

    name: str
    package: str
    version: str
    settings: str
    events: tuple[str, ...]
    launch: str
    entry: Callable[[str, int], dict[str, Any]]
    denial: Callable[[str], dict[str, Any]]
    words: tuple[str, ...]
    env: Callable[[str], dict[str, str]]
    user_files: Callable[[str, Path], dict[str, str]]
    head: tuple[tuple[str, object], ...] = ()

    @property
    def hooks(self) -> str:
        """The directory of hooks in a project."""
        directory = self.settings.rpartition("/")[0]
        return directory if directory.endswith("hooks") else f"{directory}/hooks"

    def event(self, name: str) -> str:
        """Return the client's own name of one of ``EVENTS``."""
        return self.events[EVENTS.index(name)]

    def configuration(self, hooks: Iterable[Hook]) -> str:
        """Return the text of the project's settings with these hooks."""
        entries: dict[str, list[dict[str, Any]]] = {}
        for hook in hooks:
            event = self.event(hook.event)
            command = f"{self.launch.replace('SCRIPT', hook.script)} {event}"
            entries.setdefault(event, []).append(self.entry(command, hook.timeout_s))
        return json.dumps({**dict(self.head), "hooks": entries}, indent=2) + "\n"

    def install(self, directory: Path) -> Path:
        """Install it from npm into a new directory and return the program.

        Raises InstallError if there is no npm, no registry, or the program does not start.
        """
        npm = shutil.which("npm")
        if npm is None:
            raise InstallError("npm is not on PATH")
        directory.mkdir()
        program = directory / "node_modules" / ".bin" / self.name
        options = ("--no-audit", "--no-fund", "--fetch-retries=1", "--prefix", str(directory))
        env = {**os.environ, "HOME": str(directory), "XDG_CACHE_HOME": str(cache_of(program))}
        _run([npm, "install", *options, f"{self.package}@{self.version}"], env, _INSTALL_S)
        said = _run([str(program), "--version"], env, _VERSION_S)
        if self.version not in said:
            raise InstallError(f"{self.package}@{self.version} says that it is {said.strip()}")
        return program


def cache_of(program: Path) -> Path:
    """Return the directory of caches beside an installed client's program."""
    return program.parents[2] / ".cache"


def _run(command: list[str], env: dict[str, str], limit_s: int) -> str:
    """Run a command at home and return its stdout. Raises InstallError."""
    name = f"{Path(command[0]).name} {command[1]} in {Path(env['HOME']).name}"
    try:
        done = subprocess.run(
            command,
            cwd=env["HOME"],
            env=env,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{name}: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise InstallError(f"{name} failed: {' '.join(lines[:3])}")
    return done.stdout


def _nested(command: str, timeout: int) -> dict[str, Any]:
    return {"hooks": [{"type": "command", "command": command, "timeout": timeout}]}


def _nested_in_ms(command: str, timeout: int) -> dict[str, Any]:
    return _nested(command, timeout * 1000)


def _flat(command: str, timeout: int) -> dict[str, Any]:
    return {"type": "command", "bash": command, "timeoutSec": timeout}


def _permission(reason: str) -> dict[str, Any]:
    return {"permissionDecision": "deny", "permissionDecisionReason": reason}


def _specific_permission(reason: str) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **_permission(reason)}}


def _decision(reason: str) -> dict[str, Any]:
    return {"decision": "deny", "reason": reason}


def _no_files(_url: str, _project: Path) -> dict[str, str]:
    return {}


def _codex_files(url: str, project: Path) -> dict[str, str]:
    text = f"""\
model = "stub-model"
model_provider = "stub"

[model_providers.stub]
name = "stub"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "STUB_KEY"

[projects."{project}"]
trust_level = "trusted"
"""
    return {".codex/config.toml": text}


def _gemini_files(_url: str, _project: Path) -> dict[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    return {".gemini/settings.json": json.dumps(settings)}


def _qwen_files(_url: str, _project: Path) -> dict[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "openai"}},
        "general": {"disableAutoUpdate": True},
        "privacy": {"usageStatisticsEnabled": False},
        "model": {"name": "stub-model"},
        "$version": 4,
    }
    return {".qwen/settings.json": json.dumps(settings)}


_EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd")

CLAUDE = Client(
    name="claude",
    package="@anthropic-ai/claude-code",
    version="2.1.332",
    settings=".claude/settings.json",
    events=_EVENTS,
    launch='python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/SCRIPT',
    entry=_nested,
    denial=_specific_permission,
    words=("--dangerously-skip-permissions", "-p"),
    env=lambda url: {
        "IS_SANDBOX": "1",  # lets root skip permissions
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "none",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
    user_files=_no_files,
)
CODEX = Client(
    name="codex",
    package="@openai/codex",
    version="0.171.0",
    settings=".codex/hooks.json",
    events=_EVENTS,
    launch='python3 "$(git rev-parse --show-toplevel)/.codex/hooks/SCRIPT"',
    entry=_nested,
    denial=_specific_permission,
    words=(
        *("exec", "--dangerously-bypass-approvals-and-sandbox"),
        "--dangerously-bypass-hook-trust",
    ),
    env=lambda _url: {"STUB_KEY": "none"},
    user_files=_codex_files,
)
GEMINI = Client(
    name="gemini",
    package="@google/gemini-cli",
    version="0.61.0",
    settings=".gemini/settings.json",
    events=("SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"),
    launch="python3 $GEMINI_PROJECT_DIR/.gemini/hooks/SCRIPT",
    entry=_nested_in_ms,
    denial=_decision,
    words=("--yolo", "--model", "gemini-2.5-flash", "--prompt"),
    env=lambda url: {
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "none",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "NO_BROWSER": "true",
    },
    user_files=_gemini_files,
)
COPILOT = Client(
    name="copilot",
    package="@github/copilot",
    version="1.0.102",
    settings=".github/hooks/hooks.json",
    events=(
        *("sessionStart", "userPromptSubmitted", "preToolUse", "postToolUse", "agentStop"),
        "sessionEnd",
    ),
    launch='python3 "$COPILOT_PROJECT_DIR"/.github/hooks/SCRIPT',
    entry=_flat,
    denial=_permission,
    words=("--allow-all-tools", "--prompt"),
    env=lambda url: {
        "COPILOT_OFFLINE": "true",
        "COPILOT_ALLOW_ALL": "true",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": "none",
        "COPILOT_MODEL": "stub-model",
        "COPILOT_AUTO_UPDATE": "false",
    },
    user_files=_no_files,
    head=(("version", 1),),
)
QWEN = Client(
    name="qwen",
    package="@qwen-code/qwen-code",
    version="0.24.4",
    settings=".qwen/settings.json",
    events=_EVENTS,
    launch='python3 "$QWEN_PROJECT_DIR"/.qwen/hooks/SCRIPT',
    entry=_nested_in_ms,
    denial=_specific_permission,
    words=("--yolo", "--auth-type", "openai"),
    env=lambda url: {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "none",
        "OPENAI_MODEL": "stub-model",
    },
    user_files=_qwen_files,
)
CLIENTS = (CLAUDE, CODEX, GEMINI, COPILOT, QWEN)


def write_user_files(client: Client, home: Path, url: str, project: Path) -> None:
    """Write what a person's home directory has to say for a client to reach the model."""
    for name, text in client.user_files(url, project).items():
        write(home / name, text)
