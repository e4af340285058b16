"""How a process ends: exit statuses, signals, and what happens on the way out."""

from __future__ import annotations

from signal import SIGHUP, SIGINT, SIGTERM
from typing import TYPE_CHECKING

from tests.conformance.model import Case, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = """\
import sys

sys.exit(int(sys.argv[1]))
"""

_VALUES = """\
import os
import sys

class Stop(SystemExit):
    pass

class Coded(SystemExit):
    code = 9

class Wordless:
    def __str__(self):
        raise ValueError("no words")

def leave(value):
    sys.exit(value)

print("before", flush=True)
what = sys.argv[1]
if what == "text":
    sys.exit("text \\u00e9")
elif what == "surrogate":
    sys.exit("\\udcff")
elif what == "none":
    sys.exit(None)
elif what == "nothing":
    raise SystemExit
elif what == "true":
    leave(True)
elif what == "float":
    leave(1.5)
elif what == "tuple":
    leave((1, 2))
elif what == "two":
    raise SystemExit(1, 2)
elif what == "bytes":
    leave(b"x")
elif what == "huge":
    leave(1 << 70)
elif what == "empty":
    leave("")
elif what == "wordless":
    leave(Wordless())
elif what == "subclass":
    raise Stop(7)
elif what == "coded":
    raise Coded(7)
elif what == "site":
    exit(5)
elif what == "quit":
    quit("so long")
elif what == "finally":
    try:
        leave(3)
    finally:
        print("finally")
elif what == "caught":
    try:
        leave(3)
    except SystemExit as error:
        print("caught", error.code, error.__traceback__.tb_frame.f_code.co_name)
    leave(4)
elif what == "chained":
    try:
        1 / 0
    except ZeroDivisionError:
        leave(6)
elif what == "unflushed":
    print("lost")
    os._exit(3)
elif what == "flushed":
    print("kept", flush=True)
    os._exit(3)
elif what == "thread":
    import threading

    thread = threading.Thread(target=leave, args=(3,))
    thread.start()
    thread.join()
    print("after the thread")
elif what == "hook":
    sys.excepthook = lambda *error: print("hook", error)
    leave(8)
elif what == "closed":
    sys.stderr.close()
    leave("nobody sees it")
elif what == "nostderr":
    sys.stderr = None
    leave("nobody sees it either")
"""

_STATUS_OF: Mapping[str, int | None] = {
    **dict.fromkeys(
        ("text", "surrogate", "float", "tuple", "two", "bytes", "empty", "wordless", "true"), 1
    ),
    **dict.fromkeys(("none", "nothing", "thread"), 0),
    **dict.fromkeys(("finally", "unflushed", "flushed"), 3),
    **dict.fromkeys(("quit", "closed", "nostderr"), 1),
    "huge": None,
    "caught": 4,
    "site": 5,
    "chained": 6,
    "subclass": 7,
    "hook": 8,
    "coded": 9,
}

_SIGNALS = """\
import os
import signal
import sys
import time

print("before", flush=True)
what = sys.argv[1]
if what == "SIGPIPE":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
if what == "ignored":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    what = "SIGTERM"
if what == "handled":
    signal.signal(signal.SIGTERM, lambda number, frame: (print(frame.f_lineno), sys.exit(number)))
    what = "SIGTERM"
if what == "abort":
    os.abort()
if what == "explicit":
    raise KeyboardInterrupt("by hand")
if what == "subclass":
    class Enough(KeyboardInterrupt):
        pass
    raise Enough
if what == "caught":
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)
    except KeyboardInterrupt:
        sys.exit(130)
if what == "restored":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    what = "SIGINT"
os.kill(os.getpid(), getattr(signal, what))
for _ in range(5):
    time.sleep(0.001)
print("still there")
"""

_WAITS = """\
import sys
import time

def wait():
    try:
        print("ready", flush=True)
        time.sleep(50)
    finally:
        print("finally")

wait()
"""

_WAITS_IN_THREAD = """\
import threading
import time

def wait():
    time.sleep(1)
    print("thread")

threading.Thread(target=wait).start()
print("ready", flush=True)
"""

