"""Factory's droid: ``.factory/settings.json`` and ``hooks.json``, here and in the home directory.

https://docs.factory.ai/reference/hooks-reference: commands start in droid's current directory,
which may change, so a relative path is not certain.
"""

from __future__ import annotations

from hooks_compile.agents.clients.base import Agent, nested_commands

_NAMES = (".factory/settings.json", ".factory/hooks.json")

AGENT = Agent(
    "factory",
    "Factory droid",
    (*_NAMES, ".factory/settings.local.json"),
    nested_commands,
    user_names=_NAMES,
    variables=("FACTORY_PROJECT_DIR",),
    starts=(),
    windows_shell="cmd or PowerShell",
    ran=False,
)
