#!/usr/bin/env python3
"""SessionStart: indexes the project's sources, with a few threads for the reading.

The index (.claude/state/index.json) holds lines, hash and top-level names of
every source, for a skill that answers "where is ...?". What has not changed
since the last time is not read again.
"""

import hashlib
import json
import os
import queue
import re
import sys
import threading
import time

SUFFIXES = (".py", ".js", ".ts", ".go", ".rs")
SKIPPED = {
    ".git",
    ".venv",
    "node_modules",
    "dist",
    "build",
    "__pycache__",
    ".claude",
}
WORKERS = 3
BUDGET_S = 4.0
MAX_FILES = 5000

NAMES = {
    ".py": re.compile(rb"^(?:async\s+)?(?:def|class)\s+(\w+)", re.M),
    ".js": re.compile(
        rb"^(?:export\s+)?(?:async\s+)?(?:function|class)\s+(\w+)", re.M
    ),
    ".ts": re.compile(
        rb"^(?:export\s+)?(?:function|class|interface|type)\s+(\w+)", re.M
    ),
    ".go": re.compile(rb"^(?:func|type)\s+(?:\([^)]*\)\s*)?(\w+)", re.M),
    ".rs": re.compile(rb"^(?:pub\s+)?(?:fn|struct|enum|trait)\s+(\w+)", re.M),
}


class Indexer:
    def __init__(self, root, known, deadline):
        self.root = root
        self.known = known
        self.deadline = deadline
        self.work = queue.Queue()
        self.lock = threading.Lock()
        self.index = {}
        self.reused = 0
        self.failed = []

    def files(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED)
            for name in sorted(names):
                if name.endswith(SUFFIXES):
                    yield os.path.join(folder, name)

    def run(self):
        threads = [
            threading.Thread(target=self.loop, name=f"indexer-{n}")
            for n in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        for number, path in enumerate(self.files()):
            if number >= MAX_FILES:
                break
            self.work.put(path)
        for _ in threads:
            self.work.put(None)
        for thread in threads:
            thread.join()

    def loop(self):
        while True:
            path = self.work.get()
            if path is None or time.monotonic() > self.deadline:
                return
            try:
                self.add(path)
            except OSError as error:
                with self.lock:
                    self.failed.append(f"{path}: {error.strerror}")

    def add(self, path):
        name = os.path.relpath(path, self.root)
        size = os.stat(path).st_size
        with open(path, "rb") as file:
            content = file.read()
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        before = self.known.get(name)
        if before and before["hash"] == digest:
            with self.lock:
                self.index[name] = before
                self.reused += 1
            return
        pattern = NAMES[os.path.splitext(name)[1]]
        entry = {
            "hash": digest,
            "bytes": size,
            "lines": content.count(b"\n"),
            "names": [
                m.decode("ascii", "replace") for m in pattern.findall(content)
            ],
        }
        with self.lock:
            self.index[name] = entry


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def main():
    event = json.loads(sys.stdin.read() or "{}")
    root = (
        os.environ.get("CLAUDE_PROJECT_DIR") or event.get("cwd") or os.getcwd()
    )
    state = os.path.join(root, ".claude", "state")
    os.makedirs(state, exist_ok=True)
    path = os.path.join(state, "index.json")

    indexer = Indexer(root, load(path), time.monotonic() + BUDGET_S)
    indexer.run()

    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(indexer.index, file, indent=1, sort_keys=True)
    os.replace(draft, path)

    for problem in indexer.failed[:5]:
        print(problem, file=sys.stderr)
    names = sum(len(entry["names"]) for entry in indexer.index.values())
    print(f"{len(indexer.index)} sources with {names} names are indexed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
