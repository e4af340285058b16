"""The files of the project that ``demo`` makes, and the edits that it makes to them."""

from __future__ import annotations

import json

HOOKS = ".claude/hooks"
GUARD, LOG = "guard.py", "log.py"

_GUARD = r'''#!/usr/bin/env python3
"""Blocks shell commands whose damage nobody can undo (PreToolUse, Bash)."""
import json
import re
import sys

RULES = [
    (r"\brm\s+(-\w+\s+)*-\w*[rR]\w*\s+[\"']?(~|/|\$HOME)/?\*?[\"']?(\s|$)", "removes everything"),
    (r"\bmkfs(\.\w+)?\b", "makes a new file system"),
    (r"\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+)?(ba|z|da)?sh\b", "runs what a server sends"),
    (r"\bgit\s+(reset\s+--hard|clean\s+-\w*f)", "throws away work that was never committed"),
]


def main() -> int:
    event = json.load(sys.stdin)
    command = event["tool_input"].get("command", "")
    for pattern, reason in RULES:
        if re.search(pattern, command):
            print(f"guard: blocked, because it {reason}: {command}", file=sys.stderr)
            return 2
    return 0


sys.exit(main())
'''

_LOG = r'''#!/usr/bin/env python3
"""Appends one line of JSON for each tool call (PostToolUse)."""
import datetime
import json
import os
import sys
from pathlib import Path


def main() -> int:
    event = json.load(sys.stdin)
    if event["tool_name"] == "TodoWrite":
        return 0
    now = datetime.datetime.now(datetime.timezone.utc)
    record = {"time": now.isoformat(), "tool": event["tool_name"], "input": event["tool_input"]}
    with Path(os.environ["CLAUDE_PROJECT_DIR"], ".claude", "log.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    return 0


sys.exit(main())
'''


def command(hook: str) -> str:
    """Return the command with which the settings of the project launch a hook."""
    directory = f'"$CLAUDE_PROJECT_DIR"/{HOOKS}'
    return f"sh {directory}/hook_wrapper.sh {directory}/{hook}"


def _handlers(matcher: str, hook: str) -> list[dict[str, object]]:
    return [{"matcher": matcher, "hooks": [{"type": "command", "command": command(hook)}]}]


_SETTINGS = {"PreToolUse": _handlers("Bash", GUARD), "PostToolUse": _handlers("*", LOG)}

FILES = {
    ".claude/settings.json": json.dumps({"hooks": _SETTINGS}, indent=2) + "\n",
    f"{HOOKS}/{GUARD}": _GUARD,
    f"{HOOKS}/{LOG}": _LOG,
    ".gitignore": ".claude/log.jsonl\n",
}
# The edits: what is there, and what replaces it.
STRICTER = (
    "\n]\n",
    '\n    (r"\\bgit\\s+push\\b.*--force\\b", "overwrites the history of others"),\n]\n',
)
BROKEN = ('if event["tool_name"] == "TodoWrite":', 'if event["tool_name"] = "TodoWrite":')
