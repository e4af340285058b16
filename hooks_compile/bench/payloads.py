"""What an agent or git sends to a hook: sample events, as the agents' documentation shows them.

https://code.claude.com/docs/en/hooks; the other agents' events have the same shape or are near it.
Claude Code, Codex, Gemini CLI and Qwen Code name the event ``hook_event_name``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_TOOLS: Final[dict[str, dict[str, object]]] = {
    "Bash": {"command": "git status --short", "description": "Show what changed"},
    "Edit": {"file_path": "@PROJECT@/README.md", "old_string": "one", "new_string": "two"},
    "MultiEdit": {
        "file_path": "@PROJECT@/README.md",
        "edits": [{"old_string": "one", "new_string": "two"}],
    },
    "Write": {"file_path": "@PROJECT@/notes.txt", "content": "one\ntwo\n"},
    "Read": {"file_path": "@PROJECT@/README.md"},
    "Glob": {"pattern": "**/*.py"},
    "Grep": {"pattern": "def main", "path": "@PROJECT@"},
    "WebFetch": {"url": "https://docs.python.org/3/", "prompt": "Summarize it"},
    "WebSearch": {"query": "python start-up time"},
    "Task": {
        "description": "Look around",
        "prompt": "List the modules",
        "subagent_type": "explore",
    },
    "TodoWrite": {
        "todos": [{"content": "measure", "status": "pending", "activeForm": "measuring"}]
    },
    "run_shell_command": {"command": "git status --short"},
    "write_file": {"file_path": "@PROJECT@/notes.txt", "content": "one\ntwo\n"},
    "replace": {"file_path": "@PROJECT@/README.md", "old_string": "one", "new_string": "two"},
}
_TOOL_EVENTS: Final = frozenset(
    {"PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest"}
    | {"BeforeTool", "AfterTool", "preToolUse", "postToolUse"}
)
_FIELDS: Final[dict[str, dict[str, object]]] = {
    "UserPromptSubmit": {"prompt": "Why is the parser slow?"},
    "userPromptSubmitted": {"prompt": "Why is the parser slow?"},
    "BeforeAgent": {"prompt": "Why is the parser slow?"},
    "beforeSubmitPrompt": {"prompt": "Why is the parser slow?", "attachments": []},
    "beforeShellExecution": {"command": "git status --short"},
    "afterShellExecution": {"command": "git status --short", "output": " M README.md\n"},
    "beforeReadFile": {"file_path": "@PROJECT@/README.md", "content": "one\n"},
    "afterFileEdit": {
        "file_path": "@PROJECT@/README.md",
        "edits": [{"old_string": "one", "new_string": "two"}],
    },
    "SessionStart": {"source": "startup"},
    "SessionEnd": {"reason": "other"},
    "Notification": {"message": "waiting for your input"},
    "PreCompact": {"trigger": "auto", "custom_instructions": ""},
    "Stop": {"stop_hook_active": False},
    "SubagentStop": {"stop_hook_active": False, "agent_type": "explore"},
    "statusLine": {
        "model": {"id": "sonnet", "display_name": "Sonnet"},
        "workspace": {"current_dir": "@PROJECT@", "project_dir": "@PROJECT@"},
        "cost": {"total_cost_usd": 0.42, "total_lines_added": 156, "total_lines_removed": 23},
    },
}
_ZERO, _ONE, _TWO = "0" * 40, "1" * 40, "2" * 40
_GIT: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "applypatch-msg": (("@MESSAGE@",), ""),
    "commit-msg": (("@MESSAGE@",), ""),
    "prepare-commit-msg": (("@MESSAGE@", "message"), ""),
    "post-checkout": ((_ONE, _TWO, "1"), ""),
    "post-merge": (("0",), ""),
    "post-rewrite": (("rebase",), f"{_ONE} {_TWO}\n"),
    "pre-push": (
        ("origin", "https://example.invalid/project.git"),
        f"refs/heads/work {_ONE} refs/heads/work {_ZERO}\n",
    ),
    "pre-rebase": (("main",), ""),
    "pre-receive": ((), f"{_ONE} {_TWO} refs/heads/main\n"),
    "update": (("refs/heads/main", _ONE, _TWO), ""),
}


class Payload(NamedTuple):
    """What a hook gets: ``about`` says in a few words which event it is."""

    about: str
    arguments: tuple[str, ...] = ()
    stdin: str = ""

    def place(self, project: Path, message: Path) -> Payload:
        """Return the payload for a copy of the project; ``message`` is a commit message's file."""

        def placed(text: str) -> str:
            return text.replace("@PROJECT@", str(project)).replace("@MESSAGE@", str(message))

        return Payload(self.about, tuple(map(placed, self.arguments)), placed(self.stdin))


def of_event(event: str, matcher: str = "", arguments: tuple[str, ...] = ()) -> Payload:
    """Return what an agent sends for ``event``; ``matcher`` chooses the tool that it is about."""
    fields: dict[str, object] = {
        "session_id": "5f2b6c1e-0000-4000-8000-000000000000",
        "transcript_path": "@PROJECT@/transcript.jsonl",
        "cwd": "@PROJECT@",
        "permission_mode": "default",
        "hook_event_name": event,
        **_FIELDS.get(event, {}),
    }
    about = event
    if event in _TOOL_EVENTS:
        tool = _tool(matcher)
        about = f"{event} {tool}"
        fields |= {"tool_name": tool, "tool_input": _TOOLS[tool], "tool_use_id": "toolu_01"}
        if event in ("PostToolUse", "AfterTool", "postToolUse"):
            fields["tool_response"] = {"stdout": "", "stderr": "", "interrupted": False}
    return Payload(about, arguments, json.dumps(fields))


def of_git(hook: str) -> Payload:
    """Return what git gives to the hook of this name (githooks(5))."""
    arguments, stdin = _GIT.get(hook, ((), ""))
    return Payload(f"git {hook}", arguments, stdin)


def _tool(matcher: str) -> str:
    """Return the first tool that the matcher names; Bash if that is none of ours."""
    named = [tool for tool in _TOOLS if tool in matcher]
    return min(named, key=matcher.index, default="Bash")
