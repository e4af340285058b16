"""Imports: siblings, packages, the script as a module, processes that import it again."""

from __future__ import annotations

from tests.conformance.model import Case, Link, Run

_SIBLINGS = {
    "hook.py": """\
import importlib
import os
import pkgutil
import sys

import sibling
import package
import package.sub.leaf
from package import sub
from sibling import VALUE as value
import namespace.inner

print(sibling.__file__, getattr(sibling, "__cached__", None), sibling.main_file)
print(package.__path__, package.sub.leaf.up, sub.__name__, value)
print(list(namespace.__path__))
importlib.reload(sibling)
import __main__
print(__main__ is sys.modules[__name__], __main__.value)
import hook
print(hook is __main__, hook.__name__, hook.__file__)
print(sorted(m.name for m in pkgutil.iter_modules([os.path.dirname(__file__)])))
print(sys.path_importer_cache[sys.path[0]])
print(pkgutil.get_data("package", "data.txt"))
for name in ("a.b", "missing"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(type(error).__name__, error, error.name, error.path)
""",
    "sibling.py": """\
import sys
VALUE = 5
main_file = sys.modules["__main__"].__file__
print("sibling imported by", sys._getframe(0).f_code.co_filename, __spec__.origin)
""",
    "package/__init__.py": "print(__name__, __package__)\n",
    "package/sub/__init__.py": "",
    "package/sub/leaf.py": "from ... import package as up\n",
    "package/data.txt": "data",
    "namespace/inner.py": "",
}
# A relative import cannot go above a package.
_SIBLINGS["package/sub/leaf.py"] = "from .. import sub as up\n"

_RELATIVE = """\
import sys
what = sys.argv[1]
if what == "dot":
    from . import sibling
elif what == "name":
    from .sibling import VALUE
elif what == "up":
    from .. import anything
elif what == "package":
    __package__ = "package"
    from . import sub
elif what == "spec":
    import importlib.util
    print(importlib.util.find_spec("__main__"))
elif what == "other-spec":
    import importlib.util
    __spec__ = importlib.util.spec_from_file_location("package.other", __file__)
    __package__ = "package"
    import package
    from .sub import leaf
    print(leaf)
elif what == "resources":
    import pkgutil
    print(pkgutil.get_data("__main__", "sibling.py"))
"""

_LOADER = """\
import importlib.util
import inspect
import pkgutil
import sys

print(type(__loader__), __loader__.name, __loader__.path)
print(__loader__.get_filename("__main__"), __loader__.is_package("__main__"))
print(len(__loader__.get_source("__main__")), __loader__.get_data(__file__)[:6])
print(__loader__.get_code("__main__").co_filename, __loader__.path_stats(__file__)["size"])
if hasattr(__loader__, "get_resource_reader"):
    print(type(__loader__.get_resource_reader("__main__")).__name__)
try:
    __loader__.get_source("hook")
except ImportError as error:
    print(error)
print(__loader__ == type(__loader__)("__main__", __file__), hash(__loader__) is not None)
print(repr(__loader__).replace(__file__, "FILE"))
print(inspect.getmodule(inspect.currentframe()) is sys.modules["__main__"])
print(pkgutil.find_loader if hasattr(pkgutil, "find_loader_") else "")
"""

_SITE = {
    "hook.py": "import sys\nprint(sys.marked, __name__, sorted(sys.modules)[:3])\n",
    "hooked/sitecustomize.py": """\
import sys
sys.marked = 2
def excepthook(kind, error, tb):
    import traceback
    print("customized", kind, traceback.format_tb(tb))
sys.excepthook = excepthook
class Finder:
    def find_spec(self, name, path=None, target=None):
        if not name.startswith("_"):
            print("asked for", name)
sys.meta_path.insert(0, Finder())
""",
    "failing.py": "import sys\nprint(sys.marked)\nimport json\n1 / 0\n",
}

