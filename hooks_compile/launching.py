"""Launches of hooks from the command line, as the wrapper would launch them."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import runtime_folder, wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def command(hook: str, arguments: Sequence[str], python: str | None) -> list[str]:
    """Return the words that launch ``hook`` through our own copy of the wrapper."""
    script = Path(__file__).with_name("runtime") / wrapper.NAME
    chosen = [f"--python={python}"] if python else []
    return ["/bin/sh", str(script), *chosen, hook, *arguments]


def explained(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Launch, and return the exit status and a line that says which code ran.

    A hook that dies by a signal takes this process with it by the same signal.
    """
    with tempfile.TemporaryDirectory(prefix="hooks-compile-") as folder:
        trace = Path(folder, "trace")
        status = subprocess.run(
            words, env={**env, "HOOKS_COMPILE_TRACE": str(trace)}, check=False
        ).returncode
        lines = trace.read_text().splitlines() if trace.exists() else []
    text = _explanation(lines[0]) if lines else _unlaunched(env)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status, text


def _explanation(line: str) -> str:
    state, reason, _ = line.split("\t", 2)
    meaning = {
        "hit": "ran from its entry",
        "miss": "was compiled for this launch",
        "source": "was left to plain Python",
    }
    return f"{state}: the hook {meaning[state]} ({reason})"


def _unlaunched(env: Mapping[str, str]) -> str:
    launch = runtime_folder.location(env) / "launch.py"
    return f"source: plain Python ran the hook, because the wrapper found no launcher at {launch}"
