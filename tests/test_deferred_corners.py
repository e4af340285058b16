"""Deferred imports where programs play with imports, threads, forks or the end of the process, or
rely on what another import brought: source and launch, side by side."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from hooks_compile.runtime import deferral_table, entry
from tests.interpreters_found import Found, clean_environment, each_cpython
from tests.launches import User
from tests.repositories import write
from tests.test_deferred_launches import FLAGS, LEAVES, deferred

if TYPE_CHECKING:
    from pathlib import Path

# What each case lays beside the hook, the hook, and the arguments of its runs.
CASES: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "specs that are asked for": (
        {
            "sib.py": "import importlib.util, sys\n"
            "for name in ('json', 're', 'string'):\n"
            "    spec = importlib.util.find_spec(name)\n"
            "    print(spec.origin, type(spec.loader), name in sys.modules)\n"
            "for each in sys.meta_path:\n"
            "    spec = each.find_spec('textwrap', None)\n"
            "    if spec: print(spec.origin)\n"
        },
        "import json, re, sib\nprint(json.dumps(1), re.compile('a+'))\n",
        [""],
    ),
    "modules used as something else": (
        {
            "sib.py": "import datetime, pprint\n"
            "for use in (lambda: pprint([1]), lambda: datetime + 1, lambda: datetime[0]):\n"
            "    try:\n        use()\n"
            "    except TypeError as error:\n        print(error)\n"
            "datetime(2020, 1, 1)\n"
        },
        "import json, sib\n",
        [""],
    ),
    "a wrong pattern given to the library": (
        {},
        f"{LEAVES}import re, sys\nfrom string import Template\n\n\n"
        "class Mine(Template):\n    delimiter = '%'\n\n\n"
        "print(Mine('%a').substitute(a=1))\n\n\n"
        "class Wrong(Template):\n    pattern = '('\n",
        [""],
    ),
    "another re": (
        {
            "sib.py": "import re, json, sys, types\nfake = types.ModuleType('re')\n"
            "fake.compile = lambda *words: ('fake', words)\nsys.modules['re'] = fake\n"
        },
        "import sib\nimport re\nprint(re.compile('a+'))\n",
        [""],
    ),
    "a module that is imported anew": (
        {"sib.py": "import sys\n\n\ndef drop(name):\n    del sys.modules[name]\n"},
        f"{LEAVES}import sib, json, re\nsib.drop('re')\nsib.drop('json')\n\n\n"
        "def again():\n    import re as one\n    import json as two\n"
        "    print(one is re, type(one.compile('b')) is re.Pattern, one.compile is re.compile)\n"
        "    print(two is json, two.dumps(1), json.dumps(2))\n\n\n"
        "again()\nprint(re.compile('(?:a|b)+').match('a'), re.sub('a', 'b', 'a'))\nagain()\n",
        [""],
    ),
    "paths that are bytes": (
        {},
        "import sys\nsys.path.insert(0, b'/tmp')\nsys.path.append(b'/tmp')\nimport json\n"
        "print(json.dumps(1))\n",
        [""],
    ),
    "paths that are relative": (
        {"lib/json.py": "dumps = repr\n", "lib/sib.py": ""},
        "import sys, os\nos.chdir(os.path.dirname(os.path.abspath(__file__)))\n"
        "sys.path.insert(0, 'lib')\nimport sib\nos.chdir('/')\nimport json\n"
        "print(json.dumps('a'))\n",
        [""],
    ),
    "a module that the hook writes": (
        {"lib/sib.py": ""},
        "import sys, os\nlib = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib')\n"
        "sys.path.insert(0, lib)\nimport textwrap\n"
        "with open(os.path.join(lib, 'json.py'), 'w') as file:\n    file.write('dumps = repr')\n"
        "import json\nprint(json.dumps('a'), textwrap.dedent(' b'))\n"
        "os.remove(os.path.join(lib, 'json.py'))\n",
        [""],
    ),
    "somebody who watches": (
        {
            "sib.py": "import builtins, sys\n\n\ndef audit():\n"
            "    sys.addaudithook(lambda event, words: event == 'import' and print(words[0]))\n\n\n"
            "def replace():\n    old = builtins.__import__\n"
            "    def new(name, *words):\n        print(name)\n        return old(name, *words)\n"
            "    builtins.__import__ = new\n"
        },
        "import sys, sib\nif sys.argv[1] == 'a':\n    sib.audit()\nelse:\n    sib.replace()\n"
        "import json\n",
        ["a", "b"],
    ),
    "what acts at the end": (
        {
            "sib.py": "import json, shutil\n\n\nclass Acting:\n    def __del__(self):\n"
            "        print(json.dumps('gone'), shutil.which('no such command'))\n"
        },
        f"{LEAVES}import json, sib, sys, textwrap\n\n\ndef generated():\n    try:\n        yield\n"
        "    finally:\n        print(json.dumps([1]), textwrap.dedent(' a'))\n\n\n"
        "if sys.argv[1] in 'acd':\n    kept = generated()\n    next(kept)\n"
        "if sys.argv[1] in 'bcd':\n    acting = sib.Acting()\n"
        "if sys.argv[1] == 'c':\n    raise ValueError\nif sys.argv[1] == 'd':\n    sys.exit(3)\n",
        ["a", "b", "c", "d"],
    ),
    "what other imports bring to modules": (
        {
            "one.py": "import collections, typing\nprint(collections.abc.Mapping)\n"
            "import collections.abc\nfrom collections.abc import Set\n"
            "print(Set, collections.abc, collections.OrderedDict)\n",
            "two.py": "import inspect, importlib\nprint(importlib.machinery.SOURCE_SUFFIXES)\n",
            "three.py": "import pathlib, urllib\nprint(urllib.parse.quote('a b'))\n",
        },
        "import sys, json\nif sys.argv[1] == '1':\n    import one\n"
        "elif sys.argv[1] == '2':\n    import two\nelse:\n    import three\n",
        ["1", "2", "3"],
    ),
    "what an import brings that is bound alone": (
        {},
        f"{LEAVES}import urllib.request\nprint(urllib.error.URLError, urllib.parse.quote('a b'))\n",
        [""],
    ),
}
# What a hook itself relies on makes it stay as written.
RELYING = {
    "urllib.error": "import urllib.request, urllib.parse\nprint(urllib.error.URLError)\n",
    "urllib.parse": "import urllib\nfrom pathlib import Path\nprint(urllib.parse.quote('a'))\n",
    "importlib.util": "import importlib\nimport zipfile\nprint(importlib.util.find_spec is None)\n",
    "collections.abc": "import collections as c, typing\nprint(c.abc.Mapping)\n",
    "": "import importlib, zipfile\nfrom importlib import util\nprint(importlib.util)\n",
}


@each_cpython
@pytest.mark.parametrize("name", CASES)
def test_launch_and_source_show_the_same(name: str, interpreter: Found, tmp_path: Path) -> None:
    if name == "modules used as something else" and interpreter.version >= (3, 12):
        pytest.skip("since Python 3.12 it suggests what was meant only for exactly a module")
    files, source, runs = CASES[name]
    user = User.create(tmp_path, interpreter)
    for file, text in files.items():
        write(tmp_path / "hooks" / file, text)
    hook = write(tmp_path / "hooks" / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    for argument in runs:
        expected = user.source(hook, argument, flags=FLAGS)
        got = user.launch(hook, argument, flags=FLAGS)
        assert got.state == "hit"
        assert got.shown == expected.shown


@each_cpython
@pytest.mark.parametrize("name", RELYING)
def test_what_a_hook_uses_that_it_has_not_imported(
    name: str, interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "hook.py", LEAVES + RELYING[name])
    assert (deferred(user, hook) == entry.DEFERRED) is not bool(name)
    assert user.launch(hook, flags=FLAGS).shown == user.source(hook, flags=FLAGS).shown


FORKS = """\
import os
import sys
import threading
import time
import urllib.request
import alarm

