"""What entries note is what the hook does first, and what a launch does ahead is not noticeable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.compile_worker.standard_modules import MODULES
from tests.support.interpreters_found import (
    each_cpython,
    each_cpython_in_ci,
    each_of_few,
    few,
    in_turn,
    printed,
    used,
)
from tests.support.launches import User
from tests.support.repositories import write
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.interpreters_found import Found

_CHECKOUT = Path(__file__).parent.parent.parent


def answered(found: Found, program: str, given: object = None) -> object:
    """What a program that has the parts of the launcher and the worker prints, from JSON."""
    return json.loads(printed(found, program, f"{_CHECKOUT}/", json.dumps(given)))


# source -> the modules that it imports before it does anything else
LEADING: Mapping[str, list[str]] = {
    "": [],
    "import json\n": ["json"],
    "import json, re as r; import os.path\n": ["json", "re", "os.path"],
    '"""About."""\nfrom __future__ import annotations\nimport json\n': ["__future__", "json"],
    "import collections.abc as c\nfrom os import (path, sep as s)\n": ["collections.abc", "os"],
    "A = 1\nB = 'text'\nC = (1, 2)\nimport json\n": ["json"],
    "import json\nimport json\n": ["json"],
    "import sys, time\nimport json\n": ["json"],
    "import json\nimport nobody_knows\nimport re\n": ["json"],
    "import json\nfrom nobody import knows\nimport re\n": ["json"],
    "import json\nprint()\nimport re\n": ["json"],
    "import json\nA = json.x\nimport re\n": ["json"],
    "import json\ndel json\nimport re\n": ["json"],
    "import json\nif A:\n    import re\nimport os\n": ["json"],
    "import json\nfor a in b:\n    import re\n": ["json"],
    "import json\nwith a:\n    import re\n": ["json"],
    "import json\nclass A:\n    import re\n": ["json"],
    "import json\ndef f():\n    import re\nimport os\n": ["json", "os"],
    "import json\n@f\ndef g(): pass\nimport re\n": ["json"],
    "import json\nfrom os import *\nimport re\n": ["json", "os"],
    "import json\nlambda: 1\nimport re\n": ["json", "re"],
    "import json\nlambda a=b: 1\nimport re\n": ["json"],
    "import json\n__lazy_modules__ = ('re',)\nimport re\n": ["json"],
    "import json\nf'{json}'\nimport re\n": ["json"],
    "import json\nraise SystemExit\nimport re\n": ["json"],
    "import json\nassert json\nimport re\n": ["json"],
    "import json\na[0] = 1\nimport re\n": ["json"],
    "import json\na.b = 1\nimport re\n": ["json"],
    "import json\nfrom . import re\nimport os\n": ["json"],
    "import json\nfrom .re import a\nimport os\n": ["json"],
    "from ..json import a\n": [],
    "import json\nA: int = 1\nclass B:\n    c: int\ndef f(x: int) -> int: ...\n": ["json"],
}
# The same for Python 3.15 and later (PEP 810)
LEADING_LAZY: Mapping[str, list[str]] = {
    "lazy import json\nimport re\nlazy from os import path as p, sep\nimport csv\n": ["re", "csv"],
    "lazy import nobody_knows\nimport re\n": ["re"],
    "lazy from . import json\nimport re\n": ["re"],
}
# What comes behind a ``try`` may be left out. Where it is not, the first import that fails is the
# last that is made ahead.
TRYING = (
    "try:\n    import tomllib\nexcept ImportError:\n    tomllib = None\nimport json\n",
    "try:\n    import json\nfinally:\n    import re\n",
    "try:\n    import nobody_knows\nexcept ImportError:\n    import json\n",
    "try:\n    1 / 0\n    import json\nexcept ZeroDivisionError:\n    import re\n",
)
_LEADING = """\
import json, sys
sys.path.append(sys.argv[1])
from hooks_compile.compile_worker import notes
print(json.dumps([
    list(notes.leading_imports(compile(source, "h", "exec"))) for source in json.loads(sys.argv[2])
]))
"""


@each_cpython
def test_leading_imports_are_those_before_anything_else(interpreter: Found) -> None:
    answer = answered(interpreter, _LEADING, list(LEADING))
    assert isinstance(answer, list)
    assert dict(zip(LEADING, answer, strict=True)) == LEADING


@each_cpython
def test_a_lazy_import_is_not_made_ahead(interpreter: Found) -> None:
    if interpreter.version < (3, 15):
        pytest.skip("needs Python 3.15")
    answer = answered(interpreter, _LEADING, list(LEADING_LAZY))
    assert isinstance(answer, list)
    assert dict(zip(LEADING_LAZY, answer, strict=True)) == LEADING_LAZY


@each_cpython
def test_no_module_is_noted_that_the_hook_imports_only_perhaps(interpreter: Found) -> None:
    assert answered(interpreter, _LEADING, list(TRYING)) in (
        [["tomllib"], ["json", "re"], [], []],
        [["tomllib"], ["json"], [], []],
        [["tomllib", "json"], ["json", "re"], [], []],
        [[], [], [], []],
    )


_MODULES = """\
import json, os, sys
sys.path.append(sys.argv[1])
from hooks_compile.launcher import early_exit, observers
from hooks_compile.launcher.collector import GC
early_exit._NEED_NORMAL_EXIT = frozenset()  # such a module is imported and checked all the same
names = json.loads(sys.argv[2])
del sys.path[-1]
for name in [name for name in sys.modules if name.startswith("json")]:
    del sys.modules[name]
