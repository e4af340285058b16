#!/usr/bin/env python3
"""Status line: model │ folder │ branch │ context │ cost │ lines changed.

The agent calls it several times a second while it works, so it reads .git by
itself and starts git only where there is something unusual.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

RESET = "\033[0m"
COLORS = {
    "dim": "\033[2m",
    "red": "\033[31m",
    "green": "\033[32m",
    "yellow": "\033[33m",
    "blue": "\033[34m",
    "magenta": "\033[35m",
    "cyan": "\033[36m",
}
BAR_WIDTH = 10
FULL, EMPTY = "█", "░"
SEPARATOR = " │ "
CONTEXT_SIZES = {"default": 200_000, "1m": 1_000_000}
USE_COLOR = "NO_COLOR" not in os.environ


def paint(text, color):
    if not USE_COLOR:
        return text
    return f"{COLORS[color]}{text}{RESET}"


def get(data, *keys, default=None):
    """Walk down nested dicts."""
    for key in keys:
        if not isinstance(data, dict) or key not in data:
            return default
        data = data[key]
    return data


def git_folder(start):
    """Return the .git folder for a path, or None outside of repositories."""
    for folder in [start, *start.parents]:
        candidate = folder / ".git"
        if candidate.is_dir():
            return candidate
        if candidate.is_file():
            text = candidate.read_text(errors="replace")
            if text.startswith("gitdir: "):
                return (folder / text[len("gitdir: ") :].strip()).resolve()
    return None


def branch_by_git(cwd):
    """Ask git: slow, for what the files do not tell."""
    try:
        done = subprocess.run(
            ["git", "describe", "--all", "--always"],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=1,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    return done.stdout.strip() or "?"


def branch(cwd):
    """Return the branch, or the short hash of a detached HEAD."""
    folder = git_folder(cwd)
    if folder is None:
        return None
    try:
        head = (folder / "HEAD").read_text().strip()
    except OSError:
        return None
    match = re.match(r"ref: refs/heads/(.+)", head)
    if match:
        return match.group(1)
    if re.fullmatch(r"[0-9a-f]{40,64}", head):
        return head[:7]
    return branch_by_git(cwd)


def state(cwd):
    """Return what git is in the middle of."""
    folder = git_folder(cwd)
    if folder is None:
        return ""
    marks = {
        "rebase-merge": "rebasing",
        "rebase-apply": "applying",
        "MERGE_HEAD": "merging",
        "CHERRY_PICK_HEAD": "picking",
        "BISECT_LOG": "bisecting",
    }
    for name, text in marks.items():
        if (folder / name).exists():
            return text
    return ""


def tokens_used(transcript):
    """Return the tokens of the last answer's context."""
    try:
        with open(transcript, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65_536))
            tail = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return 0
    for line in reversed(tail):
        if '"usage"' not in line:
            continue
        try:
            usage = get(json.loads(line), "message", "usage", default={})
        except ValueError:
            continue
        return sum(
            usage.get(name, 0)
            for name in (
                "input_tokens",
                "cache_read_input_tokens",
                "cache_creation_input_tokens",
            )
        )
    return 0


def bar(share):
    filled = min(BAR_WIDTH, int(share * BAR_WIDTH + 0.5))
    color = "green" if share < 0.5 else "yellow" if share < 0.8 else "red"
    return paint(FULL * filled + EMPTY * (BAR_WIDTH - filled), color) + f" {share:.0%}"


def short_path(path, home):
    text = str(path)
    if home and text.startswith(home):
        text = "~" + text[len(home) :]
    parts = text.split("/")
    if len(parts) > 4:
        text = "/".join([parts[0], "…", *parts[-2:]])
    return text


def changes(data):
    added = get(data, "cost", "total_lines_added", default=0)
    removed = get(data, "cost", "total_lines_removed", default=0)
    if not added and not removed:
        return None
    return paint(f"+{added}", "green") + " " + paint(f"−{removed}", "red")


def segments(data):
    cwd = Path(get(data, "workspace", "current_dir", default=".") or ".")
    yield "🤖 " + paint(get(data, "model", "display_name", default="?"), "cyan")
    yield "📁 " + paint(short_path(cwd.name or cwd, os.environ.get("HOME")), "blue")
    name = branch(cwd)
    if name:
        doing = state(cwd)
        yield "🌿 " + paint(name + (f" ({doing})" if doing else ""), "magenta")
    size = CONTEXT_SIZES["1m" if "1m" in get(data, "model", "id", default="") else "default"]
    used = tokens_used(get(data, "transcript_path", default=""))
    yield bar(used / size)
    cost = get(data, "cost", "total_cost_usd")
    if cost:
        yield paint(f"${cost:.2f}", "yellow")
    changed = changes(data)
    if changed:
        yield changed


def main():
    try:
        data = json.load(sys.stdin)
    except ValueError:
        print("status line: no data")
        return
    sys.stdout.reconfigure(encoding="utf-8")
    print(paint(SEPARATOR, "dim").join(segments(data)))


if __name__ == "__main__":
    main()
