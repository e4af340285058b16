"""What the README says is what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hooks_compile.cli.main import build_parser
from hooks_compile.git_hooks.pre_commit_lines import as_yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_ci_calls_exactly_the_test_command_of_the_readme() -> None:
    command = README.split("## Development")[1].split("$ ")[1].splitlines()[0]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_command_is_in_the_readme() -> None:
    usage = build_parser().format_help()
    commands = re.findall(r"^    ([a-z-]+) ", usage, re.MULTILINE)
    assert len(commands) > 8
    for command in commands:
        assert command in README, command


def test_every_pre_commit_id_is_in_the_readme_and_what_init_tells() -> None:
    ids = re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    assert len(ids) == 3
    for hook in ids:
        assert f"- id: {hook}" in README
    told = [line.strip() for line in as_yaml(None) if "id:" in line]
    assert {line.split("id: ")[1] for line in told} <= set(ids)


def test_every_file_that_the_readme_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


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
