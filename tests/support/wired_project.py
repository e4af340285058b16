"""A project with hooks of every agent, a home beside it, and commands run as agents do."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.shell.syntax import TOPLEVEL
from hooks_compile.agents.wiring.apply import applied
from hooks_compile.agents.wiring.command import Surroundings
from hooks_compile.agents.wiring.config_files import look_in
from hooks_compile.install import wrapper

if TYPE_CHECKING:
    from hooks_compile.agents.wiring.plan import Plan

BY_NAME = {agent.name: agent for agent in AGENTS}
REPORT = """\
import os, sys
print(sys.argv, sys.stdin.read(), os.environ.get("A"), os.getcwd(), __file__)
print(sys.version, list(sys.flags), sys._xoptions, sys.warnoptions)
print({n: v for n, v in sorted(os.environ.items()) if n not in ("_", "SHLVL")})
sys.stderr.write("told\\n")
"""
SOURCES = {
    "log.py": REPORT,
    "guard.py": REPORT + "sys.exit(2)\n",
    "exit.py": REPORT + "sys.exit('no')\n",
    "crash.py": REPORT + "def inner():\n    return 1 / 0\n\ninner()\n",
    "killed.py": REPORT + "sys.stdout.flush()\nos.kill(os.getpid(), 15)\n",
    # Its parent is `timeout`, which takes this signal for the end of the time: no luck.
    "slow.py": "import os, signal, time\nprint('begun', flush=True)\n"
    "os.kill(os.getppid(), signal.SIGALRM)\ntime.sleep(30)\n",
}
FILES = {
    **{f".claude/hooks/{name}": source for name, source in SOURCES.items()},
    ".claude/hooks/größe.py": REPORT,
    ".claude/hooks/my hook.py": REPORT,
    ".claude/hooks/no-shebang.py": REPORT,
    ".claude/hooks/top.py": REPORT,
    "node_modules/tool/t.py": REPORT,
    "tool.py": REPORT,
    "tools/tool.py": REPORT,
    "scripts/statusline.py": REPORT,
    "scripts/my tools/t.py": REPORT,
    "scripts/q.py": REPORT,
    "top.py": REPORT,
    "hooks/p.py": SOURCES["guard.py"],
    ".codex/hooks/h.py": REPORT,
    ".cursor/hooks/h.py": REPORT,
    ".gemini/hooks/h.py": REPORT,
    ".github/hooks/h.py": REPORT,
}
RUNNABLE = {
    ".claude/hooks/run.py": "#!/usr/bin/env python3",
    ".claude/hooks/no-suffix": "#!/usr/bin/env python3",
    ".claude/hooks/plain-python.py": "#!/usr/bin/env python",
    ".claude/hooks/absolute.py": f"#!{Path(sys.executable).resolve()}",
    ".claude/hooks/with-options.py": "#!/usr/bin/env -S python3 -u",
    ".claude/hooks/uv-script": "#!/usr/bin/env -S uv run --script",
    ".claude/hooks/crlf.py": "#!/usr/bin/env python3\r",
    ".claude/hooks/shell.sh": "#!/bin/sh",
    "hooks/run.py": "#!/usr/bin/env python3",
    "hooks/shell.sh": "#!/bin/sh",
    ".codex/hooks/run.py": "#!/usr/bin/env python3",
    ".cursor/hooks/run.py": "#!/usr/bin/env python3",
    ".gemini/hooks/run.py": "#!/usr/bin/env python3",
    ".github/hooks/run.py": "#!/usr/bin/env python3",
}
STDIN = '{"tool_name": "Bash", "tool_input": {"command": "größe"}}'


@dataclass(frozen=True, slots=True)
class Seen:
    """What a command showed."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Project:
    """The directories that commands run in, and ``programs``, the first directory of their PATH."""

    root: Path
    home: Path
    elsewhere: Path
    programs: Path

    @classmethod
    def create(cls, base: Path, name: str = "project") -> Project:
        """Make it in an empty directory; ``name`` is the project directory's."""
        project = cls(base / name, base / "home", base / "elsewhere", base / "programs")
        for directory in (project.root, project.home, project.elsewhere, project.programs):
            directory.mkdir()
        for path, source in FILES.items():
            _write(project.root / path, source)
        for path, first in RUNNABLE.items():
            _write(project.root / path, f"{first}\n{REPORT}", 0o755)
        _write(project.home / ".claude/hooks/h.py", REPORT)
        _write(project.home / ".claude/hooks/shell.sh", "#!/bin/sh\n", 0o755)
        _write(project.home / ".claude/hooks/run.py", f"#!/usr/bin/env python3\n{REPORT}", 0o755)
        interpreter = Path(sys.executable).resolve()
        for link in ("python3", "python", "python3.11"):
            (project.programs / link).symlink_to(interpreter)
        (project.programs / "uv").symlink_to(find_uv_bin())
        subprocess.run(["git", "init", "-q", project.root], check=True)
        _write(project.root / "archive.pyz", "PK\x03\x04")
        _write(project.root / "old.pyc", "")
        venv = project.root / ".venv/bin"
        venv.mkdir(parents=True)
        for link in ("python3", "python"):
            (venv / link).symlink_to(interpreter)
        _write(venv.parent / "pyvenv.cfg", "")
        _write(venv / "tool", f"#!/usr/bin/env python3\n{REPORT}", 0o755)
        (project.root / "linked").symlink_to("scripts/my tools")
        _write(venv.parent / "pyvenv.cfg", f"home = {interpreter.parent}\n")
        library = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
        (venv.parent / library / "site-packages").mkdir(parents=True)
        _write(venv / "activate", "A=activated\nexport A\n")
        # Login shells set PATH anew.
        for profile in (".profile", ".zprofile"):
            _write(project.home / profile, f"PATH={shlex.quote(str(project.programs))}:$PATH\n")
        return project

    def surroundings(self, agent: str) -> Surroundings:
        """Where the agent's commands run; ``plugin`` and ``user`` are Claude Code's other files."""
        names = ("claude", "codex", "cursor", "gemini", "copilot")
        config = {name: next(BY_NAME[name].files(self.root, None)) for name in names}
        *_, config["user"] = BY_NAME["claude"].files(self.root, self.home)
        if agent == "plugin":
            variables = {"CLAUDE_PLUGIN_ROOT": str(self.root)}
            starts: tuple[Path, ...] = ()
            root = self.root
        else:
            variables = dict(config[agent].variables)
            starts = config[agent].starts
            root = config[agent].root
        pastes = config[agent].agent.pastes if agent in config else frozenset()
        known = {"PATH": None, "HOME": str(self.home), TOPLEVEL: str(self.root) if starts else None}
        return Surroundings(look_in(root), starts, {**known, **variables}, pastes, {})

    def write_wrappers(self, wrappers: tuple[Path, ...]) -> None:
        """Write the real wrapper, without execute permission: `sh` does not need it."""
        for path in wrappers:
            path.write_bytes(wrapper.text())

    def environment(self, agent: str) -> dict[str, str]:
        """What the agent sets, and nothing that would reach the real home directory."""
        variables = {
            "claude": {"CLAUDE_PROJECT_DIR": self.root},
            "plugin": {"CLAUDE_PLUGIN_ROOT": self.root, "CLAUDE_PROJECT_DIR": self.elsewhere},
            "user": {"CLAUDE_PROJECT_DIR": self.elsewhere},
            "cursor": {"CURSOR_PROJECT_DIR": self.root, "CLAUDE_PROJECT_DIR": self.root},
            "copilot": {"COPILOT_PROJECT_DIR": self.root, "CLAUDE_PROJECT_DIR": self.root},
            "gemini": {"GEMINI_PROJECT_DIR": self.root, "CLAUDE_PROJECT_DIR": self.root},
        }
        return {
            "PATH": os.pathsep.join([str(self.programs), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            **{name: str(path) for name, path in variables.get(agent, {}).items()},
        }

    def run(
        self, shell: tuple[str, ...], command: str, cwd: Path, environment: dict[str, str]
    ) -> Seen:
        """Run a command as the agent does, and take away the files that it leaves."""
        finished = subprocess.run(
            [*shell, command],
            input=STDIN.encode(),
            capture_output=True,
            cwd=cwd,
            env=environment,
            timeout=60,
            check=False,
        )
        for name in ("hook.log", "out.txt"):
            (self.root / name).unlink(missing_ok=True)
        return Seen(finished.returncode, finished.stdout, finished.stderr)


def carry_out(plan: Plan) -> None:
    """Write what a plan says."""
    with applied(plan):
        pass


def shells(agent: str) -> list[tuple[str, ...]]:
    """The shells that the agent's commands are read by, as far as this machine has them."""
    login = ["sh", "bash", "zsh"] if agent == "codex" else []
    found: list[tuple[str, ...]] = [("/bin/sh", "-c"), ("bash", "-c")]
    return [(path, "-lc") for name in login if (path := shutil.which(name))] or found


def as_the_agent_gives_it(agent: str, command: str, root: Path) -> str:
    """The text that the shell gets: Gemini CLI pastes the quoted project directory into it."""
    if agent != "gemini":
        return command
    return command.replace("$GEMINI_PROJECT_DIR", shlex.quote(str(root)))


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
