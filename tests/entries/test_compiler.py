"""Compiling for real interpreters: what is written, what is left, what is told."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.compile_worker.worker import Order
from hooks_compile.entries import workers
from hooks_compile.entries.compiler import Compiler
from hooks_compile.entries.workers import Subprocess, is_own
from hooks_compile.errors import InterpreterError
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.launcher import entry
from hooks_compile.model import HookSource, LevelChoice, State
from tests.support.interpreters_found import Found, each_interpreter, found
from tests.support.launches import User
from tests.support.repositories import write
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from hooks_compile.model import Interpreter, Optimize


@pytest.fixture
def key(tmp_path: Path) -> bytes:
    directory = tmp_path / "runtime"
    runtime_directory.ensure(directory)
    return runtime_directory.read_key(directory)


def interpreter_of(each: Found, tmp_path: Path) -> Interpreter:
    return resolve(str(each.executable), cwd=tmp_path, env=os.environ)


def own(tmp_path: Path) -> Interpreter:
    return resolve(sys.executable, cwd=tmp_path, env=os.environ)


@each_interpreter
def test_every_interpreter_compiles_finds_and_tells_what_is_broken(
    interpreter: Found, tmp_path: Path, key: bytes
) -> None:
    good = HookSource(write(tmp_path / "good.py", "import sys\nsys.exit(3)\n"))
    broken = HookSource(write(tmp_path / "broken.py", "x = 1\nif x\n    pass\n"))
    chosen = interpreter_of(interpreter, tmp_path)
    with Compiler([chosen], key) as compiler:
        before = compiler.check([good, broken])
        written = compiler.compile([good, broken])
        after = compiler.check([good, broken])
    assert [r.state for r in before] == [State.BROKEN, State.MISSING]
    assert [r.state for r in written] == [State.BROKEN, State.COMPILED]
    assert [r.state for r in after] == [State.BROKEN, State.FRESH]
    error = written[0].error
    assert error is not None
    assert error.kind == "SyntaxError"
    assert error.line in {2, 3}  # PyPy names the line where the statement ends
    assert after[1].entry is not None
    assert after[1].entry.exists()


def test_a_check_writes_nothing(tmp_path: Path, key: bytes) -> None:
    source = HookSource(write(tmp_path / "hooks" / "a.py", "pass\n"))
    with Compiler([own(tmp_path)], key) as compiler:
        compiler.check([source])
    assert [path.name for path in (tmp_path / "hooks").iterdir()] == ["a.py"]


def test_interpreters_of_one_version_that_make_the_same_entries_count_once(
    tmp_path: Path, key: bytes
) -> None:
    source = HookSource(write(tmp_path / "a.py", "x = (\n"))
    one = own(tmp_path)
    in_environment = one._replace(executable=tmp_path / ".venv/bin/python3")
    with Compiler([one, in_environment], key) as compiler:
        (result,) = compiler.compile([source])
    assert (result.state, result.interpreter) == (State.BROKEN, one)


def test_interpreters_share_entries_if_they_can(tmp_path: Path, key: bytes) -> None:
    source = HookSource(write(tmp_path / "a.py", "pass\n"))
    one = own(tmp_path)
    other = one._replace(version=(*one.version[:2], 99))
    with Compiler([one, other], key) as compiler:
        results = compiler.compile([source])
    assert [result.state for result in results] == [State.COMPILED, State.FRESH]
    assert len(list((tmp_path / entry.CACHE_DIRECTORY).glob("a.*"))) == 1


def test_a_forced_level_replaces_the_proven_one_and_back(tmp_path: Path, key: bytes) -> None:
    source = HookSource(write(tmp_path / "a.py", "assert True\nprint(1)\n"))

    def names() -> list[str]:
        return sorted(
            path.name.split(".")[2] for path in (tmp_path / entry.CACHE_DIRECTORY).glob("a.*")
        )

    with Compiler([own(tmp_path)], key) as auto:
        assert auto.compile([source])[0].choice.level == 0
        assert names() == ["opt-0"]
    with Compiler([own(tmp_path)], key, 2) as forced:
        assert forced.check([source])[0].state is State.MISSING
        assert forced.compile([source])[0].state is State.COMPILED
        assert names() == ["opt-2"]
    with Compiler([own(tmp_path)], key) as auto:
        assert auto.compile([source])[0].state is State.COMPILED
        assert names() == ["opt-0"]


def test_what_a_launch_compiled_is_fresh_and_only_a_write_makes_it_better(tmp_path: Path) -> None:
    user = User.create(tmp_path / "user")
    hook = HookSource(write(tmp_path / "a.py", "import json\nassert json\n"))
    assert user.launch(hook.path).state == "miss"
    path = user.entry_path(hook.path, 0)
    before = path.read_bytes()
    levels: tuple[Optimize, ...] = ("auto", 0, 2)
    for optimize in levels:
        with Compiler([user.interpreter], user.key, optimize) as compiler:
            (checked,) = compiler.check([hook], explain=True)
            assert (checked.state, checked.entry, path.read_bytes()) == (State.FRESH, path, before)
            assert checked.choice == LevelChoice(0, "compiled by a launch")
    assert user.compile(hook.path)[0].state is State.COMPILED
    assert entry.unpack(path.read_bytes())[1][1] == ("re", "json")  # the launcher makes these ahead
    assert user.compile(hook.path)[0].state is State.FRESH


def test_the_reason_for_the_level_is_told_if_it_is_asked_for(tmp_path: Path, key: bytes) -> None:
    source = HookSource(write(tmp_path / "a.py", "print(1)\n\nassert 1\n"))
    reasons: dict[Optimize, str] = {"auto": "line 3: assert", 1: "forced"}
    for optimize, reason in reasons.items():
        with Compiler([own(tmp_path)], key, optimize) as compiler:
            assert compiler.check([source])[0].choice.reason == reason
            assert compiler.compile([source])[0].choice.reason == reason
            assert compiler.check([source])[0].choice.reason == ""
            assert compiler.check([source], explain=True)[0].choice.reason == reason


def test_a_source_that_vanishes_or_is_no_file_is_told(tmp_path: Path, key: bytes) -> None:
    os.mkfifo(tmp_path / "fifo.py")
    sources = [HookSource(tmp_path / "gone.py"), HookSource(tmp_path / "fifo.py")]
    with Compiler([own(tmp_path)], key) as compiler:
        results = compiler.compile(sources)
    assert {result.state for result in results} == {State.UNREADABLE}
    assert all(result.detail for result in results)


@pytest.mark.parametrize("count", [3, 150])
def test_few_and_many_sources_give_the_same_results(count: int, tmp_path: Path, key: bytes) -> None:
    sources = [
        HookSource(write(tmp_path / f"h{number}.py", f"x = {number}\n" if number % 7 else "x ="))
        for number in range(count)
    ]
    with Compiler([own(tmp_path)], key) as compiler:
        results = compiler.compile(sources)
    assert [result.source for result in results] == sorted(sources)
    broken = [result for result in results if result.state is State.BROKEN]
    assert len(broken) == len(range(0, count, 7))


def test_modules_become_checked_hash_files_that_python_itself_uses(
    tmp_path: Path, key: bytes
) -> None:
    module = HookSource(write(tmp_path / "beside.py", "import sys\nVALUE = 1\n"), "local module")
    with Compiler([own(tmp_path)], key) as compiler:
        (written,) = compiler.modules([module], write=True)
        (again,) = compiler.modules([module], write=True)
        assert (written.state, again.state) == (State.COMPILED, State.FRESH)
        assert written.entry is not None
        assert written.entry.read_bytes()[4:8] == b"\x03\0\0\0"  # PEP 552: checked hash
        verbose = subprocess.run(
            [sys.executable, "-v", "-c", "import beside"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        assert f"matches {module.path}" in verbose
        # what came with a clone does not verify, whatever its flags say
        written.entry.write_bytes(written.entry.read_bytes()[:-1] + b"?")
        (looked,) = compiler.modules([module], write=False)
        assert (looked.state, looked.detail) == (State.MISSING, "")
        (fixed,) = compiler.modules([module], write=True)
        assert fixed.state is State.COMPILED


_COUNTED = """\
import os, sys
from pathlib import Path
from hooks_compile.entries.compiler import Compiler
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.model import HookSource
path = sys.argv[1]
sys.addaudithook(lambda event, args: event == "compile" and args[1] == path and print(path))
interpreter = resolve(sys.executable, cwd=Path(), env=os.environ)
with Compiler([interpreter], bytes(16)) as compiler:
    for _ in range(2):
        compiler.modules([HookSource(Path(path))], write=True)