_TWICE = """\
import os
import runpy
import subprocess
import sys

depth = int(os.environ.get("DEPTH", 0))
print("depth", depth, __name__, sys.argv, getattr(sys, "orig_argv", ())[1:], flush=True)
what = sys.argv[1]
os.environ["DEPTH"] = str(depth + 1)
if depth == 0:
    if what == "execv":
        os.execv(sys.executable, [sys.executable, *sys.argv])
    elif what == "execl-file":
        os.execl(sys.executable, sys.executable, __file__, *sys.argv[1:])
    elif what == "orig":
        os.execv(sys.executable, getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
    elif what == "subprocess":
        print(subprocess.run([sys.executable, *sys.argv]).returncode)
    elif what == "flags":
        flags = subprocess._args_from_interpreter_flags()
        print(flags, subprocess.run([sys.executable, *flags, __file__, what]).returncode)
    elif what == "run_path":
        print(sorted(runpy.run_path(__file__, run_name="other")))
    elif what == "run_path-main":
        print(runpy.run_path(sys.argv[0], run_name="__main__")["depth"])
    elif what == "run_module":
        print(runpy.run_module("hook", run_name="__main__")["depth"])
    elif what == "exec":
        with open(__file__) as file:
            exec(compile(file.read(), __file__, "exec"))
    elif what == "read":
        with open(sys.argv[0], "rb") as file:
            print(len(file.read()))
    elif what == "rewrite":
        with open(__file__, "a") as file:
            file.write("# more\\n")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    elif what == "remove":
        os.unlink(__file__)
        1 / 0
    elif what == "move":
        os.rename(__file__, "moved.py")
        os.mkdir("d")
        os.chdir("d")
        print(os.path.exists(__file__), __file__)
print("end", depth)
"""

_PICKLE = """\
import copy
import enum
import pickle
import shelve
import sys
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

class Plain:
    class Inner:
        pass
    def __eq__(self, other):
        return type(other) is type(self)

@dataclass(order=True)
class Data:
    a: "int"
    b: "Optional[Data]" = None
    c: list = field(default_factory=list)

class Colour(enum.Enum):
    RED = 1

class Pair(NamedTuple):
    x: int
    y: str = "y"

def function(x):
    return x

for value in (Plain(), Plain.Inner, Data(1, Data(2)), Colour.RED, Pair(1), function):
    text = pickle.dumps(value, 0)
    print(text, pickle.loads(text) == value or type(value))
print(copy.deepcopy(Data(1, Data(2))), Data.__module__, Data.__doc__, Pair.__doc__)
with shelve.open("shelf") as shelf:
    pass
try:
    pickle.dumps(lambda: 1)
except Exception as error:
    print(type(error).__name__, str(error).split(" at ")[0])
import os, subprocess
code = "import sys, pickle; sys.path.insert(0, '.'); pickle.loads(%r)" % pickle.dumps(Plain())
print(subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE).stderr.splitlines()[-1])
"""

_PROCESSES = """\
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

print("imported as", __name__, os.path.basename(__file__), flush=True)

class Item:
    def __init__(self, value):
        self.value = value

def work(item):
    return Item((item.value * 2, __name__, sys.argv, os.path.basename(sys.path[0]),
                 sys.modules["__main__"].__name__, getattr(sys.modules["__main__"], "__file__", 0),
                 sys.modules["__main__"].__spec__, sys.flags.dont_write_bytecode, sys.warnoptions))

def fail(item):
    raise ValueError(item.value)

def leave(status):
    print("leaving", flush=True)
    sys.exit(status)

def main(method):
    context = multiprocessing.get_context(method)
    if sys.argv[2] == "process":
        process = context.Process(target=leave, args=(4,))
        process.start()
        process.join()
        print(process.exitcode, process.name)
    elif sys.argv[2] == "pool":
        with context.Pool(1) as pool:
            print([item.value for item in pool.map(work, [Item(1), Item(2)])])
            try:
                pool.apply(fail, (Item(3),))
            except ValueError as error:
                print(error, error.__cause__)
    else:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            print(pool.submit(work, Item(5)).result().value)

if __name__ == "__main__":
    main(sys.argv[1])
print("end of", __name__, flush=True)
"""

