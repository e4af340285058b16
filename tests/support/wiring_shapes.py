"""The table of command shapes, read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ALREADY = "already"
_TABLE = Path(__file__).with_name("shapes.txt")


@dataclass(frozen=True, slots=True)
class Shape:
    """A command of one agent's file, and what becomes of it: ``wired``, ``reason`` or neither."""

    line: int
    form: str
    agent: str
    command: str
    wired: str | None
    reason: str | None

    @property
    def name(self) -> str:
        """What a test's id shows."""
        return f"{self.line}-{self.agent}"


def load() -> list[Shape]:
    """Every row of the table, with ``{root}`` and ``{home}`` still in it."""
    shapes: list[Shape] = []
    form = command = agent = ""
    start = 0
    for number, line in enumerate(_TABLE.read_text(encoding="utf-8").splitlines(), 1):
        text = line.replace("⏎", "\n")
        if line.startswith("== "):
            form = line[3:]
        elif line.startswith("  "):
            kind, rest = text[2:4], text[5:]
            wired = rest if kind == "=>" else None
            reason = rest if kind == "--" else None
            assert kind in ("=>", "--") or rest == ALREADY, line
            shapes.append(Shape(start, form, agent, command, wired, reason))
        elif line and not line.startswith("#"):
            start = number
            agent, _, command = text.partition(" ")
    return shapes
