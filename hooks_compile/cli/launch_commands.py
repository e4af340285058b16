"""run, runtime, doctor, demo: launches of hooks on this machine."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.cli import output
from hooks_compile.cli.context import current_directory, open_project
from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory, wrapper

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

_MEANINGS = {
    "hit": "ran from its entry",
    "miss": "was compiled for this launch",
    "source": "was left to plain Python",
}


def run_runtime(_: argparse.Namespace) -> int:
    """Print the launcher's path."""
    output.print_raw(f"{runtime_directory.ensure(runtime_directory.location(os.environ))}\n")
    return 0


def run_hook(arguments: argparse.Namespace) -> int:
    """Launch a hook as the wrapper does; without ``--explain`` it replaces this process."""
    command = wrapper_command(arguments.hook, arguments.arguments, arguments.python)
    if not arguments.explain:
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606 - the wrapper is a shell script
    from hooks_compile.interpreters import shims

    try:
        runtime = runtime_directory.location(os.environ)
    except RuntimeDirectoryError:
        bypass = None  # there is no launcher either
    else:
        python = arguments.python or "python3"
        bypass = shims.bypass_of(runtime, python, cwd=current_directory(), env=os.environ)
    status, explanation = explain(command, os.environ)
    output.print_error(explanation)
    if bypass is not None:
        output.print_error(bypass)
    return end_like(status)


def run_doctor(arguments: argparse.Namespace) -> int:
    """Look for what keeps hooks from their entries; return 1 if there is a problem."""
    from hooks_compile.doctor import checks

    findings = list(checks.examine(open_project(arguments), current_directory(), os.environ))
    output.show(arguments, [finding._asdict() for finding in findings], findings)
    return any(finding.level == "problem" for finding in findings)


def run_demo(arguments: argparse.Namespace) -> int:
    """Show it all in a temporary project."""
    from hooks_compile.demo import story

    return story.run(output.say, keep=arguments.keep)


def explain(words: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Launch, and return the exit status and a line that says which code ran.

    The status is negative if a signal ended the hook. An interrupt is left to the hook.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory(prefix="hooks-compile-") as directory:
        trace = Path(directory, "trace")
        # a handler, unlike SIG_IGN, is not inherited by the hook
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            traced = {**env, "HOOKS_COMPILE_TRACE": str(trace)}
            status = subprocess.run(words, env=traced, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)
        text = trace.read_text(encoding="utf-8", errors="replace") if trace.exists() else ""
    if not text:
        why = "the wrapper found no launcher: hooks-compile runtime"
        return status, f"source: plain Python ran the hook, because {why}"
    line = text.removeprefix("resumed\t")
    state, reason, _ = line.split("\t", 2)
    how = f"{state}, resumed" if line != text else state
    return status, f"{how}: the hook {_MEANINGS[state]} ({reason})"


def end_like(status: int) -> int:
    """Return the exit status of a hook, or die by the signal that ended it."""
    if status < 0:  # pragma: no cover - no coverage is saved by a process that dies here
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


def wrapper_command(hook: str, arguments: Sequence[str], python: str | None) -> list[str]:
    """Return the words that launch ``hook`` through our own copy of the wrapper."""
    script = Path(__file__).parent.with_name("launcher") / wrapper.NAME
    chosen = [f"--python={python}"] if python else []
    return ["/bin/sh", str(script), *chosen, hook, *arguments]


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run_hook,
    "runtime": run_runtime,
    "doctor": run_doctor,
    "demo": run_demo,
}
