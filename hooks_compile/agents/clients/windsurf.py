"""Windsurf: ``.windsurf/hooks.json`` of the workspace, and ``~/.codeium/windsurf/hooks.json``.

https://docs.windsurf.com/windsurf/cascade/hooks: commands start in the workspace's root, or in the
entry's ``working_directory``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import Agent, Found, entry_command, event_entries, member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.clients.base import Json


def _commands(settings: Json) -> Iterator[Found]:
    for at, entry in event_entries(settings):
        directory = member(entry, "working_directory")
        for found in entry_command(entry, at):
            yield found._replace(cwd=directory if isinstance(directory, str) else None)


AGENT = Agent(
    "windsurf",
    "Windsurf",
    (".windsurf/hooks.json",),
    _commands,
    user_names=(".codeium/windsurf/hooks.json",),
    below=False,
    windows_shell="PowerShell",
    ran=False,
)
