"""stdin, stdout and stderr in every state that an agent or a shell leaves them in."""

from __future__ import annotations

from tests.conformance.model import Case, Run

_READS = """\
import json
import os
import subprocess
import sys

what = sys.argv[1]
if what == "all":
    print(ascii(sys.stdin.read()))
elif what == "json":
    print(json.load(sys.stdin))
elif what == "line":
    print(ascii(sys.stdin.readline()))
elif what == "input":
    print(input("prompt> "))
elif what == "lines":
    print([ascii(line) for line in sys.stdin])
elif what == "binary":
    sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])
elif what == "raw":
    print(os.read(0, 4))
elif what == "nothing":
    print("not read")
elif what == "rest":
    print(os.read(0, 4), flush=True)
    subprocess.run(["cat"])
elif what == "none":
    print(sys.stdin)
    input()
elif what == "closed":
    sys.stdin.close()
    print("closed")
elif what == "stdin-fd":
    with open(0, "rb", closefd=False) as file:
        print(len(file.read()))
"""

_PAYLOAD = '{"tool_name": "Bash", "tool_input": {"command": "rm -rf \u00e9"}}'

_WRITES = """\
import sys
import time

what = sys.argv[1]
if what == "lines":
    for number in range(20_000):
        print("line", number)
elif what == "block":
    sys.stdout.write("x" * 1_000_000)
elif what == "binary":
    sys.stdout.buffer.write(bytes(range(256)) * 10)
elif what == "mixed":
    for number in range(5):
        print("out", number)
        print("err", number, file=sys.stderr)
elif what == "caught":
    try:
        for number in range(20_000):
            print("line", number, flush=True)
    except BrokenPipeError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
elif what == "exit":
    print("unflushed")
    sys.exit(7)
elif what == "raise":
    print("unflushed")
    1 / 0
elif what == "text":
    print("\\u00e9\\u20ac")
elif what == "surrogate":
    print("\\ud800")
elif what == "no-newline":
    print("end", end="")
elif what == "default-pipe":
    import signal
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for number in range(20_000):
        print("line", number)
elif what == "log":
    import logging
    logging.basicConfig(level="INFO", stream=sys.stdout)
    logging.info("logged")
elif what == "tty":
    print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stderr.isatty())
    print("error", file=sys.stderr)
    1 / 0
"""

CASES = [
    Case(
        "stdin",
        {"hook.py": _READS},
        (
            Run(("hook.py", "all"), stdin=_PAYLOAD, shows="Bash"),
            Run(("hook.py", "all"), stdin=b"", shows="''"),
            Run(("hook.py", "all"), stdin=b"a\r\nb\rc\n", shows="a\\r\\nb\\rc"),
            Run(("hook.py", "all"), stdin=b"\xff\xfe\0bad", status=None),
            Run(("hook.py", "all"), stdin=_PAYLOAD * 2_000, shows="Bash"),
            Run(("hook.py", "json"), stdin=_PAYLOAD, shows="tool_name"),
            Run(("hook.py", "json"), stdin=b"", status=1, shows="JSONDecodeError"),
            Run(("hook.py", "line"), stdin="one\ntwo\n", shows="one"),
            Run(("hook.py", "input"), stdin="answer\n", shows="prompt> answer"),
            Run(("hook.py", "input"), stdin=b"", status=1, shows="EOFError"),
            Run(("hook.py", "lines"), stdin="a\nb\n\u00e9"),
            Run(("hook.py", "binary"), stdin=bytes(range(256)), shows=b"\xff\xfe"),
            Run(("hook.py", "raw"), stdin="abcdef", shows="abcd"),
            Run(("hook.py", "nothing"), stdin=_PAYLOAD, shows="not read"),
            Run(("hook.py", "nothing"), stdin=_PAYLOAD * 2_000, shows="not read"),
            Run(("hook.py", "rest"), stdin="abcdefgh", shows="efgh"),
            Run(("hook.py", "none"), stdin=None, status=1),
            Run(("hook.py", "closed"), stdin=_PAYLOAD, shows="closed"),
            Run(("hook.py", "stdin-fd"), stdin=_PAYLOAD * 3),
            Run(("hook.py", "all"), by_sh='"$@" <hook.py', shows="sys.stdin"),
            Run(("hook.py", "all"), by_sh='"$@" </dev/null', shows="''"),
        ),
    ),
    Case(
        "stdout",
        {"hook.py": _WRITES},
        (
            Run(("hook.py", "lines"), shows="line 19999"),
            Run(("hook.py", "block"), shows="x" * 100),
            Run(("hook.py", "binary"), shows=b"\x00\x01"),
            Run(("hook.py", "mixed"), shows="err 4"),
            Run(("hook.py", "mixed"), by_sh='exec "$@" 2>&1', shows="err 4"),
            Run(("hook.py", "text"), env={"PYTHONIOENCODING": "ascii"}, status=1),
            Run(("hook.py", "surrogate"), status=1, shows="UnicodeEncodeError"),
            Run(("hook.py", "no-newline"), shows="end"),
            Run(("hook.py", "exit"), status=7, shows="unflushed"),
            Run(("hook.py", "raise"), status=1, shows="unflushed"),
            Run(("hook.py", "log"), shows="logged"),
        ),
    ),
    Case(
        "stdout-closed",
        {"hook.py": _WRITES},
        (
            Run(("hook.py", "mixed"), stdout="closed", shows="err 4"),
            Run(("hook.py", "exit"), stdout="closed", status=7),
            Run(("hook.py", "raise"), stdout="closed", status=1),
        ),
    ),
    Case(
        "stdout-full",
        {"hook.py": _WRITES},
        (
            Run(("hook.py", "lines"), stdout="full", status=None, shows="No space left"),
            Run(("hook.py", "text"), stdout="full", status=None, shows="No space left"),
            Run(("hook.py", "exit"), stdout="full", status=None),
            Run(("hook.py", "raise"), stdout="full", status=None),
            Run(("hook.py", "mixed"), by_sh='exec "$@" 2>/dev/full', status=None),
        ),
    ),
    Case(
        "stdout-without-a-reader",
        {"hook.py": _WRITES},
        (
            Run(("hook.py", "lines"), stdout="gone", status=None, shows="Broken"),
            Run(("hook.py", "text"), stdout="gone", status=None, shows="Broken"),
            Run(("hook.py", "exit"), stdout="gone", status=None),
            Run(("hook.py", "caught"), stdout="gone", status=None, shows="Broken"),
            Run(("hook.py", "default-pipe"), stdout="gone", status=-13),
            Run(("hook.py", "block"), stdout="head", status=None, shows="xxx"),
            Run(("hook.py", "block"), stdout="stalled", status=None),
        ),
    ),
    Case(
        "stdout-appended-to",
        {"hook.py": _WRITES, "out.txt": "before\n"},
        (
            Run(("hook.py", "mixed"), stdout="append"),
            Run(("hook.py", "mixed"), by_sh='exec "$@" >>out.txt 2>&1'),
            Run(("hook.py", "mixed"), by_sh='exec "$@" >|out.txt'),
        ),
    ),
    Case(
        "terminal",
        {"hook.py": _WRITES},
        (
            Run(("hook.py", "tty"), stdout="pty", status=1, shows="True True True"),
            Run(("hook.py", "tty"), stdout="pty", env={"NO_COLOR": "1"}, status=1),
            Run(("hook.py", "tty"), env={"FORCE_COLOR": "1"}, status=1),
            Run(("hook.py", "mixed"), stdout="pty"),
        ),
    ),
]
