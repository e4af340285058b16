"""What a script does to test the snapshot that it was resumed from. Runs in the hook's Python.

Each case prints ``fine`` unless it can't, and ends with an error if something is not as it should.
"""

import os
import sys


def run(case: str) -> None:
    """Run one case."""
    CASES[case]()
    if case not in ("closed", "broken_pipe"):
        print("fine")


def closed() -> None:
    """All three streams are closed."""
    require(sys.stdin is sys.stdout is sys.stderr is None)


def broken_pipe() -> None:
    """Nobody reads stdout."""
    try:
        print("x" * 100000, flush=True)
    except BrokenPipeError:
        os._exit(0)
    require(False)


def terminal() -> None:
    """Stdin is a terminal."""
    require(sys.stdin.isatty() and not sys.stdout.isatty())


def interrupt() -> None:
    """Wait for ^C."""
    import time

    print("ready", flush=True)
    for _ in range(600):  # a signal just before a sleep is seen only when that sleep ends
        time.sleep(0.1)


def limits() -> None:
    """The limits are those of the caller."""
    import resource

    require(resource.getrlimit(resource.RLIMIT_NOFILE) == (64, 64))
    require(os.nice(0) >= 5)


def threads() -> None:
    """Threads run, each with its own data, and signals reach the main thread."""
    import signal
    import threading

    seen: list = []  # type: ignore[type-arg] # 3.8 has no list[...]
    local = threading.local()

    def work(number: int) -> None:
        local.number = number
        seen.append(local.number)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    require(sorted(seen) == list(range(8)))
    main = threading.main_thread()
    require(threading.current_thread() is main)
    if hasattr(main, "native_id"):
        require(main.native_id == os.getpid())
    signal.signal(signal.SIGUSR1, lambda *_: seen.append("signal"))
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    require(seen[-1] == "signal")


def processes() -> None:
    """Children are forked and executed, and the environment reaches them."""
    import subprocess

    child = os.fork()
    if child == 0:
        os._exit(7)
    require(os.waitpid(child, 0)[1] == 7 << 8)
    os.environ["SNAPSHOT_TEST"] = "one"
    words = [sys.executable, "-c", "import os; print(os.environ['SNAPSHOT_TEST'], os.getppid())"]
    answer = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.split()
    require(answer == [b"one", b"%d" % os.getpid()])
    require(os.system("exit 3") == 3 << 8)


def libraries() -> None:
    """Every extension module of the standard library can be loaded and used."""
    import importlib

    names = [
        name
        for directory in sys.path
        if directory.endswith("lib-dynload") and os.path.isdir(directory)
        for name in os.listdir(directory)
    ]
    for name in sorted({name.partition(".")[0] for name in names if name.endswith(".so")}):
        if "test" not in name and name not in ("_tkinter", "readline", "_curses", "_curses_panel"):
            try:
                importlib.import_module(name)
            except ImportError:
                pass  # a library of the system is missing, with or without a snapshot
    import hashlib
    import zlib

    require(zlib.decompress(zlib.compress(b"x" * 1000)) == b"x" * 1000)
    require(hashlib.sha256(b"").hexdigest().startswith("e3b0c44298fc1c14"))


def memory() -> None:
    """Much memory is allocated, and the collector runs over all objects."""
    import gc

    blocks = [bytearray(1 << 20) for _ in range(200)]
    require(sum(map(len, blocks)) == 200 << 20)
    del blocks
    table = {str(n): [n] for n in range(100000)}
    require(len(table) == 100000)
    del table
    gc.unfreeze()
    gc.collect()


def recursion() -> None:
    """Deep recursion ends in an error, and a C function may use much of the stack."""

    def deep(n: int) -> int:
        return deep(n + 1)

    try:
        deep(0)
    except RecursionError:
        pass
    else:
        require(False)
    import re

    require(re.match("(" * 90 + "a" + ")" * 90, "a"))
    import ast

    nested = "[" * 80 + "]" * 80
    require(repr(ast.literal_eval(nested)) == nested)


def signals() -> None:
    """Handlers run, alarms arrive, and a child can be killed."""
    import signal

    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)  # the first may come before we wait
    signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    require(seen)
    child = os.fork()
    if child == 0:
        signal.pause()
    os.kill(child, signal.SIGTERM)
    require(os.waitpid(child, 0)[1] == signal.SIGTERM)


def require(is_right: object) -> None:
    """Fail unless the argument is true; the traceback shows the line."""
    if not is_right:
        raise AssertionError(sys._getframe(1).f_lineno)


CASES = {
    case.__name__: case
    for case in (
        *(closed, broken_pipe, terminal, interrupt, limits, threads, processes, libraries),
        *(memory, recursion, signals),
    )
}
