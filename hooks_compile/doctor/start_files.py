"""The files that run code at each start of a Python: what they cost, and how to get rid of them."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.bench.timing import Start, time_in_turn
from hooks_compile.doctor.findings import NOTE, OK, Finding
from hooks_compile.errors import InterpreterError
from hooks_compile.files import LARGEST_SOURCE, read_bytes
from hooks_compile.printable import one_line, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.model import Interpreter

_ROUNDS = 5
# The time that a Python gets to reach its first line. It is no measurement.
_PATIENCE_S = 4
# What costs less than this, and lets launches end early, needs no remedy.
_CHEAP_S = 0.002

# Does what Python does at its start, and measures each file. Nothing is imported before that which
# Python would not have loaded. It runs in /, so that nothing of the project is imported.
_PROBE = r"""
import sys
sys.path.append(sys.argv[1])
from hooks_compile.launcher.observers import has_only_known_modules
del sys.path[-1]
import site, time

files = {}

def note(path, loaded, begun):
    took = time.perf_counter() - begun
    before, modules = files.get(path, (0, {}))
    new = {name: sys.modules[name] for name in list(sys.modules) if name not in loaded}
    files[path] = (before + took, {**modules, **new})

def execute(line):  # what site calls for a line of a .pth file
    frame = sys._getframe(1)
    sitedir = frame.f_locals["sitedir"]  # lines of -nspkg.pth files look for it in their caller
    loaded, begun = set(sys.modules), time.perf_counter()
    try:
        exec(line, frame.f_globals, frame.f_locals)
    finally:
        note(frame.f_locals["fullname"], loaded, begun)

def measured(name, customize):
    def run():
        loaded, begun = set(sys.modules), time.perf_counter()
        customize()
        path = getattr(sys.modules.get(name), "__file__", None)
        if path:
            note(path, loaded, begun)
    return run

site.exec = execute
site.execsitecustomize = measured("sitecustomize", site.execsitecustomize)
site.execusercustomize = measured("usercustomize", site.execusercustomize)
site.main()

everything, answer = sys.modules, []
for path, (seconds, modules) in files.items():
    sys.modules = modules
    answer.append([path, seconds, has_only_known_modules()])
sys.modules = everything
import json
print()
print(json.dumps(answer), flush=True)
site.os._exit(0)  # what is printed at the end is no answer
"""


class StartFile(NamedTuple):
    """A file, the seconds that it takes, and whether all modules that it loads are known."""

    path: Path
    seconds: float
    is_known: bool


def measure(
    interpreter: Interpreter, env: Mapping[str, str], budget: float
) -> tuple[float, list[StartFile]]:
    """Return the seconds of a start at its fastest, and the files that run code in it, the same.

    After ``budget`` seconds no other start begins. Raises InterpreterError if it does not start.
    """
    end = time.perf_counter() + budget
    start = Start([str(interpreter.executable), "-c", "pass"])
    times: list[float] = []
    fastest: dict[Path, StartFile] = {}
    while not times or (len(times) < _ROUNDS and time.perf_counter() < end):
        for file in _start(interpreter, env):
            fastest[file.path] = min(file, fastest.get(file.path, file))
        ((took,),) = time_in_turn([start], cwd=Path("/"), env=env, rounds=1)
        times.append(took)
    return min(times), list(fastest.values())


def _start(interpreter: Interpreter, env: Mapping[str, str]) -> list[StartFile]:
    installation = Path(__file__).parent.parent.parent
    try:
        done = subprocess.run(
            [interpreter.executable, "-S", "-B", "-c", _PROBE, installation],
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        # the lines before may be a sitecustomize's that prints
        answer = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        cause = f"it did not reach its first line in {_PATIENCE_S} s"
        raise InterpreterError(cause) from None
    except (IndexError, ValueError):
        said = " ".join(done.stderr.decode(errors="replace").splitlines()[-1:])
        raise InterpreterError(one_line(said) or "no answer") from None
    return [StartFile(Path(path), seconds, known) for path, seconds, known in answer]


def describe(files: list[StartFile], interpreter: Interpreter) -> Iterator[Finding]:
    """Name each file with what it costs, how launches end because of it, and how to remove it."""
    for file in files:
        name = f"{shown(file.path)} runs code at each start of {interpreter.label}"
        effect = "launches still end early"
        if not file.is_known:
            effect = "it loads modules that are not known, so Python itself ends each launch"
        is_fine = file.is_known and file.seconds < _CHEAP_S
        remedy = "" if is_fine else _removal(file.path, interpreter)
        text = f"{name}: {file.seconds * 1000:.1f} ms; {effect}"
        yield Finding(OK if is_fine else NOTE, text, remedy)


def _removal(path: Path, interpreter: Interpreter) -> str:
    """Return the command that removes the file: by the distribution whose RECORD has it."""
    pip = f"{quote(shown(interpreter.executable))} -m pip"
    for record in path.parent.glob("*.dist-info/RECORD"):
        if b"\n%b," % path.name.encode(errors="replace") in b"\n" + _read(record):
            try:
                origin = json.loads(_read(record.with_name("direct_url.json")))
                if origin["dir_info"]["editable"]:
                    return f"{pip} install {quote(one_line(origin['url']))}  # not --editable"
            except (AttributeError, KeyError, TypeError, ValueError):
                pass  # it is not editable
            return f"{pip} uninstall {quote(one_line(record.parent.name.partition('-')[0]))}"
    return f"rm {quote(shown(path))}  # if nothing needs it; no Python package lists it"


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, LARGEST_SOURCE)
    except OSError:
        return b""
