"""Runs sources at optimization levels under one interpreter, a child process for each run.

As a module it is what the tests import; as a script it is the server that ``Runner`` starts in
the interpreter under test, so it has to be Python 3.8 and may import only the standard library.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import traceback
import types
from pathlib import Path

_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


class Runner:
    """One interpreter that runs sources and says what they showed."""

    def __init__(self, executable: Path, folder: Path) -> None:
        self._process = subprocess.Popen(
            [str(executable), "-I", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
            cwd=str(folder),
        )

    def run(self, source: str, level: int) -> str:
        """Return all that one run showed: stdout and stderr together, and the exit status.

        Addresses of objects are left out: they differ from run to run of the same source.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps([source, level]) + "\n")
        stdin.flush()
        return _ADDRESS.sub(" at 0x", str(json.loads(stdout.readline())))

    def close(self) -> None:
        self._process.communicate()


def serve() -> None:
    """Answer each line of stdin, ``[source, level]``, with what the run showed."""
    for module in ("argparse", "asyncio", "concurrent.futures", "enum", "json", "logging"):
        __import__(module)  # once for all children
    hook, out = Path("hook.py"), Path("out")
    for line in sys.stdin.buffer:
        source, level = json.loads(line)
        hook.write_bytes(source.encode())
        with out.open("wb") as stream:
            child = os.fork()
            if child == 0:
                os.dup2(stream.fileno(), 1)
                os.dup2(stream.fileno(), 2)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                _run(source, level)
            status = os.waitpid(child, 0)[1]
        shown = out.read_bytes().decode("utf-8", "replace")
        sys.stdout.write(json.dumps(f"{shown}\nstatus {status}") + "\n")
        sys.stdout.flush()


def _run(source: str, level: int) -> None:
    status = 0
    try:
        main = types.ModuleType("__main__")
        main.__dict__.update(__builtins__=sys.modules["builtins"], __file__="hook.py")
        sys.modules["__main__"] = main
        sys.argv = ["hook.py"]
        code = compile(source, "hook.py", "exec", dont_inherit=True, optimize=level)
        exec(code, main.__dict__)  # noqa: S102 - the sources are the tests' own
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
        sys.stderr.write(f"{error.code}\n")
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


if __name__ == "__main__":
    serve()