_AT_EXIT = """\
import atexit
import sys

what = sys.argv[1]

@atexit.register
def last():
    print("last", sorted(n for n in globals() if not n.startswith("__")))
    print(__name__, globals().get("__file__"), flush=True)

def raises():
    print("raises")
    raise ValueError("at exit")

def leaves():
    print("leaves")
    sys.exit(7)

def leaves_for_good():
    import os
    sys.stdout.flush()
    os._exit(9)

def interrupts():
    raise KeyboardInterrupt

def registers():
    atexit.register(print, "late")

@atexit.register
def warns():
    import warnings
    warnings.warn("too late")

what == "file" and atexit.register(lambda: print(__file__))
if what in globals():
    atexit.register(globals()[what])
atexit.register(print, "first", flush=True)
print("body")
if what == "uncaught":
    raises()
if what == "exit":
    leaves()
if what == "unregister":
    atexit.unregister(last)
if what == "dunder":
    __file__ = "another"
"""

# When the collector runs by itself depends on all that was allocated before the first line.
_TEARDOWN = """\
import gc
import sys
import weakref

gc.collect()

class Noisy:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        sys.stdout.write("del %s %s\\n" % (self.name, __name__))
        sys.stdout.flush()

class Broken:
    def __del__(self):
        raise RuntimeError("in __del__")

class Keeper:
    def __enter__(self):
        return self
    def __exit__(self, *error):
        print("exit of the context", error[0])

def generate():
    try:
        yield 1
    finally:
        print("generator closed")

def enter():
    with Keeper():
        yield

plain = Noisy("plain")
_private = Noisy("private")
cycle = [Noisy("cycle")]
cycle.append(cycle)
held = (lambda one: lambda: one)(Noisy("closure"))
broken = Broken()
running = generate()
next(running)
inside = enter()
next(inside)
finalizer = weakref.finalize(plain, print, "finalizer", flush=True)
late = weakref.finalize(Noisy, lambda: 1 / 0)
unflushed = open("out.txt", "w")
unflushed.write("written without a close")
raw = open("raw.bin", "wb", buffering=0)
raw.write(b"raw")
print("body", flush=True)
if len(sys.argv) > 1:
    raise ValueError("with all that alive")
"""

_UNRAISABLE = """\
import sys

def told(unraisable):
    print("told", unraisable.exc_type, unraisable.exc_value, unraisable.err_msg, flush=True)

sys.unraisablehook = told

class Broken:
    def __del__(self):
        raise RuntimeError(self.name)

now = Broken()
now.name = "now"
del now
later = Broken()
later.name = "later"
"""

_THREADS = """\
import sys
import threading
import time

what = sys.argv[1]

def slow(name):
    time.sleep(0.05)
    print("thread", name, threading.current_thread().name, threading.main_thread().name)

def raises():
    raise ValueError("in a thread")

if what == "nondaemon":
    threading.Thread(target=slow, args=("nondaemon",)).start()
elif what == "daemon":
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
elif what == "raises":
    thread = threading.Thread(target=raises)
    thread.start()
    thread.join()
elif what == "hook":
    def hook(args):
        print("hook", args.exc_type, args.exc_value, args.thread.name)
    threading.excepthook = hook
    thread = threading.Thread(target=raises)
    thread.start()
    thread.join()
elif what == "both":
    threading.Thread(target=slow, args=("both",)).start()
    raise ValueError("in the main thread")
elif what == "exit":
    threading.Thread(target=slow, args=("exit",)).start()
    sys.exit(5)
elif what == "pool":
    from concurrent.futures import ThreadPoolExecutor
    pool = ThreadPoolExecutor(2)
    for name in "ab":
        pool.submit(slow, name)
        time.sleep(0.1)
elif what == "timer":
    threading.Timer(0.05, slow, ["timer"]).start()
elif what == "atexit":
    import atexit
    def start():
        try:
            thread = threading.Thread(target=print, args=("from atexit",))
            thread.start()
            thread.join()
        except RuntimeError as error:
            print(error)
    atexit.register(start)
elif what == "local":
    class Noisy:
        def __del__(self):
            print("local gone", flush=True)
    local = threading.local()
    local.value = Noisy()
print("main", threading.current_thread() is threading.main_thread(), threading.active_count() > 0)
"""

_FORK = """\
import os
import sys

print("unflushed")
pid = os.fork()
if pid == 0:
    print("child", __name__)
    if len(sys.argv) > 1:
        sys.exit(3)
else:
    _, status = os.waitpid(pid, 0)
    print("parent", status)
"""

