"""Counts the git processes that our code starts: a ``git`` on PATH that notes its arguments."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def note_git_calls(directory: Path, env: Mapping[str, str]) -> tuple[dict[str, str], Path]:
    """Return ``env`` with such a git first on PATH, and the file with a line for each call."""
    real = shutil.which("git", path=env["PATH"])
    log = directory / "git calls"
    script = f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{log}'\nexec '{real}' \"$@\"\n"
    front = write(directory / "noting git" / "git", script, executable=True).parent
    log.write_text("")
    return {**env, "PATH": f"{front}{os.pathsep}{env['PATH']}"}, log


def git_calls(log: Path) -> list[str]:
    """Return the git commands since the last look, without their arguments and settings."""
    lines = log.read_text().splitlines()
    log.write_text("")
    return [
        next(word for word in line.split() if not word.startswith("-") and "=" not in word)
        for line in lines
    ]
