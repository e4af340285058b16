"""Launches of hooks from the command line, as the wrapper would launch them."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory as runtime_folder
from hooks_compile.install import wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.interpreters.shims import Passing


def command(hook: str, arguments: Sequence[str], python: str | None) -> list[str]:
    """Return the words that launch ``hook`` through our own copy of the wrapper."""
    script = Path(__file__).parent.with_name("runtime") / wrapper.NAME
    chosen = [f"--python={python}"] if python else []
    return ["/bin/sh", str(script), *chosen, hook, *arguments]


def explained(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Launch, and return the exit status and a line that says which code ran.

    The status is negative where a signal ended the hook. An interrupt is the hook's own concern.
    """
    with tempfile.TemporaryDirectory(prefix="hooks-compile-") as folder:
        trace = Path(folder, "trace")
        # a handler, unlike SIG_IGN, is not what the hook starts with
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            status = subprocess.run(
                words, env={**env, "HOOKS_COMPILE_TRACE": str(trace)}, check=False
            ).returncode
        finally:
            signal.signal(signal.SIGINT, before)
        text = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    return status, _explanation(text) if text else _unlaunched(env)


def meets_shim(python: str, env: Mapping[str, str]) -> Passing | None:
    """Tell whether a launch here asks a shim for ``python``, and why; None where it is no shim."""
    from hooks_compile.interpreters import shims

    try:
        return shims.standing(runtime_folder.location(env), python, cwd=Path.cwd(), env=env)
    except RuntimeDirectoryError:
        return None  # the explanation tells that there is none


def end_like(status: int) -> int:
    """Return the exit status of a hook, or die by the signal that ended it."""
    if status < 0:  # pragma: no cover - no coverage is saved by a process that dies here
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def _explanation(line: str) -> str:
    state, reason, _ = line.split("\t", 2)
    meaning = {
        "hit": "ran from its entry",
        "miss": "was compiled for this launch",
        "source": "was left to plain Python",
    }
    return f"{state}: the hook {meaning[state]} ({reason})"


def _unlaunched(env: Mapping[str, str]) -> str:
    try:
        why = f"the wrapper found no launcher at {runtime_folder.location(env) / 'launch.py'}"
    except RuntimeDirectoryError as error:
        why = f"the wrapper found no runtime folder: {error.cause}"
    return f"source: plain Python ran the hook, because {why}"