print("[", end="")
for name in names:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        import warnings
        warnings.simplefilter("error")
        GC.freeze()
        try:
            __import__(name)
        except ModuleNotFoundError:
            os._exit(0)
        warnings.filters[:] = [("ignore", None, ResourceWarning, None, 0)]
        objects = GC.get_objects()
        wrong = [word for word, well in (
            ("stream", observers.has_usual_streams() and not observers.is_traced()),
            ("callback", early_exit.is_quiet()),
            ("object", not early_exit.acts_at_exit(objects)),
            ("file", not early_exit.has_unwritten_file(objects)),
        ) if not well]
        os.write(1, ('"%s %s",' % (name, wrong)).encode() if wrong else b"")
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print('"%s fails",' % name, end="")
print(len(names), "]")
"""


@each_of_few
def test_a_module_imported_ahead_leaves_nothing_that_acts_at_the_end(interpreter: Found) -> None:
    answer = answered(interpreter, _MODULES, sorted(MODULES))
    assert isinstance(answer, list)
    assert answer[:-1] == []
    assert answer[-1] > 60


_PATTERNS = r"""
import ast, json, marshal, os, sys, warnings
sys.path.append(sys.argv[1])
import re, _sre
from hooks_compile.compile_worker import pattern_notes as notes
warnings.simplefilter("ignore")
library = os.path.dirname(os.__file__)
found = set()
for base in [library] + [library + each for each in ("/email", "/json", "/html", "/xml/etree")]:
    for name in sorted(os.listdir(base)):
        if not name.endswith(".py") or not os.path.exists(base + "/" + name):
            continue
        with open(base + "/" + name, "rb") as file:
            tree = ast.parse(file.read())
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if ast.dump(node.func).find("'re'") < 0:
                continue
            try:
                pattern = ast.literal_eval(node.args[0])
            except ValueError:
                continue
            if type(pattern) is str:
                for flags in (0, 2, 8, 16, 64, 256, 26):
                    found.add((pattern, flags))
for odd in ("[[a]", "[a--b]", "(?i)a", "a(?i)b", "(", "a{1,99999999999}", "(?P<n>a)(?P=n)", "\\1",
            "(?a)\\w", "(?u)\\w", "(?L)a", "(?m-i:a)", "(?<=a)b", "(?<=a*)b", "[\xdf-\uffff]+",
            "\N{GREEK SMALL LETTER ALPHA}", "(a)|b(?(1)c|d)", "a++b", "(?>a)", "x" * 500, ""):
    found.update((odd, flags) for flags in (0, 2, 26, 32, 256, 288))
