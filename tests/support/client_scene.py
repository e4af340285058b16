"""A project with hooks, a client in it, and what its hooks saw and did in a turn."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from hooks_compile.agents.clients.table import AGENTS
from tests.support.agent_clients import EVENTS, Client, Hook, cache_of, write_user_files
from tests.support.launches import default_interpreter
from tests.support.processes import is_running
from tests.support.repositories import GitRepo
from tests.support.snapshot_machine import bare_environment, loader
from tests.support.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.model_server import Model

TURN_S = 120
END_S = 20
GRACE_S = 5
SLOW_LIMIT_S = 4
CONTEXT = "said-by-the-hook"
COMMANDS = [f"echo > {name}.txt" for name in ("allowed", "forbidden", "denied", "slow")]

_BEGIN = """\
import json, os, signal, sys, time

given = json.load(sys.stdin)
tool = given.get("tool_input") or given.get("toolArgs") or {}
tool = json.loads(tool) if isinstance(tool, str) else tool
command = tool.get("command") or tool.get("cmd") or ""


def note(**more):
    where = os.path.dirname(os.path.abspath(__file__))
    line = {"script": os.path.basename(__file__), "argv": sys.argv[1:], "on": command, **more}
    with open(os.path.join(where, "notes"), "a") as file:
        file.write(json.dumps(line) + "\\n")


"""
# The wrapper's shell may set the last two.
RECORD = f"""{_BEGIN}\
names = sorted(set(os.environ) - {{"_", "OLDPWD", "SHLVL"}})
note(cwd=os.getcwd(), given=sorted(given), env=names, stdin=sys.stdin.read())
"""
GUARD = f"""{_BEGIN}\
note()
if "forbidden" in command:
    print("guard says no", file=sys.stderr)
    sys.exit(2)
"""
SLOW = f"""{_BEGIN}\
def end(number, frame):
    note(signal=number)
    sys.exit(1)


if "slow" in command:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    note(pid=os.getpid())
    time.sleep(60)
    note(survived=True)
"""

# What differs between two turns, and the command in a message about it.
_VARYING = re.compile(r"(Chunk ID: |Wall time: |PGID: |shellId: )[\w.]+|\[[^]\n]*/hooks/[^]\n]*\]")

each_state = pytest.mark.parametrize("state", ["hit", "resumed"])
"""How launches say that they ran: from the entry alone, or from a snapshot as well."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn showed: of the client, of its hooks, and to the model."""

    status: int
    notes: list[dict[str, Any]]
    results: list[str]
    files: list[str]
    has_context: bool

    def of(self, script: str) -> list[dict[str, Any]]:
        """Return the notes of one script."""
        return [note for note in self.notes if note["script"] == script]


