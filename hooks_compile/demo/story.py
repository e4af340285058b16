"""``hooks-compile demo``: a throw-away project in which everything happens once, for real.

The tool is run as a user runs it, and the hook as an agent runs it: the command of the settings,
under ``sh``, with an event on stdin. Only one temporary directory is written to.
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
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import git
from hooks_compile.bench.estimates import ratio
from hooks_compile.bench.signals import handle, signals_wait
from hooks_compile.bench.tables import interval, milliseconds
from hooks_compile.demo.samples import FILES, GUARD, SETTINGS, STRICTER
from hooks_compile.errors import HooksCompileError, RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.interpreters.user_environment import user_environment
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 9
_WIDTH = 80
_TOOL = (sys.executable, "-m", "hooks_compile")


def run(show: Callable[[str], None], *, keep: bool) -> int:
    """Play the demo, a line for each call of ``show``; return 1 if something was unexpected.

    The directory is removed at the end, also after a signal, unless ``keep``. Raises
    HooksCompileError if there is no interpreter, no git, or no place for the directory.
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="hooks-compile-demo-")).resolve()
    except OSError as error:
        cause = f"there is no place for the demo's directory: {error.strerror}"
        remedy = 'export TMPDIR="a directory that can be written"'
        raise HooksCompileError(cause, remedy=remedy) from error
    handle(lambda number, _: sys.exit(128 + number), signal.SIGTERM, signal.SIGHUP)
    try:
        return _Demo(show, directory).play()
    finally:
        if keep:
            show(f"\nThe project stays in {directory / 'project'}")
            show(f"To go on there: export HOOKS_COMPILE_HOME={directory / 'runtime'}")
        else:
            shutil.rmtree(directory)


class _Done(NamedTuple):
    """How a process ended, all that it printed, and the seconds that it took."""

    status: int
    output: str
    took: float


class _Row(NamedTuple):
    """A row of the table: who starts the hook, with which words and environment."""

    name: str
    source: Sequence[str]
    entry: Sequence[str]
    env: Mapping[str, str]


