"""Generated hooks: with deferred imports they show what their sources show."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooks_compile.compiler import Compiler
from hooks_compile.model import HookSource
from tests.interpreters_found import Found, found
from tests.launches import SOAK, User
from tests.test_deferred_launches import FLAGS, LEAVES

# Each import binds some names; each use is an expression of one of them.
IMPORTS = {
    "import json": ["json.dumps([1])", "json.JSONDecodeError.__name__", "json.loads('[')"],
    "import json as j, re": [
        *("j.dumps({})", "re.sub('a', 'b', 'aa')", "re.escape.__name__", "re.nothing"),
        *("re.compile('a+')", "re.compile('a+', re.I).match('A')", "re.compile('(')"),
        *(
            "[re.compile(c, flags=re.M) for c in ('^a', 'b$')]",
            "re.compile('a+') is re.compile('a+')",
        ),
    ],
    "from pathlib import Path, PurePath as Pure": ["Path('a') / 'b'", "Pure", "Path(1)", "Path"],
    "from datetime import (\n    datetime,\n    timedelta as td,\n)": [
        *("datetime(2020, 1, 1) + td(1)", "td(seconds=90)", "datetime.nothing", "td('x')"),
    ],
    "import urllib.parse": ["urllib.parse.quote('a b')", "urllib.__name__", "urllib.nothing"],
    "import textwrap": ["textwrap.dedent(' a')", "[textwrap.indent(c, '-') for c in 'ab']"],
    "from typing import Any, Dict, List, Optional": ["Optional[int]", "Dict[str, Any]", "List"],
    "from shlex import quote, split": ["quote('a b')", "split('a \"b')", "[*map(quote, 'c ')]"],
    "from collections import OrderedDict, defaultdict": [
        *("OrderedDict(a=1)", "defaultdict(list)['x']", "OrderedDict(1)"),
    ],
    "import beside": [
        "beside.json.dumps(1)",
        "beside.again('a  b')",
        "beside.sp.nothing",
        "beside.f()",
    ],
    "import hashlib, urllib.error, urllib.parse": [
        *(
            "hashlib.md5(b'').hexdigest()",
            "urllib.error.URLError('x')",
            "urllib.parse.quote('a b')",
        ),
    ],
    "import string, fnmatch": ["string.digits", "fnmatch.fnmatch('a', '?')", "fnmatch.no"],
}
BESIDE = """\
import json, re, subprocess as sp, textwrap
try:
    import shutil
except ImportError:
    shutil = None
SPACE = re.compile(r"\\s+")


def again(text):
    return SPACE.split(text), textwrap.dedent(text), re.sub("a", "b", text)


def f(): return shutil.which("no such command"), sp.PIPE
"""
PLACES = [
    "print({use})",
    "print(f'''{{{use}!r:>9}}''')",
    "VALUE{n} = {use}",
    "def f{n}(x={use}):\n    return x\nprint(f{n}())",
    "def f{n}(x):\n    if x:\n        return {use}\nprint(f{n}(0), f{n}(1))",
    "def f{n}():\n    def g():\n        return lambda: {use}\n    return g()\nprint(f{n}()())",
    "class C{n}:\n    value = {use}\n    def get(self):\n        return {use}\nprint(C{n}().get())",
    "def f{n}():\n    yield {use}\nprint(list(f{n}()))",
    "try:\n    print({use})\nexcept Exception as error:\n    print(type(error), error)",
    "print([{use} for _ in range(2)], {{1: {use}}}, ({use}, 2)[0])",
    "def f{n}(x: Optional[Path] = None, *y: Dict[str, Any]) -> List[Path]:\n    return {use}\n"
    "print(f{n}())",
    "async def f{n}():\n    return {use}\ntry:\n    f{n}().send(None)\nexcept StopIteration as e:\n"
    "    print(e.value)",
    "print(isinstance({use}, str), [{use}][0] == {use}, (lambda: {use})())",
    "def d{n}(x):\n    return lambda f: x\n@d{n}({use})\ndef f{n}():\n    pass\nprint(f{n})",
    "if len(str({use})) > 3:\n    print('long')\nelse:\n    print('short')",
    "while {use}:\n    print('once')\n    break",
    "import sys\nif len(sys.argv) > 9:\n    print({use})",
]
# What makes a name or the whole hook stay as written.
SPOILERS = [
    *("json = 1", "del re", "Path = str", "print(sorted(globals())[0])", "def td(): return 2"),
    *("for textwrap in 'ab': print(textwrap)", "import sys; print('json' in sys.modules)"),
    *("def g():\n    global quote\n    quote = len\ng()", "class A:\n    string = string"),
]

statements = st.tuples(
    st.sampled_from(PLACES), st.sampled_from([use for uses in IMPORTS.values() for use in uses])
)


@st.composite
def hooks(draw: st.DrawFn) -> str:
    heads = draw(st.lists(st.sampled_from(list(IMPORTS)), min_size=2, unique=True))
    lines = [*heads]
    for number, (place, use) in enumerate(draw(st.lists(statements, min_size=1, max_size=6))):
        lines.append(place.replace("{n}", str(number)).format(use=use, n=number))
    if draw(st.integers(0, 4)) == 0:
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(SPOILERS)))
    if draw(st.booleans()):  # a late import
        lines.append(lines.pop(0))
    first = "from __future__ import annotations\n" if draw(st.booleans()) else ""
    if draw(st.integers(0, 4)):
        first += LEAVES  # else what is used at once is imported as it is written
    return first + "\n".join(lines) + "\n"


OLD_AND_NEW = [each for each in found() if each.is_cpython and each.version[1] in (8, 11, 13)]


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("interpreter", OLD_AND_NEW, ids=lambda each: each.name)
def test_a_generated_hook_does_the_same(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)

    @settings(
        max_examples=400 if SOAK else 12,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(hooks())
    def run(source: str) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            hook = Path(folder, "hook.py")
            hook.write_text(source)
            hook.with_name("beside.py").write_text(BESIDE)
            with Compiler([user.interpreter], user.key) as compiler:
                (result,) = compiler.compile([HookSource(hook, imports="deferred")])
            assert result.ok, (result, source)
            expected = user.source(hook, flags=FLAGS)
            got = user.launch(hook, flags=FLAGS)
            assert got.state == "hit"
            assert got.shown == expected.shown, source

    run()
