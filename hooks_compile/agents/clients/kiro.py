"""Kiro: ``.kiro/hooks/*.json`` in the workspace and in the home directory.

https://kiro.dev/docs/cli/v3/hooks: each file has a list ``hooks[]``; the command is in ``action``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import Agent, Found, children, entry_command, member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.agents.clients.base import Json

_NAMES = (".kiro/hooks/*.json",)


def _commands(settings: Json) -> Iterator[Found]:
    for number, hook in children(member(settings, "hooks")):
        yield from entry_command(member(hook, "action"), ("hooks", number, "action"))


AGENT = Agent(
    "kiro",
    "Kiro",
    _NAMES,
    _commands,
    user_names=_NAMES,
    below=False,
    windows_shell="cmd or PowerShell",
    ran=False,
)
