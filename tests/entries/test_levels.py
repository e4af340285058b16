from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hooks_compile.entries import level_tables
from hooks_compile.entries.level_scan import without_literals
from hooks_compile.entries.level_tree import analyse
from hooks_compile.entries.level_words import BEST, quick
from hooks_compile.entries.levels import choose_level, dropped
from hooks_compile.model import LevelChoice
from tests.support.interpreters_found import Found, found, parameters
from tests.support.level_runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks_compile.model import Level

HEAD = '''\
"""Module text."""


def told():
    """Function text."""


class Told:
    """Class text."""


'''
FOLDER = Path(__file__).parent / "levels"


class Source(NamedTuple):
    """One hand-written source that runs under ``minimum`` and later."""

    name: str
    text: str
    minimum: tuple[int, int]


def _sources(file: str) -> list[Source]:
    pieces = re.split(r"^##### (.*)\n", (FOLDER / file).read_text("utf-8"), flags=re.MULTILINE)
    result = []
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        match = re.fullmatch(r"(.*?)(?: \[3\.(\d+)\])?", title)
        assert match is not None
        result.append(Source(match[1], text, (3, int(match[2] or 8))))
    return result


STRIPPED = _sources("stripped.txt")
READING = [
    *_sources("reading.txt"),
    Source("carriage returns", "x = 1\rprint(__doc__)\r", (3, 8)),
    Source("form feed", "\fimport inspect\nprint(inspect.getdoc(told))\n", (3, 8)),
]
HARMLESS = [
    *_sources("harmless.txt"),
    Source("empty", "", (3, 8)),
    Source("no line end", "print(1)", (3, 8)),
    Source("carriage returns and line feeds", "import json\r\nprint(json.dumps(1))\r\n", (3, 8)),
]
INVISIBLE_IN_A_CHILD = "PYTHONINSPECT"


def _ids(sources: list[Source]) -> list[str]:
    return [source.name for source in sources]


def precise_level(text: str) -> Level:
    facts = analyse(text)
    return 0 if facts.stripped else 1 if facts.readers else 2


# --- what is chosen ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", STRIPPED, ids=_ids(STRIPPED))
def test_what_level_1_takes_away_gives_level_0(source: Source) -> None:
    assert choose_level(source.text.encode()).level == 0
    assert precise_level(source.text) == 0


@pytest.mark.parametrize("source", READING, ids=_ids(READING))
def test_what_may_read_a_docstring_gives_at_most_level_1(source: Source) -> None:
    text = HEAD + source.text
    assert choose_level(text.encode()).level <= 1
    if sys.version_info[:2] >= source.minimum:
        assert precise_level(text) == 1


