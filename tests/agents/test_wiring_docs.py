"""The commands in docs/wiring.md are rows of the table that is executed, and its words are ours."""

from __future__ import annotations

import re
from pathlib import Path

from hooks_compile.agents.clients.table import AGENTS
from tests.support import wiring_shapes as shapes

TEXT = (Path(__file__).parents[2] / "docs/wiring.md").read_text(encoding="utf-8")
ROW = re.compile(r"^(\S.*)\n  (=>|--) (.*)$", re.MULTILINE)


def test_every_command_of_the_documentation_is_a_row_of_the_table() -> None:
    rows = [
        row
        for block in re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
        for row in ROW.findall(block)
    ]
    table = {(s.command, "=>" if s.wired else "--", s.wired or s.reason) for s in shapes.load()}
    assert len(rows) > 10
    assert [row for row in rows if row not in table] == []


def test_the_documentation_names_every_agent() -> None:
    for name in (agent.name for agent in AGENTS):
        assert f"| `{name}` |" in TEXT
