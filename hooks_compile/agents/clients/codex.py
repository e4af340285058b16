"""Codex: ``hooks.json`` or ``[hooks]`` in ``config.toml``, in a project and in the home directory.

https://developers.openai.com/codex/hooks
"""

from __future__ import annotations

from hooks_compile.agents.clients.base import Agent, nested_commands

_NAMES = (".codex/hooks.json", ".codex/config.toml")

AGENT = Agent(
    "codex",
    "Codex",
    _NAMES,
    nested_commands,
    user_names=_NAMES,
    trust="it skips them, `codex exec` in silence; to trust them: codex, then /hooks",
    windows_shell="cmd or PowerShell",
)
