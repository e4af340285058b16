"""Hooks in the shapes that public repositories hold, written for the measurements."""

from __future__ import annotations

TEN_LINES = """\
import sys


def main():
    payload = sys.stdin.read()
    if "rm -rf /" in payload:
        print("blocked: rm -rf /", file=sys.stderr)
        return 2
    return 0
sys.exit(main())
"""

_HEAD = '''\
#!/usr/bin/env python3
"""Checks every shell command of the agent against the project's rules."""

import json
import re
import sys
from pathlib import Path

RULES = {
    "force push": r"git\\s+push\\s+.*--force",
    "recursive removal": r"rm\\s+-[a-z]*r[a-z]*f",
    "world-writable": r"chmod\\s+(-R\\s+)?777",
}


def load(stream):
    """Return the event as a dict; an empty one if there is none."""
    text = stream.read()
    return json.loads(text) if text.strip() else {}
'''

_CHECK = '''

def check_{0}(event, directory):
    """Return why rule {0} objects to the event, or None."""
    command = event.get("tool_input", {{}}).get("command", "")
    for name, pattern in RULES.items():
        if re.search(pattern, command) and len(command) > {0}:
            return "%s (rule {0}): %s" % (name, command[:80])
    if directory / "{0}.txt" == Path(command):
        return "rule {0} protects its file"
    return None
'''

_TAIL = """

def main():
    event = load(sys.stdin)
    directory = Path(event.get("cwd", "."))
    checks = [value for name, value in sorted(globals().items()) if name.startswith("check_")]
    objections = [text for text in (check(event, directory) for check in checks) if text]
    if objections:
        print("\\n".join(objections), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
"""

# 144 lines, which is the median of public hooks; json, re, pathlib, which are the usual imports.
USUAL = _HEAD + "".join(_CHECK.format(number) for number in range(10)) + _TAIL

EVENT = b'{"tool_name": "Bash", "tool_input": {"command": "ls -la"}, "cwd": "/tmp"}'
