#!/usr/bin/env python3
"""PreToolUse: no edit makes the linters laxer without the user knowing.

Compares the sections of pyproject.toml, setup.cfg, ruff.toml and tox.ini that
switch checks off before and after the edit.
"""

import configparser
import json
import os
import re
import sys
from pathlib import Path

try:
    import tomllib
except ImportError:  # before 3.11
    tomllib = None

WATCHED = {
    "pyproject.toml",
    "ruff.toml",
    "setup.cfg",
    "tox.ini",
    ".flake8",
    "mypy.ini",
}

LAX_KEYS = re.compile(
    r"(?:^|\.)(?:ignore|extend-ignore|per-file-ignores|exclude|extend-exclude|disable"
    r"|ignore_errors|ignore_missing_imports|omit|skip)(?:\.|$)"
)
STRICT_KEYS = re.compile(
    r"(?:^|\.)(?:select|extend-select|strict|fail_under|enable)(?:\.|$)"
)
THRESHOLDS = {
    "fail_under": 1,
    "max-complexity": -1,
    "line-length": -1,
    "max-args": -1,
}


def flatten(data, prefix=""):
    """Return nested tables as one: {"tool.ruff.line-length": 100}."""
    flat = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, name + "."))
        else:
            flat[name] = value
    return flat


def parse_ini(text):
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return {
        f"{section}.{key}": [
            v.strip() for v in re.split(r"[,\n]", value) if v.strip()
        ]
        for section in parser.sections()
        for key, value in parser.items(section)
    }


def parse(name, text):
    if name.endswith(".toml"):
        return flatten(tomllib.loads(text)) if tomllib else {}
    return parse_ini(text)


def as_set(value):
    return set(map(str, value)) if isinstance(value, list) else {str(value)}


def laxer(before, after):
    """Give what the new settings allow that the old ones did not."""
    for key in sorted(set(before) | set(after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        last = key.rpartition(".")[2]
        if last in THRESHOLDS and isinstance(old, (int, float)):
            if new is None or (new - old) * THRESHOLDS[last] < 0:
                yield f"{key}: {old} → {new}"
        elif LAX_KEYS.search(key) and new is not None:
            added = as_set(new) - (as_set(old) if old is not None else set())
            if added:
                yield f"{key}: + {', '.join(sorted(added))}"
        elif STRICT_KEYS.search(key) and old is not None:
            gone = as_set(old) - (as_set(new) if new is not None else set())
            if gone:
                yield f"{key}: − {', '.join(sorted(gone))}"


def edited(event, text):
    """Return the file's text as it will be."""
    tool_input = event["tool_input"]
    if event["tool_name"] == "Write":
        return tool_input.get("content", "")
    for edit in tool_input.get("edits") or [tool_input]:
        count = -1 if edit.get("replace_all") else 1
        text = text.replace(
            edit.get("old_string", ""), edit.get("new_string", ""), count
        )
    return text


def main():
    try:
        event = json.load(sys.stdin)
    except ValueError:
        return 0
    if event.get("tool_name") not in ("Edit", "MultiEdit", "Write"):
        return 0
    path = Path(event.get("tool_input", {}).get("file_path", ""))
    if path.name not in WATCHED or os.environ.get("ALLOW_LAX"):
        return 0
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return 0
    try:
        found = list(
            laxer(
                parse(path.name, text), parse(path.name, edited(event, text))
            )
        )
    except (ValueError, configparser.Error) as error:
        print(f"{path.name} would not parse: {error}", file=sys.stderr)
        return 2
    if found:
        reason = f"{path.name} gets laxer:\n" + "\n".join(
            f"  {line}" for line in found
        )
        print(
            json.dumps(
                {
                    "hookSpecificOutput": {
                        "hookEventName": "PreToolUse",
                        "permissionDecision": "ask",
                        "permissionDecisionReason": reason,
                    }
                },
                ensure_ascii=False,
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
