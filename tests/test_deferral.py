"""What of a source is deferred, what is not, and why: by table, without a launch."""

from __future__ import annotations

import ast
import sys

import pytest

from hooks_compile.runtime import ahead, deferral, deferring, lazy, notes

LIBRARY = deferring._OwnLibrary()


# A hook that may leave before it uses anything, so that nothing counts as used at once.
LEAVES = "if early: leave()\n"


def planned(source: str) -> deferral.Plan:
    tree = ast.parse(LEAVES + source)
    tree.body.sort(key=lambda node: getattr(node, "module", "") != "__future__")
    ast.increment_lineno(tree, -1)
    return deferral.plan(tree, LIBRARY)


def rewritten(source: str) -> str:
    tree = ast.parse(LEAVES + source)
    tree.body.sort(key=lambda node: getattr(node, "module", "") != "__future__")
    made = deferral.rewrite(tree, deferral.plan(tree, LIBRARY))
    del made.body["__future__" in source]
    return ast.unparse(made).replace(repr(deferral.DEFERRED), "D")


def test_words_that_stand_in_several_files_are_one() -> None:
    assert ahead.DEFERRED_HERE == deferral.DEFERRED
    assert lazy.PATTERN == deferral.PATTERN
    assert lazy._OF_BYTES == notes._OF_BYTES


def test_a_module_and_its_uses() -> None:
    assert rewritten("import json as j\nprint(j.dumps(j))") == (
        "if D.locate_module('json', 'json', 'j'):\n"
        "    j = D.take()\n"
        "else:\n"
        "    import json as j\n"
        "    j = D.hold(('j',), j)\n"
        "print(j.j.dumps(j.j))"
    )


def test_a_part_of_a_package_binds_the_package() -> None:
    assert rewritten("import urllib.parse").splitlines()[:2] == [
        "if D.locate_module('urllib.parse', 'urllib', 'urllib'):",
        "    urllib = D.take()",
    ]
    assert "locate_module('urllib.parse', 'urllib.parse', 'up')" in rewritten(
        "import urllib.parse as up"
    )


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("re.compile('a')", "re.P('a', 0) or re.re.compile('a')"),
        ("re.compile('a', re.I)", "re.P('a', 2) or re.re.compile('a', re.re.I)"),
        (
            "re.compile('a', re.I | re.S | re.VERBOSE)",
            "re.P('a', 82) or re.re.compile('a', re.re.I | re.re.S | re.re.VERBOSE)",
        ),
        ("re.compile('a', flags=re.M)", "re.P('a', 8) or re.re.compile('a', flags=re.re.M)"),
        ("re.compile(text)", "re.P(text, 0) or re.re.compile(text)"),
        ("re.compile(text, flags)", "re.P(text, flags) or re.re.compile(text, flags)"),
        # whose evaluation might do something, or that would be evaluated twice
        ("re.compile(text())", ""),
        ("re.compile(text.x)", ""),
        ("re.compile('a', f())", ""),
        ("re.compile('a', 2)", ""),
        ("re.compile('a', re.DEBUG)", ""),
        ("re.compile('a', re.I & re.M)", ""),
        ("re.compile('a', other.I)", ""),
        ("re.compile(f'a{x}')", ""),
        ("re.compile(b'a')", ""),
        ("re.compile(*x)", ""),
        ("re.compile('a', **x)", ""),
        ("re.compile('a', pattern='a')", ""),
        ("re.compile(pattern='a')", ""),
        ("re.compile()", ""),
        ("re.compile('a', 0, 1)", ""),
        ("re.match('a', 'a')", ""),
        ("f(re.compile)", ""),
    ],
)
def test_patterns_that_the_entry_may_have_ready_need_no_re(call: str, asked: str) -> None:
    text = rewritten(f"import re\nfor x in y:\n    z = {call}").replace(deferral.PATTERN, "P")
    plain = call.replace("re.", "re.re.")
    assert text.splitlines()[-1] == f"    z = {asked or plain}"


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        *((line, False) for line in (
            "os.environ['A']", "x = os.environ.get('OPENSSL_CONF')", "'A' in os.environ",
            "os.environ['A'] = '1'", "del os.environ['A']", "os.environ.setdefault('A', '1')",
            "os.environ.pop('A', None)", "dict(os.environ, OPENSSL_CONF='x')",
            "os.environb[b'A'] = x",
            "{**os.environ, 'OPENSSL_CONF': 'x'}", "f(env=os.environ)", "os.environ.copy()",
            "for name in os.environ.items(): pass", "f = 'environ'",
        )),
        *((line, True) for line in (
            "os.environ['OPENSSL_CONF'] = 'x'", "os.environ[name] = 'x'", "del os.environ[name]",
            "os.environ.update(x)", "os.environ |= x", "os.putenv('OPENSSL_CONF', 'x')",
            "os.environ.setdefault(name, 'x')", "os.environ.pop(*x)", "f(os.environ)",
            "x = os.environ", "os.environ = x", "x = os.environ.__setitem__",
            "x = os.environ.setdefault", "os.environb[b'OPENSSL_CONF'] = x", "[os.environ]",
            "from os import environ as e", "from os import putenv",
        )),
    ],
)  # fmt: skip
def test_what_reads_the_environment_waits_only_where_nothing_changes_it(
    line: str, changes: bool
) -> None:
    found = planned(f"import os, hashlib, json\nfrom random import choice\n{line}\n")
    reason = "line 3 may change the environment for it"
    kept = [f"line 1: hashlib: {reason}", f"line 2: random: {reason}"]
    assert (found.modules, found.kept) == (
        (["json"], kept) if changes else (["hashlib", "json", "random"], [])
    )


