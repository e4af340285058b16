"""What README and docs say is what is there: code is executed, options are compared."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.git_hooks.setup import PRE_COMMIT_LINES
from hooks_compile.project.config import Config, load_config
from tests.support import tiers
from tests.support.repositories import GitRepo, write
from tests.support.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = (ROOT / "docs/commands.md").read_text()
DIFFERENCES = (ROOT / "docs/differences.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of a page, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def commands(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if line.startswith("$ "):
            yield line[2:].partition("  #")[0].strip()


def test_ci_calls_exactly_the_test_command_of_the_readme() -> None:
    section = README.split("## Development")[1]
    (command,) = commands(blocks(section, "console")[0])
    assert command in (ROOT / ".ci/run").read_text().splitlines()


def test_the_tiers_of_the_readme_are_those_of_the_tests() -> None:
    rows = re.findall(r"^\| (not set|`(\w+)`) \|", README, re.MULTILINE)
    assert [value for _, value in rows] == ["", "ci", "soak"]
    assert f"`{tiers.VARIABLE}`" in README
    assert f"{tiers.VARIABLE}=ci" in (ROOT / ".ci/run").read_text()


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 130
    assert max(map(len, README.splitlines())) <= 110


# Commands and options


def help_of(*words: str) -> str:
    module = "watcher" if words[0] == "hooks-watch" else "hooks_compile"
    done = subprocess.run(
        [sys.executable, "-m", module, *words[1:], "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.stdout


def test_the_docs_have_every_command_with_exactly_its_options() -> None:
    rows = re.findall(r"^\| `(hooks-[^`]+)` \| .+? \| (.*)\|$", COMMANDS, re.MULTILINE)
    documented = {tuple(command.split()[:2]): options for command, options in rows}
    usage = help_of("hooks-compile")
    names = re.findall(r"^    ([a-z-]+)(?: |$)", usage, re.MULTILINE)
    assert len(names) > 8
    expected = {("hooks-compile", name) for name in names} | {("hooks-watch", "[PATH...]")}
    assert documented.keys() == expected
    for command, options in documented.items():
        words = [word for word in command if not word.startswith("[")]
        there = set(re.findall(r"--[a-z-]+", help_of(*words))) - {"--help", "--version"}
        assert set(re.findall(r"--[a-z-]+", options)) - {"--runtime"} == there - {"--runtime"}, (
            words
        )


def test_every_page_links_to_what_is_there() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^):]+)\)", page.read_text()):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.exists(), f"{page.name}: {link}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
                assert anchor in map(anchor_of, titles), f"{page.name}: {link}"


def anchor_of(title: str) -> str:
    """The anchor that a heading has on the usual sites."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_every_page_of_the_docs_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^):#]+)", page.read_text())
        left += [(page.parent / link).resolve() for link in links]
    assert set(PAGES) <= seen


# Code that is executed


def in_terminal(tool: Tool, command: str, answer: str) -> tuple[int, str]:
    """Run a command in a terminal in which a person answers; return its status and output."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        ["sh", "-c", command], cwd=tool.cwd, env=tool.env, stdin=child, stdout=child, stderr=child
    )
    os.close(child)
    os.write(parent, answer.encode())
    output = b""
    try:
        while data := os.read(parent, 1 << 16):
            output += data
    except OSError:  # the last process has closed its side
        pass
    os.close(parent)
    return process.wait(timeout=60), output.decode()


def test_a_newcomer_can_do_what_the_readme_says(tmp_path: Path) -> None:
    before, after = (line[1:] for line in blocks(README, "diff")[0].splitlines())
    repo = GitRepo.create(tmp_path / "repo")
    hooks = [{"matcher": "Bash", "hooks": [{"type": "command", "command": before}]}]
    original = json.dumps({"hooks": {"PreToolUse": hooks}}, indent=2)
    settings = write(repo.path / ".claude/settings.json", original)
    write(repo.path / ".claude/hooks/guard.py", "import json, sys\nprint(json.load(sys.stdin))\n")
    tool = Tool.create(repo.path, tmp_path).with_env(COLUMNS="200")
    (block,) = [each for each in blocks(README, "console") if "hooks-compile init" in each]
    shown = {}
    for command in commands(block):
        status, shown[command] = in_terminal(tool, command, "y\n")
        assert status == 0, shown[command]
        if command == "hooks-compile init":
            (handler,) = json.loads(settings.read_text())["hooks"]["PreToolUse"][0]["hooks"]
            assert handler["command"] == after
            env = f"CLAUDE_PROJECT_DIR={shlex.quote(str(repo.path))}"
            done = tool.shell(f"export {env}; {after}", b'{"tool": 1}')
            assert (done.status, done.out) == (0, "{'tool': 1}\n")
    assert list(shown) == [
        f"hooks-compile {words}"
        for words in ("init --dry-run", "init", "status", "doctor", "uninit")
    ]
    assert "1 hook compiled under" in shown["hooks-compile status"]
    assert "problem" not in shown["hooks-compile doctor"]
    assert settings.read_text() == original
    assert not (repo.path / ".claude/hooks/hook_wrapper.sh").exists()


def test_the_pre_commit_block_is_valid_and_has_every_id(tmp_path: Path) -> None:
    (block,) = blocks(README, "yaml")
    config = write(tmp_path / ".pre-commit-config.yaml", block)
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    ids = re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    assert len(ids) == 3
    assert re.findall(r"- id: (\S+)", block) == ids
    assert set(re.findall(r"- id: (\S+)", PRE_COMMIT_LINES)) <= set(ids)


def test_the_settings_of_the_docs_are_read(tmp_path: Path) -> None:
    (block,) = blocks(COMMANDS, "toml")
    write(tmp_path / "pyproject.toml", block)
    config = load_config(tmp_path)
    assert config.include == ("tools/hooks/*.py",)
    assert config.exclude == (".claude/hooks/experiments/**",)
    default = Config()
    assert (config.optimize, config.python) == (default.optimize, default.python)
    assert (config.keep, dict(config.imports)) == (default.keep, {"**": "as-written"})


@pytest.mark.parametrize("module", ["launch", "compile"])
def test_the_benchmarks_of_the_readme_run(module: str) -> None:
    small = ["--rounds", "1"] + (["--counts", "3"] if module == "compile" else [])
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *small],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("|\n") > 2


def test_every_benchmark_of_the_readme_is_there() -> None:
    named = set(re.findall(r"`benchmarks\.(\w+)`", README))
    assert len(named) > 3
    for name in named:
        assert (ROOT / f"benchmarks/{name}.py").exists(), name


def test_every_known_difference_has_a_row_and_every_row_its_test() -> None:
    tests = (ROOT / "tests/conformance/test_known_differences.py").read_text()
    there = re.findall(r"^def (test_\w+)\(", tests, re.MULTILINE)
    assert sorted(re.findall(r"\| `(test_\w+)` \|$", DIFFERENCES, re.MULTILINE)) == sorted(there)
