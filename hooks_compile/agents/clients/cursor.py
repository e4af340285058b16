"""Cursor: ``.cursor/hooks.json`` in the project and in the home directory.

https://cursor.com/docs/agent/hooks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import Agent, Found, entry_command, event_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.clients.base import Json

_NAMES = (".cursor/hooks.json",)


def _commands(settings: Json) -> Iterator[Found]:
    for at, entry in event_entries(settings):
        yield from entry_command(entry, at)


AGENT = Agent(
    "cursor",
    "Cursor",
    _NAMES,
    _commands,
    user_names=_NAMES,
    variables=("CURSOR_PROJECT_DIR", "CLAUDE_PROJECT_DIR"),
    starts=(".", ".cursor"),  # the second formerly
    user_starts=(".cursor",),
    windows_shell="cmd or PowerShell",
)
