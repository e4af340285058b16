#!/usr/bin/env python3
"""PreToolUse: no edits and no commits on main; the agent makes a branch first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib.hook_io import Event, allow, block, project

PROTECTED = re.compile(
    os.environ.get("PROTECTED_BRANCHES", r"^(main|master|develop|release/.*)$")
)
WRITERS = {"Edit", "MultiEdit", "Write", "NotebookEdit"}
COMMITS = re.compile(
    r"\bgit\s+(?:-C\s+\S+\s+)?(?:commit|merge|rebase|cherry-pick|revert)\b"
)
OPEN_FOLDERS = (".claude", "docs", "notes", "scratch")


def current_branch(folder: Path) -> str | None:
    """Return the branch, None outside of repositories and on none."""
    try:
        done = subprocess.run(
            ["git", "symbolic-ref", "--short", "-q", "HEAD"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=2,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def suggestion(event: Event) -> str:
    """Return a name for the branch."""
    words = re.findall(
        r"[a-z0-9]+", str(event.file.stem if event.file else "work").lower()
    )
    return f"feature/{'-'.join(words[:4]) or 'work'}"


def is_concerned(event: Event) -> bool:
    if event.tool == "Bash":
        return bool(COMMITS.search(event.input.get("command", "")))
    if event.tool not in WRITERS or event.file is None:
        return False
    try:
        parts = event.file.relative_to(project()).parts
    except ValueError:
        return False
    return parts[0] not in OPEN_FOLDERS


def main() -> None:
    event = Event.read()
    if not is_concerned(event):
        allow()
    branch = current_branch(project())
    if branch is None or not PROTECTED.match(branch):
        allow()
    block(
        f"You are on {branch}, where nothing is changed directly.\n"
        f"First: git switch -c {suggestion(event)}"
    )


if __name__ == "__main__":
    main()
