"""While imports are made ahead, modules are found sooner than Python finds them, and are the same.

Each is imported twice, in processes forked from one that has loaded only what the bare interpreter
has: as Python does it, and with ``Library`` in front of Python's finders. All that is left is
compared.
"""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import runtime
from hooks_compile.runtime import notes
from tests.support.interpreters_found import clean_environment, each_cpython, printed
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.interpreters_found import Found

_RUNTIME = Path(runtime.__file__).parent
_PROGRAM = r"""
import _frozen_importlib_external as external, marshal, posix, sys

arguments = sys.argv[1:]
sys.argv[1:] = []
CODE = type((lambda: 0).__code__)
LOADERS = external.SourceFileLoader, external.ExtensionFileLoader, external.SourcelessFileLoader

def shown(value):
    kind = type(value)
    if kind in (str, int, bool, bytes, type(None)):
        return repr(value)
    if kind in (list, tuple) and len(value) < 100:
        return [kind.__name__, [shown(each) for each in value]]
    if kind in LOADERS or kind.__name__ == "ModuleSpec":
        return [kind.__name__, [(name, shown(each)) for name, each in vars(value).items()]]
    code = getattr(value, "__code__", None)
    return [kind.__name__, of_code(code) if type(code) is CODE else None]

def of_code(code):
    inner = [of_code(each) for each in code.co_consts if type(each) is CODE]
    return [code.co_name, code.co_filename, code.co_firstlineno, code.co_code, code.co_names, inner]

def of_folder(finder):
    state = dict(vars(finder)) if type(finder) is external.FileFinder else {"is": repr(finder)}
    state["_path_cache"] = sorted(state.get("_path_cache", ()))
    return repr(sorted(state.items()))

def imported(name, library):
    error = None
    try:
        with library:
            __import__(name)
    except Exception as raised:
        error = type(raised).__name__ + ": " + str(raised)
    loaded = [each for each in sys.modules if each not in before]
    return (
        error,
        loaded,
        [[(key, shown(value)) for key, value in vars(sys.modules[each]).items()
          if key != "_startTime"]  # when logging was imported
         for each in loaded if type(sys.modules[each]) is type(sys)],
        [[(key, of_folder(value)) for key, value in sorted(sys.path_importer_cache.items())]],
        [repr(sys.meta_path), repr(sys.path)],
        len(library.found),
    )

def in_a_process(name, library):
    number, told = posix.pipe()
    child = posix.fork()
    if not child:
        data = marshal.dumps(imported(name, library()))
        while data:
            data = data[posix.write(told, data):]
        posix._exit(0)
    posix.close(told)
    parts = [b"-"]
    while parts[-1]:
        parts.append(posix.read(number, 1 << 20))
    posix.close(number)
    posix.waitpid(child, 0)
    return marshal.loads(b"".join(parts)[1:])

sys.path.pop(0)
scope = {"STDLIB": arguments[1] or sys.path[1]}
with open(arguments[0] + "/finder.py", "rb") as file:
    exec(compile(file.read(), "finder.py", "exec", 0, True), scope)
if arguments[1]:
    sys.path[1:1] = arguments[1:2]

class Watched(scope["Library"]):
    def __init__(self):
        super().__init__()
        self.found = []
    def find_spec(self, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if spec is not None:
            self.found.append(name)
        return spec

class Nobody:
    found = ()
    def __enter__(self): pass
    def __exit__(self, *_): pass

before = set(sys.modules)
for name in arguments[2:]:
    got = in_a_process(name, Watched)
    expected = in_a_process(name, Nobody)
    differ = [(a, b) for a, b in zip(expected[:-1], got[:-1]) if a != b]
    print(repr((name, expected[0], got[-1], repr(differ)[:4000] if differ else "")))
"""


def imported(
    found: Found, names: Sequence[str], folder: Path | None = None, flags: Sequence[str] = ("-B",)
) -> list[tuple[str, str | None, int, str]]:
    """Import modules both ways; ``folder`` stands for the standard library's.

    Returns for each its name, the error, how many modules ``Library`` found, and what differs.
    """
    shown = printed(found, _PROGRAM, str(_RUNTIME), str(folder or ""), *names, flags=flags)
    return [ast.literal_eval(line) for line in shown.splitlines()]


