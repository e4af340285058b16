#!/usr/bin/env python3
"""Stop: runs the project's checks before the agent may say that it is done.

.claude/checks.json holds them: {"name": ["program", "argument", ...]}. All run
at the same time; the output of those that fail goes to the agent.
"""

import json
import os
import shutil
import subprocess
import sys
import time

DEFAULT = {"lint": ["true"]}
LIMIT_S = 60
TAIL = 25


def load_checks(root):
    path = os.path.join(root, ".claude", "checks.json")
    try:
        with open(path, encoding="utf-8") as f:
            checks = json.load(f)
    except FileNotFoundError:
        return DEFAULT
    except ValueError as e:
        print(f"checks.json is broken: {e}", file=sys.stderr)
        return {}
    return {k: v for k, v in checks.items() if isinstance(v, list) and v}


def start(command, root):
    program = shutil.which(command[0], path=os.environ.get("PATH"))
    if program is None:
        return None
    return subprocess.Popen(
        [program, *command[1:]],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )


def finish(process, deadline):
    """Wait, kill at the deadline; return status and output."""
    try:
        output, _ = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
        return process.returncode, output
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return 124, output + f"\n(stopped after {LIMIT_S} s)"


def tail(text):
    lines = text.rstrip().splitlines()
    if len(lines) > TAIL:
        lines = [f"... {len(lines) - TAIL} lines left out ..."] + lines[-TAIL:]
    return "\n".join("    " + line for line in lines)


def main():
    event = json.load(sys.stdin)
    # we have stopped it once already: do not go round in circles
    if event.get("stop_hook_active"):
        return 0
    root = os.environ.get("CLAUDE_PROJECT_DIR") or event.get("cwd") or os.getcwd()

    running, skipped = {}, []
    for name, command in load_checks(root).items():
        process = start(command, root)
        if process is None:
            skipped.append(name)
        else:
            running[name] = process

    deadline = time.monotonic() + LIMIT_S
    failed = {}
    for name, process in running.items():
        status, output = finish(process, deadline)
        if status != 0:
            failed[name] = (status, output)

    if skipped:
        print("not installed:", ", ".join(skipped))
    if failed:
        for name, (status, output) in failed.items():
            print(f"{name} failed (exit {status}):", file=sys.stderr)
            print(tail(output), file=sys.stderr)
        return 2
    print(f"checks passed: {', '.join(running) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
