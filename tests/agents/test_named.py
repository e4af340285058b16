"""Which scripts the configuration files name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents import named_scripts
from tests.support.wired_project import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path.resolve())


def nested(*commands: str) -> str:
    return json.dumps(
        {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": c} for c in commands]}]}}
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def names(project: Project, home: Path | None = None) -> dict[str, str]:
    base = project.root.parent
    found = named_scripts(project.root, home=home)
    return {path.relative_to(base).as_posix(): origin for path, origin, _ in found}


FILES: dict[str, tuple[str, Callable[[str], str]]] = {
    ".claude/settings.json": (".claude/hooks/log.py", nested),
    ".claude/settings.local.json": (".claude/hooks/log.py", nested),
    ".codex/hooks.json": (".codex/hooks/h.py", nested),
    ".codex/config.toml": (
        ".codex/hooks/h.py",
        lambda c: f"[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = '{c}'\n",
    ),
    ".cursor/hooks.json": (
        ".cursor/hooks/h.py",
        lambda c: json.dumps({"version": 1, "hooks": {"stop": [{"command": c}]}}),
    ),
    ".gemini/settings.json": (".gemini/hooks/h.py", nested),
    ".github/hooks/any.json": (
        ".github/hooks/h.py",
        lambda c: json.dumps({"version": 1, "hooks": {"stop": [{"bash": c}]}}),
    ),
    ".github/copilot/settings.json": (
        ".github/hooks/h.py",
        lambda c: json.dumps({"hooks": {"stop": [{"command": c}]}}),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_each_agents_file_names_its_scripts(project: Project, name: str) -> None:
    script, form = FILES[name]
    write(project.root / name, form(f"python3 {script} --x"))
    assert names(project) == {f"project/{script}": f"named by {name}"}


def test_a_status_line_and_a_plugin_name_their_scripts(project: Project) -> None:
    line = {"statusLine": {"type": "command", "command": "python3 scripts/statusline.py"}}
    write(project.root / ".claude/settings.json", json.dumps(line))
    write(project.root / "plugins/one/hooks/hooks.json", nested("${CLAUDE_PLUGIN_ROOT}/a.py"))
    write(project.root / "plugins/one/a.py", "pass")
    assert names(project) == {
        "project/scripts/statusline.py": "named by .claude/settings.json",
        "project/plugins/one/a.py": "named by plugins/one/hooks/hooks.json",
    }


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ('python3 "$CLAUDE_PROJECT_DIR"/.claude/hooks/log.py', ".claude/hooks/log.py"),
        ("cd .claude/hooks && python3 'my hook.py'", ".claude/hooks/my hook.py"),
        ("uv run ${CLAUDE_PROJECT_DIR}/.claude/hooks/log.py --x", ".claude/hooks/log.py"),
        ("if true; then python3 .claude/hooks/log.py; fi", ".claude/hooks/log.py"),
        ("bash -c 'python3 .claude/hooks/log.py'", ".claude/hooks/log.py"),
        ('python3 "$(git rev-parse --show-toplevel)/.claude/hooks/log.py"', ".claude/hooks/log.py"),
        (".claude/hooks/shell.sh .claude/hooks/log.py", ".claude/hooks/log.py"),
        (".claude/hooks/no-suffix", ".claude/hooks/no-suffix"),
        ("sh .claude/hooks/hook_wrapper.sh .claude/hooks/log.py", ".claude/hooks/log.py"),
        (
            "sh .claude/hooks/hook_wrapper.sh --python=python -u .claude/hooks/log.py",
            ".claude/hooks/log.py",
        ),
        (
            "sh .claude/hooks/hook_wrapper.sh --shebang .claude/hooks/run.py top.py",
            ".claude/hooks/run.py",
        ),
        ("python3 .claude/hooks/log.py top.py", ".claude/hooks/log.py"),
    ],
)
def test_a_script_is_named_however_it_is_launched(
    project: Project, command: str, script: str
) -> None:
    write(project.root / ".claude/settings.json", nested(command))
    assert names(project) == {f"project/{script}": "named by .claude/settings.json"}


@pytest.mark.parametrize(
    "command",
    [
        "python3 gone.py",
        "python3 ../elsewhere/x.py",
        "python3 ~/.claude/hooks/h.py",
        "bash .claude/hooks/shell.sh",
        "cat README.md",
        "echo 'unclosed",
        "",
    ],
)
def test_what_is_no_python_of_the_project_is_not_named(project: Project, command: str) -> None:
    write(project.elsewhere / "x.py", "pass")
    write(project.root / "README.md", "text")
    write(project.root / ".claude/settings.json", nested(command))
    assert names(project) == {}


def test_a_script_named_twice_is_given_once_without_symlinks(project: Project) -> None:
    (project.root / "linked.py").symlink_to(".claude/hooks/log.py")
    write(project.root / ".claude/settings.json", nested("python3 linked.py", "python3 top.py"))
    write(project.root / ".codex/hooks.json", nested("python3 .claude/hooks/log.py"))
    assert names(project) == {
        "project/.claude/hooks/log.py": "named by .claude/settings.json",
        "project/top.py": "named by .claude/settings.json",
    }


def test_the_users_own_files_count_where_the_home_directory_is_given(project: Project) -> None:
    write(project.home / ".claude/settings.json", nested("python3 ~/.claude/hooks/h.py"))
    assert names(project) == {}
    assert names(project, project.home) == {
        "home/.claude/hooks/h.py": "named by ~/.claude/settings.json"
    }


def test_arguments_without_a_shell_name_their_script(project: Project) -> None:
    entry = {"command": "python3", "args": ["${CLAUDE_PROJECT_DIR}/.claude/hooks/log.py", "--x"]}
    write(
        project.root / ".claude/settings.json",
        json.dumps({"hooks": {"Stop": [{"hooks": [entry]}]}}),
    )
    assert list(names(project)) == ["project/.claude/hooks/log.py"]


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '{"hooks": 1}', '{"hooks": {"Stop": [{}]}}', "\xff"]
)
def test_files_that_say_nothing_name_nothing(project: Project, text: str) -> None:
    path = project.root / ".claude/settings.json"
    path.write_bytes(text.encode("latin-1"))
    write(project.root / ".codex/config.toml", "a = [")
    assert names(project) == {}


def test_a_script_that_can_not_be_read_is_not_named(unprivileged: Path) -> None:
    write(unprivileged / ".claude/settings.json", nested("./hook", "./a\0b"))
    write(unprivileged / "hook", "#!/usr/bin/env python3\n")
    (unprivileged / "hook").chmod(0)
    assert named_scripts(unprivileged) == []


@pytest.mark.parametrize(
    "front", ["\ufeff", "x = { a = 1,\n  b = 2,\n}\n"], ids=["byte order mark", "TOML 1.1"]
)
def test_toml_that_init_reads_names_its_scripts_too(project: Project, front: str) -> None:
    text = f"{front}[[hooks.A]]\n[[hooks.A.hooks]]\ncommand = 'python3 top.py'\n"
    write(project.root / ".codex/config.toml", text)
    assert names(project) == {"project/top.py": "named by .codex/config.toml"}
    (project.root / ".codex/config.toml").unlink()
    write(project.root / ".codex/hooks.json", "\ufeff" + nested("python3 top.py"))
    assert names(project) == {"project/top.py": "named by .codex/hooks.json"}


def test_a_link_out_of_the_project_is_neither_named_nor_wired(project: Project) -> None:
    write(project.elsewhere / "x.py", "pass")
    (project.root / "out.py").symlink_to(project.elsewhere / "x.py")
    write(project.root / ".claude/settings.json", nested("python3 out.py"))
    assert names(project) == {}