@each_cpython
def test_modules_of_the_library_are_what_python_makes_of_them(interpreter: Found) -> None:
    names = sorted(notes.MODULES - {"sys"})
    answers = imported(interpreter, names)
    assert [answer[0] for answer in answers] == names
    assert [(name, differs) for name, _, _, differs in answers if differs] == []
    missing = [name for name, error, _, _ in answers if error]
    assert missing == (["tomllib"] if interpreter.version < (3, 11) else []) + (
        ["zoneinfo"] if interpreter.version < (3, 9) else []
    )
    # where bytecode is missing, as after a build without it, Python finds them
    assert sum(answer[2] for answer in answers) > 500


def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], None]:
    """What changes the bytecode."""

    def spoil(_: Path, cached: Path) -> None:
        cached.write_bytes(change(cached.read_bytes()))

    return spoil


def replaced(text: str, *, same_time: bool) -> Callable[[Path, Path], None]:
    """What changes the source behind the bytecode's back."""

    def spoil(source: Path, _: Path) -> None:
        before = source.stat()
        source.write_text(text)
        time = before.st_mtime_ns if same_time else before.st_mtime_ns - 5 * 10**9
        os.utime(source, ns=(time, time))

    return spoil


def removed(source: Path, cached: Path) -> None:
    cached.unlink()


def of_a_folder(source: Path, cached: Path) -> None:
    cached.unlink()
    cached.mkdir()


def through_links(source: Path, cached: Path) -> None:
    for path in (source, cached):
        real = path.rename(path.with_name(f"{path.name}.real"))
        path.symlink_to(real)


def without_a_source(source: Path, cached: Path) -> None:
    cached.rename(source.with_suffix(".pyc"))
    source.unlink()


def a_folder_as_a_source(source: Path, cached: Path) -> None:
    source.unlink()
    source.mkdir()


def nothing(source: Path, cached: Path) -> None:
    """Leave it as it is."""


