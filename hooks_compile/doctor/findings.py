"""What ``doctor`` says: one record for each thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "note", "problem"]
OK: Severity = "ok"
NOTE: Severity = "note"
PROBLEM: Severity = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a ``problem`` keeps hooks from their entries or lets something else in, a
    ``note`` costs time or deserves a look, ``ok`` is as it should be.

    ``text`` is one line, ``remedy`` what to paste or do ("" if there is nothing to do).
    """

    level: Severity
    text: str
    remedy: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether the command has to exit with 1."""
        return self.level == PROBLEM

    def as_json(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {"level": self.level, "text": self.text, "remedy": self.remedy}

    def __str__(self) -> str:
        """``LEVEL: TEXT`` and, on a second line, the remedy."""
        fix = f"\n  to fix it: {self.remedy}" if self.remedy else ""
        return f"{self.level}: {self.text}{fix}"
