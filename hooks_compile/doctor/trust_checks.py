"""Hooks on the wrapper that Codex does not run, since nobody has trusted them as they are now.

Codex keeps the hash of each trusted hook in its user's ``config.toml``, under ``hooks.state``, by
file, event and place. The hash is that of Codex 0.171, compared with the client's own.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import member, value_at
from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.wiring import config_files
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.doctor.findings import Finding, problem
from hooks_compile.entries.report import plural
from hooks_compile.errors import AgentConfigError
from hooks_compile.install import wrapper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hooks_compile.agents.clients.base import Json

_CODEX = next(agent for agent in AGENTS if agent.name == "codex")
_DEFAULT_TIMEOUT_S = 600
_EVENTS = {  # that Codex knows, as it writes them in its state
    *("permission_request", "pre_tool_use", "post_tool_use", "pre_compact", "post_compact"),
    *("session_start", "session_end", "subagent_start", "subagent_stop", "stop"),
    "user_prompt_submit",
}
_REMEDY = "codex  # then /hooks, and trust them; until then nothing is blocked"


def check_codex_trust(paths: Iterable[Path], env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the hooks on the wrapper that Codex's user has not trusted as they are.

    They are those in the files ``paths`` of a project, and in the user's own. Nothing is found if
    Codex was never used on this machine.
    """
    home = Path(env.get("HOME", "/"), ".codex")
    if env.get("CODEX_HOME"):  # of which Codex takes the real path
        home = Path(env["CODEX_HOME"]).resolve()
    if not home.is_dir():
        return
    try:
        state = member(member(_settings(home / "config.toml"), "hooks"), "state")
    except AgentConfigError as error:
        text = f"{error.path}: {error.cause}, so nobody knows which hooks Codex trusts"
        yield problem(text, error.remedy)
        return
    for path in dict.fromkeys((*paths, home / "hooks.json", home / "config.toml")):
        try:
            hooks = list(_wired_hooks(path))
        except AgentConfigError:  # which other checks say
            continue
        untrusted = [
            where
            for where, key, hashes in hooks
            if member(member(state, key), "trusted_hash") not in hashes
        ]
        if untrusted:
            count = plural(len(untrusted), "hook is", "hooks are")
            where = ", ".join(untrusted)
            text = f"{path}: {count} not trusted in Codex, which skips them: {where}"
            yield problem(text, _REMEDY)


def _settings(path: Path) -> Json:
    """Return the settings in a file, None if there is none. Raises AgentConfigError."""
    try:
        return read_settings(config_files.read(path, path.parent).text, path)
    except AgentConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _wired_hooks(path: Path) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the place, Codex's key and the possible hashes of each hook that is on the wrapper."""
    settings = _settings(path)
    for found in _CODEX.commands(settings):
        _, event, group, _, number, _ = found.path
        label = re.sub(r"(?<!^)(?=[A-Z])", "_", str(event)).lower()
        if wrapper.NAME in found.command and label in _EVENTS:
            matcher = value_at(settings, (*found.path[:3], "matcher"))
            hashes = _hashes(label, matcher, value_at(settings, found.path[:-1]))
            yield found.where, f"{path}:{label}:{group}:{number}", set(hashes)


def _hashes(label: str, matcher: Json, entry: Json) -> Iterator[str]:
    """Yield the hash of a hook with its matcher, and without it: some events ignore it."""
    given, message = member(entry, "timeout"), member(entry, "statusMessage")
    timeout = max(given, 1) if isinstance(given, int) else _DEFAULT_TIMEOUT_S
    if label == "session_end":
        timeout = min(timeout, 3) if isinstance(given, int) else 1
    handler = {
        "type": "command",
        "command": member(entry, "command"),
        "timeout": timeout,
        "async": member(entry, "async") is True,
        **({} if message is None else {"statusMessage": message}),
    }
    for limits in ({}, {} if matcher is None else {"matcher": matcher}):
        identity = {"event_name": label, "hooks": [handler], **limits}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        yield f"sha256:{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"