texts = ["", "aab", "x = 1", "<a href='b'>c</a>\n", "2024-01-02T03:04:05Z", "  def f(x):\n", "%s{}",
         "\xdf\u1e9e ABC_9", "/usr/bin/x.py", "a,b;c d", "-x --yy=1", "caf\xe9\n\n"]
wrong = []
same = refused = 0
for pattern, flags in sorted(found):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        re.purge()
        try:
            expected = re.compile(pattern, flags)
        except (re.error, ValueError, OverflowError):
            expected = None
    data = notes._compiled(pattern, flags)
    if expected is None or caught:
        refused += 1
        if data is not None:
            wrong.append([pattern, flags, "is offered"])
        continue
    if data is None:
        wrong.append([pattern, flags, "is not offered"])
        continue
    got = _sre.compile(pattern, *marshal.loads(data))
    for one in (lambda p: p, lambda p: p.flags, lambda p: p.groups, lambda p: p.groupindex, repr,
                lambda p: [m.span() for t in texts for m in p.finditer(t)],
                lambda p: [p.split(t) for t in texts]):
        if one(got) != one(expected):
            wrong.append([pattern, flags, "differs"])
            break
    same += 1
print(json.dumps([wrong, same, refused]))
"""


@each_cpython_in_ci
def test_a_pattern_that_is_offered_is_what_re_compiles(interpreter: Found) -> None:
    answer = answered(interpreter, _PATTERNS)
    assert isinstance(answer, list)
    wrong, same, refused = answer
    assert wrong == []
    assert same > 500
    assert refused > 20


@each_of_few
def test_patterns_that_take_long_are_left_to_the_hook(interpreter: Found) -> None:
    program = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from hooks_compile.compile_worker.pattern_notes import patterns_of
def noted(ranges):
    texts = [r"\\d%d" % n + ranges for n in range(400)]
    source = "import re\\nFLAGS = re.I\\n" + "".join("re.compile(%r)\\n" % text for text in texts)
    begun = time.process_time()
    return len(patterns_of(compile(source, "hook.py", "exec"))), time.process_time() - begun
wide, slow = "[" + chr(0) + "-" + chr(0x10ffff) + "]", "[" + chr(1) + "-" + chr(0xfffe) + "]"
print(json.dumps([noted(wide), noted(slow * 25), noted("[a-z]")]))
"""
    answer = answered(interpreter, program)
    assert isinstance(answer, list)
    (wide, _), (_, seconds), (usual, _) = answer
    assert wide == 0
    assert seconds < 30  # all of them would take minutes
    assert usual > 50


