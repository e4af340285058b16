#!/usr/bin/env python3
"""PostToolUse: counts tool calls in a SQLite database, .claude/state/usage.db.

Tables:
    calls      one row for each session and tool
    files      how often which file was touched
    meta       the schema's version

"usage_db.py --report" prints what is in it.
"""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import hook_io

VERSION = 2

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    session TEXT NOT NULL,
    tool TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session, tool)
);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY,
    reads INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS calls_by_tool ON calls (tool);
"""

MIGRATIONS = {
    1: "ALTER TABLE calls ADD COLUMN errors INTEGER NOT NULL DEFAULT 0",
}

COUNT_CALL = """
INSERT INTO calls (session, tool, count, errors) VALUES (?, ?, 1, ?)
ON CONFLICT (session, tool) DO UPDATE SET count = count + 1, errors = errors + excluded.errors
"""

COUNT_FILE = """
INSERT INTO files (path, reads, writes) VALUES (?, ?, ?)
ON CONFLICT (path) DO UPDATE SET
    reads = reads + excluded.reads, writes = writes + excluded.writes
"""

REPORT = """
SELECT tool, SUM(count), SUM(errors), COUNT(DISTINCT session)
FROM calls GROUP BY tool ORDER BY SUM(count) DESC, tool
"""

READERS = {"Read", "Grep", "Glob", "NotebookRead"}
WRITERS = {"Write", "Edit", "MultiEdit", "NotebookEdit"}


def connect(path):
    """Open the database; its schema is brought up to date."""
    connection = sqlite3.connect(str(path), timeout=2, isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 2000")
    connection.execute("PRAGMA synchronous = OFF")
    migrate(connection)
    return connection


def migrate(connection):
    known = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    ).fetchone()
    if not known:
        connection.executescript(SCHEMA)
        connection.execute(
            "INSERT OR IGNORE INTO meta VALUES ('version', ?)", (str(VERSION),)
        )
        return
    row = connection.execute(
        "SELECT value FROM meta WHERE key = 'version'"
    ).fetchone()
    version = int(row[0]) if row else 1
    while version < VERSION:
        connection.execute(MIGRATIONS[version])
        version += 1
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('version', ?)",
            (str(version),),
        )


def relative(path):
    try:
        return str(path.relative_to(hook_io.project()))
    except ValueError:
        return str(path)


def record(connection, event):
    response = event.data.get("tool_response")
    failed = isinstance(response, dict) and bool(response.get("is_error"))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(COUNT_CALL, (event.session, event.tool, int(failed)))
    if event.file is not None:
        name = relative(event.file)
        row = (name, int(event.tool in READERS), int(event.tool in WRITERS))
        connection.execute(COUNT_FILE, row)
    connection.execute("COMMIT")


def report(connection):
    print(f"{'tool':<16}{'calls':>8}{'errors':>8}{'sessions':>10}")
    for tool, calls, errors, sessions in connection.execute(REPORT):
        print(f"{tool:<16}{calls:>8}{errors:>8}{sessions:>10}")


def main(arguments):
    path = Path(os.environ.get("USAGE_DB") or hook_io.state("usage.db"))
    if "--report" in arguments:
        with closing(connect(path)) as connection:
            report(connection)
        return 0
    event = hook_io.Event.read()
    if not event.tool:
        return 0
    try:
        with closing(connect(path)) as connection:
            record(connection, event)
    except sqlite3.Error as error:
        print(f"usage is not counted: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
