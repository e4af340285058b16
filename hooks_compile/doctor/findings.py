"""What ``doctor`` says: one record for each thing that it looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["ok", "note", "problem"]
OK: Severity = "ok"
NOTE: Severity = "note"
PROBLEM: Severity = "problem"


class Finding(NamedTuple):
    """A ``problem`` keeps hooks from their entries or lets something else in, a ``note`` costs
    time or deserves a look, ``ok`` is as it should be.

    ``text`` is one line, ``remedy`` what to paste or do ("" if there is nothing to do).
    """

    level: Severity
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        """``LEVEL: TEXT`` and, on a second line, the remedy."""
        fix = f"\n  to fix it: {self.remedy}" if self.remedy else ""
        return f"{self.level}: {self.text}{fix}"
