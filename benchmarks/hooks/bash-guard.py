#!/usr/bin/env python3
"""
PreToolUse guard for shell commands.

Three lists of rules, from hard to soft:

  BLOCK   never: exit status 2, the reason goes to the agent
  ASK     the user decides: a JSON answer with permissionDecision "ask"
  WARN    goes through, with a remark on stderr

Only the Bash tool is looked at. Whatever goes wrong in here must not stop the
agent from working, so that errors end with 0 and a line in the log.
"""

import json
import os
import re
import sys
from pathlib import Path

PROJECT = Path(os.environ.get("CLAUDE_PROJECT_DIR") or Path(__file__).resolve().parents[2])
LOG = PROJECT / ".claude" / "logs" / "guard.log"

BLOCK = [
    (
        re.compile(
            r"\brm\s+(?:-[a-zA-Z]+\s+)*-[a-zA-Z]*[rR][a-zA-Z]*f[a-zA-Z]*\s+(?:--\s+)?/(?:\s|$|\*)"
        ),
        "removes the root folder",
    ),
    (
        re.compile(
            r"\brm\s+(?:-[a-zA-Z]+\s+)*-[a-zA-Z]*f?[rR][a-zA-Z]*\s+(?:~|\$HOME)(?:/?\s|/?$|/\*)"
        ),
        "removes the home folder",
    ),
    (
        re.compile(r"\bmkfs(?:\.\w+)?\s+/dev/"),
        "formats a disk",
    ),
    (
        re.compile(
            r"\bdd\s+[^|;&]*\bof=/dev/(?:sd|nvme|hd|vd|xvd|mmcblk|disk)"
        ),
        "writes over a disk",
    ),
    (
        re.compile(r":\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:"),
        "is a fork bomb",
    ),
    (
        re.compile(
            r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b"
        ),
        "runs a downloaded script",
    ),
    (
        re.compile(r"\bchmod\s+(?:-R\s+|--recursive\s+)?0?777\s+/(?:\s|$)"),
        "opens the root folder to all",
    ),
    (
        re.compile(
            r"\bchown\s+-R\s+\S+\s+/(?:etc|usr|var|bin|boot|lib)?(?:\s|$)"
        ),
        "changes the owner of the system",
    ),
    (
        re.compile(r">\s*/dev/(?:sd|nvme|hd|vd)[a-z0-9]+"),
        "writes onto a disk",
    ),
    (
        re.compile(
            r"\bgit\s+push\b(?=.*(?:--force\b|-f\b))(?=.*\b(?:main|master|release)\b)",
            re.S,
        ),
        "rewrites a shared branch",
    ),
    (
        re.compile(r"\bhistory\s+-c\b|\bunset\s+HISTFILE\b"),
        "hides what was done",
    ),
    (
        re.compile(r"\bbase64\s+(?:-d|--decode)\b[^|;&]*\|\s*(?:ba|z)?sh\b"),
        "runs encoded commands",
    ),
]

ASK = [
    (
        re.compile(r"\bgit\s+reset\s+--hard\b"),
        "throws away uncommitted work",
    ),
    (
        re.compile(r"\bgit\s+clean\s+-[a-zA-Z]*f"),
        "removes untracked files",
    ),
    (
        re.compile(r"\bgit\s+(?:checkout|restore)\s+(?:--\s+)?\.(?:\s|$)"),
        "throws away all edits",
    ),
    (
        re.compile(r"\bgit\s+branch\s+-D\b"),
        "removes a branch that is not merged",
    ),
    (
        re.compile(r"\bgit\s+push\b.*(?:--force-with-lease|--delete|\s:\w)"),
        "changes the remote repository",
    ),
    (
        re.compile(
            r"\b(?:npm|yarn|pnpm)\s+publish\b|\btwine\s+upload\b|\bcargo\s+publish\b"
        ),
        "publishes a package",
    ),
    (
        re.compile(r"\bdocker\s+(?:system|volume|image)\s+prune\b"),
        "removes data of containers",
    ),
    (
        re.compile(r"\bkubectl\s+(?:delete|drain|cordon)\b"),
        "changes a cluster",
    ),
    (
        re.compile(r"\bterraform\s+(?:apply|destroy)\b(?!.*-help)"),
        "changes the infrastructure",
    ),
    (
        re.compile(r"\b(?:DROP|TRUNCATE)\s+(?:TABLE|DATABASE|SCHEMA)\b", re.I),
        "drops data",
    ),
    (
        re.compile(r"\bDELETE\s+FROM\s+\w+\s*(?:;|\"|'|$)", re.I),
        "deletes all rows",
    ),
    (
        re.compile(r"\bsudo\b"),
        "runs as root",
    ),
]

WARN = [
    (
        re.compile(r"(?:^|[;&|]\s*)cat\s+\S+\s*\|\s*grep\b"),
        "grep reads files itself",
    ),
    (
        re.compile(r"(?:^|[;&|]\s*)grep\s+-[a-zA-Z]*[rR]"),
        "rg is faster, and skips what git ignores",
    ),
    (
        re.compile(r"(?:^|[;&|]\s*)find\s+\S+\s+-name\b"),
        "use the Glob tool",
    ),
    (
        re.compile(r"\bpip\s+install\b(?!.*(?:-r|-e)\s)"),
        "add it to the requirements, too",
    ),
]


def log(text):
    """Append a line to the guard's log; the log is no reason to fail."""
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError:
        pass


def strip_quoted(command):
    """Take commit messages and other heredocs out: they may speak of anything."""
    command = re.sub(
        r"<<-?\s*['\"]?(\w+)['\"]?.*?^\s*\1\s*$",
        " ",
        command,
        flags=re.S | re.M,
    )
    return re.sub(
        r"(-m|--message)[ =](\"(?:[^\"\\]|\\.)*\"|'[^']*')", r"\1 …", command
    )


def first_match(rules, command):
    for pattern, reason in rules:
        if pattern.search(command):
            return reason
    return None


def ask(reason, command):
    """Return the answer that makes the agent ask its user."""
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "ask",
            "permissionDecisionReason": f"This {reason}: {command[:120]}",
        }
    }


def check(command):
    """Return the exit status for a command, having said what there is to say."""
    plain = strip_quoted(command)
    reason = first_match(BLOCK, plain)
    if reason:
        log(f"blocked ({reason}): {command}")
        print(
            f"⛔ Blocked, because it {reason}.\n   {command[:200]}",
            file=sys.stderr,
        )
        print(
            "   If that is what you need, ask the user to run it.",
            file=sys.stderr,
        )
        return 2
    reason = first_match(ASK, plain)
    if reason:
        log(f"asked ({reason}): {command}")
        print(json.dumps(ask(reason, command)))
        return 0
    for pattern, remark in WARN:
        if pattern.search(plain):
            print(f"💡 {remark}", file=sys.stderr)
    return 0


def main():
    try:
        event = json.load(sys.stdin)
    except ValueError as error:
        log(f"no event: {error}")
        return 0
    if event.get("tool_name") != "Bash":
        return 0
    command = event.get("tool_input", {}).get("command", "")
    if not command:
        return 0
    try:
        return check(command)
    except re.error as error:
        log(f"a rule is broken: {error}")
        return 0


if __name__ == "__main__":
    sys.exit(main())