def test_names_and_their_uses() -> None:
    source = "from re import sub, compile as made\n\ndef f(x=made('a')):\n    return [sub, made]"
    assert rewritten(source) == (
        "if D.locate('re', 'sub', 'compile'):\n"
        "    sub = made = D.take()\n"
        "else:\n"
        "    from re import sub, compile as made\n"
        "    sub = made = D.hold(('sub', 'compile'), sub, made)\n\n"
        "def f(x=made.compile('a')):\n"
        "    return [sub.sub, made.compile]"
    )


def test_one_statement_may_hold_both_kinds() -> None:
    text = rewritten("import os, json, sys")
    assert text.startswith("import os\nif D.locate_module('json'")
    assert text.endswith("import sys")


def test_annotations_that_are_strings_stay_as_they_are() -> None:
    head = "from __future__ import annotations\nfrom pathlib import Path\n"
    text = rewritten(head + "def f(x: Path=Path()) -> Path:\n    y: Path = Path('z')")
    assert text.endswith("def f(x: Path=Path.Path()) -> Path:\n    y: Path = Path.Path('z')")


def test_nothing_is_imported_but_what_is_on_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    planned("import no_such, this, launch\nfrom this import x\nfrom uuid import y\nimport json")
    assert "this" not in sys.modules
    assert capsys.readouterr().out == ""


def test_what_is_only_for_type_checkers_executes_nothing() -> None:
    text = rewritten("from typing import TYPE_CHECKING as T\nif T:\n    import json")
    assert text.endswith("if False:\n    import json")


HEAD = """\
import argparse
import lib
from pathlib import Path
from typing import Any, Dict, List, Optional, Union


class Event(dict):
    pass


"""


def annotated(source: str) -> str:
    """What becomes of a piece of a hook that is annotated."""
    return rewritten(HEAD + source).partition("(dict):\n    pass\n")[2].strip()


