"""Which launches import ahead of their hook: those in which nobody can see it, however they end."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.interpreters_found import clean_environment, each_of_few, few, in_turn, newest
from tests.support.launches import User
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.interpreters_found import Found

# Python looks for json beside the hook first; a launch that imports ahead has shown before that
# nothing is there. It is the one thing that the hook can see of it.
_HOOK = "import json\nimport sys\nprint(sys.path[0] in sys.path_importer_cache)\n"
_AHEAD = b"False\n"


@newest
@pytest.mark.parametrize(
    ("flags", "env", "ahead"),
    [
        ((), {}, True),
        (("-s", "-B", "-E", "-u"), {}, True),
        # these concern the end of the process
        ((), {"HOOKS_COMPILE_NORMAL_EXIT": "1"}, True),
        ((), {"LD_PRELOAD": ""}, True),
        ((), {"PYTHONFAULTHANDLER": "1"}, True),
        # these tell of imports, or of what they make
        (("-X", "dev"), {}, False),
        (("-X", "importtime"), {}, False),
        (("-X", "tracemalloc"), {}, False),
        (("-W", "error"), {}, False),
        (("-v",), {}, False),
        (("-i",), {}, False),
        ((), {"PYTHONWARNINGS": "error"}, False),
        ((), {"PYTHONDEVMODE": "1"}, False),
        ((), {"PYTHONVERBOSE": "1"}, False),
        ((), {"PYTHONPROFILEIMPORTTIME": "1"}, False),
        ((), {"PYTHONTRACEMALLOC": "1"}, False),
        ((), {"PYTHONMALLOCSTATS": "1"}, False),
        ((), {"PYTHON_LAZY_IMPORTS": "normal"}, False),
        # these are not Python's, or do not concern a script
        ((), {"PYTHON_VERSION": "3.14.1", "PYTHON_SHA256": "ab"}, True),
        ((), {"PYTHON_BASIC_REPL": "1", "PYTHONSTARTUP": "none.py"}, True),
    ],
    ids=str,
)
def test_an_option_or_variable_decides(
    flags: tuple[str, ...], env: Mapping[str, str], ahead: bool, interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "work" / "hook.py", _HOOK)
    user.compile(hook)
    user = user.with_env(**env)
    assert user.source(hook, flags=("-S", *flags)).stdout == b"True\n"
    done = user.launch(hook, flags=("-S", *flags))
    assert (done.status, done.stdout, done.state) == (0, _AHEAD if ahead else b"True\n", "hit")


@newest
@pytest.mark.parametrize("word", ["gc", "settrace", "setprofile", "addaudithook", "cProfile"])
def test_a_word_in_the_source_decides(word: str, interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "work" / "hook.py", f"{_HOOK}# {word}\n")
    user.compile(hook)
    done = user.launch(hook, flags=("-S",))
    assert (done.stdout, done.state) == (b"True\n", "hit")


# What a module may do that a .pth file loads at each start. Nobody knows it, so nothing is ahead.
AT_START: Mapping[str, str] = {
    "nothing": "",
    "imports": "import json, re\n",
    "finds modules": (
        "import builtins, sys\nbuiltins.SEEN = []\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None): SEEN.append((name, path))\n"
        "sys.meta_path.insert(0, Finder())\n"
    ),
    "imports by itself": (
        "import builtins\nbuiltins.SEEN = []\nold = __import__\n"
        "def new(name, *rest, **more):\n    if SEEN or name == 'json': SEEN.append(name)\n"
        "    return old(name, *rest, **more)\n"
        "builtins.__import__ = new\n"
    ),
    "traces": (
        "import builtins, sys\nbuiltins.SEEN = []\n"
        "def trace(frame, event, value):\n"
        "    if 'json' in frame.f_code.co_filename: SEEN.append(frame.f_code.co_name)\n"
        "sys.settrace(trace)\n"
    ),
    "audits": (
        "import builtins, sys\nbuiltins.SEEN = []\n"
        "sys.addaudithook(lambda *event: event[0] == 'import' and SEEN.append(event[1][0]))\n"
    ),
    "watches the collector": ("import gc\ngc.callbacks.append(lambda *a: None)\n"),
    "runs a thread": (
        "import threading\ndone = threading.Event()\n"
        "threading.Thread(target=done.wait, daemon=True).start()\n"
    ),
    "has another re": (
        "import builtins, re, sys, types\nmade = types.ModuleType('re')\n"
        "made.__dict__.update(vars(re), _cache={}, _cache2={}, __file__='/site-packages/re.py')\n"
        "sys.modules['re'] = made\n"
        "class Seen:\n"
        "    def __repr__(self): return repr([type(made._cache), type(made._cache2)])\n"
        "builtins.SEEN = Seen()\n"
    ),
}
_SHOWS = _HOOK + (
    "import re, textwrap\nprint(re.compile(r'a\\s+b'), textwrap.dedent('  a'))\n"
    "print(globals()['__builtins__'].__dict__.get('SEEN'))\n"
)


@pytest.mark.parametrize(("name", "interpreter"), in_turn(AT_START, few()))
def test_what_an_unknown_module_sees_at_the_start_is_as_ever(
    name: str, interpreter: Found, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user = User.create(tmp_path, interpreter)
    venv = environment_of(interpreter, tmp_path_factory)
    (site,) = venv.glob("lib/*/site-packages")
    write(site / "loaded.py", AT_START[name])
    write(site / "loaded.pth", "import loaded\n")
    hook = write(tmp_path / "work" / "hook.py", _SHOWS)
    user.compile(hook)
    python = str(venv / "bin" / "python")
    expected = user.run([python, str(hook)])
    done = user.run([python, str(user.runtime / "launch.py"), str(hook)])
    assert (expected.status, expected.stderr) == (0, b"")
    assert (done.status, done.stderr, done.state) == (0, b"", "hit")
    assert done.stdout == expected.stdout


def environment_of(interpreter: Found, factory: pytest.TempPathFactory) -> Path:
    """A virtual environment without a package."""
    venv = factory.mktemp("venv") / "venv"
    words = [str(interpreter.executable), "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(words, check=True, capture_output=True, env=clean_environment())
    return venv


_COUNTS = """\
import gc, json
print(json.loads in gc.get_objects(), gc.get_freeze_count(), gc.isenabled())
"""


@each_of_few
def test_python_ends_the_process_with_all_objects_in_its_hands(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter).with_env(HOOKS_COMPILE_NORMAL_EXIT="1")
    write(tmp_path / "work" / "beside.py", _COUNTS)
    hook = write(tmp_path / "work" / "hook.py", f"{_HOOK}import beside\n")
    user.compile(hook)
    done = user.launch(hook, flags=("-S",))
    ahead = interpreter.version >= (3, 10)
    assert done.stdout.partition(b"\n")[0] == (b"False" if ahead else b"True")
    assert done.stdout.partition(b"\n")[2] == b"True 0 True\n"
    of_source = user.source(hook, flags=("-S",)).stdout.partition(b"\n")[2]
    # 3.12 itself freezes some objects when it starts
    assert of_source == b"True 0 True\n" or interpreter.version[:2] == (3, 12)
