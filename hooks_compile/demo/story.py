"""``hooks-compile demo``: a throw-away project in which everything happens once, for real.

The tool is run as a user runs it, and the hooks as an agent runs them: the command of the
settings, under ``sh``, with an event on stdin. Only one temporary directory is written to.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.demo.samples import (
    ABOUT,
    BROKEN,
    FILES,
    GUARD,
    HOOKS,
    LOG,
    STRICTER,
    command,
)
from hooks_compile.errors import HooksCompileError
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.interpreters.user_environment import user_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hooks_compile.model import Interpreter

ROUNDS = 15
# Of 15 rounds so many are won by chance alone in 4 % of all tables.
CLEAR_WINS = 12
_WIDTH = 80
# The user's own settings must reach neither the project nor, through it, the user's own files.
_GIT_CONFIG = """
[user]
	name = hooks-compile demo
	email = demo@example.invalid
[commit]
	gpgSign = false
[core]
	autocrlf = false
	excludesFile =
	fsmonitor = false
	hooksPath = .git/hooks
[gc]
	auto = 0
"""


def run(show: Callable[[str], None], *, keep: bool) -> int:
    """Play the demo, a line for each call of ``show``; return 1 if something was unexpected.

    The directory is removed at the end, also after a signal, unless ``keep``. Raises
    HooksCompileError if there is no interpreter, no git, or no place for the directory.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="hooks-compile-demo-")).resolve()
    except OSError as error:
        raise HooksCompileError(
            f"there is no place for the demo's directory: {error.strerror}",
            remedy='export TMPDIR="a directory that can be written"',
        ) from error
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _Demo(show, directory).play()
    finally:
        signal.signal(signal.SIGTERM, before)
        if keep:
            show(f"\nThe project stays in {directory / 'project'}")
            show(f"To go on there: export HOOKS_COMPILE_HOME={directory / 'runtime'}")
        else:
            shutil.rmtree(directory)


