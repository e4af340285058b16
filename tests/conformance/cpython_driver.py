"""Runs tests that CPython ships, with every ``PYTHON [flags] SCRIPT`` that they start routed.

``PYTHON cpython_driver.py plain|cold|primed LAUNCHER KEY RESULTS TEST...``: writes to the file
RESULTS, as JSON, how each test ended. ``cold`` puts the launcher before each script, ``primed``
compiles the script first. Runs under every interpreter: Python 3.8 syntax, standard library only.
"""

import contextlib
import functools
import json
import os
import subprocess
import sys
import unittest

_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
# It compares strings in the process, for a long time, and starts nothing.
_WITHOUT_LAUNCHES = ("UTF8ValidatorTest",)


def script_index(command):
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
        elif word == "-" or (not word.startswith("--") and set(word[1:]) & set("cmxiV")):
            return None
        index += 1
    return None


def compile_entry(key, script, folder):
    """Make the entry of a script, as the tool would; what is no source stays without one."""
    from hooks_compile.runtime import entry, worker

    path = os.path.realpath(os.path.join(folder or ".", os.fsdecode(script)))
    with contextlib.suppress(OSError, ValueError):
        job = (path, worker.read(path), 0, entry.AS_PYTHON.decode())
        worker.compile_all(key, [job], True)


def route(mode, launcher, key):
    """Make every ``subprocess.Popen`` of a script one of the launcher."""
    start = subprocess.Popen.__init__

    @functools.wraps(start)
    def routed(self, args, *rest, **options):
        if isinstance(args, (list, tuple)):
            command = list(args)
            index = script_index(command)
            if index is not None:
                if mode == "primed":
                    compile_entry(key, command[index], options.get("cwd"))
                command.insert(index, launcher)
                args = command
        return start(self, args, *rest, **options)

    subprocess.Popen.__init__ = routed


def tests_in(suite):
    """Yield the single tests of a suite."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_in(test)
        elif type(test).__name__ not in _WITHOUT_LAUNCHES:
            yield test


class Result(unittest.TestResult):
    """Keeps how each test ended, by its id."""

    def __init__(self):
        super().__init__()
        self.ended = {}

    def note(self, test, how, why=""):
        """Keep the worst that is told of a test."""
        test_id = test.id().split(" (")[0]
        if self.ended.get(test_id, ("passed",))[0] in ("passed", how):
            self.ended[test_id] = (how, why[-3000:])

    def addSuccess(self, test):  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "passed")

    def addSkip(self, test, reason):  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "skipped", reason)

    def addFailure(self, test, err):  # noqa: N802 - unittest's name
        """Note it."""
        self.note(test, "failed", self._exc_info_to_string(err, test))

    addError = addFailure  # noqa: N815 - unittest's name

    def addSubTest(self, test, subtest, err):  # noqa: N802 - unittest's name
        """Note it."""
        if err is not None:
            self.addFailure(test, err)


def main(mode, launcher, key, results, *names):
    """Run the tests of the modules ``names``."""
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    if mode != "plain":
        with open(key, "rb") as file:
            route(mode, launcher, file.read())
    result = Result()
    for name in names:
        try:
            suite = unittest.defaultTestLoader.loadTestsFromName("test." + name)
        except unittest.SkipTest:
            continue
        unittest.TestSuite(tests_in(suite)).run(result)
    with open(results, "w", encoding="utf-8") as file:
        json.dump(result.ended, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