class _Demo:
    """The project, the environments of the tool and of the agent, and what was unexpected."""

    def __init__(self, show: Callable[[str], None], directory: Path) -> None:
        self._show = show
        self._project = directory / "project"
        self._trace = directory / "trace"
        # The user's variables and git settings could change which code runs, or what it takes.
        kept = {
            name: value
            for name, value in os.environ.items()
            if name == "PYTHONPATH" or not name.startswith(("PYTHON", "HOOKS_COMPILE", "GIT_"))
        }
        git_settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        self._env = {**kept, **git_settings, "HOOKS_COMPILE_HOME": str(directory / "runtime")}
        self._agent_env = {**user_environment(self._env), "CLAUDE_PROJECT_DIR": str(self._project)}
        self._unexpected = 0
        self._has_snapshots = False
        with contextlib.suppress(RuntimeDirectoryError):  # then nobody has any
            self._has_snapshots = Store(runtime_directory.location(os.environ)).is_on

    def _run(self, words: Sequence[str], env: Mapping[str, str], stdin: bytes = b"") -> _Done:
        """Run a process in the project to its end, and that of all that has its output.

        An interrupt ends them all: nothing may write into the directory that is removed then.
        """
        begun = time.perf_counter()
        process: subprocess.Popen[bytes] | None = None
        try:
            with signals_wait():
                process = subprocess.Popen(
                    words,
                    cwd=self._project,
                    env=env,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                )
            output, _ = process.communicate(stdin)
        except BaseException:
            if process is not None:
                with contextlib.suppress(ProcessLookupError):  # all of them have ended already
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            raise
        took = time.perf_counter() - begun
        return _Done(process.returncode, output.decode(errors="replace"), took)

    def play(self) -> int:
        python = resolve("python3", cwd=self._project.parent, env=self._agent_env)
        self._say("A throw-away project with a hook of a coding agent, put on the wrapper:")
        for name, text in FILES.items():
            (self._project / name).parent.mkdir(parents=True, exist_ok=True)
            (self._project / name).write_text(text, encoding="utf-8")
        git.run(["init", "--quiet", "--template="], cwd=self._project)
        self._show("  $ hooks-compile init --yes")
        done = self._run([*_TOOL, "init", "--yes", "--no-git"], self._env)
        for line in done.output.splitlines():
            self._show(textwrap.fill(f"  {line}", _WIDTH, subsequent_indent="    "))
        self._expect("exit 0", f"exit {done.status}")
        self._say("What the agent does now, each time as a new process:")
        self._launch("git status", "hit", 0)
        self._launch("rm -rf ~/", "hit", 2)
        self._say("guard.py is edited to block forced pushes too, and nobody compiles it:")
        source = self._project / GUARD
        source.write_text(source.read_text("utf-8").replace(*STRICTER), encoding="utf-8")
        self._launch("git push --force", "miss", 2)
        self._launch("git push --force", "hit", 2)
        if self._has_snapshots:
            self._say("Snapshots are on for you, so here, too:")
            done = self._run([*_TOOL, "snapshot", "on"], self._env)
            self._show(textwrap.indent(done.output.rstrip(), "  "))
            self._has_snapshots = done.status == 0  # else they can't be made here any more
        if self._has_snapshots:
            self._launch("git status", "resumed", 0)
        if self._unexpected:
            count = self._unexpected
            self._say(f"Not as expected: {count} of the above. Try: hooks-compile doctor")
            return 1
        self._measure(python.label, str(python.executable))
        self._explain()
        return 0

    def _say(self, text: str) -> None:
        self._show("\n" + textwrap.fill(text, _WIDTH))

    def _expect(self, wanted: str, found: str) -> None:
        if found != wanted:
            self._unexpected += 1
            self._show(f"  ! expected: {wanted}")

    def _launch(self, command: str, state: str, status: int) -> None:
        """Run the hook as an agent does, and show what came out, beside what is expected."""
        settings = json.loads((self._project / SETTINGS).read_text("utf-8"))
        words = ["/bin/sh", "-c", settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"]]
        self._trace.unlink(missing_ok=True)
        env = {**self._agent_env, "HOOKS_COMPILE_TRACE": str(self._trace)}
        done = self._run(words, env, _event(command))
        ran = self._trace.read_text().partition("\t")[0] if self._trace.exists() else "source"
        self._show(f"  guard.py    {command:<22}{ran:<6} exit {done.status}")
        if done.output:
            self._show(f"    {textwrap.shorten(done.output, _WIDTH - 4, placeholder='...')}")
        self._expect(f"{state}, exit {status}", f"{ran}, exit {done.status}")

    def _measure(self, label: str, binary: str) -> None:
        """Measure launches from source and from entry: by the agent's ``python3``, without its shim
        if it is one, and from a snapshot if there are some."""
        script = str(self._project / GUARD)
        wrapper = ["/bin/sh", str((self._project / GUARD).with_name("hook_wrapper.sh"))]
        cold = {**self._agent_env, "HOOKS_COMPILE_SNAPSHOT": "0"}
        plain = _Row("python3", ["python3", script], [*wrapper, script], cold)
        rows = [plain]
        if is_shim(find("python3", cwd=self._project, env=self._agent_env)):
            past_shim = [*wrapper, f"--python={binary}", script]
            rows.append(_Row("its binary", [binary, script], past_shim, cold))
        if self._has_snapshots:
            rows.append(plain._replace(name="a snapshot", env=self._agent_env))
        launches = [(words, row.env) for row in rows for words in (row.source, row.entry)]
        event = _event("git status")
        rounds = [[self._run(*each, event).took for each in launches] for _ in range(ROUNDS)]
        times = list(zip(*rounds, strict=True))
        medians = f"medians of {ROUNDS} launches each, in turn, on this machine as busy as it is"
        self._say(f"What a launch takes under {label}: {medians}:")
        self._show(f"  {'started by':<12}{'source':>10}{'entry':>10}  ratio (95 %)")
        for row, source, entry in zip(rows, times[::2], times[1::2], strict=True):
            both = "".join(
                f"{milliseconds(statistics.median(each)):>10}" for each in (source, entry)
            )
            found = ratio(entry, source)
            verdict = "" if found.excludes_one else "  no difference but noise"
            self._show(f"  {row.name:<12}{both}  {interval(found)}{verdict}")

    def _explain(self) -> None:
        """Show what costs time on this machine, and the fixes, as doctor says."""
        lines = self._run([*_TOOL, "doctor"], self._env).output.splitlines()
        causes = [line for line in lines if not line.startswith("ok: ")]
        what = "this costs time here:" if causes else "nothing else costs time here."
        self._say(f"hooks-compile doctor says that {what}")
        for line in causes:
            self._show(f"  {line}")  # can be pasted, whatever its width is


def _event(command: str) -> bytes:
    """Return what the agent writes to a hook's stdin before it runs a shell command."""
    return json.dumps({"tool_name": "Bash", "tool_input": {"command": command}}).encode()