@pytest.mark.parametrize("source", HARMLESS, ids=_ids(HARMLESS))
def test_harmless_sources_get_level_2_from_the_precise_proof_too(source: Source) -> None:
    choice = choose_level(source.text.encode())
    assert (choice.level, choice.reason) == (2, "no assert, nothing reads docstrings")
    assert precise_level(source.text) == 2


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("import os\n\nif 1:\n    assert os\n", 0, "assert at line 4"),
        ("x = '''\n\n'''\nprint(__debug__)\n", 0, "__debug__ at line 4"),
        ("import os\nimport yaml\n", 1, "imports yaml at line 2"),
        (
            "try:\n    from my_sibling import x\nexcept ImportError: x = 1\n",
            1,
            "my_sibling at line 2",
        ),
        ("import json, os.path, rich.table\n", 1, "imports rich.table at line 1"),
        ("'''a\n'''\nimport sys\nsys.exit(__doc__)\n", 1, "__doc__ at line 4"),
        ("from . import x\n", 1, "relative import at line 1"),
        ("from os import *\n", 1, "imports * from os at line 1"),
        ("from logging import config\n", 1, "imports logging.config at line 1"),
        ("x = 1\nvars(x)\n", 1, "vars at line 2"),
        ("n = input()\ngetattr(n, n)\n", 1, "getattr with a computed name at line 2"),
        ("def f(x): return x.format(1)\n", 1, "format of a computed text at line 1"),
    ],
)
def test_the_reason_names_the_line(text: str, level: int, reason: str) -> None:
    choice = choose_level(text.encode())
    assert choice.level == level
    assert choice.reason.endswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "x = '{}'\nfrom os import name as x\nprint(x.format(1))\n",
        "x = '{}'\nx = input()\nprint(x.format(1))\n",
        "def f(base):\n    class A(base):\n        'text'\n",
        "class A(f().x):\n    'text'\n",
        "class A(A.B):\n    'text'\n",
        "class A(help):\n    'text'\n",
        "class A(type):\n    'text'\n",
        "from json import loads\nclass A(loads):\n    'text'\n",
        "@staticmethod\nclass A: pass\nclass B(A):\n    'text'\n",
        "dir = 1\nprint(dir)\n",
    ],
)
def test_what_is_not_proven_costs_a_level(text: str) -> None:
    assert choose_level(text.encode()).level == 1


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("source", [b"assert 1", b"print(__doc__)", b"", b"\xff\0 ("])
def test_a_level_that_is_asked_for_is_obeyed(source: bytes, level: Level) -> None:
    choice = choose_level(source, level)
    assert (choice.level, choice.reason) == (level, "forced")


# --- encodings and sources that do not parse -----------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfprint(1)\n",
        b"# coding: utf-8\nprint(1)\n",
        b"#!/usr/bin/python3\n# -*- coding: UTF_8 -*-\nprint(1)\n",
        b"\xef\xbb\xbf# vim: set fileencoding=utf8 :\nprint(1)\n",
        b"x = 1\n\n# coding: latin-1\n",  # too late to count
        "print('grün')\n".encode(),
    ],
)
def test_utf8_by_any_name_is_analysed(source: bytes) -> None:
    assert choose_level(source).level == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"# coding: latin-1\nprint('\xe4')\n", "encoding latin-1"),
        (b"#!/usr/bin/python3\n# -*- coding: cp1252 -*-\n", "encoding cp1252"),
        (b"#!/usr/bin/python3\r# -*- coding: cp1252 -*-\r", "encoding cp1252"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "encoding latin-1"),
        (b"# coding: utf-7\n", "encoding utf-7"),
        (b"# coding: utf-16\n", "encoding utf-16"),
        (b"x = 1\nx = '\xe4'\n", "not UTF-8 at line 2"),
        (b"x = 1\0\n", "null bytes"),
        (b"def f(:\n    help(f)\n    assert\n", "assert at line 3"),
        (b"def f(:\n    help\n", "does not parse: invalid syntax at line 1"),
        (b"x = (\nx.format(1)\n", "does not parse: '(' was never closed at line 1"),
        (b"x.format" + b" + -x" * 40000, "does not parse: "),
        (b"x.format" + b"(" * 1000 + b")" * 1000, "does not parse: too many nested parentheses"),
    ],
)
def test_what_can_not_be_analysed_gets_level_0_and_the_reason(source: bytes, reason: str) -> None:
    choice = choose_level(source)
    assert choice.level == 0
    assert choice.reason.startswith(reason)


def test_a_utf7_cookie_does_not_hide_what_reads_docstrings() -> None:
    source = b"# coding: utf-7\nprint(+AF8AXw-doc+AF8AXw-)\n"
    assert "print(__doc__)" in source.decode("utf-7")
    assert choose_level(source).level == 0


