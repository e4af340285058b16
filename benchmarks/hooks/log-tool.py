#!/usr/bin/env python3
"""PostToolUse: appends one JSON line per tool call to .claude/logs/tools.jsonl.

The log answers “what did it do while I was away?” and feeds the weekly summary.
Long values are shortened, and nothing that looks like file content is kept.
"""

import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

MAX_VALUE = 300
SKIPPED_TOOLS = {"TodoRead", "ListMcpResources"}
CONTENT_KEYS = {"content", "new_string", "old_string", "new_source", "edits"}
MAX_BYTES = 5 * 1024 * 1024


def log_file():
    """Return where the log is: beside the project's other agent files."""
    project = os.environ.get("CLAUDE_PROJECT_DIR") or Path(__file__).resolve().parents[2]
    folder = Path(project) / ".claude" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "tools.jsonl"


def shorten(value):
    """Cut a string; leave what is no string."""
    if isinstance(value, str) and len(value) > MAX_VALUE:
        return value[:MAX_VALUE] + "…"
    return value


def summarize(tool_input):
    """Return a copy of the tool's input that is fit for a log."""
    summary = {}
    for key, value in sorted(tool_input.items()):
        if key in CONTENT_KEYS:
            summary[key] = f"<{len(str(value))} characters>"
        elif isinstance(value, dict):
            summary[key] = summarize(value)
        else:
            summary[key] = shorten(value)
    return summary


def outcome(event):
    response = event.get("tool_response")
    if isinstance(response, dict):
        if response.get("is_error") or response.get("error"):
            return "error"
        if response.get("interrupted"):
            return "interrupted"
    return "ok"


def rotate(path):
    """Keep one older log once the current one is large."""
    try:
        if path.stat().st_size > MAX_BYTES:
            os.replace(path, path.with_suffix(".1.jsonl"))
    except FileNotFoundError:
        pass


def main():
    try:
        event = json.load(sys.stdin)
    except json.JSONDecodeError:
        sys.exit(0)

    tool = event.get("tool_name", "?")
    if tool in SKIPPED_TOOLS:
        sys.exit(0)

    path = log_file()
    rotate(path)
    line = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "session": event.get("session_id", "")[:8],
        "tool": tool,
        "outcome": outcome(event),
        "input": summarize(event.get("tool_input", {})),
    }
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.exit(0)


if __name__ == "__main__":
    main()
