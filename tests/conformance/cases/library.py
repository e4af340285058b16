"""What scripts do with themselves through the standard library."""

from __future__ import annotations

from tests.conformance.model import Case, Run

_INSPECT = '''\
"""Module docstring."""
import ast
import inspect
import linecache
import sys
import tokenize

# A comment above.
def function(a, b: int = 2, *args, c: "str" = "c", **kwargs) -> None:
    """Function docstring."""
    def inner():
        return a
    return inner

class Thing:
    """Class docstring."""
    attribute = 1
    def method(self):
        """Method docstring."""
        return lambda: self

square = lambda x: x ** 2
async def coroutine(): pass
main = sys.modules[__name__]
print(inspect.getsource(function), inspect.getsource(Thing), inspect.getsource(Thing.method))
print(inspect.getsource(square), inspect.getsource(function(1, 2)))
print(len(inspect.getsource(main)), inspect.getsourcefile(main), inspect.getfile(function))
print(inspect.getcomments(function), inspect.getdoc(function), inspect.signature(function))
print(inspect.findsource(Thing)[1], inspect.getmodule(function) is main)
print(inspect.getmodulename(__file__))
print(inspect.cleandoc(Thing.__doc__), Thing.method.__doc__, __doc__)
print([name for name, _ in inspect.getmembers(main, inspect.isfunction)])
frame = inspect.getframeinfo(inspect.currentframe())
print(frame.filename, frame.lineno, frame.function, frame.code_context, frame.index)
print(linecache.getline(__file__, 2), linecache.checkcache(), len(linecache.cache) > 0)
print(len(ast.parse(open(__file__).read()).body))
with tokenize.open(__file__) as file:
    print(file.encoding, len(file.readlines()))
help(function)
help(Thing)
'''

_SAME_CODE = """\
import sys
import types

def function(a, b=(1, 2)):
    def inner():
        return a, b, [x for x in range(3) if x], f"{a!r:>10}"
    return inner

class Thing:
    value: int = 1
    def method(self):
        return lambda: (yield self)

def walk(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from walk(constant)

mine = sys._getframe().f_code
with open(__file__, "rb") as file:
    theirs = compile(file.read(), __file__, "exec")
names = [name for name in dir(mine) if name.startswith("co_") and not callable(getattr(mine, name))]
print(names)
for one, other in zip(walk(mine), walk(theirs)):
    for name in names:
        if name not in ("co_consts", "co_lnotab"):
            if getattr(one, name) != getattr(other, name):
                print("other", name, getattr(one, name), getattr(other, name))
    print(one.co_name, one.co_filename, one.co_firstlineno)
    print(list(one.co_lines())[:3] if hasattr(one, "co_lines") else "")
print(mine == theirs, function.__code__.co_consts, walk.__code__.co_varnames)
"""

_DIS = '''\
import dis

def function(x):
    """A docstring that only dis can see."""
    return x + 1

dis.dis(function)
print(function.__code__.co_consts)
'''

_HIDDEN_DOCSTRING = '''\
"""The docstring that globals() shows."""
def function():
    """The docstring that vars() does not show."""

def print_all():
    for name, value in sorted(globals().items()):
        if isinstance(value, str):
            print(name, value)
print_all()
print({name: value for name, value in vars().items() if isinstance(value, str)})
'''

_REACHED_DOCSTRINGS = '''\
"""Module."""
import sys
def function():
    """Function."""
def named(name):
    return getattr(function, name)
print(named("__%s__" % "doc"))
print(getattr(sys.modules["__main__"], "__d" + "oc__"))
print(eval("function.__do" "c__"))
'''

_ASSERTS = {
    "assert.py": "import sys\nassert sys.argv[1:], 'an argument is needed'\nprint('given')\n",
    "debug.py": "if __debug__:\n    print('debug')\nprint(__debug__)\n",
    "in-eval.py": "print(eval('__debug__'))\nexec('assert False, 1')\n",
    "in-string.py": "import builtins\nprint(getattr(builtins, '__debug__'))\n"
    "print(compile('assert 1', '', 'exec').co_names)\n",
    "in-module.py": "import helper\nhelper.check(0)\n",
    "helper.py": "def check(x):\n    'Helper doc.'\n    assert x, check.__doc__\n",
}

_ARGPARSE = '''\
"""Describes itself.

usage is derived from the name.
"""
import argparse
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("--level", type=int, choices=(0, 1))
parser.add_argument("files", nargs="*")
print(parser.parse_args(), parser.prog)
'''

