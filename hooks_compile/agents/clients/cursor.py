"""Cursor: ``.cursor/hooks.json`` in the project and in the home directory.

https://cursor.com/docs/agent/hooks
"""

from __future__ import annotations

from hooks_compile.agents.clients.base import Agent, flat_commands

_NAMES = (".cursor/hooks.json",)

AGENT = Agent(
    "cursor",
    "Cursor",
    _NAMES,
    flat_commands,
    user_names=_NAMES,
    variables=("CURSOR_PROJECT_DIR", "CLAUDE_PROJECT_DIR"),
    starts=(".", ".cursor"),  # the second formerly
    user_starts=(".cursor",),
    windows_shell="cmd or PowerShell",
    ran=False,
)
