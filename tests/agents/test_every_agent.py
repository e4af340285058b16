"""Each agent's file in its own shape: wired if it may be, and back byte for byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.describe import describe
from hooks_compile.install import wrapper
from tests.support.wired_project import carry_out

if TYPE_CHECKING:
    from pathlib import Path

RAN = {"claude", "codex", "gemini", "copilot", "qwen"}
FORMS = {
    "factory": "python3 $FACTORY_PROJECT_DIR/h.py",
    "qwen": "python3 $QWEN_PROJECT_DIR/h.py",
}


def written(agent: str, command: str) -> str:
    """Return settings of an agent with one command, as its documentation shows them."""
    nested = {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"command": command}]}]}}
    shapes: dict[str, Any] = {
        "copilot": {"version": 1, "hooks": {"preToolUse": [{"bash": command}]}},
        "cursor": {"version": 1, "hooks": {"stop": [{"command": command}]}},
        "windsurf": {"hooks": {"pre_run_command": [{"command": command, "show_output": True}]}},
        "kiro": {
            "version": "v1",
            "hooks": [
                {"name": "a", "trigger": "Stop", "action": {"type": "agent", "prompt": command}},
                {"name": "b", "trigger": "Stop", "action": {"type": "command", "command": command}},
            ],
        },
    }
    return json.dumps(shapes.get(agent, nested), indent=1).replace("\n", "\r\n")


FILES = [
    (agent.name, name.replace("*", "x"))
    for agent in AGENTS
    for name in agent.names
    if not name.endswith(".toml")  # test_rewrite and test_wiring_plan have these
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "h.py").write_text("print(1)\n")
    return tmp_path


def planned(root: Path, *agents: str) -> wiring_plan.Plan:
    return wiring_plan.plan_init(wiring_plan.Scope(root, {}, agents))


@pytest.mark.parametrize(("agent", "name"), FILES)
def test_a_file_is_wired_if_it_may_be_and_comes_back_byte_for_byte(
    root: Path, agent: str, name: str
) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = written(agent, FORMS.get(agent, "python3 h.py")).encode()
    path.write_bytes(text)
    unnamed = planned(root)
    assert bool(unnamed.changes) == (agent in RAN)
    assert any(f"add --agent {agent}" in line for line in describe(unnamed)) == (agent not in RAN)
    carry_out(planned(root, agent))
    assert path.read_bytes().count(wrapper.NAME.encode()) == 1
    again = planned(root)
    assert (again.changes, again.unasked) == ((), ()), "what is wired is looked after"
    carry_out(wiring_plan.plan_uninit(wiring_plan.Scope(root, {}), [root]))
    assert path.read_bytes() == text
    assert not (root / wrapper.NAME).exists()


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, '{"hooks": ' * 5000, "\0", "", " " * (5 << 20)),
        *("3", '"x"', "[]", '{"hooks": 3}', '{"hooks": [[[{"hooks": null}]], {"action": []}]}'),
        '{"hooks": {"a": {"b": {"command": {}, "hooks": {"c": [], "command": 1}}}}}',
        '{"hooks": [{"action": {"command": ["python3 h.py"]}}], "statusLine": []}',
    ],
    ids=range(12),
)
def test_a_hostile_file_changes_nothing_and_is_told_in_a_line(root: Path, text: str) -> None:
    for _, name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    plan = planned(root, *(agent.name for agent in AGENTS))
    assert not plan.changes
    assert all("\n" not in line and len(line) < 300 for line in describe(plan))


@pytest.mark.parametrize(
    ("beside", "other"),
    [
        ("", {"command": "python3 h.py --b", "commandWindows": "py h.py --b"}),
        ("", {"command": "py h.py"}),
        ("setup.PS1", {"command": "echo"}),
    ],
)
def test_where_windows_is_in_use_a_command_without_a_field_for_it_stays(
    root: Path, beside: str, other: dict[str, str]
) -> None:
    if beside:
        (root / beside).touch()
    path = root / ".codex/hooks.json"
    path.parent.mkdir()
    entries = [{"command": "python3 h.py"}, other]
    before = json.dumps({"hooks": {"Stop": [{"hooks": entries}]}})
    path.write_text(before)
    gemini = root / ".gemini/settings.json"
    gemini.parent.mkdir()
    gemini.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [{"command": "python3 h.py"}]}]}}))
    numbers = (0, 1) if "commandWindows" in other else (0,)
    expected = [f"hooks.Stop[0].hooks[{number}].command" for number in numbers]
    plan = planned(root)
    assert [change.where for change in plan.changes] == expected
    said = [line for line in describe(plan) if "Windows is in use here" in line]
    assert len(said) == 1, "Codex has a field for Windows, so only the other agent's file stays"
    assert all("--posix" in line for line in said)
    assert plan.unfinished == 0, "it is left on purpose"
    carry_out(plan)
    assert not planned(root).changes, "the second time, too"
    posix = wiring_plan.plan_init(wiring_plan.Scope(root, {}, posix=True))
    assert [change.where for change in posix.changes] == ["hooks.Stop[0].hooks[0].command"]
    carry_out(posix)
    carry_out(wiring_plan.plan_uninit(wiring_plan.Scope(root, {}), [root]))
    assert path.read_text() == before


def test_a_field_for_windows_that_is_ours_is_no_sign_that_windows_is_in_use(root: Path) -> None:
    codex, gemini = root / ".codex/hooks.json", root / ".gemini/settings.json"
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"command": "python3 h.py"}]}]}})
    for path in (codex, gemini):
        path.parent.mkdir()
    codex.write_text(text)
    carry_out(planned(root))
    assert "commandWindows" in codex.read_text()
    gemini.write_text(text)
    assert [change.where for change in planned(root).changes] == ["hooks.Stop[0].hooks[0].command"]


FRONT_MATTER = """\
---
name: reviewer
hooks:
  PreToolUse:
    - matcher: "Bash"
      hooks:
        - type: command
          command: {}  # a guard
