"""What modules beside a hook, and of the library, import is put off as well; and ``re`` where a
launch has the patterns ready: source and launch, side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hooks_compile.runtime import deferral_table, entry
from tests.interpreters_found import Found, each_cpython
from tests.launches import User
from tests.repositories import write
from tests.test_deferred_launches import FLAGS, deferred

if TYPE_CHECKING:
    from pathlib import Path

# Without a word in the hook that would leave it as it is written.
SPY = """\
import sys


def executed(*names):
    return [name for name in names if type(sys.modules.get(name)) is type(sys)]


def look(name):
    return sys.modules[name]
"""

# Shows all that a module's top level has made: names, types, values, and patterns.
SHOWN = """\
import sys


def value_of(each, deep=True):
    kind = type(each)
    if isinstance(each, type(sys)):  # without executing it
        return ["module", type(sys).__getattribute__(each, "__name__")]
    if kind.__name__ == "Pattern":
        return ["pattern", repr(each.pattern), each.flags, each.groups, sorted(each.groupindex)]
    if deep and isinstance(each, type) and each.__module__ == name:
        return {k: value_of(v, False) for k, v in vars(each).items()}
    if kind in (int, str, bytes, bool, tuple, list, dict, set, frozenset):
        text = repr(sorted(map(repr, each))) if kind in (set, frozenset) else repr(each)
        return [kind.__name__, "0x" if "0x" in text else text]
    if isinstance(each, int):
        return [kind.__name__, repr(each)]
    owner = getattr(each, "__self__", None)
    if type(owner).__name__ == "Pattern":
        return value_of(owner)
    return [kind.__name__, getattr(each, "__name__", "")]


def show(asked):
    global name
    name = asked
    import json
    module = vars(sys.modules[asked])
    re = type(sys.modules.get("re")) is type(sys)
    print(json.dumps([re, {k: value_of(v) for k, v in module.items() if k != "__builtins__"}]))
"""

# What is a plain number while re is not executed.
NUMBERS = {("json.decoder", "FLAGS"), ("json.scanner", "FLAGS"), ("string", "Template")}


@each_cpython
@pytest.mark.parametrize("name", sorted(deferral_table.COMPILING))
def test_modules_that_compile_patterns_are_what_they_are_with_re(
    name: str, interpreter: Found, tmp_path: Path
) -> None:
    if name.startswith("tomllib") and interpreter.version < (3, 11):
        pytest.skip("tomllib came with Python 3.11")
    user = User.create(tmp_path, interpreter).with_env(PYTHONHASHSEED="0")
    folder = tmp_path / "hooks"
    write(folder / "shown.py", SHOWN)
    write(folder / "asks.py", f"import {name}\n")
    asked = "asks" if name == "inspect" else name  # a hook that imports inspect stays as written
    hook = write(folder / "hook.py", f"import {asked}\nimport shown\nshown.show({name!r})\n")
    assert deferred(user, hook) == entry.DEFERRED
    expected = json.loads(user.source(hook, flags=("-s", "-S")).stdout)
    got = user.launch(hook, flags=("-s", "-S"))
    assert got.state == "hit"
    re_is_executed, values = json.loads(got.stdout)
    differing = {key for key in {*values, *expected[1]} if values.get(key) != expected[1].get(key)}
    differing.discard("_startTime")  # of logging
    assert {(name, key) for key in differing} <= NUMBERS
    if name in ("json.decoder", "json.scanner", "json.encoder", "pathlib", "glob", "string"):
        assert not re_is_executed


LOCAL = """\
import argparse
import json
import subprocess as sp
try:
    import no_such_module
except ImportError:
    no_such_module = None
try:
    import shutil
except ImportError:
    shutil = None
import textwrap


def use():
    return json.dumps([argparse.Namespace(a=1).a, sp.PIPE, textwrap.dedent(" a"), shutil.__name__])
