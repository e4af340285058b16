"""The files that run code at each start of a Python: what they cost, and how to get rid of them.

They are ``.pth`` files with ``import`` lines, ``.start`` files (PEP 829, Python 3.15),
``sitecustomize`` and ``usercustomize``.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.doctor.findings import Finding, note
from hooks_compile.errors import InterpreterError, pasted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.model import Interpreter

# The time that a Python gets to reach its first line. It is no measurement.
_PATIENCE_S = 4
# What costs less than this, and lets launches end early, is not worth a line.
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

def measured(path, act):
    def run(*arguments, **options):
        sitedir = site.os.path.dirname(path)  # -nspkg.pth files look for it in their caller
        loaded, begun = set(sys.modules), time.perf_counter()
        try:
            return act(*arguments, **options)
        finally:
            took = time.perf_counter() - begun
            before, modules = files.get(path, (0, {}))
            new = {name: sys.modules[name] for name in set(sys.modules) - loaded}
            files[path] = (before + took, {**modules, **new})
    return run

def execute(line):  # what site calls for a line of a .pth file
    frame = sys._getframe(1)
    path, before = frame.f_locals["fullname"], dict(vars(site))
    measured(path, exec)(line, frame.f_globals, frame.f_locals)
    for name in ("execsitecustomize", "execusercustomize"):
        if vars(site)[name] is not before[name]:  # pip-system-certs acts as late as that
            setattr(site, name, measured(path, vars(site)[name]))

class Resolver:  # what site asks for each line of a .start file, and then calls the answer
    @staticmethod
    def resolve_name(*arguments, **options):
        def resolve():
            import pkgutil
            return pkgutil.resolve_name(*arguments, **options)
        path = sys._getframe(1).f_locals["filename"]
        return measured(path, measured(path, resolve)())

site.exec, site.pkgutil = execute, Resolver
site.execsitecustomize = measured("sitecustomize", site.execsitecustomize)
site.execusercustomize = measured("usercustomize", site.execusercustomize)
site.main()

everything, answer = sys.modules, []
for path, (seconds, modules) in files.items():
    path = getattr(everything.get(path), "__file__", None) or path
    if "/" in path:  # else there is no such module
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

    path: str
    seconds: float
    is_known: bool


def measure(interpreter: Interpreter, env: Mapping[str, str], rounds: int) -> list[StartFile]:
    """Return the files that run code in a start, each at its fastest of ``rounds`` starts.

    Raises InterpreterError if it does not start.
    """
    measured = [file for _ in range(rounds) for file in _start(interpreter, env)]
    slowest_first = sorted(measured, key=lambda file: -file.seconds)
    return list({file.path: file for file in slowest_first}.values())


def _start(interpreter: Interpreter, env: Mapping[str, str]) -> list[StartFile]:
    try:
        done = subprocess.run(
            [interpreter.executable, "-S", "-B", "-c", _PROBE, Path(__file__).parents[2]],
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        # the lines before may be a sitecustomize's that prints
        return [StartFile(*each) for each in json.loads(done.stdout.splitlines()[-1])]
    except subprocess.TimeoutExpired:
        cause = f"it did not reach its first line in {_PATIENCE_S} s"
        raise InterpreterError(cause) from None
    except (IndexError, TypeError, ValueError):
        said = " ".join(done.stderr.decode(errors="replace").splitlines()[-1:])
        raise InterpreterError(said or "no answer") from None


def describe(files: list[StartFile], interpreter: Interpreter) -> Iterator[Finding]:
    """Name each file that costs time or keeps launches from ending early, and how to remove it."""
    for file in files:
        text = f"{file.path} takes {file.seconds * 1000:.1f} ms of it"
        if not file.is_known:
            text += "; it loads unknown modules, so Python itself ends each launch"
        if not file.is_known or file.seconds >= _CHEAP_S:
            yield note(text, _removal(Path(file.path), pasted(interpreter.executable)))


def _removal(path: Path, python: str) -> str:
    """Return the command that removes the file: by the distribution whose RECORD has it."""
    for each in metadata.distributions(path=[str(path.parent)]):
        # a damaged RECORD or direct_url.json names nothing
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            if path.name in map(str, each.files or ()):
                origin = json.loads(each.read_text("direct_url.json") or "{}")
                if origin.get("dir_info", {}).get("editable"):
                    return f"{python} -m pip install {quote(origin['url'])}  # not --editable"
                return f"{python} -m pip uninstall {quote(each.name)}"
    return f"rm {pasted(path)}  # if nothing needs it; no Python package lists it"
