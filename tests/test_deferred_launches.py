"""Hooks with deferred imports, launched, against their sources: the same to the last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hooks_compile.compiler import Compiler
from hooks_compile.model import HookSource
from hooks_compile.runtime import entry
from tests.interpreters_found import Found, each_cpython
from tests.launches import User, entries
from tests.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

# Without site, so that nothing is loaded that a hook would defer; with the hook's own folder.
FLAGS = ("-E", "-s", "-S")
# Beside the hooks: tells which of the library is executed, without a word of it in the hook.
SPY = """\
import sys

_NAMES = ["argparse", "datetime", "json", "pathlib", "re", "shutil", "subprocess", "textwrap",
          "typing", "urllib.parse", "xml.etree.ElementTree"]


def executed():
    return [name for name in _NAMES if type(sys.modules.get(name)) is type(sys)]
"""

ALL_NAMES = """\
import argparse, sys
import json as j
import shutil
import subprocess
import xml.etree.ElementTree as ET
import urllib.parse
from collections import OrderedDict, defaultdict as dd
from datetime import (
    datetime,
    timezone as utc,
)
from pathlib import Path
from textwrap import dedent, indent


def show(*values):
    print(*values, sep="|")


show(sorted(k for k in {"a": 1}), Path("/tmp") / "x", f"{Path('y')!r:>20}")
show(indent(dedent(" a"), "-"))
show(j.dumps([1]), urllib.parse.quote("a b"), ET.fromstring("<a/>").tag, shutil.which("sh") is None)
show(datetime(2020, 1, 1, tzinfo=utc.utc).isoformat(), OrderedDict(a=1), dd(int)["x"])
show(subprocess.run(["echo", "hello"], stdout=subprocess.PIPE).stdout)
parser = argparse.ArgumentParser(prog="hook")
parser.add_argument("--strict", action="store_true")
show(vars(parser.parse_args(["--strict"])))
"""

SCOPES = """\
from functools import partial, reduce
from pathlib import Path, PurePath
import json
import re

DEFAULT = Path("d")


def default(path=Path("e"), *, pure=PurePath, **more):
    return path, pure("f"), more


class Holder(Path if False else object):
    root = Path("g")
    kinds = [Path(each) for each in "hi"]

    class Inner:
        pure = PurePath

    def get(self):
        return Path, self.root, json.dumps([Path.__name__]), [Path(x).name for x in "jk"]

    @property
    def path(self):
        return Path("l")


def outer():
    def inner():
        return lambda x: Path(x).suffix
    return inner()


def generated():
    for each in (Path(c) for c in "mn"):
        yield each


print(DEFAULT, default(), default(PurePath("z"), Path=3))
print(Holder().get(), Holder.kinds, Holder().path, Holder.Inner.pure("q"))
print(outer()("a.py"), list(generated()), {Path(x): 1 for x in "o"}, {Path("s")})
print(isinstance(DEFAULT, Path), isinstance(re.compile("a"), re.Pattern), json, [re])
print(partial(default, Path("r"))(), reduce(lambda a, b: a / b, [Path("t"), Path("u")]))
print((lambda p=Path("v"): p)(), [*map(Path, "wx")], Path("y") if Path else None)
assert Path, "there"
"""

HANDLERS = """\
import json
import re
import subprocess
from json import JSONDecodeError
from subprocess import CalledProcessError, TimeoutExpired


def parse(text):
    try:
        return json.loads(text)
    except JSONDecodeError as error:
        return str(error)
    finally:
        re.sub("a", "b", text)


def run(*words):
    try:
        subprocess.run(words, check=True, timeout=9)
    except (CalledProcessError, TimeoutExpired) as error:
        return error.returncode
    except OSError as error:
        return error.errno


print(parse("{"), parse("[1]"), run("sh", "-c", "exit 3"), run("/no/such"))
try:
    json.loads("nope")
except json.JSONDecodeError as error:
    print(error.lineno, error)
"""

# A traceback for each kind of place where a name stands, with its carets.
TRACEBACKS = """\
import json
import sys
from datetime import datetime, timedelta
from pathlib import (Path,
                     PurePath)


def in_call(): return Path(1, 2)


