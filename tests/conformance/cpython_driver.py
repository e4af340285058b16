"""Runs tests that CPython ships, with every ``PYTHON [flags] SCRIPT`` that they start routed.

``PYTHON cpython_driver.py plain|cold|primed|resumed LAUNCHER KEY RESULTS TEST...``: writes to the
file RESULTS, as JSON, how each test ended. ``cold`` puts the launcher before each script,
``primed`` compiles the script first, ``resumed`` starts it from a snapshot as well. Runs under
every interpreter: Python 3.8 syntax, standard library only.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import unittest
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any

    Error = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
# It compares strings in the process, for a long time, and starts nothing.
_WITHOUT_LAUNCHES = ("UTF8ValidatorTest",)


def script_index(command: Sequence[Any]) -> int | None:
    """Return where in ``command`` the script is; None where it runs none, or no Python."""
    if not command or command[0] != sys.executable:
        return None
    index = 1
    while index < len(command):
        word = os.fsdecode(command[index])
        if word in _WITH_VALUE:
            index += 1
        elif not word.startswith("-"):
            return index
        elif word == "-" or (
            not word.startswith(("--", "-W", "-X")) and set(word[1:]) & set("cmxiV")
        ):
            return None
        index += 1
    return None


def compile_entry(key: bytes, script: Any, directory: Any) -> None:
    """Make the entry of a script, as the tool would; what is no source stays without one."""
    from hooks_compile.compile_worker import worker  # noqa: PLC0415 - main() makes it importable

    path = str(Path(directory or ".", os.fsdecode(script)).resolve())
    with contextlib.suppress(OSError, ValueError):
        worker.perform(worker.Order(key, 0, write=True), [path])


def outside_the_library(script: Any, directory: Any) -> Any:
    """Return a script, or its copy if it is one of the interpreter's own files.

    Beside those nothing must be written, and an entry is written beside its script.
    """
    path = Path(directory or ".", os.fsdecode(script)).resolve()
    if not path.is_file() or Path(sys.base_prefix).resolve() not in path.parents:
        return script
    return shutil.copy(path, tempfile.mkdtemp(dir=Path.cwd()))


def resuming(flags: Sequence[str], launcher: str, env: Any) -> Sequence[str]:
    """Return how a script is started from a snapshot; how it was started if there can be none.

    CPython starts most of its tests with flags that make no difference to them.
    """
    if {*map(os.fsdecode, flags)} - {"-X", "faulthandler", "-E", "-I"}:
        return [sys.executable, *flags]
    from hooks_compile.snapshots import (  # noqa: PLC0415 - main() makes it importable
        maker,
        snapshot_store,
        tracee,
    )

    store = snapshot_store.Store(Path(launcher).parent)
    place = store.place(sys.executable, env)
    with contextlib.suppress(tracee.SnapshotError):
        if not place.directory.exists():
            held = snapshot_store.KINDS[snapshot_store.STANDARD]
            copy = functools.partial(store.copy_program, place)
            parts = maker.make(sys.executable, Path(launcher), env, held, copy)
            store.publish(place, snapshot_store.STANDARD, store.draft(place, parts))
    return [str(store.loader), sys.executable]


def route(mode: str, launcher: str, key: bytes) -> None:
    """Make every ``subprocess.Popen`` of a script one of the launcher."""
    start = subprocess.Popen.__init__

    @functools.wraps(start)
    def routed(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        if isinstance(args, (list, tuple)):
            command = list(args)
            index = script_index(command)
            if index is not None and command[index] != launcher:  # the maker starts that itself
                command[index] = outside_the_library(command[index], options.get("cwd"))
                if mode != "cold":
                    compile_entry(key, command[index], options.get("cwd"))
                start_of_it: Sequence[str] = command[:index]
                if mode == "resumed":
                    env = options.get("env") or dict(os.environ)
                    start_of_it = resuming(command[1:index], launcher, env)
                args = [*start_of_it, launcher, *command[index:]]
        start(self, args, *rest, **options)

    subprocess.Popen.__init__ = routed  # type: ignore[method-assign]


def tests_in(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    """Yield the single tests of a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_in(test)
        elif type(test).__name__ not in _WITHOUT_LAUNCHES:
            yield test


class Result(unittest.TestResult):
    """Keeps how each test ended, by its id."""

    def __init__(self) -> None:
        """Know of none."""
        super().__init__()
        self.ended: dict[str, tuple[str, str]] = {}

    def note(self, test: unittest.TestCase, how: str, why: str = "") -> None:
        """Keep the worst that is told of a test."""
        test_id = test.id().split(" (")[0]
        if self.ended.get(test_id, ("passed",))[0] in ("passed", how):
            self.ended[test_id] = (how, why[-3000:])

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "skipped", reason)

    def addFailure(self, test: unittest.TestCase, err: Error) -> None:  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "failed", "".join(traceback.format_exception(*err)))

    addError = addFailure  # noqa: N815 - unittest's name

    def addSubTest(  # noqa: N802 - unittest's name
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Error | None
    ) -> None:
        """Note it."""
        if err is not None:
            self.addFailure(test, err)


def main(mode: str, launcher: str, key: str, results: str, *names: str) -> None:
    """Run the tests of the modules ``names``."""
    sys.path.append(str(Path(__file__).resolve().parent.parent.parent))
    if mode != "plain":
        route(mode, launcher, Path(key).read_bytes())
    result = Result()
    for name in names:
        try:
            suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
        except unittest.SkipTest:
            continue
        unittest.TestSuite(tests_in(suite)).run(result)
    Path(results).write_text(json.dumps(result.ended), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