def test_a_cookie_of_the_first_two_lines_is_found_as_python_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "hook.py"
    for source in (
        b"#\n# coding: latin-1\nprint('\xe4')\n",
        b"\n# coding: latin-1\nprint('\xe4')\n",
        b"\x0c# coding: latin-1\nprint('\xe4')\n",
        b"#!x\r\n#coding=latin-1\r\nprint('\xe4')\r\n",
        b"# vim: set fileencoding=latin-1 :\nprint('\xe4')\n",
    ):
        path.write_bytes(source)
        done = subprocess.run([sys.executable, path], capture_output=True, check=False)
        assert done.returncode == 0, source
        assert choose_level(source).level == 0, source


# --- what a forced level takes away --------------------------------------------------------------


def test_dropped_names_every_assert_and_every_reader_with_its_line() -> None:
    source = b'"""a"""\nassert 1\nif __debug__:\n    assert 2\nprint(__doc__)\nimport yaml\n'
    stripped = ["assert at line 2", "__debug__ at line 3", "assert at line 4"]
    assert dropped(source, 0) == []
    assert dropped(source, 1) == stripped
    assert dropped(source, 2) == [
        *stripped,
        "docstrings: __doc__ at line 5",
        "docstrings: imports yaml at line 6",
    ]


def test_nothing_is_dropped_from_a_harmless_source() -> None:
    assert dropped(b'"""text"""\nprint(1)\n', 2) == []


def test_dropped_reads_other_encodings_and_says_where_it_can_not_tell() -> None:
    assert dropped(b"# coding: latin-1\n# \xe4\nassert 1\n", 1) == ["assert at line 3"]
    assert dropped(b"def f(:\n", 1) == ["can't tell: does not parse: invalid syntax at line 1"]
    assert dropped(b"x = 1\0", 1)[0].startswith("can't tell: ")


# --- what the fast proof takes for code ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ('"""About.\n\nimport yaml\nglobals()\n"""\nprint(1)\n', BEST),
        ("x = '''\nimport yaml\n'''\nprint(x)\n", BEST),
        ("x = 1  # globals()\ny = 'dir()'\nz = \"vars()\"\n", BEST),
        ('"""About."""\nimport json\nimport yaml\n', LevelChoice(1, "imports yaml at line 3")),
        ("x = {'a': 1}\nprint(globals())\n", LevelChoice(1, "globals at line 2")),
        ("x = 'a'; print(globals())\n", LevelChoice(1, "globals at line 1")),
        # a string over several lines by a backslash is taken for code: lower than it could be
        ("x = 'a\\\nglobals()'\n", LevelChoice(1, "globals at line 2")),
    ],
)
def test_a_reason_counts_where_it_is_code(text: str, choice: LevelChoice) -> None:
    assert quick(text) == choice


# --- the fast proof against the precise one ------------------------------------------------------


def assert_safe(text: str) -> None:
    """The fast proof never promises more than the precise one, for what parses."""
    fast = quick(text)
    if fast is None:
        return
    try:
        precise = precise_level(text)
    except SyntaxError:
        return
    assert fast.level <= precise, text


LINES = [
    *(line for source in (*STRIPPED, *READING, *HARMLESS) for line in source.text.split("\n")),
    *("def f(x):", "    '''doc'''", "class A:", "class A(Exception):", "    'doc'", "try:"),
    *("except Exception as e:", "    pass", "else:", "'''", '"""', "x = '''", 'x = """', "#", "\\"),
    *("import json", "import json as help", "from json import (", ")", "    loads,", "match x:"),
    *("Exception = e", "    case {'format': x}:", "x.help = dir", "help = 1", "print(help=1)"),
]
PIECES = [
    *(
        "__doc__",
        "__debug__",
        "assert",
        "help",
        "vars",
        "eval",
        "getattr",
        "import",
        "from",
        "class",
    ),
    *("format", "modules", "inspect", "json", "sys", "Exception", "Formatter", "style", "case"),
    *(
        "f'",
        'f"',
        "'",
        '"',
        "'''",
        '"""',
        "\\",
        "\n",
        "\n    ",
        "#",
        "{",
        "}",
        "{{",
        "}}",
        ";",
        ":",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "=",
        "==",
        "*",
        "**",
        " ",
        "x",
        "0",
        "rb",
        "R",
        "\t",
        "\f",
        "\x85",
    ),
    *("\u00aa", "\uff3f", "\u1d48", "é", "\u0301", "…", "if", "else", "lambda", "print", "return"),
]


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(LINES), max_size=14))
def test_the_fast_proof_is_safe_for_any_mix_of_lines(lines: list[str]) -> None:
    assert_safe("\n".join(lines) + "\n")


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES), max_size=24))
def test_the_fast_proof_is_safe_for_any_mix_of_tokens(pieces: list[str]) -> None:
    assert_safe("".join(pieces))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([*STRIPPED, *READING]),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(PIECES)), max_size=3),
)
def test_the_fast_proof_is_safe_for_readers_with_pieces_put_in(
    source: Source, edits: list[tuple[int, str]]
) -> None:
    text = source.text
    for position, piece in edits:
        text = text[:position] + piece + text[position:]
    assert_safe(text)


