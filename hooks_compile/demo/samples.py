"""The files of the project that ``demo`` makes, and the edit that it makes to its hook."""

from __future__ import annotations

import json

GUARD = ".claude/hooks/guard.py"
SETTINGS = ".claude/settings.json"

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
_HOOK = {
    "type": "command",
    "command": f'python3 "$CLAUDE_PROJECT_DIR"/{GUARD}',
    "timeout": 10,
    "onFailure": "block",
}
_EVENTS = {"PreToolUse": [{"matcher": "Bash", "hooks": [_HOOK]}]}

FILES = {SETTINGS: json.dumps({"hooks": _EVENTS}, indent=2) + "\n", GUARD: _GUARD}
# What is there, and what replaces it.
STRICTER = (
    "\n]\n",
    '\n    (r"\\bgit\\s+push\\b.*--force\\b", "overwrites the history of others"),\n]\n',
)
