"""Whatever is missing, damaged, full or unwritable: the hook does what its source does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.launches import (
    CACHE_DIRECTORY,
    WRAPPER,
    Launched,
    User,
    as_ordinary_user,
    entries,
    require_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HOOK = """\
import os, sys
fds = sorted(int(fd) for fd in os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self') else []
print(sys.argv, __file__, sys.path[0], len(fds), __debug__, sys.flags)
print(repr(sys.stdin.buffer.read()))
sys.exit(2)
"""
STRANGER = 12_345
BROKEN = "def broken(:\n"
STDIN = b'{"tool": "Bash"}\n\x00\xff' * 10_000


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path / "home")


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    path = tmp_path / "hooks" / "hook.py"
    path.parent.mkdir()
    path.write_text(HOOK)
    return path


def assert_same(
    user: User, script: str | Path, *states: str, cwd: Path | None = None, ordinary: bool = False
) -> Launched:
    """By wrapper as by ``python3``; ``states`` are those that its trace may tell."""
    before = as_ordinary_user() if ordinary else None
    expected = user.source(script, "a", "", cwd=cwd, stdin=STDIN, before=before)
    launched = user.wrapped(script, "a", "", cwd=cwd, stdin=STDIN, before=before)
    assert launched.shown == expected.shown
    assert launched.state in states, launched
    return launched


# --- the hook


@pytest.mark.parametrize("state", ["hit", "miss", "source"])
def test_stdin_is_whole_whichever_code_runs(user: User, hook: Path, state: str) -> None:
    if state == "hit":
        assert user.compile(hook)[0].ok
    elif state == "source":
        (user.runtime / "key").unlink()
    launched = assert_same(user, hook, state)
    assert launched.status == 2
    assert repr(STDIN).encode() in launched.stdout


@pytest.mark.parametrize("content", [BROKEN, "x = '\0'\n", "# coding: nonsense\n", "\tx\n y\n"])
def test_a_hook_that_does_not_compile_fails_as_python_says(
    user: User, hook: Path, content: str
) -> None:
    hook.write_text(content)
    launched = assert_same(user, hook, "source")
    assert launched.status == 1
    assert entries(hook.parent) == []


@pytest.mark.parametrize(
    "script",
    ["missing.py", "hook.py/", "hook.py/.", "hook.py/../hook.py", ".", "no/../hook.py", "loop.py"],
)
def test_what_is_no_script_fails_as_python_says(user: User, hook: Path, script: str) -> None:
    hook.with_name("loop.py").symlink_to("loop.py")
    launched = assert_same(user, script, "source", cwd=hook.parent)
    assert launched.status in (1, 2)


@pytest.mark.parametrize("script", ["./hook.py", "../hooks/hook.py", ".//hook.py", "link.py"])
def test_any_way_to_name_a_hook_hits_one_entry(user: User, hook: Path, script: str) -> None:
    hook.with_name("link.py").symlink_to("hook.py")
    assert user.compile(hook)[0].ok
    assert_same(user, script, "hit", cwd=hook.parent)


def test_a_hook_that_may_not_be_read_fails_as_python_says(user: User, hook: Path) -> None:
    hook.chmod(0)
    assert_same(user, hook, "source", ordinary=True)


def test_directories_and_archives_are_left_to_python(user: User, tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__main__.py").write_text(HOOK)
    with zipfile.ZipFile(tmp_path / "hook.pyz", "w") as archive:
        archive.write(package / "__main__.py", "__main__.py")
    assert_same(user, package, "source")
    # An archive may look like a source that does not compile.
    assert_same(user, tmp_path / "hook.pyz", "source")


def test_a_compiled_file_given_as_the_hook_is_left_to_python(user: User, hook: Path) -> None:
    subprocess.run([user.python, "-m", "compileall", "-q", "-b", hook], check=True)
    assert_same(user, hook.with_suffix(".pyc"), "source")


@pytest.mark.parametrize("length", [200, 240, 252])
def test_a_name_too_long_for_an_entry_runs(user: User, hook: Path, length: int) -> None:
    long = hook.rename(hook.with_name("n" * length + ".py"))
    for _ in range(2):
        assert_same(user, long, "hit" if entries(hook.parent) else "miss")


def test_a_working_directory_that_is_gone_is_as_for_python(user: User, hook: Path) -> None:
    gone = hook.parent / "gone"

    def shown(*command: str) -> tuple[int, bytes, bytes]:
        gone.mkdir()
        words = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *command]
        launched = user.run(words, cwd=gone)
        return launched.shown

    python = f"--python={user.python}"
    for script in (str(hook), "../hook.py", "hook.py"):
        # A shell says itself that its directory has gone.
        expected = shown("sh", "-c", 'exec "$@"', "sh", user.python, script)
        assert shown("sh", str(WRAPPER), python, script) == expected


def test_nothing_is_written_but_the_entry(user: User, hook: Path, tmp_path: Path) -> None:
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    assert_same(user, hook, "miss", cwd=cwd)
    assert_same(user, hook, "hit", cwd=cwd)
    assert list(cwd.iterdir()) == []
    names = sorted(path.name for path in (hook.parent / CACHE_DIRECTORY).iterdir())
    assert names[:2] == [".gitignore", "CACHEDIR.TAG"]
    assert len(names) == 3


# --- the runtime directory


def _no_launcher(runtime: Path) -> None:
    (runtime / "launch.py").unlink()


def _no_prepare(runtime: Path) -> None:
    (runtime / "prepare.py").unlink()


def _no_parts(runtime: Path) -> None:
    for path in runtime.glob("*.*.py"):
        path.unlink()


def _one_part_missing(runtime: Path) -> None:
    next(runtime.glob("*.miss.py")).unlink()


def _a_part_damaged(runtime: Path) -> None:
    next(runtime.glob("*.main.py")).write_bytes(b"def (")


def _a_part_with_zeros(runtime: Path) -> None:
    path = next(runtime.glob("*.start.py"))
    path.write_bytes(bytes(path.stat().st_size))


def _another_versions_parts(runtime: Path) -> None:
    for path in runtime.glob("*.*.py"):
        path.rename(path.with_name("0123456789abcdef." + path.name.partition(".")[2]))


def _an_empty_launcher(runtime: Path) -> None:
    (runtime / "launch.py").write_bytes(b"")


def _an_empty_start(runtime: Path) -> None:
    next(runtime.glob("*.start.py")).write_bytes(b"")


def _an_empty_main(runtime: Path) -> None:
    next(runtime.glob("*.main.py")).write_bytes(b"")


def _the_beginning_of_prepare(runtime: Path) -> None:
    (runtime / "prepare.py").write_bytes(b"i")


def _an_unreadable_launcher(runtime: Path) -> None:
    (runtime / "launch.py").chmod(0)


def _an_unreadable_prepare(runtime: Path) -> None:
    (runtime / "prepare.py").chmod(0)


def _a_file_for_the_directory(runtime: Path) -> None:
    shutil.rmtree(runtime)
    runtime.write_text("a file")


@pytest.mark.parametrize(
    "harm",
    [
        _no_launcher,
        _no_prepare,
        _no_parts,
        _one_part_missing,
        _a_part_damaged,
        _a_part_with_zeros,
        _another_versions_parts,
        _an_empty_launcher,
        _an_empty_start,
        _an_empty_main,
        _the_beginning_of_prepare,
        _an_unreadable_launcher,
        _an_unreadable_prepare,
        _a_file_for_the_directory,
    ],
    ids=lambda harm: harm.__name__.strip("_"),
)
def test_half_a_runtime_directory_runs_the_source(
    user: User, hook: Path, harm: Callable[[Path], None]
) -> None:
    harm(user.runtime)
    for _ in range(2):  # what the first launch stores must not harm the next one
        assert_same(user, hook, "", "source", ordinary=True)


def _log_a_directory(runtime: Path) -> None:
    (runtime / "fallbacks.log").mkdir()


def _log_unwritable(runtime: Path) -> None:
    (runtime / "fallbacks.log").write_text("")
    (runtime / "fallbacks.log").chmod(0o400)


def _log_full(runtime: Path) -> None:
    with (runtime / "fallbacks.log").open("wb") as file:
        file.truncate(1 << 30)


def _seen_missing(runtime: Path) -> None:
    (runtime / "seen").rmdir()


def _seen_a_file(runtime: Path) -> None:
    (runtime / "seen").rmdir()
    (runtime / "seen").write_text("")


def _all_read_only(runtime: Path) -> None:
    (runtime / "seen").chmod(0o500)
    runtime.chmod(0o500)


@pytest.mark.parametrize(
    "harm",
    [_log_a_directory, _log_unwritable, _log_full, _seen_missing, _seen_a_file, _all_read_only],
    ids=lambda harm: harm.__name__.strip("_"),
)
def test_what_can_not_be_recorded_does_not_matter(
    user: User, hook: Path, harm: Callable[[Path], None]
) -> None:
    harm(user.runtime)
    try:
        assert_same(user, hook, "miss", ordinary=True)
        assert_same(user, hook, "hit", ordinary=True)
    finally:
        user.runtime.chmod(0o700)


def test_with_everything_read_only_it_runs_and_hits_what_was_compiled(
    user: User, hook: Path
) -> None:
    other = hook.with_name("other.py")
    other.write_text("print('other')\n")
    assert user.compile(hook)[0].ok
    directories = [hook.parent / CACHE_DIRECTORY, hook.parent, user.runtime / "seen", user.runtime]
    for directory in directories:
        directory.chmod(0o500)
    try:
        assert_same(user, hook, "hit", ordinary=True)
        assert_same(user, other, "miss", ordinary=True)
    finally:
        for directory in reversed(directories):
            directory.chmod(0o700)
    assert not list(user.runtime.glob("launch.py.*"))


@pytest.mark.parametrize("trace", ["/", "/nowhere/trace", "/dev/full", "", "relative"])
def test_a_trace_that_can_not_be_written_does_not_matter(
    user: User, hook: Path, trace: str
) -> None:
    hook.write_text("print(1)\n")
    tracing = user.with_env(HOOKS_COMPILE_TRACE=trace)
    assert [tracing.wrapped(hook, cwd=user.runtime).shown for _ in range(2)] == [
        (0, b"1\n", b"")
    ] * 2


# --- the environment


def test_without_home_the_source_runs(user: User, hook: Path) -> None:
    if shutil.which("dash") is None:
        pytest.skip("dash is not on this machine; other shells look HOME up where it is not set")
    env = {"PATH": os.environ["PATH"]}
    words = ["dash", str(WRAPPER), f"--python={user.python}", str(hook)]
    done = subprocess.run(words, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"")
    assert entries(hook.parent) == []


@pytest.mark.parametrize("shape", ["data home", "home"])
def test_the_runtime_directory_is_found_by_home_and_data_home(
    user: User, hook: Path, tmp_path: Path, shape: str
) -> None:
    data = tmp_path / "data" if shape == "data home" else tmp_path / ".local" / "share"
    data.mkdir(parents=True)
    user.runtime.rename(data / "hooks-compile")
    variables = {"HOOKS_COMPILE_HOME": "", "HOME": str(tmp_path)}
    if shape == "data home":
        variables["XDG_DATA_HOME"] = str(data)
    launched = user.with_env(**variables).wrapped(hook)
    assert launched.state == "miss"


def test_without_a_python_on_path_it_says_what_the_shell_says(user: User, hook: Path) -> None:
    empty = hook.parent / "empty"
    empty.mkdir()
    lonely = user.with_env(PATH=str(empty))
    plain = lonely.run(["/bin/sh", "-c", 'exec python3 "$@"', "sh", str(hook)])
    launched = lonely.run(["/bin/sh", str(WRAPPER), str(hook)])
    assert launched.status == plain.status == 127
    assert launched.stderr.rpartition(b"exec: ")[2] == plain.stderr.rpartition(b"exec: ")[2]


@pytest.mark.parametrize("content", [HOOK, BROKEN])
def test_a_relative_path_finds_the_same_python_again(
    user: User, hook: Path, tmp_path: Path, content: str
) -> None:
    hook.write_text(content)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(user.python)
    near = user.with_env(PATH=f"bin:{os.environ['PATH']}")
    plain = near.run(["python3", str(hook)], cwd=tmp_path)
    for _ in range(2):
        launched = near.run(["sh", str(WRAPPER), str(hook)], cwd=tmp_path)
        assert launched.shown == plain.shown
        assert launched.state


VARIABLES = [
    ("PYTHONDONTWRITEBYTECODE", "1", "hit"),
    ("PYTHONUNBUFFERED", "1", "hit"),
    ("PYTHONOPTIMIZE", "1", "source"),
    ("PYTHONOPTIMIZE", "2", "source"),
    ("PYTHONWARNINGS", "error", "hit"),
    ("PYTHONNODEBUGRANGES", "1", "hit"),
    ("PYTHONPYCACHEPREFIX", "elsewhere", "hit"),
    ("PYTHONHASHSEED", "0", "hit"),
    ("PYTHONSAFEPATH", "1", "hit"),
    ("PYTHONNOUSERSITE", "1", "hit"),
    ("PYTHONUTF8", "1", "hit"),
    ("PYTHONIOENCODING", "ascii:backslashreplace", "hit"),
    ("PYTHONPATH", ".", "hit"),
    ("PYTHONMALLOC", "debug", "hit"),
    ("PYTHONDEVMODE", "1", "hit"),
    ("PYTHONFAULTHANDLER", "1", "hit"),
    ("PYTHONINTMAXSTRDIGITS", "640", "source"),
    ("PYTHONTRACEMALLOC", "1", "hit"),
    ("LC_ALL", "C", "hit"),
]


@pytest.mark.parametrize(("name", "value", "state"), VARIABLES, ids=str)
def test_variables_of_python_act_as_they_do_on_the_source(
    user: User, hook: Path, name: str, value: str, state: str
) -> None:
    hook.write_text(HOOK.replace("sys.exit(2)", "raise ValueError('é' * (1 + 1))"))
    set_so = user.with_env(**{name: value})
    assert_same(set_so, hook, "miss", "source", cwd=hook.parent)
    assert user.compile(hook)[0].ok
    assert_same(set_so, hook, state, cwd=hook.parent)


@pytest.mark.parametrize("digits", [1000, 5000])
def test_a_long_number_compiles_where_it_does_for_the_source(
    user: User, hook: Path, digits: int
) -> None:
    hook.write_text(f"x = {'9' * digits}\nprint('compiled')\n")
    user.compile(hook)
    for limit in ("640", "0", "4300", "640"):
        assert_same(user.with_env(PYTHONINTMAXSTRDIGITS=limit), hook, "hit", "miss", "source")


def test_a_launch_that_would_lose_columns_stores_nothing(user: User, hook: Path) -> None:
    for blind in (
        user.with_env(PYTHONNODEBUGRANGES="1").launch(hook, flags=("-S",)),
        user.launch(hook, flags=("-X", "no_debug_ranges")),
    ):
        assert blind.state == "miss"
        assert "it is not stored" in blind.reason
        assert entries(hook.parent) == []


@pytest.mark.parametrize(
    ("flags", "variables"),
    [
        (("-B",), {}),
        (("-sB",), {}),
        ((), {"PYTHONDONTWRITEBYTECODE": "1"}),
        ((), {"PYTHONDONTWRITEBYTECODE": "x"}),
    ],
)
def test_a_launch_that_must_write_no_bytecode_stores_no_entry_and_hits_one_that_is_there(
    user: User, hook: Path, flags: tuple[str, ...], variables: Mapping[str, str]
) -> None:
    forbidden = user.with_env(**variables)
    before = sorted(hook.parent.rglob("*"))
    for _ in range(2):
        launched = forbidden.launch(hook, flags=("-S", *flags))
        assert launched.state == "miss"
        assert launched.reason == "no entry; it is not stored: Python is told to write no bytecode"
        assert sorted(hook.parent.rglob("*")) == before
    assert (user.runtime / "fallbacks.log").exists()
    assert user.compile(hook)[0].ok
    assert forbidden.launch(hook, flags=("-S", *flags)).state == "hit"


def test_a_variable_that_python_ignores_forbids_nothing(user: User, hook: Path) -> None:
    forbidden = user.with_env(PYTHONDONTWRITEBYTECODE="1")
    assert forbidden.launch(hook, flags=("-E", "-S")).state == "miss"
    assert forbidden.launch(hook, flags=("-E", "-S")).state == "hit"


def test_root_leaves_no_entry_in_the_directory_of_another_user(user: User, hook: Path) -> None:
    require_root()
    os.chown(hook.parent, STRANGER, STRANGER)
    os.chown(hook, STRANGER, STRANGER)
    for _ in range(2):
        launched = user.launch(hook)
        assert launched.state == "miss"
        assert "the directory of the hook belongs to another user" in launched.reason
        assert list(hook.parent.iterdir()) == [hook]
    assert user.compile(hook)[0].ok, "an explicit command writes"
    assert user.launch(hook).state == "hit"


# --- HOOKS_COMPILE=off


@pytest.mark.parametrize("content", [HOOK, BROKEN])
def test_switched_off_every_launch_runs_the_source(user: User, hook: Path, content: str) -> None:
    hook.write_text(content)
    user.compile(hook)
    before = sorted(hook.parent.rglob("*"))
    off = user.with_env(HOOKS_COMPILE="off")
    for _ in range(2):
        launched = assert_same(off, hook, "source")
        assert launched.reason == "HOOKS_COMPILE=off"
    assert sorted(hook.parent.rglob("*")) == before
    assert not (user.runtime / "fallbacks.log").exists()


@pytest.mark.parametrize("value", ["", "on", "OFF", "0"])
def test_any_other_value_switches_nothing_off(user: User, hook: Path, value: str) -> None:
    assert user.compile(hook)[0].ok
    assert_same(user.with_env(HOOKS_COMPILE=value), hook, "hit")


def test_switched_off_a_debugger_sees_the_hook_alone(user: User, hook: Path) -> None:
    hook.write_text("import sys\nprint(sys._getframe().f_back, sys.gettrace(), sys.flags)\n")
    off = user.with_env(HOOKS_COMPILE="off")
    assert b"None None" in assert_same(off, hook, "source").stdout


# --- the environment again


def test_modules_beside_the_hook_take_no_name_from_the_launcher(user: User, hook: Path) -> None:
    names = ("_imp", "_warnings", "builtins", "entry", "miss", "lifecycle", "marshal", "posix")
    for name in (*names, "sys", "time", "typing", "types", "warnings", "hooks_compile"):
        hook.with_name(f"{name}.py").write_text("raise SystemExit('taken')\n")
    hook.write_text("import sys\nprint('hook', sorted(sys.argv[1:]))\n")
    user = user.with_env(PYTHONPATH=str(hook.parent))
    for state in ("miss", "hit"):
        launched = user.launch(hook, flags=("-S",), cwd=hook.parent)
        assert (launched.stdout, launched.state) == (b"hook []\n", state), launched


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o177, 0o777])
def test_any_umask_is_that_of_the_hook(user: User, hook: Path, mask: int) -> None:
    hook.write_text("import os\nprint(os.umask(0))\n")
    drop = as_ordinary_user()

    def masked() -> None:
        if drop is not None:
            drop()
        os.umask(mask)

    for _ in range(2):
        launched = user.launch(hook, before=masked)
        assert launched.shown == (0, f"{mask}\n".encode(), b"")
    (hook.parent / CACHE_DIRECTORY).chmod(0o700)


def test_under_python_o_the_source_runs_at_that_level(user: User, hook: Path) -> None:
    hook.write_text("assert False\nprint(__debug__)\n")
    assert user.compile(hook)[0].ok
    launched = user.launch(hook, flags=("-O",))
    assert (launched.stdout, launched.state) == (b"False\n", "source")
    assert user.launch(hook, flags=("-I",)).status == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process's descriptors")
def test_no_descriptor_of_ours_is_open_in_the_hook(user: User, hook: Path) -> None:
    hook.write_text("import os\nprint(sorted(os.listdir('/proc/self/fd')))\n")
    expected = user.source(hook).stdout
    for state in ("miss", "hit"):
        launched = user.launch(hook)
        assert (launched.stdout, launched.state) == (expected, state)
