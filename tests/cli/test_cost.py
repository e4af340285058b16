"""What commands cost: processes of git, reads of the configuration, modules that are loaded."""

from __future__ import annotations

import ast
import json
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT
from tests.support.repositories import GitRepo, write
from tests.support.tool import HOOK, Tool

if TYPE_CHECKING:
    from pathlib import Path

# Runs a command, and then prints the modules that are loaded and the files that were opened.
_OBSERVED = """\
import atexit, json, os, sys
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(os.fspath(args[0]))
                 if event == "open" and isinstance(args[0], str) else None)
from hooks_compile.cli.main import entry_point
atexit.register(lambda: print(json.dumps([list(sys.modules), opened]), file=sys.stderr))
entry_point()
"""


@pytest.fixture
def tool(git_repo: GitRepo, tmp_path: Path) -> Tool:
    """A user in a project with one wired hook and a configuration; git logs its calls."""
    git_repo.write(HOOK, "print('ran')\n")
    git_repo.write(".hooks-compile.toml", "keep = 2\n")
    command = {"type": "command", "command": f"python3 {HOOK}"}
    settings = {"hooks": {"Stop": [{"hooks": [command]}]}}
    git_repo.write(".claude/settings.json", json.dumps(settings))
    git_repo.commit()
    tool = Tool.create(git_repo.path, tmp_path)
    real = shutil.which("git")
    (tool.bin / "git").unlink()
    log = shlex.quote(str(tool.home / "log"))
    text = f'#!/bin/sh\nprintf \'%s\\n\' "$*" >>{log}\nexec {shlex.quote(str(real))} "$@"\n'
    write(tool.bin / "git", text, executable=True)
    return tool


def git_calls(tool: Tool, *words: str) -> list[str]:
    """Run a command, and return the arguments of the git processes that it started."""
    log = write(tool.home / "log", "")
    tool.ok(*words)
    return log.read_text().splitlines()


def test_one_project_record_serves_the_whole_command(tool: Tool) -> None:
    calls = git_calls(tool, "init", "--yes")
    asked = [call for call in calls if " add " not in f" {call} "]
    assert len(asked) <= 8, asked
    assert sum("--show-toplevel" in call for call in asked) <= 2, "the wrapper's repository, too"
    for words in (("sync",), ("status",), ("compile",)):
        assert len(git_calls(tool, *words)) <= 3, words
    assert len(git_calls(tool, "check")) <= 5, "it looks for wrappers in HEAD as well"
    assert len([call for call in git_calls(tool, "uninit", "--yes") if "reset" not in call]) <= 8


@pytest.mark.parametrize(
    "words", [("init", "--yes"), ("sync",), ("status",), ("uninit", "--yes")], ids=" ".join
)
def test_the_configuration_is_read_once(tool: Tool, words: tuple[str, ...]) -> None:
    _, opened = observed(tool, words)
    assert opened.count(str(tool.cwd / ".hooks-compile.toml")) == 1


def test_no_command_calls_the_parser_or_another_command() -> None:
    """A step that several commands share is a function with values, not with arguments."""
    for path in (CHECKOUT / "hooks_compile/cli").glob("*_commands.py"):
        tree = ast.parse(path.read_bytes())
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        commands = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not {name for name in called & commands if name.startswith("run_")}, path.name
        assert not {"Namespace", "parse_args", "build_parser"} & names, path.name


def test_a_command_with_nothing_to_do_loads_nothing_heavy(tool: Tool) -> None:
    """These commands run inside commits and checkouts."""
    (tool.cwd / ".hooks-compile.toml").unlink()
    tool.ok("compile")
    tool.ok("compile")  # which remembers the interpreter: there is a runtime directory now
    heavy = {
        *("asyncio", "concurrent.futures", "filelock", "hashlib", "importlib.metadata"),
        *("importlib.resources", "logging", "multiprocessing", "rich", "socket", "ssl"),
        *("tempfile", "tomlkit", "tomllib", "watchdog"),
        *("hooks_compile.doctor.checks", "hooks_compile.demo.story"),
    }
    plain = loaded_by_site()
    for words in (("compile",), ("check",), ("sync",), ("sync", "--git-hook")):
        loaded, _ = observed(tool, words)
        assert "hooks_compile.entries.compiler" in loaded
        assert loaded & heavy <= plain, words
    loaded, _ = observed(tool, ("--version",))
    assert not loaded & {"rich", "hooks_compile.project.record", "subprocess"} - plain


def observed(tool: Tool, words: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """Return the modules that a command loads, and the files that it opens."""
    done = subprocess.run(
        [sys.executable, "-c", _OBSERVED, *words],
        cwd=tool.cwd,
        env=dict(tool.env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    modules, opened = json.loads(done.stderr.splitlines()[-1])
    return set(modules), opened


def loaded_by_site() -> set[str]:
    """Return what this environment loads at every start, for example to measure coverage."""
    command = [sys.executable, "-c", "import sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