@pytest.mark.parametrize(
    ("source", "became"),
    [
        ("def f(x: Path, *y: Any, z: int=1, **w: Dict[str, Any]) -> Optional[Path]: pass\nf()",
         "def f(x, *y, z: int=1, **w):\n    pass\nf()"),
        ("async def f(x: List[List[Event]]=Path()) -> 'Path': pass",
         "async def f(x=Path.Path()) -> 'Path':\n    pass"),
        ("def f(x: argparse.Namespace, y: Union[Path, None, 'Event']): pass",
         "def f(x, y):\n    pass"),
        ("def f(x: Optional[Event]): pass\nprint(f(f(1)))",
         "def f(x):\n    pass\nprint(f(f(1)))"),
        ("PATHS: List[Path] = []\nCOUNT: int = 0\nlater: Dict[str, Path]",
         "PATHS: None = []\nCOUNT: int = 0\nlater: None"),
        # others may get hold of the function
        ("def f(x: Path): pass\nlib.run(f)", "def f(x: Path.Path):\n    pass\nlib.run(f)"),
        ("@lib.run\ndef f(x: Path): pass", "@lib.run\ndef f(x: Path.Path):\n    pass"),
        ("def f(x: Path):\n    def g(y: Any): pass\n    return g",
         "def f(x):\n\n    def g(y: Any.Any):\n        pass\n    return g"),
        ("class A:\n    x: Path\n    def f(self, y: Path): pass",
         "class A:\n    x: Path.Path\n\n    def f(self, y: Path.Path):\n        pass"),
        # what fails has to fail
        ("def f(x: Path[1]): pass", "def f(x: Path.Path[1]):\n    pass"),
        ("def f(x: argparse.Nothing): pass", "def f(x: argparse.argparse.Nothing):\n    pass"),
        ("def f(x: Optional[Later]): pass\nclass Later: pass",
         "def f(x: Optional.Optional[Later]):\n    pass\n\nclass Later:\n    pass"),
        ("def f(x: Optional[nothing]): pass", "def f(x: Optional.Optional[nothing]):\n    pass"),
        # and what does something has to do it
        ("def f(x: Optional[print(1)]): pass",
         "def f(x: Optional.Optional[print(1)]):\n    pass"),
        ("def f(x: Path()): pass", "def f(x: Path.Path()):\n    pass"),
        ("def f(x: Path / 'a'): pass", "def f(x: Path.Path / 'a'):\n    pass"),
        ("str = print\ndef f(x: Dict[str, Any]): pass",
         "str = print\n\ndef f(x: Dict.Dict[str, Any.Any]):\n    pass"),
        ("def f(x: argparse._sys.modules): pass", ""),
    ],
)  # fmt: skip
def test_annotations_that_nobody_can_read_are_no_use(source: str, became: str) -> None:
    if became:
        assert annotated(source) == became
    else:
        assert planned(HEAD + source).reason == "line 11: modules"


def test_an_annotation_ahead_of_its_import_fails() -> None:
    source = "def f(x: Path): pass\nfrom pathlib import Path\nx: Path = 1"
    assert rewritten(source).startswith("def f(x: Path.Path):")
    assert rewritten(source).endswith("x: None = 1")


def test_with_nothing_but_the_library_nobody_reads_annotations() -> None:
    source = "from pathlib import Path\nfrom functools import cache\n"
    text = rewritten(source + "@cache\ndef f(x: Path):\n    pass\nprint(sorted([], key=f))")
    assert "def f(x):" in text


