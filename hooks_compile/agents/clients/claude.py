"""Claude Code: settings of the project, of one's own, of the user; plugins' ``hooks/hooks.json``.

https://code.claude.com/docs/en/hooks and https://code.claude.com/docs/en/statusline
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import (
    Agent,
    ConfigFile,
    Found,
    Json,
    entry_command,
    member,
    nested_commands,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SETTINGS = (".claude/settings.json", ".claude/settings.local.json")


def files(root: Path, home: Path | None) -> list[ConfigFile]:
    """The settings inside a project and its plugins; those of the home folder if it is given."""
    variables = {"CLAUDE_PROJECT_DIR": str(root)}
    found = [ConfigFile(AGENT, root / name, root, name, (root,), variables) for name in _SETTINGS]
    for path in _plugin_hooks(root):
        # A plugin's commands start in the project that uses it, which is not known here.
        plugin = path.parent.parent
        origin = path.relative_to(root).as_posix()
        variables = {"CLAUDE_PLUGIN_ROOT": str(plugin)}
        found.append(ConfigFile(AGENT, path, plugin, origin, variables=variables))
    if home is not None:
        found.append(ConfigFile(AGENT, home / _SETTINGS[0], home, f"~/{_SETTINGS[0]}"))
    return found


def _plugin_hooks(root: Path) -> list[Path]:
    """``hooks/hooks.json`` of the project itself, of its folders, and of folders of plugins."""
    patterns = ("", "[!.]*/", "plugins/*/", ".claude/plugins/*/")
    return sorted({path for p in patterns for path in root.glob(f"{p}hooks/hooks.json")})


def commands(settings: Json) -> Iterator[Found]:
    """Hook commands and the status line's."""
    yield from nested_commands(member(settings, "hooks"))
    yield from entry_command(member(settings, "statusLine"), ("statusLine",))


AGENT = Agent("claude", "Claude Code", ("/bin/sh", "-c"), files, commands, strict_json=True)
