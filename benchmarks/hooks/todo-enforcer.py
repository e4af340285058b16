#!/usr/bin/env python3
"""Stop: does not let the agent stop while its own todo list has open items.

The last TodoWrite of the transcript counts. An agent that is stopped again and
again must be able to end: after MAX_BLOCKS in a row, and when the harness says
that it is here because of us already, it goes.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
)

from hook_io import Event, allow, block, state
from transcript import tool_uses

MAX_BLOCKS = 3
MAX_SHOWN = 8
ICONS = {"pending": "☐", "in_progress": "◐", "completed": "☑"}
OPEN = ("in_progress", "pending")

EXCUSES = (
    "blocked by",
    "waiting for",
    "needs the user",
    "ask the user",
    "manual",
)


def last_todos(transcript):
    """Return the todo list as the agent last wrote it."""
    todos = []
    for _, tool_input in tool_uses(transcript, "TodoWrite"):
        value = tool_input.get("todos", [])
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                continue
        if isinstance(value, list):
            todos = [todo for todo in value if isinstance(todo, dict)]
    return todos


def is_open(todo):
    """Whether an item is left to do, and can be done."""
    if todo.get("status") not in OPEN:
        return False
    text = todo.get("content", "").lower()
    return not any(excuse in text for excuse in EXCUSES)


def blocks_file(session):
    return state(f"todo-{session[:8]}.json")


def blocks_so_far(path, digest):
    """Return how often we stopped it with this very list."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return data.get("count", 0) if data.get("list") == digest else 0


def signature(todos):
    """Return what changes when the agent makes progress."""
    return "".join(str(todo.get("status", "?"))[0] for todo in todos)


def message(todos, left, count):
    lines = [f"{len(left)} of {len(todos)} todo items are open:"]
    for todo in left[:MAX_SHOWN]:
        icon = ICONS.get(todo.get("status"), "?")
        lines.append(f"  {icon} {todo.get('content', '')[:100]}")
    if len(left) > MAX_SHOWN:
        lines.append(f"  … and {len(left) - MAX_SHOWN} more")
    lines.append("Go on with them, or mark as done what is done.")
    if count + 1 == MAX_BLOCKS:
        lines.append("(You may stop next time: say to the user what is left.)")
    return "\n".join(lines)


def main():
    event = Event.read()
    if event.data.get("stop_hook_active") and os.environ.get("TODO_ONCE"):
        allow()
    transcript = event.data.get("transcript_path")
    if not transcript:
        allow()
    todos = last_todos(transcript)
    left = [todo for todo in todos if is_open(todo)]
    if not left:
        allow()

    path = blocks_file(event.session)
    digest = signature(todos)
    count = blocks_so_far(path, digest)
    if count >= MAX_BLOCKS:
        print(
            f"todo-enforcer: gave up, {len(left)} items are open",
            file=sys.stderr,
        )
        allow()
    path.write_text(
        json.dumps({"list": digest, "count": count + 1}), encoding="utf-8"
    )
    block(message(todos, left, count))


if __name__ == "__main__":
    main()
