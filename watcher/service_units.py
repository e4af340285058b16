"""Texts that make a service manager run the watcher."""

from __future__ import annotations

import plistlib
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.interpreters.user_environment import user_environment

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


def text(manager: str, command: Sequence[str], env: Mapping[str, str]) -> str:
    """Return what makes ``manager``, systemd or launchd, run ``command``.

    A service manager's own environment is nearly empty: it has what the watcher needs of ``env``.
    """
    own = user_environment(env)
    needed = {name: own[name] for name in _VARIABLES if own.get(name)}
    return (systemd if manager == "systemd" else launchd)(command, needed)


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
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _quoted(word: str) -> str:
    """Return a word as a unit file quotes it; ``%`` begins a specifier there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'.replace("\n", "\\n")
