"""``hooks-compile demo``: a throw-away project in which everything happens once, for real.

The tool is run as a user runs it, and the hooks as an agent runs them: the command of the
settings, under ``sh``, with an event on stdin. Nothing outside of one temporary folder is written.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.bench import timing
from hooks_compile.demo.scene import (
    ABOUT,
    BROKEN,
    CONTEXT,
    DONE,
    FILES,
    FORCE,
    GUARD,
    HOOKS,
    LOG,
    PROMPT,
    REMOVE,
    STATUS,
    STRICTER,
)
from hooks_compile.errors import HooksCompileError
from hooks_compile.interpreters.resolve import find, is_shim, resolve, user_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hooks_compile.demo.scene import Event
    from hooks_compile.model import Interpreter

ROUNDS = 15
_WIDTH = 80
# They would change which code runs, or what a launch takes.
_UNSET = (
    "PYTHONDEVMODE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONINSPECT",
    "PYTHONNODEBUGRANGES",
    "PYTHONOPTIMIZE",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONPYCACHEPREFIX",
    "PYTHONUNBUFFERED",
    "PYTHONVERBOSE",
)
# The user's own settings must reach neither the project nor, through it, the user's own files.
_GIT_SETTINGS = {
    "user.name": "hooks-compile demo",
    "user.email": "demo@example.invalid",
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.excludesFile": "",
    "core.fsmonitor": "false",
    "core.hooksPath": ".git/hooks",
    "gc.auto": "0",
}


def run(show: Callable[[str], None], *, keep: bool) -> int:
    """Play the demo, a line for each call of ``show``; return 1 where something was unexpected.

    The folder goes at the end, however that comes, unless ``keep``. Raises HooksCompileError
    where there is no interpreter, no git, or no place for the folder.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="hooks-compile-demo-")).resolve()
    except OSError as error:
        raise HooksCompileError(
            f"there is no place for the demo's folder: {error.strerror}",
            remedy='export TMPDIR="a folder that can be written"',
        ) from error
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _Demo(show, folder).play()
    finally:
        signal.signal(signal.SIGTERM, before)
        if keep:
            show("")
            show(f"The project stays in {folder / 'project'}")
            show(f"To go on there: export HOOKS_COMPILE_HOME={folder / 'runtime'}")
        else:
            shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class _Launched:
    state: str
    status: int
    output: str