_SHADOW = "print('another one')\ndef __getattr__(name): return str\n"
_WATCHES = (
    "import re\n"
    "print(type(re._cache).__name__ in ('dict', 'Cache'), re.purge())\n"
    "a = re.compile(r'a\\s+(?P<n>b)', re.I)\n"
    "print(a, a.flags, a.groupindex, a is re.compile(r'a\\s+(?P<n>b)', re.I))\n"
    "re.purge()\n"
    "b = re.compile(r'a\\s+(?P<n>b)', re.I)\n"
    "print(a is b, a == b, hash(a) == hash(b), a.match('A  B').groupdict())\n"
    "import copy, pickle\n"
    "print(pickle.loads(pickle.dumps(b)) == a, copy.deepcopy(a) is a)\n"
)
# name -> (the hook, what lies beside it, flags, environment)
AHEAD: Mapping[str, tuple[str, Mapping[str, str], Sequence[str], Mapping[str, str]]] = {
    "a module beside": ("import json\nprint(json.loads('1'))\n", {"json.py": _SHADOW}, [], {}),
    "a module beside that another needs": (
        "import json\nprint(json.loads('1'))\n",
        {"enum.py": _SHADOW},
        [],
        {},
    ),
    "a package beside": (
        "import re\nprint(str(re.compile('a')))\n",
        {"re/__init__.py": _SHADOW},
        [],
        {},
    ),
    "a namespace beside": ("import json\nprint(json.loads('1'))\n", {"json/x.txt": ""}, [], {}),
    "a module beside that stops": (
        "import json, logging\nprint(json)\n",
        {"logging.py": "raise SystemExit(7)\n"},
        [],
        {},
    ),
    "a module beside, not for -I": (
        "import json\nprint(json.loads('1'))\n",
        {"json.py": _SHADOW},
        ["-I"],
        {},
    ),
    "a module in PYTHONPATH": (
        "import json\nprint(json.loads('1'))\n",
        {"more/json.py": _SHADOW},
        [],
        {"PYTHONPATH": "more"},
    ),
    "a module in PYTHONPATH that fails": (
        "import textwrap, json\n",
        {"more/textwrap.py": "raise ImportError('not today')\n"},
        [],
        {"PYTHONPATH": "more"},
    ),
    "PYTHONPATH, not for -E": (
        "import json\nprint(json.loads('1'))\n",
        {"more/json.py": _SHADOW},
        ["-E"],
        {"PYTHONPATH": "more"},
    ),
    "PYTHONSAFEPATH": (
        "import json, sys\nprint(sys.path[:1] == [''], json.loads('1'))\n",
        {"json.py": _SHADOW},
        [],
        {"PYTHONSAFEPATH": "1"},
    ),
    "a path that is edited first": (
        "import sys\nsys.path.insert(0, 'more')\nimport json\nprint(json.loads('1'))\n",
        {"more/json.py": _SHADOW},
        [],
        {},
    ),
    "a sitecustomize that watches imports": (
        "import json, re, textwrap\nprint(len(SEEN), SEEN)\n",
        {
            "more/sitecustomize.py": "import builtins, sys\nbuiltins.SEEN = []\n"
            "class Finder:\n"
            "    def find_spec(self, name, path=None, target=None): SEEN.append(name)\n"
            "    find_module = None\n"
            "sys.meta_path.insert(0, Finder())\n"
        },
        [],
        {"PYTHONPATH": "more"},
    ),
    "a sitecustomize that replaces __import__": (
        "import json, re, textwrap\nprint(SEEN[SEEN.index('json') :])\n",
        {
            "more/sitecustomize.py": "import builtins\nbuiltins.SEEN = []\nold = __import__\n"
            "def new(name, *rest, **more):\n    SEEN.append(name)\n"
            "    return old(name, *rest, **more)\n"
            "builtins.__import__ = new\n"
        },
        [],
        {"PYTHONPATH": "more"},
    ),
    "a sitecustomize that audits": (
        "import json, re\nprint([each for each in SEEN if each[0] == 'gc.get_objects'])\n",
        {
            "more/sitecustomize.py": "import builtins, sys\nbuiltins.SEEN = []\n"
            "sys.addaudithook(lambda *a: SEEN.append(a[:1]))\n"
        },
        [],
        {"PYTHONPATH": "more"},
    ),
    "a sitecustomize that leaves a file": (
        "print('done')\n",
        {"more/sitecustomize.py": "f = open('out.txt', 'w')\nf.write('x')\n"},
        [],
        {"PYTHONPATH": "more"},
    ),
    "a module that sitecustomize has loaded": (
        "print('done')\n",
        {
            "more/sitecustomize.py": "import leaves, sys\ndel sys.modules[__name__]\n",
            "more/leaves.py": "f = open('out.txt', 'w')\nf.write('x')\n",
        },
        [],
        {"PYTHONPATH": "more"},
    ),
    "the set of modules": (
        "import json, logging, pathlib\nimport sys\nprint(sorted(sys.modules))\n",
        {},
        [],
        {},
    ),
    "the collector": (
        "import json, textwrap\nimport gc\n"
        "print(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.callbacks)\n",
        {},
        [],
        {},
    ),
    "the path": ("import json, textwrap\nimport sys\nprint(sys.path)\n", {}, [], {}),
    "patterns": (_WATCHES, {}, [], {}),
    "patterns that are bytes": (
        "import re\nprint(re.compile(rb'a\\s'), re.compile(r'a\\s'))\n",
        {},
        ["-bb"],
        {},
    ),
    "patterns under -b": (
        "import re\nprint(re.compile(r'a\\s'), re.compile(rb'a\\s'))\n",
        {},
        ["-b"],
        {},
    ),
    "patterns that are told": (
        "import re\nre.compile(r'a\\s+|b', re.DEBUG)\nre.compile(r'a\\s+|b')\n",
        {},
        [],
        {},
    ),
    "patterns of the locale": (
        "import re\nprint(re.compile(rb'\\w', re.L))\n"
        "try:\n    re.compile(r'\\w', re.L)\nexcept ValueError as e:\n    print(e)\n",
        {},
        [],
        {},
    ),
    "patterns with a warning": (
        "import re\nre.compile(r'[[a]')\nre.compile(r'a(?:b)')\n"
        "try:\n    re.compile(r'(\\d')\nexcept re.error as e:\n    print(e)\n",
        {},
        [],
        {},
    ),
    "patterns in threads": (
        "import re, threading\nfound = []\n"
        "def run():\n    found.append(re.compile(r'a\\s+(b|c)', re.M | re.I))\n"
        "threads = [threading.Thread(target=run) for _ in range(8)]\n"
        "for t in threads: t.start()\n"
        "for t in threads: t.join()\n"
        "print(len(found), found[0], all(each == found[0] for each in found))\n",
        {},
        [],
        {},
    ),
    "more patterns than the cache holds": (
        "import re\n"
        + "".join(f"re.compile(r'a\\s{number}')\n" for number in range(80))
        + "for i in range(600):\n    re.compile('b%d' % i)\n"
        "print(re.compile(r'a\\s7').match('a 7'))\n",
        {},
        [],
        {},
    ),
    "patterns under a profile": (
        "import re, sys\ncalls = []\n"
        "sys.setprofile(lambda f, e, a: calls.append(f.f_code.co_name))\n"
        "re.compile(r'a\\s+|b')\nsys.setprofile(None)\nprint(calls)\n",
        {},
        [],
        {},
    ),
}


