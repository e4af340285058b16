"""``hooks-compile demo``: a throw-away project in which everything happens once, for real.

The tool is run as a user runs it, and the hooks as an agent runs them: the command of the
settings, under ``sh``, with an event on stdin. Only one temporary directory is written to.
"""

from __future__ import annotations

import contextlib
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
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.demo.samples import BROKEN, FILES, GUARD, HOOKS, LOG, STRICTER, command
from hooks_compile.errors import HooksCompileError
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.interpreters.user_environment import user_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 9
# Of 9 rounds so many are won or lost by chance alone in 4 % of all cases.
_CLEAR_WINS = 8
_WIDTH = 80
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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
    demo = _Demo(show, directory)
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    try:
        for number in _SIGNALS:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, demo.stop)
        return demo.play()
    finally:
        if keep:
            show(f"\nThe project stays in {directory / 'project'}")
            show(f"To go on there: export HOOKS_COMPILE_HOME={directory / 'runtime'}")
        else:
            shutil.rmtree(directory)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Done(NamedTuple):
    """How a process ended, and all that it printed."""

    status: int
    output: str


class _Case(NamedTuple):
    """What is measured: a hook, started by a Python, and what tells the wrapper to take that."""

    hook: str
    name: str
    python: str
    flags: Sequence[str] = ()


