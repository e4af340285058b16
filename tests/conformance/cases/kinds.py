"""Scripts that are no plain source file, and files that are not there."""

from __future__ import annotations

from tests.conformance.cases.attributes import DUMP
from tests.conformance.model import Case, Fifo, Link, Mode, Run, Trace

# Nothing in them may depend on the time.
_MAKE_OTHERS = """\
import os, py_compile, shutil, zipapp, zipfile
for directory in (".", "app"):
    for name in os.listdir(directory):
        if os.path.isfile(os.path.join(directory, name)):
            os.utime(os.path.join(directory, name), (10**9, 10**9))
checked = py_compile.PycInvalidationMode.CHECKED_HASH
py_compile.compile("hook.py", "compiled.pyc", invalidation_mode=checked)
shutil.copy("compiled.pyc", "disguised.py")
shutil.copy("compiled.pyc", "no-suffix")
zipapp.create_archive("app", "app.pyz")
with zipfile.ZipFile("no-main.zip", "w") as archive:
    archive.write("hook.py")
with open("app.pyz", "rb") as file:
    archive = file.read()
with open("shebang.pyz", "wb") as file:
    file.write(b"#!/usr/bin/env python3\\n" + archive)
with open("zip-in.py", "wb") as file:
    file.write(archive)
with open("compiled.pyc", "rb") as file:
    compiled = file.read()
with open("truncated.pyc", "wb") as file:
    file.write(compiled[:40])
with open("wrong-magic.pyc", "wb") as file:
    file.write(b"\\0" * 16)
"""

_NOT_THERE: tuple[tuple[str, int | None, Trace], ...] = (
    ("missing.py", 2, "source"),
    ("missing/missing.py", 2, "source"),
    ("hook.py/", None, "any"),
    ("hook.py/missing.py", None, "source"),
    ("broken.py", 2, "source"),
    ("loop.py", None, "source"),
    ("{dir}/missing.py", 2, "source"),
    ("missing/../hook.py", None, "any"),
    ("\u00e9\u4e2d.py", 2, "source"),
    ("\udcff.py", 2, "source"),
    ("x" * 300, None, "source"),
    ("x/" * 3000 + "y", None, "source"),
    ("unreadable.py", None, "any"),
    ("", None, "source"),
)

CASES = [
    Case(
        "not-a-source",
        {
            "hook.py": DUMP,
            "app/__main__.py": "import inner\n" + DUMP,
            "app/inner.py": "print('inner', __file__)\n",
            "no-main/hook.py": "print(1)\n",
            "directory.py/__main__.py": "import sys\nprint(sys.argv, sys.path[0], __file__)\n",
            "linked": Link("app"),
        },
        (
            Run(("compiled.pyc", "x"), trace="source", shows="modules"),
            Run(("truncated.pyc",), status=1, trace="source"),
            Run(("wrong-magic.pyc",), status=1, trace="source"),
            Run(("disguised.py",), status=None, trace="source"),
            Run(("no-suffix",), status=None, trace="source"),
            Run(("app", "x"), trace="source", shows="inner"),
            Run(("app/", "x"), trace="source", shows="inner"),
            Run(("linked",), trace="source", shows="inner"),
            Run(("app.pyz", "x"), trace="source", shows="inner"),
            Run(("shebang.pyz",), trace="source", shows="inner"),
            Run(("zip-in.py",), trace="source", shows="inner"),
            Run(("no-main",), status=1, trace="source", shows="can't find '__main__' module"),
            Run(("no-main.zip",), status=1, trace="source", shows="can't find '__main__' module"),
            Run(("directory.py", "a", "b"), trace="source", shows="['directory.py', 'a', 'b']"),
            Run(("{dir}/app",), ("-I", "-W", "error"), trace="source"),
            Run((".",), cwd="app", trace="source"),
        ),
        setup=_MAKE_OTHERS,
    ),
    Case(
        "not-there",
        {
            "broken.py": Link("nowhere.py"),
            "loop.py": Link("loop.py"),
            "hook.py": "print('hook')\n",
            "unreadable.py": Mode("print('read')\n", 0),
        },
        tuple(Run((typed,), status=status, trace=trace) for typed, status, trace in _NOT_THERE),
    ),
    Case(
        "a-script-that-comes-from-a-pipe",
        {"fifo": Fifo(), "real.py": DUMP, "empty": ""},
        (
            Run(("/dev/stdin", "x"), stdin=DUMP, trace="source", shows="modules"),
            Run(("/dev/fd/0",), stdin=DUMP, trace="source", shows="modules"),
            Run(("/dev/stdin",), by_sh='"$@" <real.py', trace="any", shows="modules"),
            Run(("/dev/stdin",), by_sh='"$@" <empty', trace="any"),
            Run(("/dev/fd/9",), by_sh='"$@" 9<real.py', trace="any", shows="modules"),
            Run(("/dev/null",), trace="any"),
            Run(("fifo",), by_sh='cat real.py >fifo & "$@"; wait', trace="source", shows="modules"),
            Run(("-", "x"), stdin=DUMP, trace="source", shows="modules"),
        ),
    ),
]