@each_cpython
def test_no_other_modules_are_loaded_than_those_of_the_hook(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    names = sorted(MODULES)
    step = scaled(len(used()), 3, 1)
    names = names[used().index(interpreter) % step :: step]
    hooks = [
        write(
            tmp_path / "work" / name / "hook.py",
            f"import {name}\nimport sys\nprint(sys.path[0] in sys.path_importer_cache)\n"
            "print(*sorted(sys.modules))\n",
        )
        for name in names
    ]
    user.compile(*hooks)
    ahead = 0
    for hook in hooks:
        expected = user.source(hook, flags=("-S",))
        launched = user.launch(hook, flags=("-S",))
        assert launched.state == "hit"
        of_source, _, modules = expected.stdout.partition(b"\n")
        of_launch, _, launched_modules = launched.stdout.partition(b"\n")
        assert (launched_modules, launched.stderr) == (modules, expected.stderr), hook.parent.name
        ahead += of_launch != of_source
    assert ahead > len(names) // 4 or interpreter.version < (3, 10)


@pytest.mark.parametrize(("name", "interpreter"), in_turn(AHEAD, few()))
def test_what_is_done_ahead_shows_nowhere(
    name: str, interpreter: Found, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, files, flags, env = AHEAD[name]
    user = User.create(tmp_path_factory.mktemp("user"), interpreter).with_env(**env)
    directory = tmp_path_factory.mktemp("work").resolve()
    hook = write(directory / "hook.py", source)
    for path, text in files.items():
        write(directory / path, text)

    def shown(launch: bool) -> tuple[object, str]:
        run = user.launch if launch else user.source
        done = run("hook.py", flags=flags, cwd=directory)
        out = directory / "out.txt"
        left = out.read_bytes() if out.exists() else b""
        out.unlink(missing_ok=True)
        return (*done.shown, left), done.state

    expected, _ = shown(False)
    assert shown(True) == (expected, "miss")
    user.compile(hook)
    assert shown(True) == (expected, "hit")
    normal = user.with_env(HOOKS_COMPILE_NORMAL_EXIT="1").launch(
        "hook.py", flags=flags, cwd=directory
    )
    (directory / "out.txt").unlink(missing_ok=True)
    assert normal.shown == expected[:3]  # type: ignore[index] # a tuple, as above
