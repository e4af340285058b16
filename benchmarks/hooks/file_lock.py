#!/usr/bin/env python3
"""PreToolUse: files that nobody may edit, some that only tests or generators may.

.claude/locked.txt holds one rule a line:

    migrations/*.sql                  locked
    src/generated/**                  locked: run "make generate" instead
    !src/generated/README.md          open again
    docs/api.md            ask        the user is asked
"""

import fnmatch
import os
import re
import sys
from pathlib import Path, PurePosixPath

HOOKS_DIR = Path(__file__).resolve().parent
sys.path.insert(0, str(HOOKS_DIR))

from lib.hook_io import Event, allow, answer, block, project

WRITERS = {"Edit", "MultiEdit", "Write", "NotebookEdit"}

DEFAULT_RULES = """
*.lock                  locked: let the package manager write it
package-lock.json       locked: let the package manager write it
.git/**                 locked
.github/workflows/*     ask
migrations/*.sql        locked: add a new migration
**/__snapshots__/*      locked: run the tests with --update
LICENSE                 ask
"""

RULE = re.compile(
    r"""
    ^(?P<open>!)?
    (?P<pattern>\S+)
    (?:\s+(?P<kind>locked|ask))?
    (?:\s*:\s*(?P<hint>.+))?$
    """,
    re.VERBOSE,
)


class Rule:
    """A pattern, what it does, and a hint for the agent."""

    def __init__(self, pattern, kind, hint=None):
        self.pattern = pattern
        self.kind = kind
        self.hint = hint

    def matches(self, relative):
        """Whether it is about the file; a pattern without a slash matches in any folder."""
        name = str(relative)
        if "/" not in self.pattern:
            return fnmatch.fnmatch(relative.name, self.pattern)
        if self.pattern.endswith("/**"):
            return name.startswith(self.pattern[:-2])
        if self.pattern.startswith("**/"):
            return any(
                fnmatch.fnmatch("/".join(relative.parts[i:]), self.pattern[3:])
                for i in range(len(relative.parts))
            )
        return fnmatch.fnmatch(name, self.pattern)

    def __repr__(self):
        return f"Rule({self.pattern!r}, {self.kind!r}, {self.hint!r})"


def parse(text):
    """Give the rules of a file; what is no rule is said once, and left out."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = RULE.match(line)
        if not match:
            print(f"locked.txt:{number}: no rule: {line}", file=sys.stderr)
            continue
        kind = "open" if match["open"] else match["kind"] or "locked"
        yield Rule(match["pattern"], kind, match["hint"])


def load():
    path = project() / ".claude" / "locked.txt"
    try:
        return list(parse(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return list(parse(DEFAULT_RULES))


def decide(relative, rules):
    """Return the last rule that matches, as .gitignore does."""
    decision = None
    for rule in rules:
        if rule.matches(relative):
            decision = rule
    return decision


def relative_to_project(path):
    """Return the path inside of the project, None for one outside."""
    root = os.path.realpath(project())
    real = os.path.realpath(os.path.join(root, path))
    if os.path.commonpath([root, real]) != root:
        return None
    return PurePosixPath(Path(real).relative_to(root).as_posix())


def main():
    event = Event.read()
    if event.tool not in WRITERS or event.file is None:
        allow()
    relative = relative_to_project(event.file)
    if relative is None:
        block(f"{event.file} is outside of the project.")
    rule = decide(relative, load())
    if rule is None or rule.kind == "open":
        allow()
    hint = f" ({rule.hint})" if rule.hint else ""
    if rule.kind == "ask":
        answer(
            hookSpecificOutput={
                "hookEventName": "PreToolUse",
                "permissionDecision": "ask",
                "permissionDecisionReason": f"{relative} is watched by “{rule.pattern}”{hint}",
            }
        )
        allow()
    block(f"{relative} is locked by “{rule.pattern}”{hint}.")


if __name__ == "__main__":
    main()