def in_argument(): return str(Path("a").stat(), Path("b"))


def of_attribute(): return Path.nothing


def of_module(): return json.nothing


def of_called(): return datetime.now().nothing


def misspelt(): return Pth("x")


def misspelt_module(): return jsn.dumps(1)


def across_lines():
    return Path(
        "a"
    ) + (
        1
    )


def in_chain(): return (Path("a") / 1).name[0](PurePath("b"))


def in_fstring(): return f"{Path('a').nothing} {timedelta(days='x')}"


def in_comprehension(): return [Path(x).nothing for x in "ab"]


def deep(): return json.loads("{", object_hook=Path)


def mapping(): return json.dumps(**Path)


def arguments(): return datetime("x", nothing=Path)


def unpacking():
    a, b = Path
    return a


def with_block():
    with Path as p:
        return p


globals_of_name = [in_call, in_argument, of_attribute, of_module, of_called, misspelt,
                   misspelt_module, across_lines, in_chain, in_fstring, in_comprehension, deep,
                   mapping, arguments, unpacking, with_block]
globals_of_name[int(sys.argv[1])]()
"""

ENVIRONMENT = """\
import json
import os
import sys
import subprocess
from datetime import datetime
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "later"))
os.environ["TZ"] = "America/New_York"
os.environ["PYTHONPATH"] = "/no"
os.umask(0o77)
os.chdir("/")
print(datetime.fromtimestamp(0), Path("x").resolve(), json.dumps({"a": [1]}))
print(subprocess.run(["sh", "-c", "umask; pwd"], stdout=subprocess.PIPE).stdout)
import types_of_mine
print(types_of_mine.NAME)
"""

THREADS = """\
import threading
import json
import re
import argparse
from pathlib import Path
from textwrap import dedent

barrier = threading.Barrier(8)
found = []


def use(number):
    barrier.wait()
    if number % 2:
        found.append((json.dumps([number]), re.sub("a", "b", "a"), str(Path("x"))))
    else:
        found.append((json.dumps([number]), argparse.Namespace(a=1).a, dedent(" z")))


threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(map(str, found)))
"""

RECURSION = """\
import sys
import json
from textwrap import dedent


def down(depth):
    if depth:
        return down(depth - 1)
    return json.dumps([dedent(" a")])


limit = sys.getrecursionlimit()
for depth in (10, limit - 60):
    print(down(depth), sys.getrecursionlimit() == limit)


def forever():
    return forever()


try:
    forever()
except RecursionError as error:
    print(error)
"""

CHILDREN = """\
import os
import sys
import json
import subprocess
from pathlib import Path

child = os.fork()
if not child:
    print(json.dumps("child"), Path("c"), flush=True)
    os._exit(3)
print(os.waitpid(child, 0)[1], flush=True)
print(json.dumps("parent"), Path("p"), flush=True)
subprocess.run([sys.executable, "-c", "import json; print(json.dumps(1))"])
"""

MULTIPROCESSING = """\
import multiprocessing
import json
from pathlib import Path


def work(item):
    return json.dumps([str(Path(item))])


if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(work, "ab"))
"""

PICKLED = """\
import copy
import pickle
import re
from collections import OrderedDict
from datetime import datetime
from pathlib import PurePosixPath


class Mine:
    def __init__(self):
        self.path = PurePosixPath("a")
        self.when = datetime(2020, 1, 1)


again = pickle.loads(pickle.dumps([Mine(), OrderedDict(a=1), re.compile("a+"), PurePosixPath]))
print(again[0].path, again[0].when, again[1:], copy.deepcopy(again[2]) is not None)
"""

DATACLASSES = """\
from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional

if not __name__:
    raise SystemExit


@dataclass
class Event:
    name: str
    count: typing.ClassVar[int] = 3
    only: dataclasses.InitVar[int] = 4
    path: Optional[Path] = None
    more: Dict[str, Any] = field(default_factory=dict)

    def __post_init__(self, only: int) -> None:
        self.more["only"] = only


def load(path: Path, default: Optional[Event] = None) -> Event:
    result: Event = Event(path.name)
    return result


print(load(Path("/a/b")), [each.name for each in dataclasses.fields(Event)])
"""

ANNOTATED = """\
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple, Union

