"""Makes all snapshots that a project's hooks need: makes each, tests it, publishes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.snapshots import maker, self_test, snapshot_store
from hooks_compile.snapshots.tracee import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooks_compile.model import Interpreter
    from hooks_compile.snapshots.import_sets import ImportSet
    from hooks_compile.snapshots.snapshot_store import Store


_OLDEST = (3, 11)


class Made(NamedTuple):
    """What came of a set: ``error`` is None if its snapshot is in use. Times are in seconds."""

    what: ImportSet
    error: SnapshotError | None
    making: float = 0.0
    testing: float = 0.0


def make_all(
    snapshots: Store,
    sets: Iterable[ImportSet],
    env: Mapping[str, str],
    progress: Callable[[Made], None] = lambda _: None,
) -> list[Made]:
    """Make the snapshots of ``sets`` for launches with the environment ``env``.

    ``progress`` is called after each. One that can't be made does not stop the others. Raises
    OSError if nothing can be written.
    """
    done: list[Made] = []
    unusable = set()
    with snapshots.locked():
        for one in sets:
            if one.interpreter in unusable:
                continue  # its base can't be made, and that was told
            result = _make_one(snapshots, one, env)
            if result.error and not one.imports:
                unusable.add(one.interpreter)
            progress(result)
            done.append(result)
        snapshots.remove_unused()
    return done


def _require_tested(interpreter: Interpreter) -> None:
    is_known = _OLDEST <= interpreter.version[:2] <= NEWEST_TESTED
    has_lock = not interpreter.cache_tag.endswith("t")
    if not (interpreter.implementation == "cpython" and is_known and has_lock):
        raise SnapshotError(
            f"{interpreter.label} was not tested: snapshots are of CPython "
            f"{'.'.join(map(str, _OLDEST))} to {'.'.join(map(str, NEWEST_TESTED))}"
        )


def _make_one(snapshots: Store, one: ImportSet, env: Mapping[str, str]) -> Made:
    python = str(one.interpreter.executable)
    place = snapshots.place(python, env)
    begun = time.perf_counter()
    draft = None
    try:
        _require_tested(one.interpreter)
        data = maker.make(python, snapshots.runtime / "launch.py", env, one.imports)
        draft = snapshots.draft(place, data)
        made = time.perf_counter()
        self_test.run(snapshots, place, draft, one)
        name = snapshot_store.set_name(one.imports)
        snapshots.publish(place, name, draft, one.imports, one.scripts)
    except SnapshotError as error:
        return Made(one, error)
    finally:
        if draft:
            draft.unlink(missing_ok=True)
    return Made(one, None, made - begun, time.perf_counter() - made)
