#!/usr/bin/env python3
"""Notification hook: shows a desktop notification when the agent waits for its user.

Usage in settings.json:
    "Notification": [{"hooks": [{"type": "command", "command": "python3 .claude/hooks/notify.py"}]}]
"""

import json
import os
import platform
import shutil
import subprocess
import sys

QUIET_TYPES = {"auth_success", "elicitation_dialog"}
TITLE = "Agent — waiting for you"


def escape(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def command_for(system, title, message):
    """Return the words that show a notification, or None where nothing can."""
    if system == "Darwin":
        script = f'display notification "{escape(message)}" with title "{escape(title)}"'
        return ["osascript", "-e", script]
    if system == "Linux" and shutil.which("notify-send"):
        return ["notify-send", "--urgency=low", title, message]
    if system == "Windows":
        return ["msg", "*", f"{title}: {message}"]
    return None


def is_wanted(event):
    if os.environ.get("AGENT_QUIET"):
        return False
    if event.get("notification_type") in QUIET_TYPES:
        return False
    return bool(event.get("message"))


def main():
    try:
        event = json.loads(sys.stdin.read() or "{}")
    except ValueError:
        return 0
    if not is_wanted(event):
        return 0
    command = command_for(platform.system(), TITLE, event["message"][:200])
    if command is None:
        sys.stderr.write("\a")
        return 0
    try:
        subprocess.run(command, timeout=5, capture_output=True, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"notify: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
