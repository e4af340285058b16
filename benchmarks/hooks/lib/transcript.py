"""Reading an agent's transcript: one JSON object a line."""

import json


def lines(path):
    """Give each record; a line that is being written right now is skipped."""
    try:
        file = open(path, encoding="utf-8")
    except OSError:
        return
    with file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def blocks(record):
    """Give the content blocks of a record."""
    content = record.get("message", {}).get("content", [])
    if isinstance(content, str):
        yield {"type": "text", "text": content}
        return
    for block in content:
        if isinstance(block, dict):
            yield block


def tool_uses(path, name=None):
    """Give the input of every tool call, oldest first."""
    for record in lines(path):
        for block in blocks(record):
            if block.get("type") == "tool_use" and name in (
                None,
                block.get("name"),
            ):
                yield block.get("name"), block.get("input", {})


def text_of(record):
    """Return a record's text."""
    return "\n".join(
        b.get("text", "") for b in blocks(record) if b.get("type") == "text"
    )
