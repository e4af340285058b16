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

from hooks_compile.agents.clients.base import children, member
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.doctor.findings import PROBLEM, Finding
from hooks_compile.entries.report import plural
from hooks_compile.errors import AgentConfigError
from hooks_compile.files import read_bytes
from hooks_compile.install import wrapper
from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.agents.clients.base import Json
    from hooks_compile.agents.wiring.plan import FilePlan

_DEFAULT_TIMEOUT_S = 600
_REMEDY = "codex  # then /hooks, and trust them; until then nothing is blocked"


def check_codex_trust(plan: FilePlan, env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the hooks on the wrapper in a file of Codex that its user has not trusted as they are.

    Nothing is found if Codex was never used on this machine.
    """
    home = Path(env.get("CODEX_HOME") or Path(env.get("HOME", "/"), ".codex"))
    if plan.config.agent.name != "codex" or plan.file is None or not home.is_dir():
        return
    try:
        state = member(member(_settings(home / "config.toml"), "hooks"), "state")
    except AgentConfigError as error:
        text = f"Codex's own state can't be read: {error.cause}: which hooks it trusts is not known"
        yield Finding(PROBLEM, one_line(text), one_line(error.remedy))
        return
    untrusted = [
        where
        for where, key, hashes in _wired_hooks(plan.file.text, plan.config.path)
        if member(member(state, key), "trusted_hash") not in hashes
    ]
    if untrusted:
        count = plural(len(untrusted), "hook is", "hooks are")
        places = ", ".join(untrusted)
        text = f"{plan.config.origin}: {count} not trusted in Codex, which skips them: {places}"
        yield Finding(PROBLEM, one_line(text), _REMEDY)


def _settings(path: Path) -> Json:
    try:
        return read_settings(read_bytes(path).decode(), path)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AgentConfigError(str(error), path=path, remedy=f"ls -l {path}") from error


def _wired_hooks(text: str, path: Path) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the place, Codex's key and the possible hashes of each hook that is on the wrapper."""
    for event, groups in children(member(read_settings(text, path), "hooks")):
        label = re.sub(r"(?<!^)(?=[A-Z])", "_", str(event)).lower()
        for group_number, group in children(groups):
            for number, entry in children(member(group, "hooks")):
                command = member(entry, "command")
                if isinstance(command, str) and wrapper.NAME in command:
                    place = f"{event}[{group_number}].hooks[{number}]"
                    key = f"{path}:{label}:{group_number}:{number}"
                    yield place, key, set(_hashes(label, member(group, "matcher"), entry))


def _hashes(label: str, matcher: Json, entry: Json) -> Iterator[str]:
    """Yield the hash of a hook with its matcher, and without it: some events ignore it."""
    timeout, message = member(entry, "timeout"), member(entry, "statusMessage")
    handler = {
        "type": "command",
        "command": member(entry, "command"),
        "timeout": _DEFAULT_TIMEOUT_S if timeout is None else timeout,
        "async": member(entry, "async") is True,
        **({} if message is None else {"statusMessage": message}),
    }
    for limits in ({}, {} if matcher is None else {"matcher": matcher}):
        identity = {"event_name": label, "hooks": [handler], **limits}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        yield f"sha256:{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"
