"""GitHub Copilot: ``.github/hooks/*.json``, the ``bash`` of each entry.

https://docs.github.com/en/copilot/reference/hooks-reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import Agent, Found, entry_command, event_entries, member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.clients.base import Json


def _commands(settings: Json) -> Iterator[Found]:
    """Yield ``bash``; else ``command``, which PowerShell runs as well, and ``exec``, which no shell
    reads."""
    for at, entry in event_entries(settings):
        if member(entry, "bash") is not None:
            yield from entry_command(entry, at, "bash")
            continue
        for found in entry_command(entry, at):
            yield found._replace(foreign=found.foreign or "PowerShell as well")
        for found in entry_command(entry, at, "exec"):
            yield found._replace(arguments=found.arguments or ())


AGENT = Agent(
    "copilot",
    "GitHub Copilot",
    (
        ".github/hooks/*.json",
        *(".github/copilot/settings.json", ".github/copilot/settings.local.json"),
    ),
    _commands,
    user_names=(".copilot/hooks/*.json", ".copilot/settings.json"),
    variables=("COPILOT_PROJECT_DIR", "CLAUDE_PROJECT_DIR"),
    below=False,
)