class _Demo:
    def __init__(self, show: Callable[[str], None], folder: Path) -> None:
        self._show = show
        self._project = folder / "project"
        self._trace = folder / "trace"
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _UNSET and not name.startswith("HOOKS_COMPILE_")
        }
        self._env = {**kept, "HOOKS_COMPILE_HOME": str(folder / "runtime")}
        self._agent_env = {
            **user_environment(self._env),
            "CLAUDE_PROJECT_DIR": str(self._project),
        }
        self._unexpected = 0

    def play(self) -> int:
        python = resolve("python3", cwd=self._project.parent, env=self._agent_env)
        self._make_project()
        self._say("Compiled once, here by hand (git hooks and hooks-watch do it by themselves):")
        self._tool("wrapper")
        self._tool("compile")
        self._commit("hooks")
        self._say("What the agent does now, each time as a new process:")
        self._launch(STATUS, "hit", 0, "")
        self._launch(REMOVE, "hit", 2, "blocked")
        self._launch(DONE, "hit", 0, "")
        self._launch(PROMPT, "hit", 0, "[redacted]")
        self._edit()
        self._switch()
        self._break()
        if self._unexpected:
            self._say(
                f"Not as expected: {self._unexpected} of the above. Try: hooks-compile doctor"
            )
            return 1
        self._measure(python)
        return 0

    def _say(self, text: str) -> None:
        self._show("")
        for line in textwrap.wrap(text, _WIDTH):
            self._show(line)

    def _make_project(self) -> None:
        for name, text in FILES.items():
            path = self._project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("init", "--quiet", "--template=")
        for name, value in _GIT_SETTINGS.items():
            self._git("config", name, value)
        self._git("symbolic-ref", "HEAD", "refs/heads/main")
        self._show("A throw-away git project with the hooks of a coding agent:")
        for name, about in ABOUT.items():
            self._show(f"  {name:<28} {about}")

    def _edit(self) -> None:
        self._say(f"{GUARD} is edited to block forced pushes too, and nobody compiles it:")
        self._launch(FORCE, "hit", 0, "")
        self._git("checkout", "--quiet", "-b", "stricter")
        self._replace(GUARD, *STRICTER)
        self._launch(FORCE, "miss", 2, "history of others")
        self._launch(FORCE, "hit", 2, "history of others")
        self._commit("stricter")

    def _switch(self) -> None:
        self._say("The branch is switched back, and forth: both versions are still there.")
        self._git("checkout", "--quiet", "main")
        self._show("  on main")
        self._launch(FORCE, "hit", 0, "")
        self._git("checkout", "--quiet", "stricter")
        self._show("  on stricter")
        self._launch(FORCE, "hit", 2, "history of others")

    def _break(self) -> None:
        self._say(f"{LOG} is broken by an edit:")
        self._replace(LOG, *BROKEN)
        self._tool("check", expected=1)
        self._replace(LOG, *reversed(BROKEN))

    def _measure(self, python: Interpreter) -> None:
        binary = str(python.executable)
        folder = self._project / HOOKS
        environment = {
            name: value for name, value in self._agent_env.items() if name != "HOOKS_COMPILE_TRACE"
        }
        events = {GUARD: STATUS, LOG: DONE, CONTEXT: PROMPT}
        launches = [self._timed([binary, "-c", "pass"], b"", environment)]
        for hook, event in events.items():
            stdin = event.stdin(str(self._project))
            script = str(folder / hook)
            wrapper = ["/bin/sh", str(folder / "hook_wrapper.sh"), f"--python={binary}", script]
            launches.append(self._timed([binary, script], stdin, environment))
            launches.append(self._timed(wrapper, stdin, environment))
        bare, *times = timing.medians(launches, rounds=ROUNDS)
        self._say(
            f"What a launch takes under {python.label}, by its real path: medians of {ROUNDS} "
            "launches each, in turn, on this machine as busy as it is:"
        )
        self._show(f"  {'hook':<14}{'source':>10}{'entry':>10}{'entry/source':>15}")
        for hook, source, entry in zip(events, times[::2], times[1::2], strict=True):
            self._show(
                f"  {hook:<14}{_ms(source):>10}{_ms(entry):>10}{entry / source:>15.2f}"
                f"   {_verdict(entry - source, entry / source)}"
            )
        self._show(f"  {'(no hook)':<14}{_ms(bare):>10}   python3 -c pass")
        self._say(
            "A launch through its entry spares compiling the hook and its regular expressions, and "
            "most of what Python does to end; the start of Python itself and the imports take what "
            "they take."
        )
        if is_shim(find("python3", cwd=self._project, env=self._agent_env)):
            self._say(
                "python3 on this PATH is a shim: launches of the source are slower than in this "
                "table. hooks-compile status tells whether the wrapper goes past it, and doctor "
                "what it costs."
            )

    def _timed(
        self, words: list[str], stdin: bytes, env: Mapping[str, str]
    ) -> Callable[[], object]:
        return functools.partial(
            subprocess.run,
            words,
            input=stdin,
            env=env,
            cwd=self._project,
            capture_output=True,
            check=False,
        )

    def _tool(self, command: str, *, expected: int = 0) -> None:
        """Run the tool in the project, and show the command with what it prints."""
        self._show(f"  $ hooks-compile {command}")
        done = subprocess.run(
            [sys.executable, "-m", "hooks_compile", command],
            cwd=self._project,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = done.stdout.decode(errors="replace").replace(f"{self._project}/", "")
        for line in text.splitlines():
            for part in textwrap.wrap(f"  {line}", _WIDTH, subsequent_indent="    "):
                self._show(part)
        if done.returncode != expected:
            self._unexpected += 1
            self._show(f"  ! exit status {done.returncode} instead of {expected}")

    def _launch(self, event: Event, state: str, status: int, part: str) -> None:
        """Run a hook as an agent does, and show what came out; the rest is what is expected."""
        launched = self._run(event)
        self._show(
            f"  {event.name:<17}{event.about:<29}{event.hook:<12}"
            f"{launched.state:<7}exit {launched.status}"
        )
        if launched.output:
            self._show(f"    {textwrap.shorten(launched.output, _WIDTH - 4, placeholder='...')}")
        if (launched.state, launched.status) != (state, status) or part not in launched.output:
            self._unexpected += 1
            self._show(f"    ! expected: {state}, exit {status}, {part!r} in the output")

    def _run(self, event: Event) -> _Launched:
        self._trace.unlink(missing_ok=True)
        done = subprocess.run(
            ["/bin/sh", "-c", event.command],
            input=event.stdin(str(self._project)),
            env={**self._agent_env, "HOOKS_COMPILE_TRACE": str(self._trace)},
            cwd=self._project,
            capture_output=True,
            check=False,
        )
        output = (done.stdout + done.stderr).decode(errors="replace")
        line = self._trace.read_text(errors="replace") if self._trace.exists() else "source"
        return _Launched(line.split("\t")[0], done.returncode, output)

    def _replace(self, hook: str, old: str, new: str) -> None:
        path = self._project / HOOKS / hook
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--no-verify", "--message", message)

    def _git(self, *arguments: str) -> None:
        git.run(arguments, cwd=self._project)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _verdict(difference: float, ratio: float) -> str:
    if ratio < 0.98:
        return f"saves {_ms(-difference)}"
    if ratio > 1.02:
        return f"costs {_ms(difference)} more"
    return "no difference"