if TYPE_CHECKING:
    from argparse import Namespace

RULES: Dict[str, "re.Pattern"] = {}
Json = Union[str, List[Any]]


class Event(NamedTuple):
    name: str
    path: Optional[Path] = None


def load(text: str, *rest: Any, folder: Path = Path("."), **more: Json) -> Tuple[Any, Path]:
    value: List[Path] = [folder]
    return json.loads(text), value[0]


print(load("[1]"), Event("a", Path("b")), TYPE_CHECKING, Event._fields)
"""

ANNOTATED_NEWLY = """\
import sys
from pathlib import Path
from typing import Any, Optional


def first(path: Path, more: Any = None) -> "Path":
    return path


print(first(Path("a")))
if sys.argv[1:] == ["generic"]:
    def second(x: dict[str, Path]) -> list[Any]: return [x]
elif sys.argv[1:] == ["union"]:
    def second(x: Path | None) -> Any: return x
elif sys.argv[1:] == ["unknown"]:
    def second(x: Optional[Nothing]) -> Any: return x
else:
    def second(x: "Nothing") -> Any: return x
print(second(1))


def third(x: Path | None, y: dict[str, Path]) -> Any:
    return x


print(third(2, 3))
"""

MATCHED = """\
from pathlib import Path, PurePath
from datetime import date
import re


def kind(value):
    match value:
        case Path(name="x"):
            return "x"
        case PurePath() | date(year=2020):
            return "other"
        case {"a": re.Pattern() as found, **rest}:
            return found, rest
        case [Path() as first, *others]:
            return first, others
        case _:
            return None


values = (Path("x"), Path("y"), date(2020, 1, 1), {"a": re.compile("b"), "c": 1}, [Path("z"), 1])
for value in (*values, 3):
    print(kind(value))
"""

LEAVES_EARLY = """\
import sys
import argparse
import json
import re
import subprocess
import shutil
import urllib.parse
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from textwrap import dedent
from typing import Any
import spy

print(spy.executed())
if len(sys.argv) < 2:
    sys.exit(0)
print(dedent(" a"), re.sub("a", "b", "a"), spy.executed())
print(json.dumps([Path("a").name]), spy.executed())
print(argparse, subprocess, shutil, datetime, Any, urllib, ET, spy.executed())
"""

ENDS = """\
import atexit
import json
import sys
from pathlib import Path
from textwrap import dedent


@atexit.register
def last():
    print(json.dumps("at exit"), dedent(" d"))


if sys.argv[1:] == ["raise"]:
    raise ValueError(Path("x"))
if sys.argv[1:] == ["hook"]:
    sys.excepthook = lambda kind, error, trace: print(kind, error, dedent(" e"))
    raise KeyError("y")
sys.exit(Path("z").name if sys.argv[1:] else 7)
"""

MISSING = """\
import json
import shutil
print("first")
import no_such_module, json
"""

ORDER = """\
import json
print("before", use() if 0 else "")


def use():
    return json.dumps(dedent(" a"))


try:
    use()
except NameError as error:
    print(error)
from textwrap import dedent
print(use())
"""

UNUSED = """\
'''A docstring.'''
from __future__ import annotations
import sys, os, json, re
from typing import Any, Optional
from pathlib import Path
print(__doc__, sys.argv[1:], os.path.basename(__file__), __name__)
"""

EDITED_MODULE = """\
import json
import textwrap
import patching

patching.patch()
print(textwrap.dedent(" a"), json.dumps({"b": 1}))
"""

PATCHING = """\
import sys


def patch():
    sys.modules["textwrap"].dedent = lambda text: "patched"
    import json
    json.dumps = lambda value: "patched, too"