"""


@each_cpython
def test_a_module_beside_the_hook_executes_what_it_uses(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    write(folder / "spy.py", SPY)
    write(folder / "lib" / "helper.py", LOCAL)
    source = (
        "import sys, os, spy\n"
        "sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))\n"
        "import helper\n"
        "N = ('argparse', 'json', 'subprocess', 'shutil', 'textwrap', 're')\n"
        "if sys.argv[1:] == ['tell']:\n    print(spy.executed(*N))\n"
        "print(helper.use(), helper.json, helper.sp, spy.look('json') is helper.json)\n"
        "if sys.argv[1:] == ['tell']:\n    print(spy.executed(*N[:5]))\n"
    )
    hook = write(folder / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).shown == user.source(hook, flags=FLAGS).shown
    lines = user.launch(hook, "tell", flags=FLAGS).stdout.decode().splitlines()
    assert (lines[0], lines[2]) == (
        "[]",
        "['argparse', 'json', 'subprocess', 'shutil', 'textwrap']",
    )


@each_cpython
def test_what_others_have_written_imports_as_it_is_written(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    write(folder / "spy.py", SPY)
    write(folder / "site-packages" / "theirs.py", "import json\n")
    write(folder / "mine.py", "def later():\n    import json\n    return json\n")
    source = (
        "import sys, os, spy\n"
        "sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)),"
        " 'site-packages'))\n"
        "import {0}\nprint(spy.executed('json'))\n"
    )
    hook = write(folder / "hook.py", source.format("theirs"))
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).stdout == b"['json']\n"
    hook = write(
        folder / "hook2.py", source.format("mine") + "mine.later()\nprint(spy.executed('json'))\n"
    )
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).stdout == b"[]\n['json']\n"


PATTERNS = r"""
import copy
import json
import re
import sys
import spy

ONE = re.compile(r"a+(b)?")
TWO = re.compile(r"^\s*(?P<name>[a-z]+)$", re.I | re.MULTILINE)
TEXTS = [r"\bx\b", r"[0-9]{3}", r"(?i)y\s*"]
MANY = [re.compile(each) for each in TEXTS]


def rule(text, flags=0):
    return re.compile(text, flags)


RULES = [rule(r"\d+"), rule(r"(a)\1")]
executed = spy.executed("re")
if sys.argv[1:] == ["tell"]:
    print(executed)
import pickle
print(ONE, TWO, MANY, RULES, ONE.flags, TWO.groupindex, TWO.pattern)
print(ONE.search("caab").groups(), TWO.match("  Abc").group("name"), RULES[1].sub("<\\1>", "aab"))
print(ONE is re.compile(r"a+(b)?"), re.compile(r"a+(b)?", re.I) is ONE, ONE == re.compile("a+(b)?"))
print(isinstance(ONE, re.Pattern), isinstance(ONE.match("a"), re.Match), type(ONE) is re.Pattern)
print(copy.deepcopy(ONE) is ONE, pickle.loads(pickle.dumps(TWO)) == TWO, json.dumps(ONE.pattern))
re.purge()
print(re.compile(r"a+(b)?") is ONE, ONE.scanner("ab").match(), [*ONE.finditer("aa a")])
for text, flags in (("(", 0), ("a", "b"), (None, 0), (b"a", re.U), ("a", re.L), ("[[a]", 0)):
    try:
        print(rule(text, flags))
    except Exception as error:
        print(type(error), error)
"""
RAISING = """\
import re
import sys


def rule(text, flags=0):
    return re.compile(text,
                      flags)


if sys.argv[1] == "1":
    rule("(")
if sys.argv[1] == "2":
    X = re.compile("[")
if sys.argv[1] == "3":
    rule(nothing)
if sys.argv[1] == "4":
    print([re.compile(x, re.I) for x in [1]])
if sys.argv[1] == "5":
    rule("a", [])
if sys.argv[1] == "6":
    print(re.compile("a").search(1))
if sys.argv[1] == "7":
    print(re.compile("a").sub(r"\\2", "a"))