@pytest.mark.parametrize("interpreter", parameters())
def test_the_fast_proof_is_safe_for_a_standard_library(interpreter: Found) -> None:
    folder = _library(interpreter)
    paths = sorted(folder.glob("[a-z]*.py")) + sorted(folder.glob("test/test_[a-d]*.py"))
    for path in paths[::3]:
        assert_safe(path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n"))


@pytest.mark.parametrize("line", ["x = 'a'.format(1); ", "raise Exception; ", "x.help; "])
def test_a_line_of_many_words_is_left_to_the_precise_proof(line: str) -> None:
    assert quick(line * 10) is not None
    assert quick("class A(Exception): pass\n" + line * 20_000) is None


# --- the scan that takes literals out ------------------------------------------------------------


def _without_literals_by_tokens(text: str) -> list[str]:
    """The names and keywords of a source, by Python's own tokenizer, those in strings left out."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.NAME]


@pytest.mark.parametrize("interpreter", parameters())
def test_the_scan_leaves_exactly_the_names_that_pythons_tokenizer_finds(
    interpreter: Found,
) -> None:
    for path in sorted(_library(interpreter).glob("[a-z]*.py"))[::4]:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        bare = without_literals(text)
        if bare is None:
            continue
        try:
            names = _without_literals_by_tokens(text)
        except (SyntaxError, IndentationError):
            continue
        if sys.version_info < (3, 12):
            left = re.sub(r'\b(?:[rRbBuUfF]{1,2})(?="")', "", bare.statements)
            left = re.sub(r"\b\d\w*(?:\.\w*)?|\.\d\w*", " ", left)
            assert re.findall(r"[^\W\d]\w*", left) == names, path
        assert bare.code.count("\n") == bare.statements.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        'print(f"{x["#"]}"); help(x)\n',
        'x = f"{\n  y}"; help(x); a = "s"\n',
        'print(f"{\'}\' + "x"}"); help(x); a = \' "\'\n',
        "print(f\"{'''a'}'b''' + \"x\"}\"); help(x); a = ' \"'\n",
        'x = f"""{y # } """\n}"""\nhelp(x)\nz = """ """\n',
        'x = F"{\'}\' + "x"}"; help(x)\n',
        'x = rf"{\'}\' + "x"}"; help(x)\n',
        'x = t"{\'}\' + "x"}"; help(x)\n',
        "x = 'unterminated\nhelp(x)\ny = '\n",
    ],
)
def test_the_scan_refuses_what_it_could_read_wrongly(text: str) -> None:
    assert without_literals(text) is None


def test_formatted_strings_stay_as_code() -> None:
    bare = without_literals("a = f'{b}' + 'c' + rF\"\"\"{d['e']}\n\"\"\"  # f\n")
    assert bare is not None
    assert bare.code == 'a = f\'{b}\' + "" + rF"""{d[\'e\']}\n"""  \n'
    assert bare.statements == 'a = f"" + "" + rF""\n  \n'


