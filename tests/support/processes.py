"""What Linux says of processes that are not children of the tests."""

from __future__ import annotations

from pathlib import Path


def state(pid: int) -> str:
    """Return the letter of proc(5) for what a process does; "" if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_running(pid: int) -> bool:
    """Return whether a process has not ended: one that nobody waited for has."""
    return state(pid) not in ("", "Z", "X")