_UNITTEST = """\
import unittest

class Test(unittest.TestCase):
    def test_good(self):
        \"\"\"It is good.\"\"\"
    def test_bad(self):
        self.assertEqual([1, 2], [1, 3])
    @unittest.skip("why not")
    def test_skipped(self):
        pass

class Stream:
    def write(self, text):
        import re, sys
        sys.stdout.write(re.sub(r"in \\d+\\.\\d+s", "in TIME", text))
    def flush(self):
        pass

if __name__ == "__main__":
    import sys
    runner = unittest.TextTestRunner(Stream(), verbosity=2)
    unittest.main(testRunner=runner)
"""

_DOCTEST = '''\
"""
>>> double(2)
4
>>> double("a")
'bb'
"""
import doctest

def double(x):
    """
    >>> double(1)
    2
    >>> __name__
    '__main__'
    """
    return x * 2

print(doctest.testmod())
'''

_TYPING = """\
from __future__ import annotations
import dataclasses
import enum
import typing
import abc
import functools
import contextlib
import collections

@dataclasses.dataclass(frozen=True)
class Node:
    value: int
    next: typing.Optional[Node] = None
    made: typing.ClassVar[int] = 0
    tags: "list" = dataclasses.field(default_factory=list)

class Colour(enum.Flag):
    RED = enum.auto()
    BLUE = enum.auto()

class Movie(typing.TypedDict):
    name: str

class Speaks(typing.Protocol):
    def speak(self, loud: bool) -> Node: ...

variable: typing.List[Node] = []
Made = collections.namedtuple("Made", "a b", defaults=[1])
Functional = enum.Enum("Functional", "A B")
T = typing.TypeVar("T", bound="Node")

@functools.lru_cache(None)
def cached(x: Node) -> "Colour":
    '''Cached.'''

@contextlib.contextmanager
def context():
    yield 1

@functools.singledispatch
def dispatched(x): return "any"
@dispatched.register(int)
def _(x): return "int"

class Abstract(abc.ABC):
    @abc.abstractmethod
    def method(self): ...

for hinted in (Node, cached, Speaks.speak, Movie):
    print(typing.get_type_hints(hinted))
print(dataclasses.fields(Node), Node(1, Node(2)), Node.__annotations__, __annotations__)
print(Colour.RED | Colour.BLUE, list(Functional), Functional.__module__, Made.__module__, Made(2))
print(Movie.__annotations__, T.__module__, cached.__wrapped__.__module__)
with context() as value:
    print(value, dispatched(1), dispatched(""))
try:
    Abstract()
except TypeError as error:
    print(error)
print(repr(Node), Node.__init__.__qualname__, Node.__init__.__annotations__)
"""

_ASYNC = """\
import asyncio
import sys

async def child(number):
    try:
        await asyncio.sleep(0.01 * number)
        print("child", number)
        if number == 2:
            raise ValueError(number)
    finally:
        print("finally", number)

async def forever():
    await asyncio.sleep(60)

async def main():
    tasks = [asyncio.ensure_future(child(number)) for number in range(3)]
    print(await asyncio.gather(*tasks, return_exceptions=True))
    asyncio.ensure_future(forever())
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('sub')", stdout=-1)
    print(await process.communicate())
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.02)
    sys.exit(6)

asyncio.run(main())
"""

_LOGGING = """\
import logging
import warnings

names = "name levelname filename pathname lineno module funcName processName threadName message"
logging.basicConfig(format=" ".join("%%(%s)s" % name for name in names.split()), level=0)
logging.captureWarnings(True)

def inner():
    logging.info("inside")
    logging.error("with the caller", stacklevel=2)

inner()
class Thing:
    logging.debug("class body")
    def method(self):
        logging.getLogger(__name__).critical("in a method")
Thing().method()
(lambda: logging.warning("lambda"))()
[logging.warning("comprehension") for _ in "x"]
warnings.warn("captured")
logging.getLogger("a.b").exception("no exception")
"""

_WARN = """\
import sys
import warnings

def deprecated():
    warnings.warn("deprecated", DeprecationWarning, stacklevel=2)

warnings.warn("at module level")
warnings.warn("in main", DeprecationWarning)
for _ in range(3):
    warnings.warn("only once")
deprecated()
deprecated()
warnings.warn("pending", PendingDeprecationWarning)
warnings.warn("resource", ResourceWarning)
warnings.warn_explicit("explicit", UserWarning, __file__, 3)
warnings.warn_explicit("elsewhere", UserWarning, "/nowhere/file.py", 3, "module")
open(__file__)
b"a" == "a"
print(sorted(map(str, __warningregistry__)))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    deprecated()
    print([(w.filename, w.lineno, w.category) for w in caught])
exec("import warnings; warnings.warn('in exec')")
class Thing:
    warnings.warn("in a class")
"""

_TRACE_FUNCTIONS = """\
import sys

seen = []

def trace(frame, event, argument):
    seen.append((event, frame.f_code.co_name, frame.f_lineno))
    return trace

def called():
    a = 1
    return a

sys.settrace(trace)
called()
sys.settrace(None)
print(seen)
del seen[:]
sys.setprofile(trace)
called()
len("")
sys.setprofile(None)
print(seen)
"""

