"""``auto`` is a level that no run of the source can tell from level 0, and errs towards 0."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.compile_worker import level
from hooks_compile.compile_worker.level import choose_level
from hooks_compile.compile_worker.standard_modules import MODULES
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import Found, each_interpreter, found, printed
from tests.support.tiers import IS_SOAK as SOAK

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = '"""Module text."""\ndef told():\n    "Function text."\nclass Told:\n    "Class text."\n'


def pieces(file: str) -> list[tuple[str, str]]:
    """The titles and the sources in a file beside this one."""
    text = Path(__file__).with_name(file).read_text("utf-8")
    found = re.split(r"^#####(.*)\n", text, flags=re.MULTILINE)
    return list(zip(map(str.strip, found[1::2]), found[2::2], strict=True))


# Sources that show something else at level 2, each behind HEAD, with the reason for level 0.
TRAPS = [*pieces("traps.txt"), ("line 7: __doc__", "x = 1\rprint(__doc__)\r")]
# Sources that are level 2, also one behind the other.
HARMLESS = [source for _, source in pieces("harmless.txt")]
ENCODINGS = {
    b"\xef\xbb\xbfprint(1)\n": "",
    b"# coding: utf-8\nprint(1)\n": "",
    b"#!/usr/bin/python3\n# -*- coding: UTF_8-unix -*-\nprint(1)\n": "",
    b"x = 1\n\n# coding: latin-1\n": "",  # too late to count
    b"# coding: latin-1\nprint('\xe4')\n": "encoding latin-1",
    b"#!/usr/bin/python3\r# -*- coding: cp1252 -*-\r": "encoding cp1252",
    b"\xef\xbb\xbf# vim: set fileencoding=latin-1 :\n": "encoding latin-1",
    b"# coding: utf-7\nprint(+AF8AXw-doc+AF8AXw-)\n": "encoding utf-7",
    b"x = 1\nx = '\xe4'\n": "not UTF-8 at line 2",
}
# Runs each source at the levels, in a child each time, and prints what the runs showed.
RUN = """
import builtins, json, os, pydoc, sys, traceback, types
builtins.help = pydoc.help  # as site does
for name in ("argparse", "json", "logging", "tempfile", "typing"):
    __import__(name)  # once for all children
def run(source, level):
    try:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        main.__dict__.update(__builtins__=sys.modules["builtins"], __file__="hook.py")
        exec(compile(source, "hook.py", "exec", 0, True, level), main.__dict__)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
shown = []
for source, levels in json.loads(sys.stdin.read()):
    each = []
    for level in levels:
        number, told = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(told, 1)
            os.dup2(told, 2)
            run(source, level)
            os._exit(0)
        os.close(told)
        with open(number, encoding="utf-8", errors="replace") as file:
            each.append(file.read())
        os.waitpid(child, 0)
    shown.append(each)
print(json.dumps(shown))
"""
# Modules that read docstrings, list a namespace, or run what a text says.
READING = frozenset(
    (
        *("__main__", "annotationlib", "bdb", "builtins", "cmd", "code", "codeop", "ctypes"),
        *("dataclasses", "dis", "doctest", "gc", "imp", "importlib", "importlib.util", "inspect"),
        *("logging.config", "marshal", "pdb", "pickle", "_pickle", "pkgutil", "pydoc", "runpy"),
        *("rlcompleter", "shelve", "site", "timeit", "trace", "unittest", "zipimport"),
    )
)
# Prints which modules can be reached from the checked ones by names that are not telling, with the
# way to each, and the ways to telling builtins that have another name there.
REACH = """
import builtins, importlib, json, pkgutil, sys, types, warnings
warnings.simplefilter("ignore")
modules, telling = map(set, json.loads(sys.stdin.read()))
telling.add("config")  # logging.config
names = "breakpoint compile dir eval exec getattr globals locals vars"
readers = {id(getattr(builtins, name)): name for name in names.split()}
todo = []
for name in sorted(modules - telling):
    try:
        module = importlib.import_module(name)
    except ImportError:  # of another version or system
        continue
    todo.append((name, module))
    for child in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if child.name not in telling and child.name != "__main__":
            try:
                path = name + "." + child.name
                todo.append((path, importlib.import_module(path)))
            except ImportError:
                continue
