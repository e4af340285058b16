"""Gemini CLI: ``.gemini/settings.json`` in the project and in the home directory.

https://geminicli.com/docs/hooks/reference
"""

from __future__ import annotations

from hooks_compile.agents.clients.base import Agent, nested_commands

_NAMES = (".gemini/settings.json",)
_VARIABLES = ("GEMINI_PROJECT_DIR", "GEMINI_CWD", "CLAUDE_PROJECT_DIR")

AGENT = Agent(
    "gemini",
    "Gemini CLI",
    _NAMES,
    nested_commands,
    user_names=_NAMES,
    variables=_VARIABLES,
    pastes=frozenset(_VARIABLES),
    trust="it asks when it is started next",
    windows_shell="PowerShell",
)
