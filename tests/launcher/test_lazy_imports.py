"""``imports = "deferred"``: launches under Python 3.15 make imports lazy, and only some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launcher.test_early_exit import ENDED_BY_PYTHON, telling_user
from tests.support import interpreters_found
from tests.support.launches import User, entries
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.interpreters_found import Found

_LAZY = [found for found in interpreters_found.found() if found.version >= (3, 15)]
_ALL = ("-X", "lazy_imports=all")
pytestmark = pytest.mark.parametrize(
    "interpreter",
    _LAZY or [pytest.param(None, marks=pytest.mark.skip("needs Python 3.15"))],
    ids=lambda found: found.name if found else "none",
)
_LOADED = "import sys\nprint([name in sys.modules for name in {!r}])\n"

# Each prints what it prints as source. None of them shows when an import is made.
SAME: Mapping[str, dict[str, str]] = {
    "used in all forms": {
        "hook.py": "from __future__ import annotations\n"
        "import json, os.path, xml.etree.ElementTree as tree\n"
        "from csv import reader as read, writer\nimport logging.handlers\n"
        "print(json.dumps(list(read(['a,b']))), tree.Element('a').tag, os.path.join('a', 'b'))\n"
        "print(logging.handlers.BufferingHandler.__name__, writer.__name__)\n"
    },
    "a module that may be missing": {
        "hook.py": "try:\n    import nobody_knows\nexcept ImportError as error:\n    print(error)\n"
        "try:\n    import tomllib, zzz\nexcept ImportError:\n    tomllib = None\n"
        "import sys\nprint(tomllib, 'tomllib' in sys.modules)\n"
    },
    "a local module": {
        "hook.py": "print(1)\nimport local\nprint(3, local.load('[]'))\n",
        "local.py": "import json\nprint(2)\ndef load(text):\n    return json.loads(text)\n",
    },
    "a local module with a standard name": {
        "hook.py": "print(1)\nimport csv\nimport colorsys\nprint(3, csv.own)\n",
        "csv.py": "print(2)\nown = True\n",
    },
    "a function, a class, an error": {
        "hook.py": "import csv, json\ndef f():\n    import shlex\n    return shlex.quote('a b')\n"
        "class C:\n    import glob\nprint(f(), C.glob.escape('*'))\njson.loads('{')\n"
    },
}


@pytest.mark.parametrize("name", SAME)
def test_it_shows_what_the_source_shows(name: str, interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    for file, text in SAME[name].items():
        write(tmp_path / "work" / file, text)
    hook = tmp_path / "work/hook.py"
    user.compile(hook, imports="deferred")
    done = user.launch(hook, flags=("-S",))
    assert done.shown == user.source(hook, flags=("-S",)).shown
    assert done.state == "hit"


@pytest.mark.parametrize(
    ("text", "names", "loaded"),
    [
        ("import csv\n", ["csv"], [False]),
        ("from csv import reader\n", ["csv"], [False]),
        ("import xml.dom\n", ["xml", "xml.dom"], [False, False]),
        ("import csv\ncsv.reader\n", ["csv"], [True]),
        ("def f():\n    csv.reader\nimport csv\n", ["csv"], [False]),
        ("# gc\nimport csv\n", ["csv"], [False]),
    ],
)
def test_an_import_is_made_when_it_is_used(
    text: str, names: list[str], loaded: list[bool], interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "work/hook.py", text + _LOADED.format(names))
    user.compile(hook, imports="deferred")
    done = user.launch(hook)
    assert (done.stdout, done.stderr) == (f"{loaded}\n".encode(), b"")
    assert done.shown == user.source(hook, flags=("-S", *_ALL)).shown


def test_modules_of_nobody_else_are_lazy(interpreter: Found, tmp_path: Path) -> None:
    """Those of an installed package and of the library itself import as they are written."""
    user = User.create(tmp_path, interpreter)
    write(tmp_path / "work/site-packages/installed.py", "import csv\n")
    write(tmp_path / "work/local.py", "import shlex\n")
    loaded = "print(sorted(sys.modules.keys() - {'csv', 'local', 'shlex', 'installed'}))\n"
    text = (
        "import sys\nsys.path.append('site-packages')\nimport local, installed\n"
        "print('csv' in sys.modules, 'shlex' in sys.modules)\n"
        "import logging, pathlib, argparse\nlogging.info, pathlib.Path, argparse.Action\n"
    )
    hook = write(tmp_path / "work/hook.py", text + loaded)
    user.compile(hook, imports="deferred")
    done = user.launch(hook, flags=("-S",), cwd=hook.parent)
    lazy, library = done.stdout.decode().splitlines()
    assert lazy == "True False"
    # The same part of the library is loaded: its own lazy imports are lazy, and no others.
    only = write(tmp_path / "work/only.py", text.replace("import local, installed\n", "") + loaded)
    write(only, only.read_text().replace("import sys\n", "import sys, shlex, csv\n", 1))
    assert user.source(only, flags=("-S",)).stdout.decode().splitlines()[-1] == library


def test_who_chose_another_mode_keeps_it(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    text = "import sys, csv\nprint(sys.get_lazy_imports(), sys.get_lazy_imports_filter())\n"
    hook = write(tmp_path / "work/hook.py", text)
    user.compile(hook, imports="deferred")
    assert user.launch(hook, flags=("-S", *_ALL)).stdout == b"all None\n"
    assert user.launch(hook).stdout.startswith(b"all <function ")
    assert user.launch(hook, flags=("-S", "-I")).stdout.startswith(b"all <function ")


def test_it_ends_early_and_finds_patterns_compiled(interpreter: Found, tmp_path: Path) -> None:
    user = telling_user(tmp_path, interpreter)
    text = (
        "import re, json\ndef f():\n    return re.compile(r'a\\s+b')\nf()\n"
        "print(type(re._cache2).__module__, len(json.loads('[]')), f().match('a  b'))\n"
    )
    hook = write(tmp_path / "work/hook.py", text)
    user.compile(hook, imports="deferred")
    done = user.launch(hook)
    assert (done.status, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"main 0 <re.Match")
    write(hook, text + "class D:\n    def __del__(self):\n        pass\nd = D()\n")
    user.compile(hook, imports="deferred")
    assert user.launch(hook).stderr == ENDED_BY_PYTHON


def test_a_change_of_the_setting_makes_the_entry_anew(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "work/hook.py", "import csv\n" + _LOADED.format(["csv"]))
    shown = []
    for imports, state in (
        ("as-written", "compiled"),
        ("deferred", "compiled"),
        ("deferred", "fresh"),
        ("as-written", "compiled"),
    ):
        (result,) = user.compile(hook, imports=imports)  # type: ignore[arg-type] # of a tuple
        assert result.state == state
        shown.append(user.launch(hook).stdout)
    assert shown == [b"[True]\n", b"[False]\n", b"[False]\n", b"[True]\n"]
    assert len(entries(hook.parent)) == 1