_MEDDLES = """\
import builtins
import os
import sys

what = sys.argv[1]
print("before", what, flush=True)
if what == "exec":
    del builtins.exec, builtins.compile
elif what == "open":
    builtins.open = os.open = None
elif what == "exit":
    def noisy(status):
        print("os._exit called", status)
        raise SystemExit(99)
    os._exit = noisy
    sys.exit = None
elif what == "modules":
    sys.modules.clear()
elif what == "main":
    del sys.modules["__main__"]
elif what == "replaced":
    import types
    sys.modules["__main__"] = types.ModuleType("other")
elif what == "globals":
    for name in list(globals()):
        if name not in ("sys", "what"):
            del globals()[name]
elif what == "clear":
    globals().clear()
elif what == "dunders":
    del __file__, __name__, __loader__, __spec__, __builtins__
    print("gone")
elif what == "audit":
    def audit(event, arguments):
        if not event.startswith(("import", "sys.", "os.")):
            os.write(1, event.encode() + b"\\n")
    sys.addaudithook(audit)
elif what == "argv":
    sys.argv = None
    sys.path = None
    sys.flags = None
elif what == "stdlib":
    for name in ("marshal", "posix", "_imp", "time", "io"):
        sys.modules[name] = None
elif what == "meta":
    sys.meta_path.clear()
    sys.path_hooks.clear()
elif what == "gc":
    import gc
    gc.disable()
    gc.freeze()
    print(gc.get_freeze_count() > 0, gc.isenabled())
elif what == "builtins":
    builtins.print = lambda *a, **k: os.write(1, b"printed\\n")
    builtins.__import__ = None
    builtins.SystemExit = ValueError
    builtins.BaseException = None
elif what == "doc":
    __doc__ = 5
    __name__ = "renamed"
    print(sys.modules["__main__"].__name__)
elif what == "launch":
    for name in ("_launch", "scope", "directory", "Launch", "entry", "launcher"):
        print(name, name in globals(), hasattr(builtins, name), name in sys.modules)
    _launch = "mine"
    print(_launch)
try:
    print("end", what)
except BaseException as error:
    os.write(1, repr(error).encode())
"""

_SCOPES = """\
import sys

counter = 0
def count():
    global counter
    counter += 1
    return counter

exec("dynamic = 1")
globals()["injected"] = 2
print(dynamic, injected, count(), counter, eval("counter + 1"))
print([name for name in globals() if not name.startswith("__")])
print([name for name in dir() if name.startswith("__")])
print(sorted(vars().keys()) == sorted(locals().keys()))
locals()["by_locals"] = 3
print(by_locals)
del __file__
try:
    __file__
except NameError as error:
    print(error)
print(sys.modules["__main__"])
if 1:
    deleted = 1
    del deleted
exec("def made(): return __name__\\nprint(made(), made.__module__)")
exec("print(__name__, sorted(globals())[:3])", {})
print((lambda: sorted(locals()))(), {k for k in "ab"} == {"a", "b"})
class Body:
    print(__module__, __qualname__, [n for n in locals()])
while True:
    try:
        break
    finally:
        print("finally")
else:
    print("never")
try:
    raise ValueError(1)
except ValueError as error:
    kept = error
print("error" in globals(), kept.__traceback__.tb_frame is sys._getframe())
_private, __mangled = 1, 2
x: int
print("x" in globals(), globals().get("__annotations__"))
print(__name__ == "__main__", __builtins__.__name__)
import __main__ as me
me.through = 4
print(through, me.__dict__ is globals(), vars(me) is globals())
"""

_INTERNED = """\
def one():
    return "a text with spaces", (1, "two", 3.5), 12345678901234567890, b"bytes", 1e100
def other():
    return "a text with spaces", (1, "two", 3.5), 12345678901234567890, b"bytes", 1e100
print([a is b for a, b in zip(one(), other())])
print("identifier" is one.__name__.replace("one", "identifier"), one.__code__.co_name is "one")
print([a is b for a, b in zip(one(), one())])
name = "attribute"
class Thing:
    attribute = 1
print([k is name for k in vars(Thing) if k == name], 1.5 is 1.5, "x y" is "x y", () is ())
"""

