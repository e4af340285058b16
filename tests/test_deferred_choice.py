"""``imports = "deferred"``: the project's choice, from its configuration to the launch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.project import open_project
from hooks_compile.runtime import entry
from tests.repositories import write
from tests.tool import Tool

if TYPE_CHECKING:
    from tests.repositories import GitRepo

FOLDER = ".claude/hooks"
WAITS = "import argparse\nimport json\nimport sys\n\nprint(len(sys.argv) and json.dumps([]))\n"
REFUSED = "import argparse\n\nprint(sorted(globals())[0])\n"
PLAIN = "print('plain')\n"
CONFIG = ".hooks-compile.toml"


@pytest.fixture
def tool(git_repo: GitRepo, tmp_path: Path) -> Tool:
    for name, text in (("waits.py", WAITS), ("refused.py", REFUSED), ("plain.py", PLAIN)):
        git_repo.write(f"{FOLDER}/{name}", text)
    return Tool.create(git_repo.path, tmp_path)


def choose(tool: Tool, text: str) -> None:
    write(tool.cwd / CONFIG, text)


def made(tool: Tool) -> dict[str, bytes]:
    """What became of each hook's imports."""
    found = (tool.cwd / FOLDER / entry.FOLDER).glob("*.pyc")
    paths = sorted(found, key=lambda path: path.stat().st_mtime_ns)  # the newest comes last
    return {path.name.partition(".")[0]: entry.imports_of(path.read_bytes()) for path in paths}


def hooks(tool: Tool) -> dict[str, Any]:
    rows = json.loads(tool.ok("status", "--json"))["hooks"]
    return {Path(row["hook"]).name: row for row in rows}


def test_a_changed_choice_compiles_anew_in_both_directions(tool: Tool) -> None:
    assert "3 compiled" in tool.ok("compile")
    assert set(made(tool).values()) == {entry.AS_WRITTEN}
    assert tool.run("check").status == 0
    choose(tool, 'imports = "deferred"\n')
    assert tool.run("check").status == 1
    assert "3 compiled" in tool.ok("compile")
    deferred = {
        "waits": entry.DEFERRED,
        "refused": entry.NOT_DEFERRED,
        "plain": entry.NOT_DEFERRED,
    }
    assert made(tool) == deferred
    assert tool.run("check").status == 0
    assert "3 up to date" in tool.ok("sync")
    choose(tool, 'imports = "as-written"\n')
    assert tool.run("check").status == 1
    assert "3 compiled" in tool.ok("sync")
    assert set(made(tool).values()) == {entry.AS_WRITTEN}
    assert tool.run("check").status == 0


def test_each_hook_may_have_its_own(tool: Tool) -> None:
    choose(tool, f'[imports]\n"**" = "deferred"\n"{FOLDER}/waits.py" = "as-written"\n')
    tool.ok("compile")
    assert made(tool)["waits"] == entry.AS_WRITTEN
    assert made(tool)["refused"] == entry.NOT_DEFERRED


def test_a_launch_that_has_to_compile_makes_the_imports_as_written(tool: Tool) -> None:
    choose(tool, 'imports = "deferred"\n')
    tool.ok("compile")
    hook = tool.cwd / FOLDER / "waits.py"
    state, compiled = tool.launch(hook)
    assert state == "hit"
    hook.write_text(WAITS + "\n")
    assert tool.launch(hook) == ("miss", compiled)
    assert tool.run("check").status == 0  # launches hit it
    assert "1 compiled, 2 up to date" in tool.ok("sync")
    assert made(tool)["waits"] == entry.DEFERRED


def test_status_tells_for_which_hooks_it_would_do_something(tool: Tool) -> None:
    lines = tool.ok("status").splitlines()
    line = f'imports = "deferred" would put imports off in: {FOLDER}/waits.py (2)'
    assert line in lines, lines[4:]
    rows = hooks(tool)
    assert rows["waits.py"]["imports"] == {
        "wanted": "as-written",
        "deferrable": ["argparse", "json"],
        "kept": [],
        "reason": "",
    }
    assert rows["refused.py"]["imports"]["reason"] == "line 3: globals"
    assert rows["plain.py"]["imports"]["reason"] == "it imports nothing that could be deferred"
    choose(tool, 'imports = "deferred"\n')
    shown = tool.ok("status")
    assert "would put" not in shown
    waits = f"{tool.cwd / FOLDER / 'waits.py'}: imports deferred under CPython"
    assert waits in shown
    assert ": argparse, json\n" in shown
    assert "refused.py: no import deferred under CPython" in shown
    assert hooks(tool)["waits.py"]["imports"]["wanted"] == "deferred"


def test_a_project_says_nothing_about_hooks_outside_of_it(tool: Tool, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/mine.py", WAITS)
    choose(tool, 'imports = "deferred"\n')
    tool.ok("compile", outside)
    (path,) = (outside.parent / entry.FOLDER).glob("*.pyc")
    assert entry.imports_of(path.read_bytes()) == entry.AS_WRITTEN
    project = open_project(tool.cwd, os.environ, [outside, tool.cwd / FOLDER / "waits.py"])
    assert {source.imports for source in project.sources} == {"as-written", "deferred"}


def test_an_entry_that_came_with_a_clone_defers_nothing(tool: Tool, tmp_path: Path) -> None:
    """The code that puts imports off runs before the hook: only this user's own ever does."""
    choose(tool, 'imports = "deferred"\n')
    tool.ok("compile")
    hook = tool.cwd / FOLDER / "waits.py"
    (path,) = hook.parent.glob(f"{entry.FOLDER}/waits.*")
    key = (tool.runtime / "key").read_bytes()
    data = path.read_bytes()
    assert entry.verifies(key, int(path.name.split(".opt-")[1][0]), data, WAITS.encode())
    # the same, as another machine's tool would have made it
    path.write_bytes(data[:-16] + entry.tag(bytes(16), 2, data[:-16], WAITS.encode()))
    assert tool.launch(hook)[0] == "miss"
    # and an entry of as-written code that calls itself deferred
    choose(tool, 'imports = "as-written"\n')
    tool.ok("sync")
    (path,) = hook.parent.glob(f"{entry.FOLDER}/waits.*")
    written = path.read_bytes()
    path.write_bytes(written.replace(entry.FORMAT + entry.AS_WRITTEN, entry.FORMAT + b"d"))
    assert path.read_bytes() != written
    assert tool.launch(hook)[0] == "miss"
