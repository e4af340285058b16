#!/usr/bin/env python3
"""
UserPromptSubmit: keeps what was asked, so that a later session can pick it up.

Every prompt goes into .claude/context/<session>.json, redacted where the
redaction module is there, together with the files and tickets it names. The
last few are printed, which makes them part of the agent's context.
"""

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

try:
    from redaction import redact
except ImportError:

    def redact(text):
        return text, 0


KEEP = 50
SHOWN = 3
MAX_PROMPT = 4000

FILE_NAME = re.compile(
    r"(?<![\w/])(?:[\w.-]+/)*[\w-]+\.(?:py|js|ts|tsx|go|rs|md|toml|json|ya?ml)\b"
)
TICKET = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-\d{1,6}\b")
ISSUE = re.compile(r"(?<!\w)#(\d{1,6})\b")
URL = re.compile(r"https?://[^\s<>\"')\]]+")

CATEGORIES = {
    "bug": ("fix", "bug", "broken", "crash", "error", "fails", "regression"),
    "feature": ("add", "implement", "support", "create", "new"),
    "refactoring": (
        "refactor",
        "clean",
        "rename",
        "extract",
        "simplify",
        "move",
    ),
    "test": ("test", "coverage", "assert", "fixture"),
    "question": ("why", "how", "what", "explain", "where"),
}


def context_file(event):
    base = Path(event.get("cwd") or os.getcwd())
    folder = base / ".claude" / "context"
    folder.mkdir(parents=True, exist_ok=True)
    session = re.sub(r"[^\w-]", "_", event.get("session_id", "unknown"))
    return folder / f"{session}.json"


def load(path):
    """Return the prompts so far; a damaged file starts anew."""
    if not path.exists():
        return []
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return []
    return data.get("prompts", []) if isinstance(data, dict) else []


def save(path, prompts):
    """Replace the file in one step."""
    draft = path.with_suffix(".tmp")
    draft.write_text(
        json.dumps(
            {"version": 1, "prompts": prompts}, indent=2, ensure_ascii=False
        ),
        encoding="utf-8",
    )
    os.replace(draft, path)


def categorize(text):
    """Return the category whose words occur most often."""
    words = re.findall(r"[a-z]+", text.lower())
    counts = {
        name: sum(words.count(word) for word in known)
        for name, known in CATEGORIES.items()
    }
    best = max(counts, key=counts.get)
    return best if counts[best] else "other"


def unique(values):
    return list(dict.fromkeys(values))


def references(text):
    """Return what the prompt points at."""
    found = {
        "files": unique(FILE_NAME.findall(text)),
        "tickets": unique(TICKET.findall(text)),
        "issues": unique(ISSUE.findall(text)),
        "links": unique(URL.findall(text)),
    }
    return {name: values for name, values in found.items() if values}


def record(event):
    """Return the prompt as it is kept."""
    text, hidden = redact(event.get("prompt", ""))
    return {
        "at": datetime.now().isoformat(),
        "text": text[:MAX_PROMPT],
        "hidden": hidden,
        "category": categorize(text),
        "references": references(text),
    }


def show(prompts):
    """Print the last few prompts for the agent."""
    print(f"Prompts of this session: {len(prompts)}")
    for prompt in prompts[-SHOWN:]:
        first = (
            prompt["text"].strip().splitlines()[0]
            if prompt["text"].strip()
            else "—"
        )
        print(f"• [{prompt['category']}] {first[:100]}")
        files = prompt.get("references", {}).get("files", [])
        if files:
            print(f"  ↳ {', '.join(files[:5])}")


def main():
    try:
        event = json.load(sys.stdin)
    except json.JSONDecodeError:
        sys.exit(0)
    if not event.get("prompt", "").strip():
        sys.exit(0)
    path = context_file(event)
    prompts = load(path)
    prompts.append(record(event))
    prompts = prompts[-KEEP:]
    try:
        save(path, prompts)
    except OSError as error:
        print(f"context is not kept: {error}", file=sys.stderr)
    show(prompts)
    sys.exit(0)


if __name__ == "__main__":
    main()
