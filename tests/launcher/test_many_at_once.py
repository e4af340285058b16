"""Writers and launches at the same time, writers that are killed, disks that are full."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.entries import cache
from hooks_compile.install import runtime_directory
from hooks_compile.launcher import entry
from hooks_compile.launcher.miss import store
from tests.support.launches import (
    BARE,
    CACHE_DIRECTORY,
    User,
    default_interpreter,
    entries,
    leftovers,
)
from tests.support.tiers import IS_SOAK as SOAK
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LAUNCHES = 1000 if SOAK else 50
COMPILES = 4
AT_ONCE = 6
KILLS = 1000 if SOAK else 25

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600 if SOAK else 600)]


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path / "home")


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    path = tmp_path / "hooks" / "hook.py"
    path.parent.mkdir()
    path.write_bytes(version(0))
    return path


def version(number: int) -> bytes:
    """A source of which each version has the same size."""
    return b"import sys\n%s\nprint(%08d)\n" % (b"# a comment\n" * 20, 10_000_000 + number)


def replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(data)
    draft.replace(path)


def assert_all_verify(user: User, hook: Path, numbers: Sequence[int]) -> None:
    """Every entry in the directory is whole, and of one of these versions."""
    sources = {user.entry_path(hook, 0, version(n)).name[-20:]: version(n) for n in numbers}
    for path in entries(hook.parent):
        name = cache.ENTRY.fullmatch(path.name)
        assert name is not None
        source = sources[f"{name['hash']}.pyc"]
        assert entry.verifies(user.key, int(name["level"]), path.read_bytes(), source), path


def assert_no_leftovers(user: User, hook: Path) -> None:
    assert leftovers(hook.parent) == []
    assert leftovers(user.runtime) == []
    names = {path.name for path in user.runtime.iterdir()}
    parts = {name for name in names if name.endswith(".py")}
    compiled = {name for name in names if name.startswith("launch.py.")}
    known = {"key", "seen", "fallbacks.log", "uv.sh", "uvsite", "manifest"}
    assert names - parts - compiled <= known
    assert len(compiled) <= 4, "start with main, miss, snapshot, uv"


def killed_at_line(number: int, file: str, call: str) -> str:
    """A program that makes ``call`` and is killed before the ``number``-th line of ``file``."""
    return f"""
import os, sys
left = {number}
def trace(frame, event, argument):
    global left
    if not frame.f_code.co_filename.endswith({file!r}):
        return None
    if event == "line":
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
    return trace
sys.path.insert(0, {str(Path(store.__file__).parents[2])!r})
from hooks_compile.launcher.miss import store
from hooks_compile.install import runtime_directory
from pathlib import Path
sys.settrace(trace)
{call}
"""


def killed(code: str) -> bool:
    """Run a program; tell whether it was killed, or came to its end."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


# --- at the same time

_SYNC = """
import sys, time
from pathlib import Path
from hooks_compile.entries import cache
from hooks_compile.entries.compiler import Compiler
from hooks_compile.model import HookSource, Interpreter
from hooks_compile.launcher.entry import CACHE_DIRECTORY
from hooks_compile.install import runtime_directory
hook, runtime, stop, executable, version, tag, magic, hashed = sys.argv[1:]
interpreter = Interpreter("python3", Path(executable), "cpython",
                          tuple(map(int, version.split("."))), tag, magic, hashed)
key = runtime_directory.read_key(Path(runtime))
rounds = 0
while not Path(stop).exists():
    with Compiler([interpreter], key) as compiler:
        results = compiler.compile([HookSource(Path(hook))])
    assert all(result.ok for result in results), results
    needed = [result.entry.name for result in results if result.entry]
    cache.prune(Path(hook).with_name(CACHE_DIRECTORY), keep=2, needed=needed)
    rounds += 1
print(rounds)
"""


