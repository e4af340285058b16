"""Cursor: ``.cursor/hooks.json`` in the project and in the home folder.

https://cursor.com/docs/agent/hooks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import (
    Agent,
    ConfigFile,
    Found,
    Json,
    entry_command,
    items,
    member,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = ".cursor/hooks.json"


def files(root: Path, home: Path | None) -> list[ConfigFile]:
    """The project's file and, if the home folder is given, the user's.

    Commands of the project start in its root, formerly in ``.cursor``; the user's start in
    ``~/.cursor``.
    """
    variables = {"CURSOR_PROJECT_DIR": str(root), "CLAUDE_PROJECT_DIR": str(root)}
    starts = (root, root / ".cursor")
    found = [ConfigFile(AGENT, root / _NAME, root, _NAME, starts, variables)]
    if home is not None:
        found.append(ConfigFile(AGENT, home / _NAME, home, f"~/{_NAME}", (home / ".cursor",)))
    return found


def commands(settings: Json) -> Iterator[Found]:
    """The commands of ``hooks.EVENT[].command``."""
    for event, entries in members(member(settings, "hooks")):
        for i, entry in enumerate(items(entries)):
            yield from entry_command(entry, ("hooks", event, i))


AGENT = Agent("cursor", "Cursor", ("/bin/sh", "-c"), files, commands)