_UNGUARDED = """\
import multiprocessing
print("once", __name__, flush=True)
if multiprocessing.current_process().name == "MainProcess":
    multiprocessing.set_start_method("spawn", force=True)
process = multiprocessing.Process(target=print, args=("child",))
process.start()
process.join()
print(process.exitcode)
"""

CASES = [
    Case("siblings", _SIBLINGS, (Run(shows="ModuleNotFoundError"), Run(flags=("-B",)))),
    Case(
        "siblings-that-are-not-to-be-found",
        {"hook.py": "import beside\n", "beside.py": "print('found')\n"},
        (
            Run(flags=("-I",), status=1, shows="No module named 'beside'"),
            Run(flags=("-P",), status=1, shows="No module named", minimum=(3, 11), pypy=False),
            Run(env={"PYTHONPATH": "{dir}"}, shows="found"),
            Run(("hook.py",), ("-E",), env={"PYTHONPATH": "/nowhere"}, shows="found"),
        ),
    ),
    Case(
        "relative-imports-and-specs",
        {"hook.py": _RELATIVE, **{k: v for k, v in _SIBLINGS.items() if k != "hook.py"}},
        (
            Run(("hook.py", "dot"), status=1, shows="attempted relative import"),
            Run(("hook.py", "name"), status=1, shows="attempted relative import"),
            Run(("hook.py", "up"), status=1, shows="attempted relative import"),
            Run(("hook.py", "package"), status=None),
            Run(("hook.py", "spec"), status=1, shows="__main__.__spec__ is None"),
            Run(("hook.py", "other-spec"), status=None),
            Run(("hook.py", "resources"), status=None),
        ),
    ),
    Case(
        "the-loader-of-main",
        {"hook.py": _LOADER, "no-suffix": _LOADER},
        (
            Run(status=None),
            Run(("./no-suffix",), status=None),
            Run(("{dir}/hook.py",), status=None),
        ),
    ),
    Case(
        "site-customized",
        _SITE,
        (
            Run(env={"PYTHONPATH": "{dir}/hooked"}, shows="2 __main__"),
            Run(("failing.py",), env={"PYTHONPATH": "{dir}/hooked"}, status=1, shows="customized"),
        ),
    ),
    Case(
        "runs-itself-again",
        {"hook.py": _TWICE},
        tuple(
            Run(("hook.py", what), flags=flags, shows="depth", status=None)
            for what, flags in (
                ("execv", ()),
                ("execl-file", ("-u",)),
                ("orig", ("-W", "ignore", "-B")),
                ("subprocess", ()),
                ("flags", ("-W", "once", "-s", "-X", "dev")),
                ("run_path", ()),
                ("run_path-main", ()),
                ("run_module", ()),
                ("exec", ()),
                ("read", ()),
                ("rewrite", ()),
                ("remove", ()),
                ("move", ()),
            )
        ),
    ),
    Case(
        "runs-itself-again-by-a-link",
        {"lib/hook": _TWICE, "bin/hook": Link("../lib/hook")},
        (
            Run(("bin/hook", "execv"), shows="depth 1"),
            Run(("bin/hook", "run_path-main"), shows="depth 1"),
        ),
    ),
    Case("pickle", {"hook.py": _PICKLE}, (Run(shows="AttributeError"),)),
    Case(
        "processes",
        {"hook.py": _PROCESSES, "pre-use": _PROCESSES, "link.py": Link("pre-use")},
        (
            Run(("hook.py", "fork", "process"), shows="leaving"),
            Run(("hook.py", "fork", "pool"), shows="__main__"),
            Run(("hook.py", "spawn", "pool"), shows="__mp_main__"),
            Run(("pre-use", "spawn", "process"), shows="leaving"),
            Run(
                ("link.py", "forkserver", "executor"),
                ("-W", "ignore"),
                shows="__mp_main__",
                pypy=False,
            ),
        ),
    ),
    Case("processes-without-a-guard", {"hook.py": _UNGUARDED}, (Run(shows="RuntimeError"),)),
]