@pytest.mark.parametrize(
    ("source", "modules", "kept"),
    [
        ("import json, re, os.path, sys, logging, uuid", ["json", "re"], []),
        ("import xml.etree.ElementTree", ["xml.etree.ElementTree"], []),
        ("import json\nfrom json import loads\nimport re", ["json", "re"], []),
        # not at the top level
        ("try:\n    import json\nexcept ImportError:\n    json = None", [], []),
        ("if 1:\n    import json\ndef f():\n    import re\nwith x:\n    import ast", [], []),
        ("from . import json\nfrom .json import loads", [], []),
        # bound in another way, too
        ("import json\njson = None", [], ["line 1: json: json is bound again at line 2"]),
        ("import re\ndel re", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\nre += 1", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\nfor re in []: pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\nwith open(x) as re: pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\nx = [re for re in y]", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\n(re := 1)", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\ndef re(): pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\nclass re: pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\ndef f(re): pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\ndef f(*re): pass", [], ["line 1: re: re is bound again at line 2"]),
        ("import re\ndef f():\n    global re", [], ["line 1: re: re is bound again at line 3"]),
        ("import re\ndef f():\n    import re", [], ["line 1: re: re is bound again at line 3"]),
        (
            "import re\ntry: pass\nexcept E as re: pass",
            [],
            ["line 1: re: re is bound again at line 3"],
        ),
        (
            "import re\nmatch x:\n    case {**re}: pass",
            [],
            ["line 1: re: re is bound again at line 3"],
        ),
        (
            "import re\nmatch x:\n    case re: pass",
            [],
            ["line 1: re: re is bound again at line 3"],
        ),
        (
            "import re\nmatch x:\n    case [*re]: pass",
            [],
            ["line 1: re: re is bound again at line 3"],
        ),
        ("import re\nclass A:\n    re = re", [], ["line 1: re: re is bound again at line 3"]),
        (
            "import urllib.parse\nimport urllib.robotparser",
            [],
            ["line 1: urllib.parse: urllib is bound again at line 2"],
        ),
        (
            "import urllib.parse\nimport urllib.parse as urllib",
            [],
            [
                "line 1: urllib.parse: urllib is bound again at line 2",
                "line 2: urllib.parse: urllib is bound again at line 2",
            ],
        ),
        ("import urllib.parse, urllib.error\nurllib.parse.x", ["urllib.parse", "urllib.error"], []),
        # names that are no binding
        ("import re\nx.re = 1\nf(re=2)\nx.re.re", ["re"], []),
        ("import re\nmatch x:\n    case A(re=1): pass", ["re"], []),
        # names with rules of their own
        ("from json import nothing", [], ["line 1: json: it has no nothing"]),
        ("from re import _cache", [], ["line 1: re: it has no _cache"]),
        ("import json as __j", [], ["line 1: json: __j has another name in a class"]),
        (
            "from pathlib import Path\n(\n Path)(1)",
            [],
            ["line 1: pathlib: Path stands apart from its call at line 3"],
        ),
        # what others may read by name
        (
            "from typing import ClassVar, Any\nclass A:\n    x: 'ClassVar[int]'",
            [],
            ["line 1: typing: ClassVar is in annotations that dataclasses may read"],
        ),
        ("from typing import ClassVar\nclass A:\n    x: ClassVar[int]", ["typing"], []),
        (
            "import typing as t\nclass A:\n    x: 't.ClassVar[int]'",
            [],
            ["line 1: typing: t is in annotations that dataclasses may read"],
        ),
        (
            "from __future__ import annotations\nfrom pathlib import Path\nimport pydantic\n"
            "@pydantic.validated\ndef f(x: Path): pass",
            [],
            ["line 2: pathlib: Path is in annotations that pydantic may read"],
        ),
        (
            "from __future__ import annotations\nfrom pathlib import Path\nimport lib\n"
            "class A:\n    def g(self):\n        x: Path = 1\ndef f(x: Path): pass\nf(1)",
            ["pathlib"],
            [],
        ),
        ("from pathlib import Path\nimport pydantic\n@x\ndef f(x: Path): pass", ["pathlib"], []),
        (
            "from __future__ import annotations\nfrom pathlib import Path\nimport logging\n"
            "def f(x: Path): pass",
            ["pathlib"],
            [],
        ),
    ],
)
def test_what_is_deferred(source: str, modules: list[str], kept: list[str]) -> None:
    found = planned(source)
    assert (found.modules, found.kept) == (modules, kept)
    imports = any("import" in line and "__future__" not in line for line in source.split("\n"))
    # what is imported may import in turn
    assert found.reason == ("" if imports else "it imports nothing that could be deferred")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("globals()", "globals"),
        ("x = [locals]", "locals"),
        ("vars()", "vars"),
        ("dir()", "dir"),
        ("x = map(vars, y)", "vars"),
        ("exec(x)", "exec"),
        ("eval('json')", "eval"),
        ("compile(x, y, 'exec')", "compile"),
        ("__import__('json')", "__import__"),
        ("__all__ = ['json']", "__all__"),
        ("print(__builtins__)", "__builtins__"),
        ("from os.path import *", "import *"),
        ("sys.modules['json']", "modules"),
        ("from sys import modules as m", "modules"),
        ("getattr(sys, 'modules')", "'modules'"),
        ("operator.attrgetter('modules')", "'modules'"),
        ("sys.meta_path.insert(0, x)", "meta_path"),
        ("sys._getframe().f_globals", "_getframe"),
        ("f.__globals__", "__globals__"),
        ("f.__code__", "__code__"),
        ("tb.tb_frame", "tb_frame"),
        ("typing.get_type_hints(f)", "get_type_hints"),
        ("@functools.singledispatch\ndef f(x): pass", "singledispatch"),
        ("import inspect", "import inspect"),
        ("from inspect import signature", "import inspect"),
        ("import gc, os", "import gc"),
        ("import unittest.mock", "import unittest.mock"),
        ("import signal", "import signal"),
        ("import __main__", "import __main__"),
        ("importlib.import_module('__main__')", "'__main__'"),
        ("importlib.reload(json)", "reload"),
        ("os.chroot('/')", "chroot"),
        ("class A:\n    def __del__(self): pass", "__del__"),
        (f"x = {deferral.DEFERRED!r}", "a string of ours"),
    ],
)
def test_a_hook_that_could_see_it_stays_as_written(line: str, reason: str) -> None:
    found = planned(f"import json\n\n{line}\n")
    assert not found.modules
    number = 4 if "\n" in line and not line.startswith("@") else 3
    assert found.reason == f"line {number}: {reason}"


