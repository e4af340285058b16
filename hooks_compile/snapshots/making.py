"""Makes the snapshots of interpreters: makes each, tests it, publishes it."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.snapshots import maker, self_test
from hooks_compile.snapshots.snapshot_store import KINDS
from hooks_compile.snapshots.tracee import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooks_compile.model import Interpreter
    from hooks_compile.snapshots.snapshot_store import Store


_OLDEST = (3, 11)


class Made(NamedTuple):
    """What came of a snapshot: ``error`` is None if it is in use. Times are in seconds."""

    interpreter: Interpreter
    kind: str
    error: SnapshotError | None
    making: float = 0.0
    testing: float = 0.0


def make_all(
    snapshots: Store,
    interpreters: Iterable[Interpreter],
    env: Mapping[str, str],
    progress: Callable[[Made], None] = lambda _: None,
) -> list[Made]:
    """Make the snapshots of ``interpreters`` for launches with the environment ``env``.

    ``progress`` is called after each. One that can't be made does not stop the others. Raises
    OSError if nothing can be written.
    """
    done: list[Made] = []
    with snapshots.locked():
        for interpreter in interpreters:
            for kind in KINDS:
                result = _make_one(snapshots, interpreter, kind, env)
                progress(result)
                done.append(result)
                if result.error:
                    break  # without a base there is no other, for the same reason
        snapshots.remove_unused()
    return done


def is_tested(interpreter: Interpreter) -> bool:
    """Return whether snapshots of such an interpreter were tested."""
    is_known = _OLDEST <= interpreter.version[:2] <= NEWEST_TESTED
    has_lock = not interpreter.cache_tag.endswith("t")
    return interpreter.implementation == "cpython" and is_known and has_lock


def _require_tested(interpreter: Interpreter) -> None:
    if not is_tested(interpreter):
        raise SnapshotError(
            f"{interpreter.label} was not tested: snapshots are of CPython "
            f"{'.'.join(map(str, _OLDEST))} to {'.'.join(map(str, NEWEST_TESTED))}"
        )


def _make_one(
    snapshots: Store, interpreter: Interpreter, kind: str, env: Mapping[str, str]
) -> Made:
    python = str(interpreter.executable)
    place = snapshots.place(python, env)
    begun = time.perf_counter()
    draft = None
    try:
        _require_tested(interpreter)
        copy = functools.partial(snapshots.copy_program, place)
        parts = maker.make(python, snapshots.runtime / "launch.py", env, KINDS[kind], copy)
        draft = snapshots.draft(place, parts)
        made = time.perf_counter()
        self_test.run(snapshots, place, draft, interpreter, KINDS[kind])
        snapshots.publish(place, kind, draft)
    except SnapshotError as error:
        return Made(interpreter, kind, error)
    finally:
        if draft:
            draft.unlink(missing_ok=True)
    return Made(interpreter, kind, None, made - begun, time.perf_counter() - made)