"""

# Ahead of a hook, so that nothing counts as used at once.
LEAVES = "if not __name__: raise SystemExit\n"
FILES = {
    "spy.py": SPY,
    "later/types_of_mine.py": "NAME = 'mine'\n",
    # an import of the library's, when it is made late, must not find these
    "later/enum.py": "raise ValueError('not this one')\n",
    "later/zlib.py": "raise ValueError('not this one')\n",
    "later/_winapi.py": "raise ValueError('not this one')\n",
    "later/urllib/__init__.py": "raise ValueError('not this one')\n",
    "patching.py": PATCHING,
}
CASES: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "all_names": (ALL_NAMES, [()]),
    "annotated": (ANNOTATED, [()]),
    "annotated_newly": (ANNOTATED_NEWLY, [(), ("generic",), ("union",), ("unknown",)]),
    "children": (CHILDREN, [()]),
    "dataclasses": (DATACLASSES, [()]),
    "edited": (EDITED_MODULE, [()]),
    "ends": (ENDS, [(), ("raise",), ("hook",), ("name",)]),
    "environment": (ENVIRONMENT, [()]),
    "handlers": (HANDLERS, [()]),
    "missing": (MISSING, [()]),
    "multiprocessing": (MULTIPROCESSING, [()]),
    "order": (ORDER, [()]),
    "pickled": (PICKLED, [()]),
    "recursion": (RECURSION, [()]),
    "scopes": (SCOPES, [()]),
    "threads": (THREADS, [()]),
    "tracebacks": (TRACEBACKS, [(str(number),) for number in range(16)]),
    "unused": (UNUSED, [(), ("a",)]),
}


def deferred(user: User, hook: Path) -> bytes:
    """Compile a hook with deferred imports, and return what became of them."""
    with Compiler([user.interpreter], user.key) as compiler:
        (result,) = compiler.compile([HookSource(hook, imports="deferred")])
    assert result.ok, result
    assert result.entry is not None
    return entry.imports_of(result.entry.read_bytes())


def lay(folder: Path) -> Path:
    for name, text in FILES.items():
        write(folder / name, text)
    return folder


@each_cpython
@pytest.mark.parametrize("name", CASES)
def test_a_hook_with_deferred_imports_does_the_same(
    name: str, interpreter: Found, tmp_path: Path
) -> None:
    source, runs = CASES[name]
    if "__future__" not in source:
        source = LEAVES + source
    user = User.create(tmp_path, interpreter)
    hook = write(lay(tmp_path / "hooks") / f"{name}_hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    for arguments in runs:
        expected = user.source(hook, *arguments, flags=FLAGS)
        got = user.launch(hook, *arguments, flags=FLAGS)
        assert got.state == "hit"
        assert got.shown == expected.shown


@each_cpython
def test_match_statements(interpreter: Found, tmp_path: Path) -> None:
    if interpreter.version < (3, 10):
        pytest.skip("match came with Python 3.10")
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "hook.py", LEAVES + MATCHED)
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).shown == user.source(hook, flags=FLAGS).shown


@each_cpython
def test_a_module_is_executed_when_it_is_used_and_only_then(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(lay(tmp_path / "hooks") / "hook.py", LEAVES_EARLY)
    assert deferred(user, hook) == entry.DEFERRED
    everything = user.source(hook, flags=FLAGS).stdout.decode()
    early = user.launch(hook, flags=FLAGS)
    assert (early.state, early.stdout, early.stderr) == ("hit", b"[]\n", b"")
    lines = user.launch(hook, "on", flags=FLAGS).stdout.decode().split("\n")
    assert lines[0] == "[]"
    assert lines[1] == "a b ['re', 'textwrap']"
    assert lines[2].startswith("[\"a\"] ['json', 'pathlib', 're', ")
    assert "argparse" not in lines[2]
    assert f"[{lines[3].rpartition('[')[2]}\n" == everything


@each_cpython
def test_the_import_is_made_as_written_where_something_may_tell(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(lay(tmp_path / "hooks") / "hook.py", LEAVES_EARLY)
    assert deferred(user, hook) == entry.DEFERRED
    everything = user.source(hook, flags=FLAGS).stdout
    assert b"json" in everything
    for flags in (("-X", "importtime"), ("-v",)):
        assert user.launch(hook, flags=(*FLAGS, *flags)).stdout == everything
    watched = user.with_env(PYTHONPROFILEIMPORTTIME="1")
    assert watched.launch(hook, flags=("-s", "-S")).stdout == everything
    # a module ahead of the library with a name that some import of the hook's will ask for
    write(hook.with_name("gettext.py"), "raise SystemExit('mine')\n")
    expected = user.source(hook, flags=FLAGS)
    assert b"mine" in expected.stderr
    assert user.launch(hook, flags=FLAGS).shown == expected.shown


@each_cpython
@pytest.mark.parametrize("name", ["json.py", "pathlib.py", "json/__init__.py", "xml/__init__.py"])
def test_a_module_beside_the_hook_wins(name: str, interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    source = (
        "import argparse\nimport json\nimport xml.etree.ElementTree as ET\n"
        "from pathlib import Path\nprint('on')\nprint(json.dumps(1), Path(2), ET)\n"
    )
    hook = write(folder / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    mine = "print('mine', __name__)\n\n\ndef Path(x):\n    return x\n\n\ndumps = repr\n"
    write(folder / name, mine)
    expected = user.source(hook, flags=FLAGS)
    assert expected.stdout.startswith(b"mine")
    assert user.launch(hook, flags=FLAGS).shown == expected.shown
    write(folder / name, "raise ValueError('mine')\n")
    expected = user.source(hook, flags=FLAGS)
    assert expected.status == 1
    assert user.launch(hook, flags=FLAGS).shown == expected.shown


@each_cpython
def test_a_name_that_another_module_patches_is_read_as_it_was_imported(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    write(folder / "json.py", "value = 1\n\n\ndef later():\n    global value\n    value = 2\n")
    source = "from json import value, later\nlater()\nprint(value)\n"
    hook = write(folder / "hook.py", source.replace("value", "loads").replace("later", "dumps"))
    write(folder / "json.py", "loads = 1\n\n\ndef dumps():\n    global loads\n    loads = 2\n")
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).shown == (0, b"1\n", b"")


def test_another_build_of_the_same_version_makes_the_imports_as_written(tmp_path: Path) -> None:
    user = User.create(tmp_path)  # our own version, whose tags we can make
    hook = write(lay(tmp_path / "hooks") / "hook.py", LEAVES_EARLY)
    assert deferred(user, hook) == entry.DEFERRED
    (path,) = entries(hook.parent)
    level = int(path.name.split(".opt-")[1][0])
    data = path.read_bytes()
    number = hexversion(user)
    other = data.replace(number.to_bytes(4, "little"), (number + 1).to_bytes(4, "little"))
    assert other != data
    body = other[:-16]
    path.write_bytes(body + entry.tag(user.key, level, body, hook.read_bytes()))
    launched = user.launch(hook, flags=FLAGS)
    assert launched.state == "hit", launched
    assert launched.stdout == user.source(hook, flags=FLAGS).stdout


def hexversion(user: User) -> int:
    return int(user.run([user.python, "-c", "import sys; print(sys.hexversion)"]).stdout)


@each_cpython
def test_annotations_that_nobody_reads_execute_nothing(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    source = (
        "import spy\nfrom pathlib import Path\nfrom typing import Dict, List, Optional\n"
        "PLACES: List[Path] = []\n\n\n"
        "def main(path: Optional[Path] = None, *rest: Dict[str, Path]) -> List[Path]:\n"
        "    return PLACES\n\n\nprint(main(), spy.executed())\n"
    )
    hook = write(lay(tmp_path / "hooks") / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    assert user.source(hook, flags=FLAGS).stdout.startswith(b"[] ['pathlib', 're', 'typing'")
    assert user.launch(hook, flags=FLAGS).stdout == b"[] []\n"


@each_cpython
@pytest.mark.parametrize("head", ["import json\n", "import json\nimport re\n"])
def test_the_entry_s_patterns_are_there_when_re_is_executed(
    head: str, interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    folder = tmp_path / "hooks"
    seen = "import sys\n\n\ndef kind():\n    re = sys.modules['re']\n"
    name = "_cache2" if interpreter.version >= (3, 12) else "_cache"
    write(folder / "seen.py", f"{seen}    return type(re.{name}).__name__\n")
    source = f"{LEAVES}{head}import seen\nprint(json.loads('1'), seen.kind())\n"
    hook = write(folder / "hook.py", source)
    assert deferred(user, hook) == entry.DEFERRED
    assert user.launch(hook, flags=FLAGS).shown == (0, b"1 Cache\n", b"")
