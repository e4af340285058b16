"""What a script sees of itself and of its interpreter, under every flag, variable and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.model import Case, Link, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.model import Trace

DUMP = '''\
#!/usr/bin/env python3
"""The docstring of the script."""
before = list(globals())
import sys
modules = sorted(sys.modules)
order = list(sys.modules)
cached = list(sys.path_importer_cache)
path = list(sys.path)
import atexit, builtins, gc, importlib, locale, os, signal, stat, threading, time, types, warnings

def show(name, value):
    sys.stdout.write("%s = %s\\n" % (name, ascii(value)))

show("names", before)
for name in before:
    value = globals()[name]
    if isinstance(value, (str, type(None))):
        show(name, value)
    else:
        show(name, (type(value).__module__, type(value).__qualname__))
show("builtins", __builtins__ is builtins)
for name in ("__annotations__", "__path__", "__cached__", "__spec__", "__package__"):
    show(name, globals().get(name, "absent"))
for name in ("name", "path", "archive"):
    show("loader " + name, getattr(__loader__, name, "absent"))
show("loader dict", sorted(vars(__loader__).items()) if hasattr(__loader__, "__dict__") else None)
show("main", sys.modules["__main__"].__dict__ is globals())
show("main type", type(sys.modules["__main__"]) is types.ModuleType)
show("main repr", sys.modules["__main__"])
for name in ("argv", "orig_argv", "flags", "warnoptions", "_xoptions", "dont_write_bytecode",
             "pycache_prefix", "executable", "_base_executable", "prefix", "exec_prefix",
             "base_prefix", "platlibdir", "byteorder", "hexversion", "tracebacklimit", "ps1",
             "last_type", "last_value", "_home", "_framework", "float_repr_style", "maxsize",
             "_stdlib_dir", "stdlib_module_names"):
    value = getattr(sys, name, "absent")
    show("sys." + name, sorted(value) if isinstance(value, frozenset) else value)
show("sys names", sorted(vars(sys)))
show("builtins names", sorted(vars(builtins)))
show("path", path)
show("importer cache", cached)
show("modules", modules)
show("modules order", order)
show("meta_path", [getattr(f, "__name__", type(f).__name__) for f in sys.meta_path])
show("path_hooks", [getattr(f, "__qualname__", f) for f in sys.path_hooks])
for name in ("excepthook", "displayhook", "unraisablehook", "breakpointhook"):
    show(name, getattr(sys, name) is getattr(sys, "__%s__" % name))
for name in ("stdin", "stdout", "stderr"):
    stream = getattr(sys, name)
    show(name, stream and (stream.name, stream.mode, stream.encoding, stream.errors,
         stream.line_buffering, stream.write_through, stream.closed, stream.isatty(),
         type(stream.buffer).__name__))
    show(name + " kept", stream is getattr(sys, "__%s__" % name))
directory = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
show("descriptors", sorted(int(fd) for fd in os.listdir(directory)))
show("environ", {k: v for k, v in os.environ.items()})
show("environ order", list(os.environ))
show("cwd", os.getcwd())
show("parent", os.getppid() == int(os.environ.get("PARENT", os.getppid())))
show("group", os.getpgrp() == os.getsid(0))
show("umask", (lambda old: (os.umask(old), old)[1])(os.umask(0)))
show("gc", (gc.isenabled(), [getattr(gc, n, str)() for n in ("get_threshold", "get_debug")]))
show("threads", [t.name for t in threading.enumerate()])
show("main thread", threading.main_thread() is threading.current_thread())
show("main thread ident", threading.main_thread().ident == threading.get_ident())
show("signals", [(int(s), str(signal.getsignal(s))) for s in sorted(signal.Signals)])
show("blocked", sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
show("wakeup", signal.set_wakeup_fd(-1))
show("locale", [locale.setlocale(getattr(locale, "LC_" + n)) for n in ("CTYPE", "NUMERIC", "TIME")])
show("encodings", (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(),
     sys.getdefaultencoding(), locale.getpreferredencoding(False)))
show("switch interval", sys.getswitchinterval())
show("tracing", (sys.gettrace(), sys.getprofile()))
show("filters", warnings.filters)
show("onceregistry", getattr(warnings, "onceregistry", None))
show("defaultaction", getattr(warnings, "defaultaction", None))
show("registry", globals().get("__warningregistry__"))
show("atexit", atexit._ncallbacks() if hasattr(atexit, "_ncallbacks") else None)
show("asyncgen", sys.get_asyncgen_hooks())
show("coroutine origin", sys.get_coroutine_origin_tracking_depth())
show("int digits", getattr(sys, "get_int_max_str_digits", int)())
show("hash", hash("a") if os.environ.get("PYTHONHASHSEED") else None)
frame = sys._getframe()
code = frame.f_code
show("code", (code.co_name, code.co_filename, code.co_firstlineno, code.co_flags, code.co_stacksize,
     code.co_nlocals, code.co_argcount, code.co_freevars, code.co_cellvars, code.co_names[:6],
     getattr(code, "co_qualname", None)))
show("frame", (frame.f_lineno, frame.f_globals is globals(), frame.f_locals is globals(),
     frame.f_trace, locals() is globals(), frame.f_builtins is vars(builtins)))
show("function", (show.__module__, show.__code__.co_filename, show.__qualname__,
     show.__globals__ is globals(), show.__code__.co_firstlineno))
show("error", sys.exc_info())
show("debug", __debug__)
show("doc", (sys.modules["__main__"].__doc__, os.path.__doc__ is None))
show("files", sorted(set(os.listdir(".")) - {"__pycache_opt__"}))
'''

_FLAGS: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    (("-W", "ignore"), {}),
    (("-W", "error", "-Walways::ImportWarning"), {}),
    (("-X", "dev"), {}),
    (("-X", "utf8"), {}),
    (("-Xutf8=0",), {"LC_ALL": "C"}),
    (("-u",), {}),
    (("-E",), {"PYTHONPATH": "/nowhere", "PYTHONOPTIMIZE": "1"}),
    (("-s",), {}),
    (("-S",), {}),
    (("-I",), {"PYTHONPATH": "/nowhere"}),
    (("-B",), {}),
    (("-O",), {}),
    (("-OO",), {}),
    (("-b",), {}),
    (("-bb",), {}),
    (("-q",), {}),
    (("-d",), {}),
    (("-R",), {}),
    (("-IBSs",), {}),
    (("-sBuW", "ignore"), {}),
    (("-X", "faulthandler", "-X", "tracemalloc=3"), {}),
    (("-X", "any=thing", "-X", "other"), {}),
    (("-X", "pycache_prefix={dir}/prefix"), {}),
    (("--check-hash-based-pycs", "always"), {}),
    (("--check-hash-based-pycs", "never"), {}),
    (("--",), {}),
    ((), {"PYTHONPATH": "{dir}:/nowhere::relative"}),
    ((), {"PYTHONOPTIMIZE": "2"}),
    ((), {"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1"}),
    ((), {"PYTHONWARNINGS": "ignore,error::ImportWarning"}),
    ((), {"PYTHONHASHSEED": "0"}),
    ((), {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}),
    ((), {"PYTHONIOENCODING": "latin-1:replace"}),
    ((), {"PYTHONNOUSERSITE": "1", "PYTHONFAULTHANDLER": "1", "PYTHONTRACEMALLOC": "2"}),
    ((), {"PYTHONPYCACHEPREFIX": "{dir}/prefix"}),
    ((), {"PYTHONSAFEPATH": "1"}),
    ((), {"PYTHONMALLOC": "debug"}),
    ((), {"TERM": "dumb", "COLUMNS": "40", "EMPTY": "", "NON_ASCII": "\u00e9\udcff"}),
)

_NEWER_FLAGS: tuple[tuple[tuple[int, int], tuple[str, ...]], ...] = (
    ((3, 11), ("-P",)),
    ((3, 11), ("-X", "frozen_modules=off")),
    ((3, 12), ("-X", "perf=0")),
    ((3, 13), ("-X", "cpu_count=1")),
)

_NON_UTF_8 = "non\udcffutf8-\udce9.py"

_PATHS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("hook.py", "a/b.py", "sp ace.py", "na\u00efve-\u4e2d.py", "guard", ".hidden"),
            *("pre-tool-use.py", "trailing.py ", "UPPER.PY", "hook.txt", "hook.pyw", "-dash.py"),
            *("new\nline.py", "quote'\".py", "%s.py", "a.b.c.py", "fol der/sub/hook.py", ".py"),
            *("x" * 240 + ".py", "dir.py/hook.py", "tab\t.py", "\\.py", "star*.py"),
        ),
        DUMP,
    ),
    _NON_UTF_8: DUMP,
    "fold\udcff/hook.py": DUMP,
}

_TYPED: tuple[str, ...] = (
    *("hook.py", "./hook.py", "{dir}/hook.py", "a//b.py", "a/./b.py", "a/../hook.py"),
    *("sp ace.py", "na\u00efve-\u4e2d.py", "guard", ".hidden", "pre-tool-use.py", "trailing.py "),
    *("UPPER.PY", "hook.txt", "hook.pyw", "./-dash.py", "new\nline.py", "quote'\".py", "%s.py"),
    *("a.b.c.py", "fol der/sub/hook.py", ".py", "dir.py/hook.py", "tab\t.py", "\\.py", "star*.py"),
    *("{dir}//hook.py", "//{dir}/hook.py", "{dir}/a/../a/b.py", "././/./hook.py"),
)

_LINKED: Mapping[str, str | Link] = {
    "real/hook.py": DUMP + "import beside\nprint(beside.__file__)\n",
    "real/beside.py": "",
    "bin/link.py": Link("../real/hook.py"),
    "bin/absolute.py": Link("{dir}/real/hook.py"),
    "bin/chain.py": Link("link.py"),
    "bin/guard": Link("../real/hook.py"),
    "directory": Link("real"),
    "deep/directory": Link("../directory"),
    "twice.py": Link("directory/hook.py"),
}

_HARD_ARGUMENTS = (
    *("hook.py", "", " ", "-c", "--", "-W", "--help", "-", "a b", "$HOME", "*", "\u00e9"),
    *("\udcff\udcfe", "hook.py", "line\nbreak", "launch.py"),
)


def _trace(flags: tuple[str, ...], env: Mapping[str, str]) -> Trace:
    # Entries are for Python without -O.
    optimized = flags in (("-O",), ("-OO",)) or ("PYTHONOPTIMIZE" in env and not flags)
    return "source" if optimized else "entry"


CASES = [
    Case("dump-plain", {"hook.py": DUMP}, (Run(shows="modules"),)),
    *(
        Case(
            f"dump-flags-{number}",
            {"hook.py": DUMP},
            (Run(("hook.py", "arg"), flags, env, trace=_trace(flags, env)),),
        )
        for number, (flags, env) in enumerate(_FLAGS)
    ),
    Case(
        "dump-newer-flags",
        {"hook.py": DUMP},
        (
            *(Run(flags=flags, minimum=minimum) for minimum, flags in _NEWER_FLAGS),
            # What is compiled under these is no code to keep.
            Run(flags=("-X", "no_debug_ranges"), minimum=(3, 11), trace="any"),
            Run(flags=("-X", "int_max_str_digits=700"), minimum=(3, 11), trace="any"),
        ),
    ),
    Case(
        "dump-by-path",
        _PATHS,
        (
            *(Run((typed,), shows="modules") for typed in _TYPED),
            Run((_NON_UTF_8,)),
            Run(("{dir}/" + _NON_UTF_8,)),
            Run(("fold\udcff/hook.py",)),
            Run(("../a/b.py",), cwd="a"),
            Run(("../hook.py",), cwd="fol der/sub/..", shows="modules", status=0),
            Run(("hook.py",), cwd="fold\udcff"),
            Run(("b.py",), ("-I",), cwd="a"),
            # The entry's name would be longer than a file name can be.
            Run(("x" * 240 + ".py",), trace="any"),
        ),
    ),
    Case(
        "dump-by-symlink",
        _LINKED,
        (
            Run(("bin/link.py",), shows="beside.py"),
            Run(("bin/absolute.py",), shows="beside.py"),
            Run(("bin/chain.py",), shows="beside.py", pypy=False),
            Run(("bin/guard",), shows="beside.py"),
            Run(("directory/hook.py",), shows="beside.py"),
            Run(("deep/directory/hook.py",), shows="beside.py"),
            Run(("twice.py",), shows="beside.py"),
            Run(("link.py",), cwd="bin", shows="beside.py"),
            Run(("hook.py",), cwd="directory", shows="beside.py"),
            Run(("../bin/link.py",), cwd="deep/directory", shows="beside.py"),
            Run(("{dir}/directory/../bin/link.py",), shows="beside.py"),
        ),
    ),
    Case(
        "dump-arguments",
        {"hook.py": DUMP},
        (
            Run(_HARD_ARGUMENTS),
            Run(("hook.py", *("x" * 100 for _ in range(2000)))),
        ),
    ),
    Case(
        "dump-bare-environment",
        {"hook.py": DUMP},
        (
            Run(env={"PATH": None, "HOME": None, "LANG": None, "PARENT": None}),
            Run(env={"LANG": None, "LC_ALL": "POSIX"}),
            Run(env={"LC_ALL": "no_such.locale"}),
            Run(by_sh='umask 077; exec "$@"'),
            Run(by_sh='exec 5</dev/null 7>&1; exec "$@"'),
            Run(by_sh='trap "" TERM HUP; exec "$@"'),
            Run(by_sh='ulimit -n 12; exec "$@"'),
        ),
    ),
    Case(
        "dump-without-streams",
        {"hook.py": DUMP.replace("sys.stdout.write", "sys.stderr.write"), "quiet.py": "print(1)\n"},
        (
            Run(stdin=None),
            Run(stdout="closed"),
            Run(stdin=None, stdout="closed"),
            Run(("quiet.py",), by_sh='exec "$@" <&- >&- 2>&-'),
            Run(("quiet.py",), by_sh='exec "$@" 2>&-'),
        ),
    ),
    Case("dump-on-a-terminal", {"hook.py": DUMP}, (Run(stdout="pty"),)),
    Case(
        "the-working-directory-is-gone",
        {"hook.py": DUMP.replace("os.getcwd()", "0").replace('os.listdir(".")', "'x'")},
        (
            Run(
                ("{dir}/hook.py",),
                by_sh='mkdir gone; cd gone; rmdir ../gone; exec "$@"',
                shows="modules",
                trace="any",
            ),
            Run(
                ("hook.py",),
                by_sh='mkdir gone; cd gone; rmdir ../gone; exec "$@"',
                status=None,
                shows="o such file",
                trace="source",
            ),
        ),
    ),
]