_STDOUT_AT_EXIT = """\
import io
import sys

what = sys.argv[1]
print("some text")
if what == "none":
    sys.stdout = None
elif what == "closed":
    sys.stdout.close()
elif what == "replaced":
    sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-16")
    print("wide")
elif what == "broken":
    class Broken(io.StringIO):
        def flush(self):
            raise OSError("can't flush")
    sys.stdout = Broken()
elif what == "reconfigured":
    sys.stdout.reconfigure(encoding="latin-1", errors="replace")
    print("\\u20ac \\u00e9")
elif what == "dupped":
    import os
    os.dup2(2, 1)
    print("to stderr")
elif what == "gone":
    import os
    os.close(1)
"""

CASES = [
    Case(
        "exit-numbers",
        {"hook.py": _NUMBERS},
        tuple(
            Run(("hook.py", str(number)), status=number & 0xFF)
            for number in (0, 1, 2, 255, 256, -1)
        ),
    ),
    Case(
        "exit-values",
        {"hook.py": _VALUES},
        tuple(
            Run(("hook.py", what), status=status, shows="before")
            for what, status in _STATUS_OF.items()
        ),
    ),
    Case(
        "exit-by-signal",
        {"hook.py": _SIGNALS},
        (
            Run(("hook.py", "SIGTERM"), status=-15, shows="before"),
            Run(("hook.py", "SIGKILL"), status=-9, shows="before"),
            Run(("hook.py", "SIGPIPE"), status=-13, shows="before"),
            Run(("hook.py", "SIGINT"), status=-2, shows="KeyboardInterrupt"),
            Run(("hook.py", "SIGHUP"), status=-1, shows="before"),
            Run(("hook.py", "SIGUSR1"), status=-10, shows="before"),
            Run(("hook.py", "ignored"), shows="still there"),
            Run(("hook.py", "handled"), status=15),
            Run(("hook.py", "abort"), status=-6, by_sh='ulimit -c 0; exec "$@"'),
            Run(("hook.py", "explicit"), status=-2, shows="by hand"),
            Run(("hook.py", "subclass"), status=None, shows="Enough"),
            Run(("hook.py", "caught"), status=130),
            Run(("hook.py", "restored"), status=-2),
        ),
    ),
    Case(
        "signal-from-outside",
        {"hook.py": _WAITS, "thread.py": _WAITS_IN_THREAD},
        (
            Run(signal=SIGINT, status=-2, shows="finally"),
            Run(signal=SIGTERM, status=-15),
            Run(signal=SIGHUP, status=-1),
            Run(("thread.py",), signal=SIGINT, status=None),
        ),
    ),
    Case(
        "atexit",
        {"hook.py": _AT_EXIT},
        (
            Run(("hook.py", "-"), shows="first\nlast"),
            Run(("hook.py", "raises"), shows="ValueError: at exit"),
            Run(("hook.py", "leaves"), status=None),
            Run(("hook.py", "leaves_for_good"), status=9),
            Run(("hook.py", "interrupts"), status=None),
            Run(("hook.py", "registers"), status=None),
            Run(("hook.py", "uncaught"), status=1, shows="last"),
            Run(("hook.py", "exit"), status=7, shows="last"),
            Run(("hook.py", "unregister")),
            Run(("hook.py", "dunder"), shows="__main__"),
        ),
    ),
    Case(
        "teardown",
        {"hook.py": _TEARDOWN},
        (
            Run(shows="finalizer"),
            Run(("hook.py", "raise"), status=1, shows="with all that alive"),
            Run(flags=("-X", "dev"), shows="finalizer"),
        ),
    ),
    Case("unraisable-hook", {"hook.py": _UNRAISABLE}, (Run(shows="told", pypy=False),)),
    Case(
        "threads",
        {"hook.py": _THREADS},
        (
            Run(("hook.py", "nondaemon"), shows="thread nondaemon"),
            Run(("hook.py", "daemon")),
            Run(("hook.py", "raises"), shows="in a thread"),
            Run(("hook.py", "hook"), shows="hook <class"),
            Run(("hook.py", "both"), status=1, shows="thread both"),
            Run(("hook.py", "exit"), status=5, shows="thread exit"),
            Run(("hook.py", "pool"), shows="thread b"),
            Run(("hook.py", "timer"), shows="thread timer"),
            Run(("hook.py", "atexit")),
            Run(("hook.py", "local")),
        ),
    ),
    Case("fork", {"hook.py": _FORK}, (Run(shows="child"), Run(("hook.py", "exit"), shows="child"))),
    Case(
        "stdout-at-exit",
        {"hook.py": _STDOUT_AT_EXIT},
        tuple(
            Run(("hook.py", what), status=None)
            for what in ("none", "closed", "replaced", "broken", "reconfigured", "dupped", "gone")
        ),
    ),
]