@pytest.mark.parametrize(
    "line",
    [
        "vars(parser.parse_args())",
        "dir(x)",
        "re.compile('a')",
        "if __name__ == '__main__': pass",
        "if '__main__' == __name__: pass",
        "x = data['modules']",
        "f(globals=1)",
        "x = 'sys.modules, globals()'  # eval(x)",
        "getattr(args, name)",
        "importlib.import_module('mine')",
    ],
)
def test_what_only_looks_like_it_does_no_harm(line: str) -> None:
    assert planned(f"import json\n{line}\n").modules == ["json"]


def test_the_first_line_that_forbids_it_is_named() -> None:
    assert planned("import json\nglobals()\nx = 1\nimport gc").reason == "line 2: globals"


def test_a_source_whose_tree_makes_other_code_stays_as_written() -> None:
    source = b"import json\nprint(json.dumps(1))\n"
    code = compile(source, "hook.py", "exec", 0, True, 2)
    made = deferring.code_of(source, "hook.py", 2, code)
    assert made is not None
    assert made[1] == ["json"]
    assert made[0] != code
    other = code.replace(co_firstlineno=7)
    assert deferring.code_of(source, "hook.py", 2, other) is None


def test_a_source_nested_beyond_measure_stays_as_written() -> None:
    depth = 5000
    source = b"import json\nx = " + b"-" * depth + b"1\n"
    code = compile("0", "hook.py", "exec")
    assert deferring.code_of(source, "hook.py", 0, code) is None


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import re\nX = re.sub('a', 'b', 'c')", "line 1: re: re is used at once, at line 2"),
        ("import re\nX = re.compile('a' + x)", "line 1: re: re is used at once, at line 2"),
        (
            "import re\nX = [re.compile('a', re.I | re.M), re.I]",
            "line 1: re: re is used at once, at line 2",
        ),
        # the entry has them ready
        ("import re\nX = re.compile('a')", ""),
        ("import re\nX = [re.compile(y, flags=re.I) for y in 'ab']", ""),
        ("import re\nX: int = [re for _ in x]", "line 1: re: re is used at once, at line 2"),
        (
            "from pathlib import Path, PurePath\ndef f(x=Path()): pass",
            "line 1: pathlib: Path is used at once, at line 2",
        ),
        ("import re\n@re.x\ndef f(): pass", "line 1: re: re is used at once, at line 2"),
        ("import re\nclass A(re.X): pass", "line 1: re: re is used at once, at line 2"),
        ("import re\nclass A:\n    x = re.X", "line 1: re: re is used at once, at line 3"),
        ("import lib, re\n@x\ndef f(y: re.X): pass", "line 1: re: re is used at once, at line 3"),
        ("import re\n'text'\nX = re.X", "line 1: re: re is used at once, at line 3"),
        ("import re\nX = lambda: re.X", ""),
        ("import re\ndef f():\n    return re.X", ""),
        ("import re\nclass A:\n    def f(self):\n        return re.X", ""),
        ("import re\nleave()\nX = re.X", ""),
        ("import re\nprint(re.X)", ""),
        ("import re\nif early: leave()\nX = re.X", ""),
        ("import re\ndef f(x: re.Pattern): pass", ""),
        ("from __future__ import annotations\nimport lib, re\ndef f(x: re.X): pass\nf(1)", ""),
        ("from typing import TYPE_CHECKING as T\nif T:\n    import re\nelse:\n    x = 1", ""),
    ],
)
def test_what_every_launch_uses_is_not_deferred(source: str, used: str) -> None:
    made = deferral.plan(ast.parse(source), LIBRARY)
    assert "; ".join(made.kept) == used
    assert bool(made.modules) is not bool(used)