---
command: python3 h.py
"""


@pytest.mark.parametrize(
    "name",
    [".claude/agents/x.md", ".claude/agents/deep/x.md", ".claude/skills/x/SKILL.md"],
)
def test_a_hook_in_front_matter_stays_with_its_line_and_what_to_paste(
    root: Path, name: str
) -> None:
    path = root / name
    path.parent.mkdir(parents=True)
    path.write_text(FRONT_MATTER.format('"python3 \\"$CLAUDE_PROJECT_DIR\\"/h.py"'))
    path.with_name("other.md").write_text("---\nname: other\n---\nhooks:\n")
    plan = planned(root)
    assert (plan.changes, plan.written, plan.unfinished) == ((), (), 0)
    lines = "\n".join(describe(plan, verbose=True))
    assert f"{name} (Claude Code)\n  line 8.command: stays, because it is in the front" in lines
    _, mark, paste = lines.partition("you may write instead: ")
    assert mark
    path.write_text(FRONT_MATTER.format(paste.removeprefix("command: ")))
    again = planned(root)
    assert again.written == (root / wrapper.NAME,)
    assert sum(plan.result.wired for plan in again.files) == 1
    carry_out(again)
    back = wiring_plan.plan_uninit(wiring_plan.Scope(root, {}), [root])
    assert back.removed == (), "a guard that can't be started lets everything pass"
    assert [why for _, why in back.kept] == [f"stays: named in {name}"]
    (left,) = [left for plan in back.files for left in plan.result.left]
    assert left.suggestion == 'command: "python3 \\"$CLAUDE_PROJECT_DIR\\"/h.py"'
    path.write_text(FRONT_MATTER.format("echo") + wrapper.NAME)
    back = wiring_plan.plan_uninit(wiring_plan.Scope(root, {}), [root])
    assert back.removed == (root / wrapper.NAME,), "what is behind the front matter is a text"


def test_the_hooks_of_an_installed_plugin_stay_and_init_says_why(root: Path) -> None:
    home = root / "home"
    plugin = home / ".claude/plugins/cache/market/mine/1.0.0"
    (plugin / "hooks").mkdir(parents=True)
    (plugin / "hooks/h.py").touch()
    command = 'python3 "${CLAUDE_PLUGIN_ROOT}"/hooks/h.py'
    (plugin / "hooks/hooks.json").write_text(written("claude", command))
    scope = wiring_plan.Scope(root, {"HOME": str(home)}, home=home)
    plan = wiring_plan.plan_init(scope)
    assert (plan.changes, plan.files) == ((), ())
    origin = "~/.claude/plugins/cache/market/mine/1.0.0/hooks/hooks.json"
    assert describe(plan)[0].startswith(f"{origin}: 1 command stays: an update of the plugin")
    assert describe(planned(root)) == [], "without --user"
    (plugin / "hooks/hooks.json").write_text(written("claude", "echo"))
    assert describe(wiring_plan.plan_init(scope)) == []
