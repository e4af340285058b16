"""Gemini CLI: ``.gemini/settings.json`` in the project and in the home folder.

https://geminicli.com/docs/hooks/reference
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import (
    Agent,
    ConfigFile,
    Found,
    Json,
    member,
    nested_commands,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = ".gemini/settings.json"
_FOLDERS = ("GEMINI_PROJECT_DIR", "GEMINI_CWD", "CLAUDE_PROJECT_DIR")


def files(root: Path, home: Path | None) -> list[ConfigFile]:
    """The project's settings; those of the home folder if it is given."""
    variables = {name: str(root) for name in _FOLDERS}
    found = [ConfigFile(AGENT, root / _NAME, root, _NAME, (root,), variables)]
    if home is not None:
        found.append(ConfigFile(AGENT, home / _NAME, home, f"~/{_NAME}"))
    return found


def commands(settings: Json) -> Iterator[Found]:
    """The commands of ``hooks.EVENT[].hooks[].command``."""
    yield from nested_commands(member(settings, "hooks"))


AGENT = Agent("gemini", "Gemini CLI", ("bash", "-c"), files, commands, frozenset(_FOLDERS))
