"""GitHub Copilot: ``.github/hooks/*.json``, the ``bash`` of each entry.

https://docs.github.com/en/copilot/reference/hooks-reference
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import (
    Agent,
    ConfigFile,
    Found,
    Json,
    KeyPath,
    entry_command,
    items,
    member,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_SETTINGS = (".github/copilot/settings.json", ".github/copilot/settings.local.json")


def files(root: Path, home: Path | None) -> list[ConfigFile]:
    """Hook files and settings of the project; those of ``~/.copilot`` if the home is given."""
    names = [path.relative_to(root).as_posix() for path in _json(root / ".github/hooks")]
    variables = {"COPILOT_PROJECT_DIR": str(root), "CLAUDE_PROJECT_DIR": str(root)}
    found = [
        ConfigFile(AGENT, root / name, root, name, (root,), variables)
        for name in (*names, *_SETTINGS)
    ]
    if home is not None:
        paths = [*_json(home / ".copilot/hooks"), home / ".copilot/settings.json"]
        found += [
            ConfigFile(AGENT, path, home, f"~/{path.relative_to(home).as_posix()}")
            for path in paths
        ]
    return found


def _json(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def commands(settings: Json) -> Iterator[Found]:
    """The ``bash`` of ``hooks.EVENT[]``, and what stands in its place.

    ``command`` is what PowerShell runs as well, ``exec`` is run without a shell.
    """
    for event, entries in members(member(settings, "hooks")):
        for i, entry in enumerate(items(entries)):
            at: KeyPath = ("hooks", event, i)
            if member(entry, "bash") is not None:
                yield from entry_command(entry, at, "bash")
                continue
            for found in entry_command(entry, at, "command"):
                yield replace(found, foreign=found.foreign or "PowerShell as well")
            for found in entry_command(entry, at, "exec"):
                yield replace(found, arguments=found.arguments or ())


AGENT = Agent("copilot", "GitHub Copilot", ("bash", "-c"), files, commands)
