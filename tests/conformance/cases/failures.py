"""Uncaught exceptions and their tracebacks, letter by letter."""

from __future__ import annotations

from tests.conformance.model import Case, Run

_UNCAUGHT = """\
import sys

what = sys.argv[1]

class Custom(Exception):
    pass

class Wordless(Exception):
    def __str__(self):
        raise ValueError("no words")

def nested(depth):
    if depth:
        nested(depth - 1)
    else:
        table = {"a": {"b": [0]}}
        return table["a"]["b"][0] + table["a"]["c"][1]

def several_lines(first,
                  second):
    return (
        first
        + second / (first - first)
    )

def generator():
    yield 1
    raise Custom("in a generator")

async def coroutine():
    raise Custom("in a coroutine")

class Body:
    def method(self):
        return self.metod()
    @property
    def name(self):
        raise Custom("in a property")

def decorator(function):
    raise Custom("in a decorator")

if what == "module":
    raise ValueError("at module level")
elif what == "nested":
    nested(3)
elif what == "lines":
    several_lines(1,
                  2)
elif what == "chained":
    try:
        try:
            nested(0)
        except KeyError as error:
            raise Custom("because") from error
    except Custom:
        several_lines(1, 2)
elif what == "suppressed":
    try:
        1 / 0
    except ZeroDivisionError:
        raise Custom("alone") from None
elif what == "lambda":
    (lambda value: value.missing)(0)
elif what == "comprehension":
    [1 // number for number in (1, 0)]
elif what == "generator":
    list(generator())
elif what == "async":
    import asyncio
    asyncio.run(coroutine())
elif what == "class":
    class Failing:
        value = undefined
elif what == "method":
    Body().method()
elif what == "property":
    Body().name
elif what == "decorator":
    @decorator
    def decorated():
        pass
elif what == "wordless":
    raise Wordless
elif what == "non-ascii":
    raise ValueError("\\u00e9\\u4e2d\\U0001f600")  # \u00e9 \u4e2d \U0001f600
elif what == "surrogate":
    raise ValueError("\\udcff")
elif what == "suggestion":
    sys.exti()
elif what == "name":
    whta
elif what == "import":
    import no_such_module
elif what == "from":
    from sys import no_such_name
elif what == "assert":
    assert what == "other", "told so"
elif what == "lines-in-message":
    raise ValueError("one\\ntwo\\n")
elif what == "empty":
    raise KeyError
elif what == "exec":
    exec("def inner():\\n    raise Custom('in exec')\\ninner()")
elif what == "syntax":
    compile("a b", "inner.py", "exec")
elif what == "base":
    raise BaseException("base")
elif what == "group":
    exec("raise ExceptionGroup('many', [ValueError(1), ExceptionGroup('more', [TypeError(2)])])")
elif what == "notes":
    error = ValueError("noted")
    error.add_note("first note")
    error.add_note("second\\nnote")
    raise error
elif what == "limit":
    sys.tracebacklimit = 2
    nested(5)
elif what == "no-limit":
    sys.tracebacklimit = 0
    nested(5)
elif what == "del-stderr":
    del sys.stderr
    nested(0)
elif what == "other-stderr":
    sys.stderr = sys.stdout
    nested(0)
elif what == "with-traceback":
    try:
        nested(1)
    except KeyError as error:
        raise error.with_traceback(None)
elif what == "again":
    try:
        nested(1)
    except KeyError as error:
        kept = error
    raise kept
elif what == "unhashable":
    error = ValueError("itself")
    error.__context__ = error
    raise error
elif what == "main":
    def main():
        nested(0)
    if __name__ == "__main__":
        main()
elif what == "warn-error":
    import warnings
    warnings.simplefilter("error")
    warnings.warn("now an error")
"""

_EVERY = (
    *("module", "nested", "lines", "chained", "suppressed", "lambda", "comprehension"),
    *("generator", "async", "class", "method", "property", "decorator", "wordless", "non-ascii"),
    *("surrogate", "suggestion", "name", "import", "from", "assert", "lines-in-message", "empty"),
    *("exec", "syntax", "base", "limit", "no-limit", "del-stderr", "other-stderr"),
    *("with-traceback", "again", "unhashable", "main", "warn-error"),
)

