"""What ``doctor`` says: one record for each thing that it looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from hooks_compile.errors import HooksCompileError


class Finding(NamedTuple):
    """A ``problem`` keeps hooks from their entries or lets something else in, a ``note`` costs
    time or deserves a look, ``ok`` is as it should be.

    ``text`` is one line, ``remedy`` what to paste or do ("" if there is nothing to do).
    """

    level: Literal["ok", "note", "problem"]
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        """``LEVEL: TEXT`` and, on a second line, the remedy."""
        fix = f"\n  to fix it: {self.remedy}" if self.remedy else ""
        return f"{self.level}: {self.text}{fix}"


def ok(text: str) -> Finding:
    """Return what is as it should be; what would steer a terminal is escaped, as below."""
    return Finding("ok", one_line(text))


def note(text: str, remedy: str = "") -> Finding:
    """Return what costs time or deserves a look."""
    return Finding("note", one_line(text), one_line(remedy))


def problem(text: str, remedy: str = "") -> Finding:
    """Return what keeps hooks from their entries or lets something else in."""
    return Finding("problem", one_line(text), one_line(remedy))


def problem_of(error: HooksCompileError) -> Finding:
    """Return an error as a problem."""
    where = f"{error.path}: " if error.path else ""
    return problem(f"{where}{error.cause}", error.remedy)
