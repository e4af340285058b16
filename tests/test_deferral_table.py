"""The table of what may be deferred, held against the library of each interpreter."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hooks_compile.runtime import deferral, deferral_table
from tests import import_effects
from tests.conftest import CHECKOUT
from tests.interpreters_found import clean_environment, found, parameters
from tests.launches import default_interpreter

if TYPE_CHECKING:
    from tests.interpreters_found import Found

each_that_defers = pytest.mark.parametrize("interpreter", parameters(pypy=False))
MODULES = sorted(deferral_table.MODULES)
NESTED = sorted(deferral_table.NESTED)

# What some of them do, and why nobody can tell when.
ALLOWED = {
    # threading, in the child of a fork, tidies up what it knows of threads: nothing before it is
    # imported. A hook that starts threads has imported it by then.
    "calls posix.register_at_fork()",
    # importlib, the package, gives the modules that it stands for their public names
    *(
        f"changes {module}.{name}"
        for module in ("_frozen_importlib", "_frozen_importlib_external")
        for name in ("__name__", "__package__", "__file__")
    ),
}
# threading notes which thread is the main one
ALLOWED_CALLS = ("gettid(",)
# A generator of random numbers is seeded: whenever that is, nobody can tell which seed it got. In
# the child of a fork it is seeded anew, as one that is imported there is.
SEEDED = frozenset(
    ("http.client", "random", "secrets", "tempfile", "urllib.error", "urllib.request")
)


@each_that_defers
def test_importing_what_may_be_deferred_only_defines_names(interpreter: Found) -> None:
    names = sorted({*MODULES, *NESTED})
    seen = {name: import_effects.effects(interpreter.executable, name) for name in names}
    acting = {name: [e for e in was["effects"] if e not in ALLOWED] for name, was in seen.items()}
    assert {name: found for name, found in acting.items() if found} == {}
    imported = {each.partition(".")[0] for was in seen.values() for each in was["imports"]}
    assert imported - deferral_table.SHADOWING == set()


@each_that_defers
def test_it_makes_no_system_call_but_to_read_the_library(interpreter: Found) -> None:
    if not shutil.which("strace"):
        pytest.skip("strace is not on this machine")
    names = sorted({*MODULES, *NESTED})
    calls = {name: import_effects.calls(interpreter.executable, name) for name in names}
    acting = {n: [c for c in was if not c.startswith(ALLOWED_CALLS)] for n, was in calls.items()}
    for name, made in acting.items():
        if name in SEEDED:
            made[:] = [call for call in made if not call.startswith("getrandom(")]
        if name in deferral_table.READING:
            made[:] = [call for call in made if "/openssl.cnf" not in call]
    assert {name: found for name, found in acting.items() if found} == {}


# Compiled modules of the library that a Python may have been built without.
OPTIONAL = (
    *("_bz2", "_ctypes", "_curses", "_dbm", "_decimal", "_elementtree", "_gdbm", "_hashlib"),
    *("_lzma", "_sqlite3", "_ssl", "_tkinter", "_uuid", "_zoneinfo", "grp", "pyexpat", "readline"),
    *("zlib",),
)


@each_that_defers
def test_what_is_put_off_for_other_modules_can_be_imported_under_any_python(
    interpreter: Found,
) -> None:
    """Nobody has looked whether it can: a try around the import would be left too early."""
    program = (
        f"import sys\nfor name in {OPTIONAL!r}: sys.modules[name] = None\n__import__(sys.argv[1])"
    )
    for name in NESTED:
        command = [str(interpreter.executable), "-I", "-S", "-c", program, name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr)


def test_an_import_that_does_more_is_seen() -> None:
    executable = default_interpreter().executable
    for name, effect in (
        ("logging", "calls time.time()"),
        ("logging", "changes atexit"),
        ("tempfile", "calls posix.register_at_fork()"),
    ):
        seen = import_effects.effects(executable, name)["effects"]
        assert effect in seen, seen
    if shutil.which("strace"):
        assert any("getrandom(" in call for call in import_effects.calls(executable, "random"))
        assert any("openssl.cnf" in call for call in import_effects.calls(executable, "hashlib"))


@each_that_defers
def test_names_that_a_bare_python_has_not_loaded_are_known(interpreter: Found) -> None:
    program = "import sys; b = set(sys.modules); import os, warnings; print(*set(sys.modules) - b)"
    done = subprocess.run(
        [interpreter.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert names - deferral_table.SHADOWING == set()


def test_every_python_that_defers_is_one_that_could_be_tested() -> None:
    tested = {each.version[:2] for each in found() if each.is_cpython}
    assert tested <= set(deferral.VERSIONS)  # and the others are reported as skipped


def test_the_tables_name_what_there_is() -> None:
    for name in MODULES:
        assert name.partition(".")[0] in deferral_table.SHADOWING
    for word in deferral_table.NAMES | deferral_table.ATTRIBUTES | deferral_table.WATCHING:
        ast.parse(word)


def test_the_documentation_names_every_module() -> None:
    text = (CHECKOUT / "docs" / "deferred.md").read_text("utf-8")
    listed = text.partition("of these modules:")[2].partition("\nImporting one")[0]
    assert re.findall(r"`([\w.]+)`", listed) == MODULES
