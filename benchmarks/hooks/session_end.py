#!/usr/bin/env python3
"""
SessionEnd hook: cleans up after a session and writes a summary.

 * removes state files of sessions that ended long ago
 * removes scratch files that the agent has left in the project
 * appends a summary of the session to .claude/logs/sessions.log
"""

import json
import logging
import os
import re
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

STATE_DAYS = 14
SCRATCH = ("scratch_*.py", "tmp_*.txt", "debug_*.log", "*.orig", "*.rej")
PROTECTED = {"scratch_keep.py"}
SESSION_FILE = re.compile(
    r"^(?P<kind>[a-z]+)-(?P<session>[0-9a-f-]{8,36})\.json$"
)

logger = logging.getLogger("session_end")


def setup_logging(folder: Path) -> None:
    """Log to a file, and to stderr what somebody has to know."""
    folder.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(folder / "sessions.log", encoding="utf-8")
    to_file.setFormatter(
        logging.Formatter(
            "%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
    )
    to_stderr = logging.StreamHandler()
    to_stderr.setLevel(logging.WARNING)
    to_stderr.setFormatter(logging.Formatter("session_end: %(message)s"))
    logger.addHandler(to_file)
    logger.addHandler(to_stderr)
    logger.setLevel(
        logging.DEBUG if os.environ.get("HOOK_DEBUG") else logging.INFO
    )


def read_event() -> Dict[str, Any]:
    raw = sys.stdin.read()
    if not raw.strip():
        return {}
    try:
        event = json.loads(raw)
    except json.JSONDecodeError as error:
        logger.error("the event is no JSON: %s", error)
        return {}
    return event


def old_state_files(folder: Path, now: float) -> Iterator[Path]:
    """Give the state files of sessions that nobody comes back to."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if not SESSION_FILE.match(path.name):
            continue
        if now - path.stat().st_mtime > STATE_DAYS * 86400:
            yield path


def scratch_files(root: Path) -> Iterator[Path]:
    for pattern in SCRATCH:
        for path in sorted(root.glob(pattern)):
            if path.name not in PROTECTED and path.is_file():
                yield path


def move_to_trash(paths: List[Path], trash: Path) -> List[str]:
    """Move files away instead of deleting them; return their names."""
    moved = []
    for path in paths:
        try:
            trash.mkdir(parents=True, exist_ok=True)
            shutil.move(str(path), str(trash / path.name))
            moved.append(path.name)
        except OSError as error:
            logger.warning("%s stays: %s", path.name, error)
    return moved


def summarize(transcript: Path) -> Tuple[int, Counter]:
    """Return the number of prompts, and the calls of each tool."""
    prompts, tools = 0, Counter()
    try:
        lines = transcript.read_text(encoding="utf-8").splitlines()
    except OSError:
        return prompts, tools
    for line in lines:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        content = record.get("message", {}).get("content")
        if record.get("type") == "user" and isinstance(content, str):
            prompts += 1
        for block in content if isinstance(content, list) else []:
            if block.get("type") == "tool_use":
                tools[block.get("name", "?")] += 1
    return prompts, tools


def main() -> None:
    root = Path(os.environ.get("CLAUDE_PROJECT_DIR", os.getcwd()))
    setup_logging(root / ".claude" / "logs")
    try:
        event = read_event()
        if not event:
            sys.exit(0)
        session = event.get("session_id", "unknown")[:8]
        reason = event.get("reason", "other")

        prompts, tools = summarize(Path(event.get("transcript_path", "")))
        listed = ", ".join(
            f"{name} {count}" for name, count in tools.most_common(5)
        )
        logger.info(
            "session %s ended (%s): %d prompts; %s",
            session,
            reason,
            prompts,
            listed,
        )

        if reason == "clear":
            sys.exit(0)
        for path in old_state_files(root / ".claude" / "state", time.time()):
            path.unlink()
            logger.info("removed %s", path.name)
        moved = move_to_trash(
            list(scratch_files(root)), root / ".claude" / "trash" / session
        )
        if moved:
            logger.info("moved to the trash: %s", ", ".join(moved))
            print(f"Moved {len(moved)} scratch file(s) to .claude/trash.")
    except Exception:
        logger.exception("the clean-up failed")
        sys.exit(1)


if __name__ == "__main__":
    main()
