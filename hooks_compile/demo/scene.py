"""The project that ``demo`` makes: the texts of its files, and the events that its hooks get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOKS = ".claude/hooks"
GUARD, LOG, CONTEXT = "guard.py", "log.py", "context.py"

_GUARD = r'''#!/usr/bin/env python3
"""Blocks shell commands whose damage nobody can undo (PreToolUse, Bash)."""

from __future__ import annotations

import json
import re
import sys
from pathlib import PurePosixPath

RULES = [
    (r"\bmkfs(\.\w+)?\b", "makes a new file system"),
    (r"\bdd\b.*\bof=/dev/(sd|nvme|vd|disk)", "writes over a disk"),
    (r">\s*/dev/(sd|nvme|vd|disk)", "writes over a disk"),
    (r":\(\)\s*\{.*\};\s*:", "is a fork bomb"),
    (r"\bchmod\s+(-\w+\s+)*777\s+/(\s|$)", "opens the whole system to everybody"),
    (r"\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+)?(ba|z|da)?sh\b", "runs what a server sends"),
    (r"\bgit\s+(reset\s+--hard|clean\s+-\w*f)", "throws away work that was never committed"),
]
KEPT = {PurePosixPath("/"), PurePosixPath("/etc"), PurePosixPath("/home"), PurePosixPath("/usr")}


def removed_folders(command: str) -> list[str]:
    """The arguments of every `rm -r` in the command."""
    found = []
    for part in re.split(r"&&|\|\||[;|&\n]", command):
        words = part.split()
        while words and (words[0] == "sudo" or "=" in words[0]):
            words = words[1:]
        if words and words[0] == "rm":
            options = [word for word in words[1:] if word.startswith("-")]
            if any("r" in word.lower() for word in options):
                found += [word for word in words[1:] if not word.startswith("-")]
    return found


def is_kept(folder: str) -> bool:
    folder = folder.strip("\"'")
    if folder.rstrip("/*") in ("~", "$HOME", "${HOME}"):
        return True
    path = PurePosixPath(folder[:-1] if folder.endswith("*") else folder)
    return path in KEPT


def why_blocked(command: str) -> str | None:
    for folder in removed_folders(command):
        if is_kept(folder):
            return f"removes {folder}"
    for pattern, reason in RULES:
        if re.search(pattern, command):
            return reason
    return None


def main() -> int:
    try:
        event = json.load(sys.stdin)
    except ValueError as error:
        print(f"guard: the event is no JSON: {error}", file=sys.stderr)
        return 2
    if event.get("tool_name") != "Bash":
        return 0
    command = event.get("tool_input", {}).get("command", "")
    reason = why_blocked(command)
    if reason is None:
        return 0
    print(f"guard: blocked, because it {reason}: {command}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
'''

_LOG = r'''#!/usr/bin/env python3
"""Appends one line of JSON for each tool call (PostToolUse)."""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path

LARGEST = 4 << 20
LONGEST = 200


def log_file() -> Path:
    root = os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd()
    return Path(root, ".claude", "log.jsonl")


def shortened(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST:
        return value[:LONGEST] + "..."
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value[:20]]
    return value


def rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(path.with_suffix(".old.jsonl"))


def main() -> int:
    event = json.load(sys.stdin)
    tool = event.get("tool_name", "")
    if tool == "TodoWrite":
        return 0
    record = {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "session": event.get("session_id"),
        "tool": tool,
        "input": shortened(event.get("tool_input", {})),
    }
    path = log_file()
    rotate(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

_CONTEXT = r'''#!/usr/bin/env python3
"""Keeps what the user asked for, without secrets, and tells the agent (UserPromptSubmit)."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

try:
    from redaction import redact
except ImportError:

    def redact(text: str) -> str:
        return text


KEPT = 50


