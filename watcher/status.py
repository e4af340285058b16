"""What ``--status`` says of a tree's watcher. Returns text and JSON values; prints nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooks_compile.entries.report import plural, shown
from hooks_compile.printable import one_line
from watcher.state import BEAT_S, shown_time

if TYPE_CHECKING:
    from watcher.state import Station

# A watcher that compiles a whole project for the first time says nothing meanwhile.
_LATE_S = 6 * BEAT_S


def as_text(station: Station, is_watched: bool, now: float) -> str:
    """Return some lines about the watcher of a tree, if there is one."""
    state = station.read()
    if not is_watched:
        text = f"{station.tree}: not watched"
        if state is not None:
            ago = station.silence_s()
            when = f" at {shown_time(now - ago)}" if ago is not None else ""
            text += f"; process {state.get('pid')} was, and was last heard of{when}"
        return f"{text}\n  to watch it: hooks-watch '{station.tree}'"
    if state is None:
        return f"{station.tree}: watched, by a process that is just starting"
    lines = [
        f"{station.tree}: watched by process {state['pid']} since {shown_time(state['since'])}",
        f"  {plural(state['hooks'], 'hook')} and {plural(state['modules'], 'local module')}, "
        f"for {', '.join(state['interpreters']) or 'no Python'}; told by {state['how']}",
        f"  last change: {_last_change(state, station)}",
    ]
    silence = station.silence_s()
    if silence is not None and silence > _LATE_S:
        lines.append(f"  not heard of for {silence:.0f} s: to end it, kill {state['pid']}")
    lines += [f"  broken: {_broken(broken, Path(state['root']))}" for broken in state["errors"]]
    if not state["errors"]:
        lines.append("  everything compiles")
    return "\n".join(lines)


def _last_change(state: dict[str, Any], station: Station) -> str:
    change = state["last_change"]
    if change is None:
        return "none yet"
    path = shown(Path(change["path"]), Path(state.get("root", station.tree)))
    return f"{path} {change['event']} at {shown_time(change['time'])}"


def _broken(broken: dict[str, Any], root: Path) -> str:
    error = broken["results"][0]["error"]
    line = f":{error['line']}" if error["line"] else ""
    return (
        f"{shown(Path(broken['path']), root)}{line}: {error['kind']}: {one_line(error['message'])}"
    )


def as_json(station: Station, is_watched: bool) -> dict[str, Any]:
    """Return what is known of the watcher of a tree."""
    silence = station.silence_s()
    return {
        "tree": os.fspath(station.tree),
        "watched": is_watched,
        "seconds_since_heard": None if silence is None else round(silence, 1),
        "watcher": station.read(),
    }