# Whose names do not end so, or whose tracebacks nobody sees.
_NO_ERROR = (
    *("decorator", "base", "wordless", "async", "suppressed", "generator", "property", "exec"),
    *("del-stderr", "warn-error"),
)

_RECURSION = """\
import sys

def down(depth):
    return down(depth + 1)

def other(depth):
    return another(depth + 1)

def another(depth):
    return other(depth + 1)

what = sys.argv[1]
if what == "plain":
    down(0)
elif what == "two":
    other(0)
"""

_SIBLING = {
    "hook.py": """\
import sys
import helpers

def main():
    helpers.work(sys.argv[1])

main()
""",
    "helpers.py": """\
def work(what):
    if what == "raise":
        raise ValueError("in a sibling")
    if what == "import":
        import broken
    if what == "callback":
        sorted([1, 2], key=lambda _: undefined)
    __import__("package.inner")
""",
    "broken.py": "def f(:\n    pass\n",
    "package/__init__.py": "",
    "package/inner.py": "from . import absent\n",
}

_EXCEPTHOOK = """\
import sys
import traceback

what = sys.argv[1]

def hook(kind, error, tb):
    print("hook", kind.__name__, error, [f.name for f in traceback.extract_tb(tb)])
    print(error.__traceback__ is tb, sys.last_type is kind, sys.last_value is error)
    print(sys.last_traceback is tb, tb.tb_frame.f_globals is globals(), sys.exc_info()[0])
    print(tb.tb_frame.f_code.co_name, tb.tb_lineno, sys.excepthook is hook)

def raising(kind, error, tb):
    raise RuntimeError("in the hook")

def leaving(kind, error, tb):
    sys.exit(12)

def forwarding(kind, error, tb):
    print("forwarded", flush=True)
    sys.__excepthook__(kind, error, tb)

def printing(kind, error, tb):
    traceback.print_exception(kind, error, tb)
    print(len(traceback.extract_tb(tb)), traceback.format_tb(tb))

def inner():
    raise ValueError("uncaught")

if what == "deleted":
    del sys.excepthook
elif what == "none":
    sys.excepthook = None
elif what == "class":
    class Hook:
        def __call__(self, *error):
            print("called", error[0])
    sys.excepthook = Hook()
elif what == "builtin":
    sys.excepthook = print
elif what == "atexit":
    import atexit
    @atexit.register
    def last():
        print(sys.last_type, [f.lineno for f in traceback.extract_tb(sys.last_traceback)])
        print(sys.excepthook is sys.__excepthook__)
elif what == "interrupt":
    sys.excepthook = hook
    raise KeyboardInterrupt
elif what == "later":
    try:
        inner()
    except ValueError:
        sys.excepthook = hook
        raise
elif what == "exec":
    sys.excepthook = hook
    exec("inner()")
else:
    sys.excepthook = globals()[what]
inner()
"""

_CAUGHT = """\
import inspect
import linecache
import logging
import sys
import traceback

def inner(value):
    return 1 / value

try:
    inner(0)
except ZeroDivisionError as error:
    traceback.print_exc()
    print(traceback.format_exc())
    print(traceback.extract_tb(error.__traceback__))
    for frame in inspect.trace():
        print(frame.filename, frame.lineno, frame.function, frame.code_context)
    told = traceback.TracebackException.from_exception(error, capture_locals=False)
    print("".join(told.format()))
    names = "levelname filename pathname lineno module funcName message"
    logging.basicConfig(format=" ".join("%%(%s)s" % name for name in names.split()))
    logging.exception("logged")
    print(error.__traceback__.tb_frame.f_code.co_filename, error.__traceback__.tb_next.tb_next)
    print(sys.exc_info()[2].tb_lineno, sys.exc_info()[2].tb_lasti)

def log():
    logging.getLogger("hook").warning("from a function", stack_info=False)
    logging.getLogger("hook").warning("from the caller", stacklevel=2)

log()
print(linecache.getline(__file__, 1), len(linecache.getlines(__file__)))
"""

_CARETS = """\
import sys

def values():
    return {"left": 1, "right": None}

def binary(x):
    return x["left"] + 2 * x["right"] + len("\u00e9\u4e2d") + 1

def subscript(x):
    return x["left"][0]["deep"]

def call(x):
    return (lambda *a, **k: 1 / 0)(x, 1,
        key=x["left"],
    )

def unpack(x):
    a, b, c = x
    return a

def tabbed(x):
	return	x.left	+	x.right

def with_statement(x):
    with x as y, y:
        pass

for function in (binary, subscript, call, unpack, tabbed, with_statement):
    try:
        function(values())
    except Exception:
        sys.excepthook(*sys.exc_info())
binary(values())
"""

