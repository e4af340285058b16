#!/usr/bin/env python3
"""PreToolUse: stops an agent that calls the same thing over and over.

Limits count within windows of seconds. State is a file for each session, under
a lock, since the hooks of parallel calls run at the same time.
"""

import fcntl
import hashlib
import json
import os
import sys
import time

LIMITS = [
    # (what, window in seconds, calls)
    ("same call", 60, 200),
    ("same tool", 60, 1000),
    ("all calls", 3600, 20000),
]
LONGEST = max(window for _, window, _ in LIMITS)
EXEMPT = {"TodoWrite", "Task", "ExitPlanMode"}


def folder():
    root = os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd()
    path = os.path.join(root, ".claude", "state", "rate")
    os.makedirs(path, exist_ok=True)
    return path


def fingerprint(event):
    text = json.dumps(
        [event.get("tool_name"), event.get("tool_input")], sort_keys=True
    )
    return hashlib.md5(text.encode("utf-8")).hexdigest()[:16]


class State:
    """The calls of a session, newest last; locked while it is open."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "a+", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.seek(0)
        try:
            self.calls = json.loads(self.file.read() or "[]")
        except ValueError:
            self.calls = []
        return self

    def __exit__(self, *exc_info):
        self.file.seek(0)
        self.file.truncate()
        json.dump(self.calls[-500:], self.file)
        self.file.close()  # gives the lock back


def over_limit(calls, call, now):
    at, tool, print_ = call
    same = {
        "same call": lambda c: c[2] == print_,
        "same tool": lambda c: c[1] == tool,
        "all calls": lambda c: True,
    }
    for what, window, limit in LIMITS:
        count = sum(1 for c in calls if now - c[0] <= window and same[what](c))
        if count >= limit:
            return f"{what}: {count} in {window} s, {limit} are allowed"
    return None


def main():
    event = json.load(sys.stdin)
    tool = event.get("tool_name", "")
    if tool in EXEMPT:
        sys.exit(0)
    now = int(time.time())
    call = [now, tool, fingerprint(event)]
    name = hashlib.md5(event.get("session_id", "").encode()).hexdigest()[:12]
    with State(os.path.join(folder(), name + ".json")) as state:
        state.calls = [c for c in state.calls if now - c[0] <= LONGEST]
        reason = over_limit(state.calls, call, now)
        state.calls.append(call)
    if reason:
        print(
            f"Slow down: {reason}. Think about what you are looking for.",
            file=sys.stderr,
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
