"""Codex: ``hooks.json`` or ``[hooks]`` in ``config.toml``, in the project and in the home folder.

https://developers.openai.com/codex/hooks
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

_NAMES = (".codex/hooks.json", ".codex/config.toml")


def files(root: Path, home: Path | None) -> list[ConfigFile]:
    """Both files of the project; those of the home folder if it is given."""
    found = [ConfigFile(AGENT, root / name, root, name, (root,)) for name in _NAMES]
    if home is not None:
        found += [ConfigFile(AGENT, home / name, home, f"~/{name}") for name in _NAMES]
    return found


def commands(settings: Json) -> Iterator[Found]:
    """Hook commands; ``commandWindows`` is another shell's and stays as it is."""
    yield from nested_commands(member(settings, "hooks"))


# It is the user's own $SHELL that reads the command; sh stands for all of them.
AGENT = Agent("codex", "Codex", ("/bin/sh", "-lc"), files, commands)
