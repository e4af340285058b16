"""Qwen Code: ``.qwen/settings.json`` in the project and in the home directory.

https://qwenlm.github.io/qwen-code-docs/en/users/features/hooks
"""

from __future__ import annotations

from hooks_compile.agents.clients.base import Agent, nested_commands

_NAMES = (".qwen/settings.json",)
_VARIABLES = ("QWEN_PROJECT_DIR", "GEMINI_PROJECT_DIR", "CLAUDE_PROJECT_DIR")

AGENT = Agent(
    "qwen",
    "Qwen Code",
    _NAMES,
    nested_commands,
    user_names=_NAMES,
    variables=_VARIABLES,
    pastes=frozenset(_VARIABLES),
    windows_shell="cmd or PowerShell",
)