# --- real interpreters ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Found, Runner]]:
    started = {
        interpreter: Runner(interpreter.executable, tmp_path_factory.mktemp(interpreter.name))
        for interpreter in found()
    }
    yield started
    for runner in started.values():
        runner.close()


@pytest.mark.parametrize("interpreter", parameters())
def test_every_source_shows_at_the_chosen_level_what_it_shows_at_level_0(
    interpreter: Found, runners: dict[Found, Runner]
) -> None:
    runner = runners[interpreter]
    for source in [*STRIPPED, *READING, *HARMLESS]:
        if interpreter.version[:2] < source.minimum:
            continue
        text = HEAD + source.text if source in READING else source.text
        level = choose_level(text.encode()).level
        assert runner.run(text, level) == runner.run(text, 0), (source.name, level)


def test_every_trap_is_one_for_some_interpreter(runners: dict[Found, Runner]) -> None:
    # or the test above would show nothing
    for source in [*STRIPPED, *READING]:
        text = HEAD + source.text
        able = [i for i in runners if i.version[:2] >= source.minimum]
        if able and source.name != INVISIBLE_IN_A_CHILD:
            assert any(runners[i].run(text, 2) != runners[i].run(text, 0) for i in able), source


PROGRAMS = st.lists(
    st.sampled_from([s.text for s in (*READING, *HARMLESS) if s.minimum == (3, 8)]), max_size=4
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(PROGRAMS)
def test_any_mix_of_sources_shows_at_the_chosen_level_what_it_shows_at_level_0(
    runners: dict[Found, Runner], programs: list[str]
) -> None:
    text = HEAD + "\n".join(programs)
    try:
        ast.parse(text)
    except SyntaxError:
        assume(False)
    level = choose_level(text.encode()).level
    assume(level != 0)
    for interpreter in (next(iter(runners)), list(runners)[-1]):
        runner = runners[interpreter]
        assert runner.run(text, level) == runner.run(text, 0), (level, text)


# --- the tables ----------------------------------------------------------------------------------


def _library(interpreter: Found) -> Path:
    command = "import os; print(os.path.dirname(os.__file__))"
    return Path(_ask(interpreter, command))


def _ask(interpreter: Found, command: str, *arguments: str) -> str:
    done = subprocess.run(
        [interpreter.executable, "-I", "-c", command, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


REACHABLE = """
import builtins, importlib, json, pkgutil, sys, types, warnings
warnings.simplefilter("ignore")
modules, kept_out, cut = map(set, json.loads(sys.argv[1]))
todo = []
for name in sorted(modules):
    try:
        module = importlib.import_module(name)
    except ImportError:  # of another version or system
        continue
    todo.append((name, module))
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        child = name + "." + info.name
        if info.name != "__main__" and child not in kept_out:
            try:
                todo.append((child, importlib.import_module(child)))
            except ImportError:
                continue
seen, reached, renamed = set(), {}, {}
readers = {id(getattr(builtins, n)): n for n in
           ("getattr", "vars", "dir", "eval", "exec", "compile", "globals", "locals")}
while todo:
    path, module = todo.pop()
    if id(module) in seen:
        continue
    seen.add(id(module))
    reached[module.__name__] = path
    for name, value in list(vars(module).items()):
        if name in cut or (name[:2] == name[-2:] == "__"):
            continue
        if isinstance(value, types.ModuleType):
            todo.append((path + "." + name, value))
        elif readers.get(id(value), name) != name:
            renamed[path + "." + name] = readers[id(value)]
print(json.dumps([reached, renamed]))
"""
READING_MODULES = frozenset(
    """
    __main__ bdb builtins cmd code codeop ctypes dataclasses dis doctest gc imp importlib
    importlib.util inspect logging.config marshal pdb pickle _pickle pkgutil pydoc rlcompleter
    runpy shelve site timeit trace unittest zipimport
    """.split()  # noqa: SIM905 - reads better than a list of strings
)


@pytest.mark.parametrize("interpreter", parameters())
def test_no_module_that_reads_docstrings_is_an_attribute_of_one_in_the_table(
    interpreter: Found,
) -> None:
    tables = [
        sorted(level_tables.MODULES),
        sorted(level_tables.KEPT_OUT),
        sorted(level_tables.READER_ATTRIBUTES),
    ]
    reached, renamed = json.loads(_ask(interpreter, REACHABLE, json.dumps(tables)))
    assert {name: reached[name] for name in READING_MODULES & reached.keys()} == {}
    assert renamed == {}


LOOKALIKES = """
import re, sys, unicodedata
beyond = [c for c in map(chr, range(128, 0x110000)) if ("a" + c).isidentifier()
          and unicodedata.normalize("NFKC", c).isascii()]
print(ascii("".join(c for c in beyond if not re.match("[" + eval(sys.argv[1]) + "]", c))))
print(len(beyond))
"""


@pytest.mark.parametrize("interpreter", parameters())
def test_every_letter_that_python_reads_as_ascii_is_in_the_table(interpreter: Found) -> None:
    missing, count = _ask(interpreter, LOOKALIKES, ascii(level_tables.LETTERLIKE)).splitlines()
    assert missing == "''"
    assert int(count) > 600


def test_common_signs_and_letters_do_not_cost_the_fast_proof() -> None:
    table = re.compile(f"[{level_tables.LETTERLIKE}]")
    common = "äéñçłøßαжя漢字かな한→←⇒✓✅❌⚠️🚀🔥…—\u2013«»“”\u2018\u2019•·°\xd7÷±€£¥§©®，。：！（）"  # noqa: RUF001 - full width
    for sign in common:
        assert not table.match(sign), unicodedata.name(sign)


# --- hooks of usual shape ------------------------------------------------------------------------


def _hook(extra: str) -> str:
    """A hook of usual shape: about 144 lines."""
    check = '''

def check_{n}(tool_input, limit=100):
    """Look at one part of the input and return the finding."""
    # patterns are tried in order, the first one wins; don't sort them
    patterns = [r"\\\\brm\\\\s+-rf", r'\\\\.env\\\\b(?!\\\\.sample)', "sudo"]
    command = tool_input.get("command", "")
    found = [p for p in patterns if re.search(p, command)]
    for name in found[:limit]:
        print(f"blocked: {{name}} in {{command[:20]!r}} — see the docs", file=sys.stderr)
    if not found:
        return None
    path = Path(os.environ.get("PROJECT_DIR", ".")) / "logs" / "guard_{n}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(json.dumps({{"at": datetime.now().isoformat(), "found": found}}) + "\\\\n")
    return {{"decision": "block", "reason": ", ".join(found)}}
'''
    head = '"""Guard: looks at a call before it runs.\n\nIt reads JSON, and doesn\'t write."""\n\n'
    imports = (
        "import json\nimport os\nimport re\nimport sys\nfrom datetime import datetime\n"
        "from pathlib import Path\n"
    )
    end = (
        '\n\nif __name__ == "__main__":\n    sys.exit(2 if check_0(json.load(sys.stdin)) else 0)\n'
    )
    return head + imports + extra + "".join(check.format(n=n) for n in range(7)) + end


HOOKS = {
    "plain": _hook("\n\n\n\n\n"),
    "sibling": _hook("from redactor import redact\n\n\n\n\n"),
    "document": _hook(
        "import argparse\n\nPARSER = argparse.ArgumentParser(description=__doc__)\n\n"
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_the_fast_proof_decides_the_usual_hook(name: str) -> None:
    compile(HOOKS[name], name, "exec")
    assert 130 < HOOKS[name].count("\n") < 150
    assert quick(HOOKS[name]) is not None
