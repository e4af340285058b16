#!/usr/bin/env python3
"""SessionStart: tells the agent where it is.

Prints branch, uncommitted files, open notes and the project's own checklist as
additionalContext. Everything is optional: what is not there is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lib"))

from hook_io import Event, project, state  # noqa: E402

TIMEOUT = 3
MAX_FILES = 15
MAX_NOTE_LINES = 20
NOTES = ("TODO.md", "NOTES.md", "docs/TODO.md", ".claude/notes.md")
MARKERS = {
    "pyproject.toml": "Python",
    "package.json": "Node",
    "Cargo.toml": "Rust",
    "go.mod": "Go",
    "pom.xml": "Java",
    "Gemfile": "Ruby",
    "composer.json": "PHP",
}


def git(*words: str, cwd: Path) -> str | None:
    """Return what git prints, None where it fails."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_")
    }
    env["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def describe_git(root: Path) -> list[str]:
    """Return lines about the repository."""
    branch = git("symbolic-ref", "--short", "-q", "HEAD", cwd=root)
    if branch is None:
        return ["Not on a branch."]
    lines = [f"Branch: {branch}"]
    if not (root / ".git" / "index").exists():
        lines.append("Nothing is committed yet.")
        return lines
    status = git("status", "--porcelain", cwd=root)
    files = status.splitlines() if status else []
    if not files:
        lines.append("The work tree is clean.")
        return lines
    lines.append(f"Uncommitted: {len(files)}")
    lines += [f"  {line}" for line in files[:MAX_FILES]]
    if len(files) > MAX_FILES:
        lines.append(f"  ... and {len(files) - MAX_FILES} more")
    return lines


def describe_languages(root: Path) -> list[str]:
    found = [
        language
        for marker, language in MARKERS.items()
        if (root / marker).exists()
    ]
    return [f"Languages: {', '.join(found)}"] if found else []


def describe_notes(root: Path) -> list[str]:
    """Return the open items of the first file of notes."""
    for name in NOTES:
        path = root / name
        if not path.is_file():
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        items = [
            line.strip()
            for line in lines
            if line.lstrip().startswith(("- [ ]", "* [ ]"))
        ]
        if items:
            return [
                f"Open in {name}:",
                *(f"  {item}" for item in items[:MAX_NOTE_LINES]),
            ]
    return []


def remember(event: Event) -> int:
    """Count this session, and return the number."""
    path = state("sessions.json")
    try:
        sessions = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        sessions = []
    if event.session not in sessions:
        sessions.append(event.session)
        path.write_text(json.dumps(sessions[-100:]), encoding="utf-8")
    return len(sessions)


def export(path: str | None, values: dict[str, str]) -> None:
    """Hand variables to the commands of the session."""
    if not path:
        return
    with open(path, "a", encoding="utf-8") as file:
        for name, value in values.items():
            file.write(f"export {name}='{value}'\n")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-git", action="store_true", help="leave git out")
    parser.add_argument(
        "--plain", action="store_true", help="text instead of JSON"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(sys.argv[1:] if arguments is None else arguments)
    event = Event.read()
    if event.data.get("source") == "compact":
        return 0
    root = project()
    lines = [f"Session number {remember(event)} in this project."]
    lines += describe_languages(root)
    if not options.no_git and (root / ".git").exists():
        lines += describe_git(root)
    lines += describe_notes(root)
    export(os.environ.get("CLAUDE_ENV_FILE"), {"AGENT_SESSION": event.session})
    if options.plain:
        print("\n".join(lines))
        return 0
    print(
        json.dumps(
            {
                "hookSpecificOutput": {
                    "hookEventName": "SessionStart",
                    "additionalContext": "\n".join(lines),
                }
            }
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