sys.setswitchinterval(1e-6)
thread = threading.Thread(target=lambda: urllib.request.Request)
thread.start()
time.sleep(int(sys.argv[1]) / 1000)
child = os.fork()
if not child:
    alarm.in_seconds(20)
    os._exit(urllib.request.Request.__name__ != "Request")
print(os.waitpid(child, 0)[1])
thread.join()
"""


@each_cpython
def test_a_process_that_forks_while_a_thread_executes_a_module(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    write(
        tmp_path / "hooks" / "alarm.py",
        "import signal\n\n\ndef in_seconds(count):\n    signal.alarm(count)\n",
    )
    hook = write(tmp_path / "hooks" / "hook.py", FORKS)
    assert deferred(user, hook) == entry.DEFERRED
    for wait in ("1", "4", "8"):
        assert user.launch(hook, wait, flags=(*FLAGS, "-W", "ignore")).shown == (0, b"0\n", b"")


THREADS = """\
import os
import sys
import threading
import sib
import argparse, configparser, csv, datetime, difflib, json, pprint, shutil, string, subprocess
import tarfile, tempfile, textwrap, zipfile

USES = [
    lambda: argparse.Namespace, lambda: configparser.Error, lambda: csv.reader,
    lambda: datetime.date, lambda: difflib.Differ, lambda: json.dumps, lambda: pprint.pprint,
    lambda: shutil.which, lambda: string.digits, lambda: subprocess.PIPE, lambda: tarfile.open,
    lambda: tempfile.mkdtemp, lambda: textwrap.dedent, lambda: zipfile.ZipFile,
]
found = []
barrier = threading.Barrier(6)
before = sys.getrecursionlimit()