def start_sync(user: User, hook: Path, stop: Path) -> subprocess.Popen[bytes]:
    python = user.interpreter
    words = [
        *(sys.executable, "-c", _SYNC, str(hook), str(user.runtime), str(stop)),
        *(str(python.executable), ".".join(map(str, python.version))),
        *(python.cache_tag, python.magic, python.hash_check),
    ]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@dataclass
class Editor:
    """Saves the hook again and again, and remembers what was on disk when."""

    hook: Path
    stop: threading.Event
    history: list[tuple[float, int]]

    def edit(self) -> None:
        number = 0
        while not self.stop.wait(0.01):
            number += 1
            # Two of three saves go back to an earlier version, as branches do.
            number_on_disk = number if number % 3 == 0 else number % 5
            replace(self.hook, version(number_on_disk))
            self.history.append((time.monotonic(), number_on_disk))

    def on_disk_between(self, start: float, end: float) -> set[int]:
        """The versions that a process from ``start`` to ``end`` may have seen."""
        times = [when for when, _ in self.history]
        # A version is recorded just after it is there, so it may be there since the one before.
        since = [float("-inf"), *times[:-1]]
        until = [*times[1:], float("inf")]
        return {
            number
            for (_, number), first, last in zip(self.history, since, until, strict=True)
            if first <= end and last >= start
        }


def test_each_launch_runs_a_version_that_was_on_disk_in_its_life(
    user: User, hook: Path, tmp_path: Path
) -> None:
    stop_file = tmp_path / "stop"
    stop = threading.Event()
    editor = Editor(hook, stop, [(time.monotonic(), 0)])
    thread = threading.Thread(target=editor.edit)
    syncs = [start_sync(user, hook, stop_file) for _ in range(COMPILES)]

    def launch(number: int) -> tuple[float, float, str, str]:
        start = time.monotonic()
        launched = (user.wrapped if number % 2 else user.launch)(hook)
        assert (launched.status, launched.stderr) == (0, b"")
        return start, time.monotonic(), launched.stdout.decode(), launched.state

    thread.start()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            launches = list(pool.map(launch, range(LAUNCHES)))
    finally:
        stop.set()
        thread.join()
        stop_file.touch()
        ends = [sync.communicate() for sync in syncs]
    for sync, (rounds, errors) in zip(syncs, ends, strict=True):
        assert (sync.returncode, errors) == (0, b"")
        assert int(rounds) > 0
    for start, end, output, state in launches:
        seen = int(output) - 10_000_000
        assert seen in editor.on_disk_between(start, end)
        assert state in ("hit", "miss")
    assert {state for *_, state in launches} == {"hit", "miss"}, "both ways were taken"
    assert_all_verify(user, hook, [number for _, number in editor.history])
    assert_no_leftovers(user, hook)


def test_the_first_launches_of_an_interpreter_at_once(user: User, hook: Path) -> None:
    for _ in range(20 if SOAK else 3):
        for path in user.runtime.glob("launch.py.*"):
            path.unlink()
        shutil.rmtree(hook.parent / CACHE_DIRECTORY, ignore_errors=True)
        with ThreadPoolExecutor(8) as pool:
            launches = list(pool.map(lambda _: user.launch(hook), range(8)))
        assert {launched.shown for launched in launches} == {(0, b"10000000\n", b"")}
        assert {launched.state for launched in launches} <= {"hit", "miss"}
        assert len(list(user.runtime.glob("launch.py.*"))) == 4
        assert_no_leftovers(user, hook)
    assert user.launch(hook).state == "hit"


def test_every_writer_of_a_new_directory_gets_its_entry_and_the_markers_are_there(
    tmp_path: Path,
) -> None:
    directory = tmp_path / CACHE_DIRECTORY
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.store(str(directory), f"{n}.pyc", b"%d" % n), range(64)))
    names = {path.name for path in directory.iterdir()}
    assert names == {f"{n}.pyc" for n in range(64)} | {".gitignore", "CACHEDIR.TAG"}
    assert (directory / ".gitignore").read_bytes() == b"*\n"