if sys.argv[1] == "8":
    re.compile = print
    rule("b")
"""


@each_cpython
@pytest.mark.parametrize("flags", [(), ("-b",), ("-bb",), ("-W", "error")])
def test_patterns_that_are_ready_are_those_of_re(
    flags: tuple[str, ...], interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    write(tmp_path / "hooks" / "spy.py", SPY)
    hook = write(tmp_path / "hooks" / "hook.py", PATTERNS)
    assert deferred(user, hook) == entry.DEFERRED
    got = user.launch(hook, flags=(*FLAGS, *flags))
    assert got.state == "hit"
    assert got.shown == user.source(hook, flags=(*FLAGS, *flags)).shown
    assert user.launch(hook, "tell", flags=FLAGS).stdout.startswith(b"[]\n")


@each_cpython
def test_a_pattern_that_fails_fails_as_it_is_written(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "hooks" / "hook.py", RAISING)
    assert deferred(user, hook) == entry.DEFERRED
    for number in range(1, 9):
        expected = user.source(hook, f"{number}", flags=FLAGS)
        got = user.launch(hook, f"{number}", flags=FLAGS)
        assert got.state == "hit"
        assert got.shown == expected.shown


NETWORK = """\
import hashlib
import os
import random
import secrets
import socket
import ssl
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import spy

NAMES = ("hashlib", "random", "socket", "ssl", "tempfile", "urllib.error", "urllib.request")
if sys.argv[1:] == ["tell"]:
    print(spy.executed(*NAMES))
print(urllib.request.urlopen("file://" + os.path.abspath(__file__)).read()[:6])
try:
    urllib.request.urlopen("nothing://x")
except urllib.error.URLError as error:
    print(error, urllib, urllib.error)
print(hashlib.sha256(b"a").hexdigest(), ssl.PROTOCOL_TLS_CLIENT, socket.AF_INET, zipfile.BadZipFile)
random.seed(1)
print(random.random(), len(secrets.token_hex(4)), os.path.isdir(tempfile.gettempdir()))
with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(os.path.join(folder, "z"), "w") as archive:
        archive.writestr("a", "b")
    print(zipfile.ZipFile(os.path.join(folder, "z")).read("a"))
child = os.fork()
if not child:
    os._exit(len({random.random() for _ in range(3)}))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if sys.version_info >= (3, 9) else 3)
"""


@each_cpython
def test_modules_that_read_the_machine_are_executed_when_they_are_used(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    write(tmp_path / "hooks" / "spy.py", SPY)
    hook = write(tmp_path / "hooks" / "hook.py", NETWORK)
    assert deferred(user, hook) == entry.DEFERRED
    got = user.launch(hook, flags=FLAGS)
    assert got.state == "hit"
    assert got.shown == user.source(hook, flags=FLAGS).shown
    assert user.launch(hook, "tell", flags=FLAGS).stdout.startswith(b"[]\n")


@each_cpython
def test_imports_are_searched_for_where_the_outer_one_stood(
    interpreter: Found, tmp_path: Path
) -> None:
    """What a module imports late is found as it would have been found early: here by the name of a
    module that a folder holds which has come in front of the library meanwhile."""
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    write(folder / "helper.py", "import textwrap, subprocess, argparse\n")
    for name in ("re", "gettext", "signal", "collections/__init__", "selectors"):
        write(folder / "later" / f"{name}.py", "raise ValueError('not this one')\n")
    source = (
        "import sys, os, helper\n"
        "sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'later'))\n"
        "print(helper.textwrap.dedent(' a'), helper.subprocess.run(['true']).returncode)\n"
        "helper.argparse.ArgumentParser('x').parse_args([])\n"
        "print(sorted(sys.path) != [])\n"
    )
    hook = write(folder / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    got = user.launch(hook, flags=FLAGS)
    assert got.state == "hit"
    assert got.shown == user.source(hook, flags=FLAGS).shown
    assert got.status == 0, got.stderr