def use(first):
    barrier.wait()
    for each in USES[first:] + USES[:first]:
        each()


def load(first):
    barrier.wait()
    found.extend([sib.load(number) for number in range(first, 60, 3)])


def guarded(work, first):
    try:
        work(first)
    except BaseException as error:
        found.append(repr(error))


sys.setswitchinterval(1e-6)
threads = [
    threading.Thread(target=guarded, args=(work, first)) for work in (use, load)
    for first in range(3)
]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(sorted(map(str, found)), sys.getrecursionlimit() - before)
"""


@each_cpython
def test_threads_that_execute_and_import_modules_at_once(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    loads = "import importlib\n\n\ndef load(number):\n"
    write(folder / "sib.py", f"{loads}    return importlib.import_module(f'm{{number}}').x\n")
    for number in range(60):
        write(folder / f"m{number}.py", f"import copy, enum, linecache\nx = {number}\n")
    hook = write(folder / "hook.py", THREADS)
    assert deferred(user, hook) == entry.DEFERRED
    expected = user.source(hook, flags=FLAGS).shown
    for _ in range(3):
        assert user.launch(hook, flags=FLAGS).shown == expected


BROUGHT = """\
import subprocess
import sys

LOADS = "import sys; __import__(sys.argv[1]); print(*[m for m in sys.modules if '.' in m])"


def loaded(module, known={}):
    if module not in known:
        words = [sys.executable, "-E", "-s", "-S", "-c", LOADS, module]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        known[module] = set(done.stdout.decode().split())
    return known[module]


for module in sys.argv[1:]:
    for brought in loaded(module):
        package, _, name = brought.rpartition(".")
        own = module == brought or module.startswith((brought + ".", package + ".__"))
        if not own and "_" not in brought and brought not in loaded(package):
            print(module, brought)
"""


@each_cpython
def test_the_table_has_what_imports_bring_of_other_packages(
    interpreter: Found, tmp_path: Path
) -> None:
    script = write(tmp_path / "brought.py", BROUGHT)
    modules = sorted(deferral_table.MODULES | deferral_table.NESTED)
    done = subprocess.run(
        [interpreter.executable, script, *modules],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    pairs = [tuple(line.split()) for line in done.stdout.splitlines()]
    inside = {"xml.etree.ElementPath"}  # nobody but its own package names it
    assert {brought for _, brought in pairs} <= deferral_table.BROUGHT | inside
    for module, brought in pairs:
        if module in deferral_table.NESTED and brought != "collections.abc":
            assert module in deferral_table.BRINGING, brought


@each_cpython
def test_what_was_there_before_the_hook_has_nothing_executed_at_the_end(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter).with_env(PYTHONPATH=str(tmp_path / "start"))
    write(
        tmp_path / "start" / "sitecustomize.py",
        "def generated():\n    yield\n\n\nkept = generated()\nnext(kept)\n",
    )
    write(
        tmp_path / "hooks" / "sib.py",
        "import atexit, sys\nprint('sitecustomize' in sys.modules)\n"
        "atexit.register(lambda: print(type(sys.modules['tarfile']) is type(sys)))\n",
    )
    hook = write(tmp_path / "hooks" / "hook.py", "import sib\nimport tarfile\n")
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=("-s",)).shown == (0, b"True\nFalse\n", b"")
