#!/usr/bin/env python3
"""PreCompact / SessionEnd: copies the transcript before it is shortened.

Copies are kept by content: the same transcript twice is one file. The newest
KEEP of a session stay, and an index tells which is which.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

KEEP = 5
CHUNK = 1 << 16


def backup_folder(event):
    root = os.environ.get("CLAUDE_PROJECT_DIR") or event.get("cwd") or "."
    folder = Path(root) / ".claude" / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(path):
    """Return the first half of a file's SHA-256."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            chunk = file.read(CHUNK)
            if not chunk:
                break
            sha.update(chunk)
    return sha.hexdigest()[:32]


def read_index(path):
    try:
        with open(path, encoding="utf-8") as file:
            index = json.load(file)
    except (OSError, ValueError):
        return []
    return index if isinstance(index, list) else []


def write_index(path, index):
    """Write beside it, then rename: several sessions may end at once."""
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=".index-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(index, file, indent=1)
            file.write("\n")
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def copy(source, folder, name):
    """Copy a transcript unless it is there; return its path."""
    target = folder / name
    if not target.exists():
        draft = folder / (name + ".part")
        shutil.copyfile(source, draft)
        os.replace(draft, target)
    return target


def prune(folder, index, session):
    """Forget the oldest copies of a session."""
    mine = [entry for entry in index if entry["session"] == session]
    for entry in mine[:-KEEP]:
        index.remove(entry)
        if not any(other["file"] == entry["file"] for other in index):
            try:
                (folder / entry["file"]).unlink()
            except FileNotFoundError:
                pass
    return index


def count_lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def human(size):
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def main():
    try:
        event = json.load(sys.stdin)
    except ValueError:
        return 0
    source = event.get("transcript_path")
    if not source or not os.path.isfile(source):
        print("backup: there is no transcript", file=sys.stderr)
        return 0

    folder = backup_folder(event)
    session = event.get("session_id", "unknown")
    checksum = digest(source)
    name = f"{session[:8]}-{checksum[:12]}.jsonl"
    index_path = folder / "index.json"
    index = read_index(index_path)

    known = any(
        entry["file"] == name and entry["session"] == session
        for entry in index
    )
    target = copy(source, folder, name)
    if not known:
        index.append(
            {
                "session": session,
                "file": name,
                "sha256": checksum,
                "lines": count_lines(target),
                "bytes": target.stat().st_size,
                "why": event.get("trigger") or event.get("reason") or "manual",
                "at": datetime.now().isoformat(timespec="seconds"),
            }
        )
    write_index(index_path, prune(folder, index, session))

    size = human(target.stat().st_size)
    print(f"backup: {name}, {size}{' (was there)' if known else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