def remember(root: Path, prompt: str) -> int:
    path = root / ".claude" / "prompts.json"
    try:
        prompts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        prompts = []
    prompts.append({"time": int(time.time()), "prompt": prompt})
    prompts = prompts[-KEPT:]
    path.write_text(json.dumps(prompts, indent=1), encoding="utf-8")
    return len(prompts)


def main() -> int:
    event = json.load(sys.stdin)
    root = Path(os.environ.get("CLAUDE_PROJECT_DIR") or event.get("cwd") or ".")
    prompt = redact(event.get("prompt", ""))
    count = remember(root, prompt)
    print(f"Prompt {count} of this project: {prompt}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

_REDACTION = r'''"""Takes secrets out of a text."""

from __future__ import annotations

import re

SECRETS = [
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
    re.compile(r"(?i)(?<=password=)\S+"),
]


def redact(text: str) -> str:
    for secret in SECRETS:
        text = secret.sub("[redacted]", text)
    return text
'''


def _command(hook: str) -> str:
    folder = f'"$CLAUDE_PROJECT_DIR"/{HOOKS}'
    return f"sh {folder}/hook_wrapper.sh {folder}/{hook}"


def _handler(hook: str, matcher: str) -> list[dict[str, object]]:
    return [{"matcher": matcher, "hooks": [{"type": "command", "command": _command(hook)}]}]


SETTINGS = {
    "hooks": {
        "PreToolUse": _handler(GUARD, "Bash"),
        "PostToolUse": _handler(LOG, "*"),
        "UserPromptSubmit": _handler(CONTEXT, ""),
    }
}

FILES: Mapping[str, str] = {
    ".claude/settings.json": json.dumps(SETTINGS, indent=2) + "\n",
    f"{HOOKS}/{GUARD}": _GUARD,
    f"{HOOKS}/{LOG}": _LOG,
    f"{HOOKS}/{CONTEXT}": _CONTEXT,
    f"{HOOKS}/redaction.py": _REDACTION,
    ".gitignore": "__pycache__/\n.claude/*.json*\n!.claude/settings.json\n",
}
ABOUT: Mapping[str, str] = {
    ".claude/settings.json": "the agent's configuration: three hooks",
    f"{HOOKS}/{GUARD}": "blocks dangerous shell commands",
    f"{HOOKS}/{LOG}": "writes a line for each tool call",
    f"{HOOKS}/{CONTEXT}": "keeps prompts, and imports ...",
    f"{HOOKS}/redaction.py": "... what takes secrets out of them",
}

# The edits that the demo makes: (what is there, what comes in its place).
STRICTER = (
    "\n]\nKEPT",
    '\n    (r"\\bgit\\s+push\\b.*--force\\b", "writes over the history of others"),\n]\nKEPT',
)
BROKEN = ('if tool == "TodoWrite":', 'if tool = "TodoWrite":')


@dataclass(frozen=True, slots=True)
class Event:
    """What an agent gives to a hook: ``name`` is the event's, ``hook`` the script it runs."""

    name: str
    hook: str
    about: str
    input: Mapping[str, object]

    @property
    def command(self) -> str:
        """The command that the settings name for the event."""
        return _command(self.hook)

    def stdin(self, project: str) -> bytes:
        """Return the JSON that the agent writes to the hook's stdin."""
        shared = {"session_id": "demo", "cwd": project, "hook_event_name": self.name}
        return json.dumps({**shared, **self.input}).encode()


def _tool(name: str, hook: str, command: str) -> Event:
    return Event(name, hook, command, {"tool_name": "Bash", "tool_input": {"command": command}})


STATUS = _tool("PreToolUse", GUARD, "git status")
REMOVE = _tool("PreToolUse", GUARD, "rm -rf ~/")
FORCE = _tool("PreToolUse", GUARD, "git push --force")
DONE = _tool("PostToolUse", LOG, "git status")
PROMPT = Event(
    "UserPromptSubmit",
    CONTEXT,
    "a prompt that holds a token",
    {"prompt": "deploy with ghp_aBcDeFgHiJkLmNoPqRsTuVwX"},
)