class _Demo:
    def __init__(self, show: Callable[[str], None], directory: Path) -> None:
        self._show = show
        self._project = directory / "project"
        self._trace = directory / "trace"
        # The user's variables could change which code runs, or what a launch takes.
        kept = {
            name: value
            for name, value in os.environ.items()
            if name == "PYTHONPATH" or not name.startswith(("PYTHON", "HOOKS_COMPILE"))
        }
        self._env = {**kept, "HOOKS_COMPILE_HOME": str(directory / "runtime")}
        self._agent_env = {**user_environment(self._env), "CLAUDE_PROJECT_DIR": str(self._project)}
        self._unexpected = 0

    def play(self) -> int:
        python = resolve("python3", cwd=self._project.parent, env=self._agent_env)
        self._make_project()
        self._say("Compiled once, here by hand (git hooks and hooks-watch do it by themselves):")
        self._tool("wrapper")
        self._tool("compile")
        self._commit("hooks")
        self._say("What the agent does now, each time as a new process:")
        self._launch(GUARD, "git status", "hit", 0)
        self._launch(GUARD, "rm -rf ~/", "hit", 2)
        self._launch(LOG, "git status", "hit", 0)
        self._say(f"{GUARD} is edited to block forced pushes too, and nobody compiles it:")
        self._git("checkout", "--quiet", "-b", "stricter")
        self._replace(GUARD, *STRICTER)
        self._launch(GUARD, "git push --force", "miss", 2)
        self._launch(GUARD, "git push --force", "hit", 2)
        self._commit("stricter")
        self._say("The branch is switched back, and forth: both versions are still there.")
        for branch, status in (("main", 0), ("stricter", 2)):
            self._git("checkout", "--quiet", branch)
            self._show(f"  on {branch}")
            self._launch(GUARD, "git push --force", "hit", status)
        self._say(f"{LOG} is broken by an edit:")
        self._replace(LOG, *BROKEN)
        self._tool("check", expected=1)
        self._replace(LOG, *reversed(BROKEN))
        if self._unexpected:
            count = self._unexpected
            self._say(f"Not as expected: {count} of the above. Try: hooks-compile doctor")
            return 1
        self._measure(python)
        return 0

    def _say(self, text: str) -> None:
        self._show("\n" + textwrap.fill(text, _WIDTH))

    def _make_project(self) -> None:
        for name, text in FILES.items():
            path = self._project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("init", "--quiet", "--template=")
        self._git("symbolic-ref", "HEAD", "refs/heads/main")
        with (self._project / ".git/config").open("a") as config:
            config.write(_GIT_CONFIG)
        self._show("A throw-away git project with the hooks of a coding agent:")
        for name, about in ABOUT.items():
            self._show(f"  {name:<28} {about}")

    def _tool(self, name: str, *, expected: int = 0) -> None:
        """Run the tool in the project, and show the command with what it prints."""
        self._show(f"  $ hooks-compile {name}")
        done = subprocess.run(
            [sys.executable, "-m", "hooks_compile", name],
            cwd=self._project,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = done.stdout.decode(errors="replace").replace(f"{self._project}/", "")
        for line in text.splitlines():
            self._show(textwrap.fill(f"  {line}", _WIDTH, subsequent_indent="    "))
        if done.returncode != expected:
            self._unexpected += 1
            self._show(f"  ! exit status {done.returncode} instead of {expected}")

    def _launch(self, hook: str, tool_command: str, state: str, status: int) -> None:
        """Run a hook as an agent does, and show what came out; ``state`` and ``status`` are what
        is expected."""
        self._trace.unlink(missing_ok=True)
        done = subprocess.run(
            ["/bin/sh", "-c", command(hook)],
            input=_event(tool_command),
            env={**self._agent_env, "HOOKS_COMPILE_TRACE": str(self._trace)},
            cwd=self._project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        ran = self._trace.read_text().partition("\t")[0] if self._trace.exists() else "source"
        self._show(f"  {hook:<12}{tool_command:<22}{ran:<7}exit {done.returncode}")
        output = done.stdout.decode(errors="replace")
        if output:
            self._show(f"    {textwrap.shorten(output, _WIDTH - 4, placeholder='...')}")
        if (ran, done.returncode) != (state, status):
            self._unexpected += 1
            self._show(f"    ! expected: {state}, exit {status}")

    def _measure(self, python: Interpreter) -> None:
        binary = str(python.executable)
        directory = self._project / HOOKS
        wrapper = ["/bin/sh", str(directory / "hook_wrapper.sh"), f"--python={binary}"]
        starts = [Start([binary, "-c", "pass"])]
        for script in (str(directory / GUARD), str(directory / LOG)):
            starts.append(Start([binary, script], _event("git status")))
            starts.append(Start([*wrapper, script], _event("git status")))
        bare, *times = time_in_turn(starts, cwd=self._project, env=self._agent_env, rounds=ROUNDS)
        self._say(
            f"What a launch takes under {python.label}, by its real path: medians of {ROUNDS} "
            "launches each, in turn, on this machine as busy as it is:"
        )
        self._show(f"  {'hook':<14}{'source':>10}{'entry':>10}{'entry/source':>15}")
        for hook, source, entry in zip((GUARD, LOG), times[::2], times[1::2], strict=True):
            ratio = statistics.median(entry) / statistics.median(source)
            times_of_both = f"{_ms(source):>10}{_ms(entry):>10}{ratio:>15.2f}"
            self._show(f"  {hook:<14}{times_of_both}   {verdict(source, entry)}")
        self._show(f"  {'(no hook)':<14}{_ms(bare):>10}   python3 -c pass")
        self._say(
            "A launch through its entry spares compiling the hook and its regular expressions, and "
            "most of what Python does to end. Python's own start and the imports stay."
        )
        if is_shim(find("python3", cwd=self._project, env=self._agent_env)):
            self._say(
                "python3 on this PATH is a shim, which is not in this table. hooks-compile status "
                "says whether launches skip it, and hooks-compile doctor what it costs."
            )

    def _replace(self, hook: str, old: str, new: str) -> None:
        path = self._project / HOOKS / hook
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", "--message", message)

    def _git(self, *arguments: str) -> None:
        git.run(arguments, cwd=self._project)


def _event(tool_command: str) -> bytes:
    """Return what the agent writes to a hook's stdin before or after it runs a shell command."""
    return json.dumps({"tool_name": "Bash", "tool_input": {"command": tool_command}}).encode()


def verdict(source: Sequence[float], entry: Sequence[float]) -> str:
    """Return what the times of the same rounds say; noise is no difference."""
    difference = statistics.median(entry) - statistics.median(source)
    faster = sum(b < a for a, b in zip(source, entry, strict=True))
    if faster >= CLEAR_WINS and difference < 0:
        return f"saves {_ms([-difference])}"
    if len(source) - faster >= CLEAR_WINS and difference > 0:
        return f"costs {_ms([difference])} more"
    return "no difference beyond noise"


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} ms"
