"""Texts that make a service manager run the watcher."""

from __future__ import annotations

import plistlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VARIABLES = ("PATH", "HOOKS_COMPILE_HOME", "XDG_DATA_HOME", "PYENV_ROOT")
_SYSTEMD = """\
# systemctl --user daemon-reload && systemctl --user enable --now hooks-watch
[Unit]
Description=Compiles the hooks of coding agents and git as they are saved

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec=5
# ended by systemctl stop: 128 + SIGTERM
SuccessExitStatus=143

[Install]
WantedBy=default.target
"""


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return what the watcher needs of ``env``; a service manager's own is nearly empty."""
    return {name: env[name] for name in _VARIABLES if env.get(name)}


def text(manager: str, program: Sequence[str], words: Sequence[str], env: Mapping[str, str]) -> str:
    """Return what makes ``manager`` (systemd, launchd or both) run ``program`` with ``words``."""
    unit, agent = systemd([*program, *words], env), launchd([*program, *words], env)
    again = shlex.join(["hooks-watch", *words])
    both = (
        f"# Linux: {again} --service=systemd > ~/.config/systemd/user/hooks-watch.service\n"
        f"{unit}\n"
        f"# macOS: {again} --service=launchd > ~/Library/LaunchAgents/hooks-watch.plist\n"
        f"#        launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/hooks-watch.plist\n"
        f"{agent}"
    )
    return {"systemd": unit, "launchd": agent, "both": both}[manager]


def systemd(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return a user unit that runs ``command``, see systemd.service(5)."""
    words = " ".join(_quoted(word.replace("$", "$$")) for word in command)
    lines = [f"Environment={_quoted(f'{name}={value}')}\n" for name, value in env.items()]
    return _SYSTEMD.format(command=words, environment="".join(lines))


def launchd(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return an agent's property list that runs ``command``, see launchd.plist(5)."""
    log = str(Path.home() / "Library/Logs/hooks-watch.log")
    agent = {
        "Label": "hooks-watch",
        "ProgramArguments": list(command),
        "EnvironmentVariables": dict(env),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _quoted(word: str) -> str:
    r"""Return a word as a unit file quotes it; ``%`` begins a specifier there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    escaped = escaped.replace("\n", "\\n")
    return f'"{escaped}"'
