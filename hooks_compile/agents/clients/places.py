"""Where in a project the agents' configuration stands: at its root, and in folders below it.

An agent that is started in a folder of a large repository reads the configuration there. Such a
folder counts where somebody works in it, or where its hooks are on the wrapper already: what lies
about in templates and tests is nobody's configuration.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.agents.clients import claude, codex, copilot, cursor, gemini
from hooks_compile.agents.shell.launches import WRAPPER_NAME
from hooks_compile.errors import GitError
from hooks_compile.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hooks_compile.agents.clients.base import Agent, ConfigFile

AGENTS: tuple[Agent, ...] = (
    claude.AGENT,
    codex.AGENT,
    cursor.AGENT,
    gemini.AGENT,
    copilot.AGENT,
)

# Copilot reads its files at the root only.
NAMES_BELOW = (
    *(".claude/settings.json", ".claude/settings.local.json", ".codex/hooks.json"),
    *(".codex/config.toml", ".cursor/hooks.json", ".gemini/settings.json"),
)

PATHSPECS = tuple(f":(glob)*/**/{name}" for name in NAMES_BELOW)
"""What git lists these files by."""


def config_files(
    root: Path,
    home: Path | None = None,
    cwd: Path | None = None,
    listed: Iterable[str] | None = None,
) -> list[ConfigFile]:
    """The configuration files of a project that may exist, in the order in which they are shown.

    ``root`` is the work tree's root; ``home`` adds the user's own files, ``cwd`` (inside of
    ``root``) the folders from there up to the root. ``listed`` are the names in ``root``, as git
    tells them, among which those below are; without it git is asked.
    """
    wired, _ = _folders_below(root, listed)
    folders = dict.fromkeys([*_upwards(root, cwd or root), *wired])
    found = [config for agent in AGENTS for config in agent.files(root, home)]
    for folder in folders:
        found += [_below(root, config) for agent in AGENTS for config in agent.files(folder, None)]
    return found


def left_below(root: Path, cwd: Path) -> list[Path]:
    """The configuration files in folders that :func:`config_files` leaves out, in order."""
    _, others = _folders_below(root, None)
    return [path for folder, path in others if folder not in _upwards(root, cwd)]


def _below(root: Path, config: ConfigFile) -> ConfigFile:
    """A file of a folder below as one of the project: its scripts may be anywhere in there."""
    inner = config.path.relative_to(root).as_posix()
    is_plugin = "CLAUDE_PLUGIN_ROOT" in config.variables
    return replace(config, origin=inner, root=config.root if is_plugin else root)


def _upwards(root: Path, cwd: Path) -> Iterator[Path]:
    folder = Path(os.path.realpath(cwd))
    while folder != root and folder.is_relative_to(root):
        yield folder
        folder = folder.parent


def _folders_below(
    root: Path, listed: Iterable[str] | None
) -> tuple[list[Path], list[tuple[Path, Path]]]:
    """Folders below whose hooks are on the wrapper; others that have hooks, each with a file."""
    endings = tuple(f"/{name}" for name in NAMES_BELOW)
    names = set(_ask_git(root) if listed is None else listed)
    wired, others = [], []
    for path in sorted(root / name for name in names if name.endswith(endings)):
        try:
            text = read_bytes(path)
        except OSError:  # git lists what somebody has deleted, too
            continue
        folder = path.parent.parent
        if WRAPPER_NAME.encode() in text:
            wired.append(folder)
        elif b"hooks" in text:
            others.append((folder, path))
    return wired, [(folder, path) for folder, path in others if folder not in wired]


def _ask_git(root: Path) -> list[str]:
    if not os.path.lexists(root / ".git"):
        return []
    try:
        return git.tracked_matching(root, PATHSPECS, untracked=True)
    except GitError:  # reported by those who need git
        return []
