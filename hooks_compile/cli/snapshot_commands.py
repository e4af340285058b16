"""snapshot on, off, status: launches that resume a started Python instead of starting one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from hooks_compile.cli import output
from hooks_compile.cli.context import open_project, plan_job
from hooks_compile.errors import HooksCompileError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from hooks_compile.snapshots.making import Made
    from hooks_compile.snapshots.snapshot_store import Snapshot, Store


def run_snapshot(arguments: argparse.Namespace) -> int:
    """Turn snapshots on or off, or show them."""
    from hooks_compile.install import runtime_directory
    from hooks_compile.snapshots.snapshot_store import Store

    snapshots = Store(runtime_directory.location(os.environ))
    if arguments.action == "on":
        return _turn_on(arguments, snapshots)
    if arguments.action == "refresh":
        from hooks_compile.snapshots import make_queue

        make_queue.refresh(snapshots)
        return 0
    if arguments.action == "off":
        return _turn_off(arguments, snapshots)
    return _show(arguments, snapshots)


def _turn_on(arguments: argparse.Namespace, snapshots: Store) -> int:
    """Make the snapshots of this project's hooks, test them, and let launches use them."""
    from hooks_compile.snapshots import loader_build, make_queue, making
    from hooks_compile.snapshots.snapshot_keys import environment_at_start

    try:
        loader = loader_build.loader()
    except loader_build.LoaderError as error:
        remedy = "apt-get install gcc" if loader_build.is_supported_machine() else ""
        raise HooksCompileError(f"no snapshots here: {error}", remedy=remedy) from None
    job = plan_job(open_project(arguments), arguments.python)
    snapshots.create()
    if arguments.limit_mb is not None:
        snapshots.set_limit(arguments.limit_mb)
    job.record_shims()
    make_queue.write_command(snapshots)
    try:
        snapshots.turn_on(loader)
        made = making.make_all(snapshots, job.interpreters, environment_at_start(), _show_made)
    finally:
        is_usable = bool(snapshots.snapshots())
        if not is_usable:
            snapshots.remove()
    if arguments.json:
        values = [_made_json(each) for each in made]
        output.print_json({"on": is_usable, "bytes": snapshots.size(), "made": values})
    elif is_usable:
        output.say(f"snapshots are on: {len(made)}, {snapshots.size() >> 20} MB")
        _show_times(snapshots, made)
    else:
        output.say("snapshots are off: none can be made here")
    return not all(each.error is None for each in made)


def _show_times(snapshots: Store, made: Sequence[Made]) -> None:
    """Print the time of a launch before and after, for each interpreter."""
    from hooks_compile.snapshots import launch_times
    from hooks_compile.snapshots.snapshot_keys import environment_at_start
    from hooks_compile.snapshots.snapshot_store import STANDARD

    for each in made:
        if each.error is None and each.kind == STANDARD:
            interpreter = each.interpreter
            place = snapshots.place(str(interpreter.executable), environment_at_start())
            times = launch_times.measure(snapshots, place)
            output.say(
                f"{interpreter.label}: an empty script takes {times.resumed:.1f} ms instead of "
                f"{times.source:.1f}"
            )


def _show_made(made: Made) -> None:
    what = f"{made.interpreter.label}, {made.kind}"
    if made.error:
        output.warn(f"no snapshot of {what}: {made.error}")
    else:
        output.warn(f"{what}: made in {made.making:.1f} s, tested in {made.testing:.1f} s")


def _made_json(made: Made) -> dict[str, Any]:
    return {
        "interpreter": str(made.interpreter.executable),
        "kind": made.kind,
        "error": None if made.error is None else str(made.error),
        "making_s": round(made.making, 3),
        "testing_s": round(made.testing, 3),
    }


def _turn_off(arguments: argparse.Namespace, snapshots: Store) -> int:
    """Remove all snapshots."""
    freed = snapshots.remove()
    if arguments.json:
        output.print_json({"on": False, "freed_bytes": freed})
    else:
        output.say(f"snapshots are off: {freed >> 20} MB were freed")
    return 0


def _show(arguments: argparse.Namespace, snapshots: Store) -> int:
    """Show the snapshots, the hooks that use them, and crashes."""
    found = snapshots.snapshots()
    crashes = snapshots.crashes()
    if arguments.json:
        output.print_json(
            {
                "on": snapshots.is_on,
                "bytes": snapshots.size(),
                "limit_mb": snapshots.limit_mb,
                "snapshots": [_snapshot_json(each) for each in found],
                "crashes": [path.read_text("utf-8", "replace") for path in crashes],
            }
        )
        return bool(crashes)
    state = "on" if snapshots.is_on else "off"
    size = f"{snapshots.size() >> 20} of {snapshots.limit_mb} MB"
    output.say(f"snapshots are {state}: {len(found)}, {size}")
    if found:
        output.print_table(("interpreter", "snapshot", "MB", "made"), _rows(found))
    if snapshots.is_on:
        _show_reasons(arguments, snapshots)
    for path in crashes:
        signal, _, script = path.read_text("utf-8", "replace").partition("\t")
        output.warn(
            f"{script}: it died of signal {int(signal)} after it was resumed from a snapshot\n"
            "  to fix it: hooks-compile snapshot on, or: hooks-compile snapshot off"
        )
    return bool(crashes)


def _show_reasons(arguments: argparse.Namespace, snapshots: Store) -> None:
    """Print for each interpreter of this project whether its launches are resumed, or why not."""
    from hooks_compile.snapshots.launch_probe import cold_reason
    from hooks_compile.snapshots.snapshot_keys import environment_at_start

    try:
        job = plan_job(open_project(arguments), arguments.python)
    except HooksCompileError:
        return  # no project here, or no interpreter
    for interpreter in job.interpreters:
        reason = cold_reason(
            snapshots, snapshots.place(str(interpreter.executable), environment_at_start())
        )
        output.say(f"{interpreter.label}: hooks are {f'cold: {reason}' if reason else 'resumed'}")


def _rows(found: Sequence[Snapshot]) -> list[tuple[str, ...]]:
    now = time.time()
    return [
        (
            each.python,
            each.kind,
            f"{each.size / (1 << 20):.1f}",
            f"{(now - each.made) / 3600:.1f} h ago",
        )
        for each in found
    ]


def _snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "path": str(snapshot.path),
        "interpreter": snapshot.python,
        "kind": snapshot.kind,
        "bytes": snapshot.size,
        "made": snapshot.made,
        "used": snapshot.used,
    }


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {"snapshot": run_snapshot}
