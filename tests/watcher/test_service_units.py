"""Texts for service managers: paste-ready, whatever is in the paths."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from watcher import service_units as units

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = ["/opt/a b/hooks-watch", '/home/me/100% of <my> "repo" $HOME', "--poll", "2"]
ENV = {"PATH": "/usr/bin:/a b", "HOOKS_COMPILE_HOME": "/home/me/50%"}


def test_systemd_gets_every_word_quoted() -> None:
    unit = units.systemd(COMMAND, ENV)
    assert (
        'ExecStart="/opt/a b/hooks-watch" "/home/me/100%% of <my> \\"repo\\" $$HOME" "--poll" "2"\n'
        in unit
    )
    assert 'Environment="PATH=/usr/bin:/a b"\n' in unit
    assert 'Environment="HOOKS_COMPILE_HOME=/home/me/50%%"\n' in unit
    assert "SuccessExitStatus=143\n" in unit
    assert "WantedBy=default.target\n" in unit


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    program = shutil.which("true")
    assert program is not None
    unit = tmp_path / "hooks-watch.service"
    unit.write_text(units.systemd([program, *COMMAND[1:]], ENV))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", unit], capture_output=True, text=True, check=False
    )
    assert "hooks-watch" not in done.stderr, done.stderr


def test_launchd_gets_a_property_list() -> None:
    agent = plistlib.loads(units.launchd(COMMAND, ENV).encode())
    assert agent["Label"] == "hooks-watch"
    assert agent["ProgramArguments"] == COMMAND
    assert agent["EnvironmentVariables"] == ENV
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


@pytest.mark.parametrize("manager", ["systemd", "launchd"])
def test_only_what_the_watcher_needs_is_taken_from_the_environment(manager: str) -> None:
    env = {"PATH": "/bin", "SECRET_TOKEN": "x", "XDG_DATA_HOME": "", "HOOKS_COMPILE_HOME": "/h"}
    needed = {"PATH": "/bin", "HOOKS_COMPILE_HOME": "/h"}
    make = getattr(units, manager)
    assert units.text(manager, COMMAND, env) == make(COMMAND, needed)