class Interrupted(NamedTuple):
    """How a client and its hook ended: the client's status, the signals that the hook saw, and
    whether the hook went on."""

    status: int
    signals: list[int]
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """A client in a project of its own; ``tool`` is its user."""

    client: Client
    program: Path
    model: Model
    tool: Tool
    root: Path

    @classmethod
    def create(cls, client: Client, program: Path, model: Model, directory: Path) -> Scene:
        """Make the project, with the scripts and settings, in an empty directory."""
        root = GitRepo.create(directory / "my project").path
        python = bare_environment(default_interpreter().executable)
        tool = Tool.create(root, directory, python)
        scene = cls(client, program, model, tool, root)
        write_user_files(client, tool.home, model.url, root)
        denial, context = json.dumps(client.denial("decide says no")), scene._context()
        scripts = {
            "record.py": RECORD,
            "guard.py": GUARD,
            "slow.py": SLOW,
            "decide.py": f"{_BEGIN}note()\nif 'denied' in command:\n    print({denial!r})\n",
            "context.py": f"{_BEGIN}note()\nprint({context!r})\n",
        }
        scene.hooks.mkdir(parents=True)
        for name, text in scripts.items():
            (scene.hooks / name).write_text(text)
        scene.configure(SLOW_LIMIT_S)
        return scene

    def wire(self, state: str = "hit") -> None:
        """Let ``init`` wire the project's hooks, and make snapshots if ``state`` is ``resumed``.

        The test is skipped if one of them is not for this agent or this machine.
        """
        if self.client.name not in {agent.name for agent in AGENTS}:
            pytest.skip(f"init does not wire the hooks of {self.client.name}")
        self.tool.ok("init", "--yes")
        if state == "resumed":
            loader()
            self.tool.with_env(PATH=self.env()["PATH"]).ok("snapshot", "on")

    def unwire(self) -> None:
        """Let ``uninit`` take it back."""
        self.tool.ok("uninit", "--yes")

    @property
    def hooks(self) -> Path:
        """The directory of the project's hooks."""
        return self.root / self.client.hooks

    @property
    def settings(self) -> Path:
        """The project's settings."""
        return self.root / self.client.settings

    @property
    def trace(self) -> Path:
        """The file in which launches say how they ran."""
        return self.root.parent / "trace"

    def _context(self) -> str:
        if self.client.name == "copilot":
            return json.dumps({"additionalContext": CONTEXT})
        specific = {"hookEventName": self.client.event("prompt"), "additionalContext": CONTEXT}
        return json.dumps({"hookSpecificOutput": specific})

    def configure(self, slow_limit_s: int) -> None:
        """Write the settings: all events are recorded, and four hooks do what they are for."""
        hooks = [
            *(Hook(event, "record.py") for event in EVENTS),
            Hook("start" if self.client.name == "copilot" else "prompt", "context.py"),
            Hook("before", "guard.py"),
            Hook("before", "decide.py"),
            Hook("before", "slow.py", slow_limit_s),
        ]
        self.settings.write_text(self.client.configuration(hooks))

    def env(self) -> dict[str, str]:
        """Return all that the client's processes see; nothing but 127.0.0.1 can be reached."""
        node = shutil.which("node")
        assert node is not None
        nowhere = "http://127.0.0.1:9"
        return {
            **self.tool.env,
            "PATH": f"{self.tool.env['PATH']}:{Path(node).parent}:/usr/bin:/bin",
            "TERM": "xterm-256color",
            # Some unpack themselves there, at their first start.
            "XDG_CACHE_HOME": str(cache_of(self.program)),
            "HTTP_PROXY": nowhere,
            "HTTPS_PROXY": nowhere,
            "NO_PROXY": "127.0.0.1",
            "HOOKS_COMPILE_TRACE": str(self.trace),
            **self.client.env(self.model.url),
        }

    @contextlib.contextmanager
    def started(self, *words: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Start the client with these arguments; whatever is left of it ends with the block."""
        log = self.root.parent / "client.log"
        with log.open("ab") as stream:
            how = {"stdin": subprocess.DEVNULL, "stdout": stream, "stderr": stream, **how}
            process = subprocess.Popen(
                [self.program, *words], cwd=self.root, env=self.env(), start_new_session=True, **how
            )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pid in self.running():
                os.kill(pid, signal.SIGKILL)

    def prompt_words(self, *more: str) -> list[str]:
        """Return the arguments of one turn."""
        return [*more, *self.client.words, "do what the plan says"]

    def turn(self, *words: str, commands: Sequence[str] = COMMANDS) -> Turn:
        """Run a turn to its end, in which the model asks for ``commands``."""
        self.begin(commands)
        with self.started(*(words or self.prompt_words())) as process:
            status = process.wait(TURN_S)
            wait_for(lambda: not self.running(), END_S)
        return self.seen(status)

    def begin(self, commands: Sequence[str]) -> None:
        """Remove what the turn before has left, and give the model its plan."""
        for path in (self.trace, self.hooks / "notes", *self.root.glob("*.txt")):
            path.unlink(missing_ok=True)
        self.model.begin(commands)

    def interrupted(self) -> Interrupted:
        """Run a turn, and signal the client's process group while a hook runs, as ^C does."""
        self.begin(COMMANDS[-1:])
        with self.started(*self.prompt_words()) as process:
            wait_for(self.running, TURN_S)
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(END_S)
            # An orphan may be on its way out.
            deadline = time.monotonic() + GRACE_S
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.05)
            signals = [note["signal"] for note in self.notes() if "signal" in note]
            return Interrupted(status, signals, bool(self.running()))

    def seen(self, status: int) -> Turn:
        """Return what a turn has left."""
        notes = [{k: v for k, v in note.items() if k != "pid"} for note in self.notes()]
        return Turn(
            status,
            sorted(notes, key=json.dumps),  # hooks of an event may run at the same time
            [_VARYING.sub(r"\1", result) for result in self.model.results],
            sorted(path.name for path in self.root.glob("*.txt")),
            any(CONTEXT in request for request in self.model.requests),
        )

    def notes(self) -> list[dict[str, Any]]:
        """Return what the hooks have written down so far."""
        path = self.hooks / "notes"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def running(self) -> list[int]:
        """Return the slow hooks that have not ended."""
        pids = [note["pid"] for note in self.notes() if "pid" in note]
        return [pid for pid in pids if is_running(pid)]

    def launches(self) -> Counter[tuple[str, str]]:
        """Count the launches of the last turn by how they ran and their script's name."""
        lines = self.trace.read_text().splitlines() if self.trace.exists() else []
        fields = [line.split("\t") for line in lines]
        return Counter((each[0], Path(each[-1]).name) for each in fields)


def wait_for(condition: Callable[[], object], limit_s: float) -> None:
    """Wait until a condition holds; fail the test after ``limit_s`` seconds."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        time.sleep(0.05)