seen, reached, renamed = set(), {}, {}
while todo:
    path, module = todo.pop()
    if id(module) in seen:
        continue
    seen.add(id(module))
    reached[module.__name__] = path
    for name, value in list(vars(module).items()):
        if name in telling or (name[:2] == name[-2:] == "__"):
            continue
        if isinstance(value, types.ModuleType):
            todo.append((path + "." + name, value))
        elif readers.get(id(value), name) != name:
            renamed[path + "." + name] = readers[id(value)]
print(json.dumps([reached, renamed]))
"""


def shown_at_0_and_2(interpreter: Found, sources: Sequence[str]) -> list[list[str]]:
    """What the runs of each source show at level 0 and at level 2."""
    jobs = json.dumps([[source, [0, 2]] for source in sources])
    answer: list[list[str]] = json.loads(printed(interpreter, RUN, stdin=jobs, flags=["-I"]))
    return answer


@pytest.mark.parametrize(("reason", "source"), TRAPS, ids=range(len(TRAPS)))
def test_what_may_depend_on_the_level_gives_0_and_names_the_line(reason: str, source: str) -> None:
    choice = choose_level((HEAD + source).encode())
    assert choice.level == 0
    assert choice.reason.startswith(reason)


def test_every_trap_is_one_for_some_interpreter() -> None:
    sources = [HEAD + trap for _, trap in TRAPS]
    for interpreter in found()[::-1]:
        shown = shown_at_0_and_2(interpreter, sources) if sources else []
        sources = [
            source for source, (at_0, at_2) in zip(sources, shown, strict=True) if at_0 == at_2
        ]
    assert sources == []


@each_interpreter
def test_no_checked_module_leads_to_one_that_reads_docstrings(interpreter: Found) -> None:
    checked = [sorted(MODULES), sorted(level._TELLING)]
    reached, renamed = json.loads(printed(interpreter, REACH, stdin=json.dumps(checked)))
    assert {name: reached[name] for name in READING & reached.keys()} == {}
    assert renamed == {}


@each_interpreter
def test_no_mix_of_sources_shows_the_chosen_level(interpreter: Found) -> None:
    mixer = random.Random(str(interpreter))  # noqa: S311 - a mix that can be repeated
    harmless = [source for source in HARMLESS if "__future__" not in source]
    several = 400 if SOAK else 40
    sources = [HEAD + "".join(mixer.sample(harmless, 3)) for _ in range(several)] + HARMLESS
    assert {choose_level(source.encode()).level for source in sources} == {2}
    everything = [*harmless, *(trap for _, trap in TRAPS)]
    mixed = ["".join(mixer.sample(everything, 3)) for _ in range(10 * several)]
    sources += [source for source in mixed if choose_level(source.encode()).level == 2]
    for at_0, at_2 in shown_at_0_and_2(interpreter, sources):
        assert at_0 == at_2
        assert "Traceback" not in at_0


def test_a_word_that_is_only_text_costs_the_level_too() -> None:
    for text in (
        "# assert it\n",
        "x = 'see __doc__'\n",
        "'''\nimport yaml\n'''\n",
        "# classes: class A\n",
    ):
        assert choose_level(text.encode()).level == 0
    for text in ("", "x = 'assertion'\n", "# important, classy, helpful\n", "cmd.help = 1\n"):
        assert choose_level(text.encode()).level == 2


@pytest.mark.parametrize(("source", "reason"), ENCODINGS.items())
def test_a_source_that_is_not_utf8_gets_0(source: bytes, reason: str) -> None:
    choice = choose_level(source)
    assert (choice.level, choice.reason) == ((0, reason) if reason else (2, choice.reason))


def test_hooks_of_usual_shape_get_the_level_that_was_read_off_them() -> None:
    at_2 = {
        path.stem
        for path in (CHECKOUT / "benchmarks" / "hooks").glob("*.py")
        if choose_level(path.read_bytes()).level == 2
    }
    assert at_2 == {
        *("block-env", "config-guard", "lint_gate", "log-tool", "notify", "ping", "prompt_filter"),
        *("rate_limit", "redaction", "status_line", "transcript-backup", "url-allowlist"),
    }


def test_a_long_source_takes_no_longer_than_its_length() -> None:
    for piece in ("class A(B):\n", "import json\n", "x.format = 1\n", "eval = 1; ", "é" * 10):
        choose_level((piece * 20_000).encode())