_MISCELLANY = """\
import contextlib, io, os, pathlib, pprint, shutil, string, sys, tempfile, textwrap, time, uuid
print(pathlib.Path(__file__).name, pathlib.Path(__file__).parent == pathlib.Path(sys.path[0]))
print(os.path.relpath(__file__), os.path.dirname(os.path.abspath(__file__)) == os.getcwd())
with tempfile.TemporaryDirectory() as directory:
    pathlib.Path(directory, "x").write_text("x")
with contextlib.redirect_stdout(io.StringIO()) as captured:
    print("captured")
print(repr(captured.getvalue()), time.process_time() >= 0, shutil.which("sh") is not None)
pathlib.Path("state.json").write_text("{}")
os.makedirs("logs/today")
os.symlink("state.json", "link")
os.chmod("state.json", 0o600)
breakpoint if os.environ.get("NEVER") else None
print(pprint.pformat({"b": 1, "a": [1] * 3}), textwrap.dedent("  x"))
print(string.Template("$a").substitute(a=1))
"""

_BREAKPOINT = """\
import sys
def inner():
    value = 1
    breakpoint()
    return value
inner()
print("after")
"""

CASES = [
    Case("inspect", {"hook.py": _INSPECT}, (Run(shows="Help on class Thing"),)),
    Case(
        "the-code-is-the-same",
        {"hook.py": _SAME_CODE},
        (Run(shows="co_code"), Run(flags=("-O",), trace="source")),
    ),
    Case("disassembled", {"hook.py": _DIS}, (Run(),)),
    Case(
        "docstrings-reached-in-other-ways",
        {"globals.py": _HIDDEN_DOCSTRING, "reached.py": _REACHED_DOCSTRINGS},
        (Run(("globals.py",), shows="globals() shows"), Run(("reached.py",), shows="Function.")),
    ),
    Case(
        "asserts",
        _ASSERTS,
        (
            Run(("assert.py",), status=1, shows="an argument is needed"),
            Run(("assert.py",), ("-O",), shows="given", trace="source"),
            Run(("assert.py", "x"), shows="given"),
            Run(("debug.py",), shows="True"),
            Run(("debug.py",), ("-OO",), shows="False", trace="source"),
            Run(("in-eval.py",), status=1, shows="AssertionError"),
            Run(("in-string.py",)),
            Run(("in-module.py",), status=1, shows="Helper doc."),
            Run(("in-module.py",), env={"PYTHONOPTIMIZE": "1"}, trace="source"),
        ),
    ),
    Case(
        "argparse",
        {"pre-tool use.py": _ARGPARSE, "guard": _ARGPARSE},
        (
            Run(("pre-tool use.py", "--help"), shows="usage: pre-tool use.py"),
            Run(("guard", "--level", "3"), status=2, shows="guard: error"),
            Run(("./guard", "--level", "1", "a"), shows="Namespace"),
        ),
    ),
    Case(
        "unittest",
        {"hook.py": _UNITTEST},
        (
            Run(status=1, shows="FAILED"),
            Run(("hook.py", "Test.test_good"), shows="It is good."),
            Run(("hook.py", "--help"), shows="hook.py"),
        ),
    ),
    Case("doctest", {"hook.py": _DOCTEST}, (Run(shows="TestResults"),)),
    Case("typing-and-dataclasses", {"hook.py": _TYPING}, (Run(shows="Optional"),)),
    Case(
        "asyncio",
        {"hook.py": _ASYNC},
        (Run(status=6, shows="sub"), Run(flags=("-W", "error"), status=6)),
    ),
    Case("logging", {"hook.py": _LOGGING}, (Run(shows="captured"),)),
    Case(
        "warnings",
        {"hook.py": _WARN},
        tuple(
            Run(flags=flags, status=None)
            for flags in ((), ("-W", "always"), ("-W", "error"), ("-X", "dev"), ("-Wi",), ("-bb",))
        ),
    ),
    Case("tracing", {"hook.py": _TRACE_FUNCTIONS}, (Run(shows="called"),)),
    Case(
        "meddles-with-python",
        {"hook.py": _MEDDLES},
        tuple(
            Run(("hook.py", what), status=None, shows="before")
            for what in (
                *("exec", "open", "exit", "modules", "main", "replaced", "globals", "clear"),
                *("dunders", "audit", "argv", "stdlib", "meta", "gc", "builtins", "doc"),
            )
        ),
    ),
    Case(
        "names-of-the-launcher", {"hook.py": _MEDDLES}, (Run(("hook.py", "launch"), shows="mine"),)
    ),
    Case("scopes", {"hook.py": _SCOPES}, (Run(shows="finally"), Run(("{dir}/hook.py",)))),
    Case(
        "identity-of-constants", {"hook.py": _INTERNED}, (Run(flags=("-W", "ignore"), trace="any"),)
    ),
    Case("usual-things", {"hook.py": _MISCELLANY}, (Run(shows="captured"),)),
    Case(
        "breakpoint",
        {"hook.py": _BREAKPOINT},
        (
            Run(stdin="p value\ns\nc\n", status=None, shows="(Pdb)"),
            Run(stdin="q\n", status=None, shows="(Pdb)"),
            Run(env={"PYTHONBREAKPOINT": "0"}, shows="after"),
        ),
    ),
]