def test_runtime_directorys_made_at_once_are_one_with_one_key(tmp_path: Path) -> None:
    runtime = tmp_path / "data" / "runtime"
    code = (
        "import sys, pathlib; from hooks_compile.install import runtime_directory as r\n"
        "p = pathlib.Path(sys.argv[1]); r.ensure(p); print(r.read_key(p).hex())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, runtime], stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    keys = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 6
    assert len(set(keys)) == 1
    assert not list(runtime.glob(".*")), "no draft is left"


def test_launches_during_an_upgrade_of_the_launcher_all_run(
    user: User, hook: Path, tmp_path: Path
) -> None:
    # Two versions of the tool, one in another's environment, that replace each other's launcher.
    package = Path(runtime_directory.__file__).parents[1]
    other = tmp_path / "other" / "hooks_compile"
    shutil.copytree(package, other, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "launcher" / "lookup.py").open("a") as file:
        file.write("# another version\n")
    stop = tmp_path / "stop"
    code = (
        "import sys, time, pathlib; from hooks_compile.install import runtime_directory as r\n"
        "stop = pathlib.Path(sys.argv[2])\n"
        "while not stop.exists(): r.ensure(pathlib.Path(sys.argv[1])); time.sleep(0.005)"
    )
    upgrades = [
        subprocess.Popen(
            [sys.executable, "-c", code, user.runtime, stop], cwd=place, stderr=subprocess.PIPE
        )
        for place in (package.parent, other.parent)
    ]
    try:
        with ThreadPoolExecutor(4) as pool:
            launches = list(pool.map(lambda _: user.wrapped(hook), range(scaled(20, 50, 1000))))
    finally:
        stop.touch()
        errors = [upgrade.communicate()[1] for upgrade in upgrades]
    assert errors == [b"", b""]
    assert {launched.shown for launched in launches} == {(0, b"10000000\n", b"")}
    runtime_directory.ensure(user.runtime)
    assert user.launch(hook).state == "hit"
    assert len({path.name.split(".")[0] for path in user.runtime.glob("*.miss.py")}) == 1


# --- killed


def test_a_writer_killed_before_any_of_its_lines_leaves_nothing_that_is_used(
    tmp_path: Path,
) -> None:
    data = b"data" * 5000
    for line in range(200):
        directory = tmp_path / str(line) / CACHE_DIRECTORY
        directory.parent.mkdir()
        call = f"store.store({str(directory)!r}, 'name', {data!r})"
        was_killed = killed(killed_at_line(line, "store.py", call))
        if directory.exists():
            named = {path.name: path for path in directory.iterdir() if path.suffix != ".tmp"}
            for name, text in (*store.MARKERS, ("name", data)):
                assert name not in named or named[name].read_bytes() == text
        if not was_killed:
            break
        # the next writer makes the directory whole, and pruning removes what the killed one left
        store.store(str(directory), "name", data)
        assert (directory / ".gitignore").read_bytes() == b"*\n"
        assert (directory / "name").read_bytes() == data
        for draft in leftovers(directory):
            assert cache.prune(directory, keep=3) == [], "it may still be at work"
            os.utime(draft, (1, 1))
            assert cache.prune(directory, keep=3) == [draft]
    else:
        pytest.fail("it never came to its end")
    assert line > 10


def test_a_launch_killed_at_any_moment_leaves_nothing_that_is_used(user: User, hook: Path) -> None:
    rng = random.Random(0)  # noqa: S311 - moments, no secrets
    words = [user.python, *BARE, str(user.runtime / "launch.py"), str(hook)]
    start = time.perf_counter()
    user.launch(hook)
    took = time.perf_counter() - start
    for number in range(KILLS):
        hook.write_bytes(version(number))
        process = subprocess.Popen(
            words, env=user.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(took / 3, took))
        process.kill()
        process.communicate()
        if number % 5 == 0:
            launched = user.launch(hook)
            assert launched.shown == (0, b"%d\n" % (10_000_000 + number), b"")
    assert_all_verify(user, hook, range(KILLS))


def test_a_killed_installation_is_completed_by_the_next_and_runs_sources_until_then(
    hook: Path, tmp_path: Path
) -> None:
    step = scaled(34, 17, 1)
    for line in range(0, 1000, step):
        home = tmp_path / str(line)
        runtime = home / "runtime"
        call = f"runtime_directory.ensure(Path({str(runtime)!r}))"
        was_killed = killed(killed_at_line(line, "runtime_directory.py", call))
        half = User(User.create(tmp_path / "whole").interpreter, runtime)
        assert half.wrapped(hook).shown == (0, b"10000000\n", b"")
        whole = User.create(home)
        assert len(whole.key) == 16
        assert whole.wrapped(hook).shown == (0, b"10000000\n", b"")
        assert whole.wrapped(hook).state == "hit"
        shutil.rmtree(hook.parent / CACHE_DIRECTORY)
        if not was_killed:
            break
    else:
        pytest.fail("it never came to its end")
    assert line > 2 * step


# --- full


def limited(size: int) -> Callable[[], None]:
    """What keeps a new process from writing files of more than ``size`` bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [0, 1, 3, 100, 200])
def test_a_launch_that_may_not_write_so_much_runs_and_leaves_nothing(
    user: User, hook: Path, size: int
) -> None:
    user.launch(hook)
    (stored,) = entries(hook.parent)
    assert stored.stat().st_size > size
    shutil.rmtree(hook.parent / CACHE_DIRECTORY)
    for _ in range(2):
        launched = user.launch(hook, before=limited(size))
        assert launched.shown == (0, b"10000000\n", b"")
        assert entries(hook.parent) == []
        assert_no_leftovers(user, hook)
    assert user.launch(hook).state == "miss"
    assert user.launch(hook).state == "hit"
    assert (hook.parent / CACHE_DIRECTORY / ".gitignore").read_bytes() == b"*\n", "made good for"
    assert (hook.parent / CACHE_DIRECTORY / "CACHEDIR.TAG").stat().st_size > 100


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_launcher_that_can_not_be_stored_is_made_at_each_launch_and_nothing_piles_up(
    user: User, hook: Path, size: int
) -> None:
    for _ in range(3):
        assert user.launch(hook, before=limited(size)).shown == (0, b"10000000\n", b"")
        assert_no_leftovers(user, hook)
    assert user.launch(hook).shown == (0, b"10000000\n", b"")
    assert user.launch(hook).state == "hit"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "hooks-compile-test", str(directory)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip(f"a small file system needs root: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def fill(directory: Path) -> Path:
    path = directory / "filling"
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 512):
            pass
    return path


@pytest.mark.parametrize("full", ["hooks", "runtime", "both"])
def test_on_a_full_disk_the_hook_runs(
    hook: Path, tmp_path: Path, small_disk: Path, full: str
) -> None:
    user = User.create(tmp_path / "home" if full == "hooks" else small_disk)
    if full != "runtime":
        hook = small_disk / "hook.py"
        hook.write_bytes(version(0))
    filling = fill(small_disk)
    for launch in (user.launch, user.wrapped, user.launch):
        launched = launch(hook)
        assert launched.shown == (0, b"10000000\n", b"")
        assert leftovers(small_disk) == []
    if full != "runtime":
        assert entries(small_disk) == []
        (compiled,) = user.compile(hook)
        assert str(compiled.state) == "unwritable"
        assert "No space left" in compiled.detail
    filling.unlink()
    assert user.launch(hook).shown == (0, b"10000000\n", b"")
    assert user.launch(hook).state == "hit"
    assert default_interpreter().executable == user.interpreter.executable