CASES = [
    Case(
        "uncaught",
        {"hook.py": _UNCAUGHT},
        (
            *(
                Run(("hook.py", what), status=1, shows="" if what in _NO_ERROR else "Error")
                for what in _EVERY
            ),
            Run(("hook.py", "group"), status=1, shows="sub-exception", minimum=(3, 11)),
            Run(("hook.py", "notes"), status=1, shows="second\nnote", minimum=(3, 11)),
            Run(("hook.py", "nested"), flags=("-X", "dev"), status=1),
            Run(("hook.py", "module"), flags=("-q", "-I"), status=1),
            Run(("{dir}/hook.py", "chained"), status=1, shows="direct cause"),
        ),
    ),
    Case(
        "recursion-error",
        {"hook.py": _RECURSION},
        (
            Run(("hook.py", "plain"), status=1, shows="[Previous line repeated 99", pypy=False),
            Run(("hook.py", "two"), status=1, shows="RecursionError", pypy=False),
        ),
    ),
    Case(
        "failing-sibling",
        _SIBLING,
        (
            Run(("hook.py", "raise"), status=1, shows="in a sibling"),
            Run(("hook.py", "import"), status=1, shows="SyntaxError"),
            Run(("hook.py", "callback"), status=1, shows="NameError"),
            Run(("hook.py", "package"), status=1, shows="ImportError"),
        ),
    ),
    Case(
        "excepthook",
        {"hook.py": _EXCEPTHOOK},
        (
            Run(("hook.py", "hook"), status=1, shows="hook ValueError uncaught"),
            Run(("hook.py", "raising"), status=1, shows="Original exception was", minimum=(3, 11)),
            Run(("hook.py", "leaving"), status=None, pypy=False),
            Run(("hook.py", "forwarding"), status=1, shows="forwarded"),
            Run(("hook.py", "printing"), status=1, shows="uncaught"),
            Run(("hook.py", "deleted"), status=1, shows="ValueError: uncaught", minimum=(3, 11)),
            Run(("hook.py", "none"), status=1, minimum=(3, 11)),
            Run(("hook.py", "class"), status=1, shows="called"),
            Run(("hook.py", "builtin"), status=1, shows="<traceback object at"),
            Run(("hook.py", "atexit"), status=1, shows="ValueError"),
            Run(("hook.py", "interrupt"), status=None, shows="hook KeyboardInterrupt"),
            Run(("hook.py", "later"), status=1, shows="hook ValueError"),
            Run(("hook.py", "exec"), status=1, shows="hook ValueError"),
        ),
    ),
    Case("caught-and-shown", {"hook.py": _CAUGHT}, (Run(shows="logged"),)),
    Case("carets", {"hook.py": _CARETS}, (Run(status=1, shows="TypeError"),)),
    Case(
        "named-like-a-standard-module-that-others-need",
        {"types.py": "import enum\nprint(enum.Enum)\n"},
        (Run(("types.py",), status=None),),
    ),
    Case(
        "named-like-a-standard-module",
        {
            "random.py": "import tempfile\nprint(tempfile.gettempdir())\n",
            "launch.py": "import launch\nprint(launch.__file__, __name__)\n1 / 0\n",
            "entry.py": "import entry, launcher\nprint(entry.__name__, launcher.__name__)\n",
            "launcher.py": "print(__name__)\n",
            "marshal.py": "import marshal, time, posix\nprint(marshal)\n",
            "site.py": "import site, os\nprint(site.__name__, os.__name__)\n",
            "__main__.py": "import __main__\nprint(__main__.__file__, __name__)\n",
            "hooks_compile.py": "import hooks_compile\nprint(hooks_compile.__file__)\n",
        },
        (
            Run(("random.py",), status=None),
            Run(("launch.py",), status=1, shows="ZeroDivisionError"),
            Run(("entry.py",), shows="launcher"),
            Run(("marshal.py",)),
            Run(("site.py",)),
            Run(("__main__.py",)),
            Run(("hooks_compile.py",)),
        ),
    ),
]
