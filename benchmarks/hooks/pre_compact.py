#!/usr/bin/env python3
"""PreCompact: saves what a summary tends to lose.

Files that were touched, commands that failed, decisions ("we will ...", "let's
..."), open todos, and what git says. The note goes to .claude/state/compact.md,
which the SessionStart hook shows again.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter, deque
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.hook_io import Event, project, state
from lib.transcript import blocks, lines, text_of

DECISION = re.compile(
    r"(?im)^.*\b(?:we(?:'ll| will)|let(?:'s| us)|decided to|instead of|the plan is)\b.*$"
)
WIDTH = 92
MAX_DECISIONS = 8
MAX_FILES = 20
MAX_FAILURES = 6
EDITORS = {"Edit", "MultiEdit", "Write", "NotebookEdit"}


class Session:
    """What is worth keeping of a transcript."""

    def __init__(self):
        self.edited = Counter()
        self.read = Counter()
        self.failures = deque(maxlen=MAX_FAILURES)
        self.decisions = deque(maxlen=MAX_DECISIONS)
        self.todos = []
        self.prompts = 0
        self._commands = {}

    def add(self, record):
        if record.get("type") == "user" and text_of(record):
            self.prompts += 1
        if record.get("type") == "assistant":
            for match in DECISION.finditer(text_of(record)):
                self.decisions.append(match.group().strip())
        for block in blocks(record):
            if block.get("type") == "tool_use":
                self.add_call(block)
            elif block.get("type") == "tool_result" and block.get("is_error"):
                self.failures.append(
                    self._commands.get(block.get("tool_use_id"), "?")
                )

    def add_call(self, block):
        name, given = block.get("name"), block.get("input", {})
        if name in EDITORS:
            self.edited[given.get("file_path", "?")] += 1
        elif name == "Read":
            self.read[given.get("file_path", "?")] += 1
        elif name == "TodoWrite":
            self.todos = given.get("todos", [])
        elif name == "Bash":
            self._commands[block.get("id")] = given.get("command", "")[:200]


def git_summary(root):
    """Return the changed files as git lists them."""
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"git: {error}"]
    return done.stdout.splitlines()[:MAX_FILES]


def section(title, rows):
    rows = list(rows)
    if not rows:
        return ""
    body = "\n".join(
        textwrap.fill(row, WIDTH, initial_indent="- ", subsequent_indent="  ")
        for row in rows
    )
    return f"\n## {title}\n\n{body}\n"


def shown(path, root):
    return os.path.relpath(path, root) if os.path.isabs(path) else path


def note(session, root, trigger):
    """Return the note as Markdown."""
    edited = [
        f"{shown(p, root)} ×{n}"
        for p, n in session.edited.most_common(MAX_FILES)
    ]
    read = [shown(p, root) for p in session.read if p not in session.edited]
    todos = [
        f"[{'x' if todo.get('status') == 'completed' else ' '}] {todo.get('content', '')}"
        for todo in session.todos
    ]
    parts = [
        f"# Before compaction ({trigger}), {datetime.now():%Y-%m-%dT%H:%M}\n",
        f"\n{session.prompts} prompts so far.\n",
        section("Edited", edited),
        section("Read", read[:MAX_FILES]),
        section("Failed", session.failures),
        section("Decided", dict.fromkeys(session.decisions)),
        section("Todo", todos),
        section("git status", git_summary(root)),
    ]
    return "".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--print", action="store_true", dest="show", help="on stdout, too"
    )
    parser.add_argument("--json", action="store_true", help="counts on stdout")
    options = parser.parse_args()
    event = Event.read()

    session = Session()
    for record in lines(event.data.get("transcript_path", "")):
        session.add(record)
    text = note(session, str(project()), event.data.get("trigger", "manual"))
    state("compact.md").write_text(text, encoding="utf-8")

    if options.show:
        print(text)
    if options.json:
        counts = {
            "edited": len(session.edited),
            "decisions": len(session.decisions),
        }
        print(json.dumps(counts, sort_keys=True))


if __name__ == "__main__":
    main()