class _Demo:
    """Runs one process at a time.

    A signal ends that process and what it has started, and is raised when all have ended. An
    exception at any moment could leave one behind that still writes into the directory.
    """

    def __init__(self, show: Callable[[str], None], directory: Path) -> None:
        self._show = show
        self._signal = 0
        self._process: subprocess.Popen[bytes] | None = None
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

    def stop(self, number: int, _: object) -> None:
        """Handle a signal."""
        self._signal = number
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _raise_if_stopped(self) -> None:
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self._signal:
            raise SystemExit(128 + self._signal)

    def _run(self, words: Sequence[str], env: Mapping[str, str], stdin: bytes = b"") -> _Done:
        """Run a process in the project to its end, and that of all that has its output."""
        self._process = subprocess.Popen(
            words,
            cwd=self._project,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # see stop
        )
        if self._signal:  # it came before there was a process to end
            self.stop(self._signal, None)
        output, _ = self._process.communicate(stdin)
        status, self._process = self._process.returncode, None
        self._raise_if_stopped()
        return _Done(status, output.decode(errors="replace"))

    def play(self) -> int:
        python = resolve("python3", cwd=self._project.parent, env=self._agent_env)
        self._show("A throw-away git project with the hooks of a coding agent:")
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
            self._launch(GUARD, "git push --force", "hit", status)
        self._say(f"{LOG} is broken by an edit:")
        self._replace(LOG, *BROKEN)
        self._tool("check", expected=1)
        self._replace(LOG, *reversed(BROKEN))
        if self._unexpected:
            count = self._unexpected
            self._say(f"Not as expected: {count} of the above. Try: hooks-compile doctor")
            return 1
        self._measure(python.label, str(python.executable))
        self._explain()
        return 0

    def _say(self, text: str) -> None:
        self._show("\n" + textwrap.fill(text, _WIDTH))

    def _make_project(self) -> None:
        for name, text in FILES.items():
            path = self._project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            self._show(f"  {name}")
        self._git("init", "--quiet", "--template=")
        self._git("symbolic-ref", "HEAD", "refs/heads/main")
        with (self._project / ".git/config").open("a") as config:
            config.write(_GIT_CONFIG)

    def _tool(self, name: str, *, expected: int = 0) -> None:
        """Run the tool in the project, and show the command with what it prints."""
        self._show(f"  $ hooks-compile {name}")
        words = [sys.executable, "-m", "hooks_compile", name]
        done = self._run(words, self._env)
        for line in done.output.replace(f"{self._project}/", "").splitlines():
            self._show(textwrap.fill(f"  {line}", _WIDTH, subsequent_indent="    "))
        if done.status != expected:
            self._unexpected += 1
            self._show(f"  ! exit status {done.status} instead of {expected}")

    def _launch(self, hook: str, tool_command: str, state: str, status: int) -> None:
        """Run a hook as an agent does, and show what came out; ``state`` and ``status`` are what
        is expected."""
        self._trace.unlink(missing_ok=True)
        words = ["/bin/sh", "-c", command(hook)]
        env = {**self._agent_env, "HOOKS_COMPILE_TRACE": str(self._trace)}
        done = self._run(words, env, _event(tool_command))
        ran = self._trace.read_text().partition("\t")[0] if self._trace.exists() else "source"
        self._show(f"  {hook:<12}{tool_command:<22}{ran:<7}exit {done.status}")
        if done.output:
            self._show(f"    {textwrap.shorten(done.output, _WIDTH - 4, placeholder='...')}")
        if (ran, done.status) != (state, status):
            self._unexpected += 1
            self._show(f"    ! expected: {state}, exit {status}")

    def _measure(self, label: str, binary: str) -> None:
        """Measure launches from source and from entry: by the agent's ``python3``, and without its
        shim if it is one."""
        directory = self._project / HOOKS
        wrapper = ["/bin/sh", str(directory / "hook_wrapper.sh")]
        cases = [_Case(hook, "python3", "python3") for hook in (GUARD, LOG)]
        if is_shim(find("python3", cwd=self._project, env=self._agent_env)):
            flags = [f"--python={binary}"]
            cases += [_Case(hook, "its binary", binary, flags) for hook in (GUARD, LOG)]
        starts = []
        for case in cases:
            script, event = str(directory / case.hook), _event("git status")
            starts.append(Start([case.python, script], event))
            starts.append(Start([*wrapper, *case.flags, script], event))
        rounds: list[tuple[float, ...]] = []
        while len(rounds) < ROUNDS:
            once = time_in_turn(starts, cwd=self._project, env=self._agent_env, rounds=1)
            rounds.append(tuple(took for (took,) in once))
            self._raise_if_stopped()
        self._say(
            f"What a launch takes under {label}: medians of {ROUNDS} launches each, in turn, on "
            "this machine as busy as it is:"
        )
        self._show(f"  {'hook':<10}{'started by':<12}{'source':>10}{'entry':>10}{'ratio':>7}")
        times = list(zip(*rounds, strict=True))
        for case, source, entry in zip(cases, times[::2], times[1::2], strict=True):
            ratio = statistics.median(entry) / statistics.median(source)
            both = f"{_ms(source):>10}{_ms(entry):>10}{ratio:>7.2f}"
            self._show(f"  {case.hook:<10}{case.name:<12}{both}   {verdict(source, entry)}")

    def _explain(self) -> None:
        """Show what costs time on this machine, and the fixes, as doctor says."""
        words = [sys.executable, "-m", "hooks_compile", "doctor"]
        lines = self._run(words, self._env).output.splitlines()
        causes = [line for line in lines if not line.startswith("ok: ")]
        what = "this costs time here:" if causes else "nothing else costs time here."
        self._say(f"hooks-compile doctor says that {what}")
        for line in causes:
            self._show(f"  {line}")  # can be pasted, whatever its width is

    def _replace(self, hook: str, old: str, new: str) -> None:
        path = self._project / HOOKS / hook
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", "--message", message)

    def _git(self, *arguments: str) -> None:
        git.run(arguments, cwd=self._project)
        self._raise_if_stopped()


def _event(tool_command: str) -> bytes:
    """Return what the agent writes to a hook's stdin before or after it runs a shell command."""
    return json.dumps({"tool_name": "Bash", "tool_input": {"command": tool_command}}).encode()


def verdict(source: Sequence[float], entry: Sequence[float]) -> str:
    """Return what the times of the same rounds say; a small difference is noise."""
    difference = statistics.median(entry) - statistics.median(source)
    faster = sum(b < a for a, b in zip(source, entry, strict=True))
    if faster >= _CLEAR_WINS and difference < 0:
        return f"saves {_ms([-difference])}"
    if len(source) - faster >= _CLEAR_WINS and difference > 0:
        return f"costs {_ms([difference])} more"
    return "within the noise"


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} ms"
