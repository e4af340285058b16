#!/usr/bin/env python3
"""PreToolUse / PostToolUse for mcp__* tools: an audit trail that shows tampering.

Each line of .claude/state/mcp-audit.jsonl holds the hash of the line before it.
"mcp_audit.py --verify" checks the chain.
"""

import hashlib
import json
import os
import re
import sys
import uuid
from datetime import datetime, timezone

sys.path.append(os.path.dirname(os.path.realpath(__file__)))

from lib.hook_io import Event, state
from redaction import redact

TOOL = re.compile(r"^mcp__(?P<server>[^_]+(?:_[^_]+)*)__(?P<tool>.+)$")
GENESIS = "0" * 64
NAMESPACE = uuid.UUID("6f0bb5b0-5a2e-4b51-9d8e-0c2a7be5d9a1")


def canonical(record):
    return json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def digest(record):
    return hashlib.sha256(canonical(record).encode("utf-8")).hexdigest()


def last_hash(path):
    """Return the hash of the last line, without reading a long file from its start."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - 8192))
            tail = file.read().splitlines()
    except FileNotFoundError:
        return GENESIS
    if not tail:
        return GENESIS
    return json.loads(tail[-1])["hash"]


def call_id(event, server, tool):
    """Return an id that is the same before and after the call."""
    name = "/".join([event.session, server, tool, canonical(event.input)])
    return str(uuid.uuid5(NAMESPACE, name))


def append(path, record):
    record["previous"] = last_hash(path)
    record["hash"] = digest(record)
    with open(path, "a", encoding="utf-8") as file:
        file.write(canonical(record) + "\n")


def verify(path):
    """Print the first line that does not fit, and return the exit status."""
    previous = GENESIS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    for number, line in enumerate(lines, 1):
        record = json.loads(line)
        claimed = record.pop("hash")
        if record["previous"] != previous or digest(record) != claimed:
            print(f"{path.name}:{number}: the chain is broken")
            return 1
        previous = claimed
    print(f"{path.name}: {len(lines)} lines, unbroken")
    return 0


def main():
    if sys.argv[1:] == ["--verify"]:
        return verify(state("mcp-audit.jsonl"))
    event = Event.read()
    match = TOOL.match(event.tool)
    if not match:
        return 0
    arguments, hidden = redact(canonical(event.input))
    append(
        state("mcp-audit.jsonl"),
        {
            "id": call_id(event, match["server"], match["tool"]),
            "at": datetime.now(timezone.utc).isoformat(),
            "event": event.data.get("hook_event_name", "?"),
            "server": match["server"],
            "tool": match["tool"],
            "arguments": arguments[:1000],
            "hidden": hidden,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