"""


def test_a_module_is_compiled_once(tmp_path: Path) -> None:
    module = write(tmp_path / "beside.py", "x = 1\n")
    command = [sys.executable, "-c", _COUNTED, str(module)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{module}\n"


def test_an_interpreter_that_dies_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    fake = write(tmp_path / "python", "#!/bin/sh\nexit 7\n", executable=True)
    real = own(tmp_path)
    broken = type(real)("python", fake, "cpython", (3, 8, 0), "cpython-38", "00", "00")
    with Subprocess(broken) as worker, pytest.raises(InterpreterError, match="status 7"):
        worker.perform(Order(b"k" * 16, "auto", write=False, only_look=True), ["/x"])
    missing = type(real)("p", tmp_path / "no", "cpython", (3, 8, 0), "cpython-38", "00", "00")
    with pytest.raises(InterpreterError, match="No such file"):
        Subprocess(missing)


# CPython before 3.11 compiles it until its stack ends
CRASHING = "x = " + "1 + " * 200_000 + "1\n"


@pytest.mark.parametrize("count", [3, 70][scaled(1, 0, 0) :])
def test_a_source_that_makes_the_interpreter_crash_keeps_no_other_from_being_compiled(
    tmp_path: Path, key: bytes, count: int
) -> None:
    crashing = [each for each in found() if each.is_cpython and each.version < (3, 9)]
    if not crashing:
        pytest.skip("CPython 3.8 is not on this machine (try: pyenv install)")
    interpreter = interpreter_of(crashing[0], tmp_path)
    hooks = [HookSource(write(tmp_path / f"h{n}.py", f"print({n})\n")) for n in range(count)]
    hooks.append(HookSource(write(tmp_path / "a_crash.py", CRASHING)))
    with Compiler([interpreter], key) as compiler:
        first, *others = compiler.compile(hooks)
        # FRESH: compiled just before the crash
        assert {other.state for other in others} <= {State.COMPILED, State.FRESH}
        assert [result.state for result in compiler.check(hooks)][1:] == [State.FRESH] * count
        module, *modules = compiler.modules(hooks[::-1], write=True)
    assert {result.state for result in modules} <= {State.COMPILED, State.FRESH}
    for result in (first, module):
        assert result.state is State.BROKEN
        assert result.error is not None
        assert result.error.kind == "Crash"
        assert "crashes when it compiles this" in result.error.message


@each_interpreter
def test_a_worker_takes_no_module_from_beside_our_installation(
    interpreter: Found, tmp_path: Path, key: bytes
) -> None:
    """What is installed with the tool is for the tool's interpreter, and may hide anything."""
    site_packages = tmp_path / "site-packages"
    shutil.copytree(Path(workers.__file__).parent.parent, site_packages / "hooks_compile")
    for name in (
        "argparse",
        "enum",
        "functools",
        "json",
        "re",
        "typing",
        "unicodedata",
        "warnings",
    ):
        write(site_packages / f"{name}.py", "raise SystemExit(f'from beside us: {__name__}')\n")
    hook = write(tmp_path / "hook.py", "import re, json, argparse\nre.compile('a.+é')\n")
    chosen = interpreter_of(interpreter, tmp_path)
    order = Order(key, "auto", write=True)
    message = marshal.dumps((tuple(order), [str(hook)]), 2)
    request = (len(message).to_bytes(4, "little"), message)
    done = subprocess.run(
        [chosen.executable, "-I", "-S", "-B", "-c", workers.PROGRAM, site_packages],
        input=b"".join(request),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"compiled" in done.stdout


def test_only_an_equal_interpreter_counts_as_our_own(tmp_path: Path) -> None:
    assert is_own(own(tmp_path))
    others = [each for each in found() if each.version[:2] != sys.version_info[:2]]
    for other in others:
        assert not is_own(interpreter_of(other, tmp_path))


def test_patterns_are_of_the_very_version_that_runs_the_hook(tmp_path: Path, key: bytes) -> None:
    """Debian's 3.11.2 reads the entries of our 3.11.7, but could not use patterns of it."""
    try:
        other = resolve("/usr/bin/python3", cwd=tmp_path, env=os.environ)
    except InterpreterError:
        pytest.skip("the system has no Python")
    if not is_own(other) or other.version == sys.version_info[:3]:
        pytest.skip("the system's Python has no other patch version of our own")
    hook = HookSource(write(tmp_path / "hook.py", "import re\nre.compile('a.+b')\n"))
    for interpreter in (own(tmp_path), other):
        with Compiler([interpreter], key) as compiler:
            path = compiler.compile([hook])[0].entry
        assert path is not None
        (version,) = [
            flags for pattern, flags in entry.unpack(path.read_bytes())[1][2] if not pattern
        ]
        major, minor, micro = interpreter.version
        assert version >> 8 == major << 16 | minor << 8 | micro
        path.unlink()


def test_environment_variables_do_not_reach_the_compiled_code(
    tmp_path: Path, key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = HookSource(write(tmp_path / "a.py", "def f():\n    return 1 / 0\nf()\n"))
    with Compiler([own(tmp_path)], key) as compiler:
        plain = compiler.compile([source])[0].entry
    assert plain is not None
    content = plain.read_bytes()
    plain.unlink()
    monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    assert not is_own(own(tmp_path))  # so that a process without the variable does it
    with Compiler([own(tmp_path)], key) as compiler:
        again = compiler.compile([source])[0].entry
    assert again is not None
    assert again.read_bytes() == content


def test_archives_with_the_name_of_a_source_are_no_hooks(tmp_path: Path, key: bytes) -> None:
    application = write(tmp_path / "application/__main__.py", "print('application')\n").parent
    for name, shebang in (("plain.py", None), ("with_shebang.py", "/usr/bin/env python3")):
        zipapp.create_archive(application, tmp_path / name, interpreter=shebang)
    write(tmp_path / "broken.py", "PK\r\n(")
    write(tmp_path / "text.py", b"\xff\xfeg\0")  # of another encoding: Python can't run it
    sources = [HookSource(path) for path in sorted(tmp_path.glob("*.py"))]
    with Compiler([own(tmp_path)], key) as compiler:
        for results in (compiler.compile(sources), compiler.modules(sources, write=True)):
            assert {r.source.path.name for r in results} == {"broken.py", "text.py"}
            assert {r.state for r in results} == {State.BROKEN}


def test_a_cache_that_is_removed_while_an_entry_is_written_is_made_again(tmp_path: Path) -> None:
    program = """
import os, sys
from hooks_compile.compile_worker import worker
cache = sys.argv[1]
removed = []
def remove(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".tmp") and not removed:
        removed.append(cache)
        os.rmdir(cache)
sys.addaudithook(remove)
worker._store(cache, "entry.pyc", b"data", True)
print(removed == [cache], sorted(os.listdir(cache)))
"""
    words = [sys.executable, "-c", program, str(tmp_path / "__pycache_opt__")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "True ['.gitignore', 'CACHEDIR.TAG', 'entry.pyc']\n"
