"""Claude Code: settings of the project, of one's own, of the user; plugins' ``hooks/hooks.json``.

https://code.claude.com/docs/en/hooks and https://code.claude.com/docs/en/statusline
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import Agent, Found, entry_command, member, nested_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.clients.base import Json


def _commands(settings: Json) -> Iterator[Found]:
    yield from nested_commands(settings)
    for name in ("statusLine", "subagentStatusLine", "fileSuggestion"):
        yield from entry_command(member(settings, name), (name,))


AGENT = Agent(
    "claude",
    "Claude Code",
    (".claude/settings.json", ".claude/settings.local.json"),
    _commands,
    user_names=(".claude/settings.json",),
    plugin_names=(
        *("hooks/hooks.json", "[!.]*/hooks/hooks.json"),
        *("plugins/*/hooks/hooks.json", ".claude/plugins/*/hooks/hooks.json"),
    ),
    plugin_variable="CLAUDE_PLUGIN_ROOT",
    variables=("CLAUDE_PROJECT_DIR",),
    windows_shell="PowerShell (if Git Bash is missing)",
)