_MODULE = "import sys\nVALUE = [1, 'two']\ndef f(a, b=2):\n    return lambda: a + b\n"
_PACKAGE = {"a/__init__.py": _MODULE, "a/b.py": _MODULE, "a/c/__init__.py": "from a import b\n"}
# name -> (files, what happens to the bytecode of a.py or a/__init__.py, the import, how many
# modules are found sooner)
FOUND: Mapping[str, tuple[Mapping[str, str], Callable[[Path, Path], None], str, int]] = {
    "a module": ({"a.py": _MODULE}, nothing, "a", 1),
    "an empty module": ({"a.py": ""}, nothing, "a", 1),
    "a module that fails": ({"a.py": "x = 1\nraise ValueError('no')\n"}, nothing, "a", 1),
    "a module that imports what is not there": ({"a.py": "import b_b\n"}, nothing, "a", 1),
    "a module that replaces itself": (
        {"a.py": "import sys\nsys.modules[__name__] = sys\n"},
        nothing,
        "a",
        1,
    ),
    "a circle": ({"a.py": "import b\nX = b\n", "b.py": "import a\nY = a\n"}, nothing, "a", 2),
    "a package": (_PACKAGE, nothing, "a", 1),
    "a submodule": (_PACKAGE, nothing, "a.b", 2),
    "a package in a package": (_PACKAGE, nothing, "a.c", 3),
    "a submodule of a module": ({"a.py": _MODULE}, nothing, "a.b", 1),
    "a submodule that is not there": (_PACKAGE, nothing, "a.d", 1),
    "links": ({"a.py": _MODULE}, through_links, "a", 1),
    "a package that searches elsewhere": (
        {"a/__init__.py": "__path__.append('/nowhere')\n", "a/b.py": _MODULE},
        nothing,
        "a.b",
        1,
    ),
    "a package that searches nowhere": (
        {"a/__init__.py": "__path__ = ()\n", "a/b.py": _MODULE},
        nothing,
        "a.b",
        1,
    ),
    "a folder beside a module": ({"a.py": _MODULE, "a/x.txt": ""}, nothing, "a", 0),
    "a folder": ({"a/x.txt": ""}, nothing, "a", 0),
    "a file without a suffix": ({"a": "", "a.py": _MODULE}, nothing, "a", 0),
    "a module in C beside": ({"a.py": _MODULE, "a.so": "none"}, nothing, "a", 1),
    "a package in C": ({**_PACKAGE, "a/__init__.so": "none"}, nothing, "a", 0),
    "no bytecode": ({"a.py": _MODULE}, removed, "a", 0),
    "no source": ({"a.py": _MODULE}, without_a_source, "a", 0),
    "a folder for a source": ({"a.py": _MODULE}, a_folder_as_a_source, "a", 0),
    "a folder for bytecode": ({"a.py": _MODULE}, of_a_folder, "a", 0),
    "empty bytecode": ({"a.py": _MODULE}, rewritten(lambda data: b""), "a", 0),
    "bytecode cut off in its head": ({"a.py": _MODULE}, rewritten(lambda data: data[:12]), "a", 0),
    "bytecode cut off": ({"a.py": _MODULE}, rewritten(lambda data: data[:-9]), "a", 0),
    "bytecode of nothing": ({"a.py": _MODULE}, rewritten(lambda data: data[:16] + b"N"), "a", 0),
    "bytecode of another version": (
        {"a.py": _MODULE},
        rewritten(lambda data: b"\x00\x01\r\n" + data[4:]),
        "a",
        0,
    ),
    "bytecode that is never checked": (
        {"a.py": _MODULE},
        rewritten(lambda data: data[:4] + b"\x01\0\0\0" + bytes(8) + data[16:]),
        "a",
        0,
    ),
    "bytecode that is checked by hash, and wrong": (
        {"a.py": _MODULE},
        rewritten(lambda data: data[:4] + b"\x03\0\0\0" + bytes(8) + data[16:]),
        "a",
        0,
    ),
    "bytecode with flags that nobody knows": (
        {"a.py": _MODULE},
        rewritten(lambda data: data[:4] + b"\x04\0\0\0" + data[8:]),
        "a",
        0,
    ),
    "a source of another time": ({"a.py": _MODULE}, replaced(_MODULE, same_time=False), "a", 0),
    "a source of another size": (
        {"a.py": _MODULE},
        replaced("VALUE = 'other'\n", same_time=True),
        "a",
        0,
    ),
    "bytecode that says it is from elsewhere": (
        {"a.py": _MODULE},
        rewritten(lambda data: data.replace(b"/a.py", b"/z.py")),
        "a",
        1,
    ),
}


@each_cpython
@pytest.mark.parametrize("name", FOUND)
def test_what_is_out_of_the_ordinary_is_left_to_python(
    name: str, interpreter: Found, tmp_path: Path
) -> None:
    files, spoil, module, sooner = FOUND[name]
    source, cached = laid(interpreter, tmp_path, files)
    spoil(source, cached)
    answers = imported(interpreter, [module], tmp_path)
    assert [(answer[0], answer[3]) for answer in answers] == [(module, "")]
    assert answers[0][2] == sooner


def laid(interpreter: Found, folder: Path, files: Mapping[str, str]) -> tuple[Path, Path]:
    """Write modules and compile them; return where the source and the bytecode of ``a`` lie."""
    for path, text in files.items():
        write(folder / path, text)
    words = [str(interpreter.executable), "-m", "compileall", "-q", str(folder)]
    subprocess.run(words, check=True, capture_output=True, env=clean_environment())
    source = folder / ("a.py" if "a.py" in files else "a/__init__.py")
    tag = f"{interpreter.implementation}-{interpreter.version[0]}{interpreter.version[1]}"
    return source, source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


@each_cpython
def test_bytecode_that_is_missing_is_written_as_ever(interpreter: Found, tmp_path: Path) -> None:
    _, cached = laid(interpreter, tmp_path, _PACKAGE)
    found = sorted(cached.parent.iterdir())
    for path in found:
        path.unlink()
    answers = imported(interpreter, ["a.b", "a.b"], tmp_path, flags=())
    assert answers == [("a.b", None, 0, ""), ("a.b", None, 2, "")]
    assert sorted(cached.parent.iterdir()) == found
