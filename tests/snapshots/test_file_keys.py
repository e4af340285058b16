"""Each file that an interpreter looked at, changed alone: the next launch is cold, and right."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots import snapshot_keys
from hooks_compile.snapshots.snapshot_file import checksum
from hooks_compile.snapshots.snapshot_store import STANDARD
from tests.support.interpreters_found import Found
from tests.support.launches import TIMEOUT_S, User, require_root
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = NEEDS_LOADER

HOOK = """\
import json, os, sys, time
print(json.dumps([sys.path, sys.executable, sys.prefix, sys.flags, sorted(os.environ), json.MARK,
                  time.tzname, time.strftime("%z", time.gmtime(0)), time.localtime(0)[:6]]))
sys.exit(2)
"""
# What a launch does not need: the copy of an interpreter is then made in a second.
LEFT_OUT = shutil.ignore_patterns(
    *("test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "tkinter"),
    *("ensurepip", "config-*", "lib2to3", "pydoc_data", "*.a"),
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with an interpreter of its own, which tests may change, and one hook."""
    shared = [each for each in interpreters() if list(library_of(each))]
    found = (shared or interpreters())[0]
    directory = tmp_path_factory.mktemp("machine")
    root = found.executable.parent.parent
    name = f"python{found.version[0]}.{found.version[1]}"
    copy = directory / "python"
    (copy / "bin").mkdir(parents=True)
    shutil.copy(found.executable, copy / "bin" / name)
    (copy / "bin" / "python3").symlink_to(name)
    shutil.copytree(root / "lib" / name, copy / "lib" / name, ignore=LEFT_OUT)
    for path in library_of(found):
        shutil.copy(path, copy / "lib")
    (copy / "lib" / name / "site-packages").mkdir()
    (copy / "lib" / name / "site-packages" / "some.pth").write_text("/usr/share\n", "utf-8")
    with (copy / "lib" / name / "json" / "__init__.py").open("a") as file:
        file.write("MARK = 1\n")
    own = Found(found.implementation, found.version, copy / "bin" / "python3")
    user = User.create(directory, own).with_env(
        HOME=str(directory), LD_LIBRARY_PATH=str(copy / "lib")
    )
    machine = Machine.of(user, directory)
    machine.make(machine.write(HOOK))
    return machine


def library_of(found: Found) -> list[Path]:
    """The library of an interpreter, if it has one."""
    return sorted(found.executable.parent.parent.joinpath("lib").glob("libpython3.*.so.*"))


def snapshot_of(machine: Machine) -> Path:
    """The snapshot of its hook."""
    place = machine.snapshots.place(machine.user.python, machine.user.environment())
    return place.directory / STANDARD


def key_anew(snapshot: Path) -> None:
    """Let a snapshot depend on the files as they are now: the quick way to a fresh one."""
    content = bytearray(snapshot.read_bytes())
    (size,) = struct.unpack_from("<Q", content, 16)
    at, count = struct.unpack_from("<II", content, 40)
    for place in range(at, at + 72 * count, 72):
        text, how = struct.unpack_from("<II", content, place + 64)
        path = bytes(content[text : content.index(0, text)]).decode()
        if not how & snapshot_keys.IS_MISSING:
            look = snapshot_keys.Look(path, is_link=bool(how & snapshot_keys.IS_LINK))
            (key,) = snapshot_keys.identify([look], [path])
            struct.pack_into("<8Q", content, place, *key.numbers, key.content)
    struct.pack_into("<Q", content, 8, checksum(content[:size]))
    with snapshot.open("r+b") as file:
        file.write(content)
    time.sleep(2 * snapshot_keys.RACY_S)


def touch(path: Path) -> None:
    """Give it another time."""
    path.touch()


def edit(path: Path) -> None:
    """Make it longer."""
    with path.open("a") as file:
        file.write("#\n")


def edit_in_secret(path: Path) -> None:
    """Make it other, with the size and the time that it had."""
    status, content = path.stat(), path.read_bytes()
    changed = content.replace(b"MARK = 1", b"MARK = 2").replace(b"/usr/share", b"/usr/local")
    path.write_bytes(changed)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def upgrade(path: Path) -> None:
    """Replace it by another file, as package managers do."""
    new = path.with_name("new")
    shutil.copy2(path, new)
    new.replace(path)


def give_away(path: Path) -> None:
    """Give it to another user, and back: the second change is as good as the first."""
    os.chown(path, 12345, 12345)


def protect(path: Path) -> None:
    """Give it another mode."""
    path.chmod(path.stat().st_mode ^ 0o020)


def add_a_name(path: Path) -> None:
    """Give it a second name."""
    path.with_name("second").hardlink_to(path)
    path.with_name("second").unlink()


def link(path: Path) -> None:
    """Put a symbolic link into its place."""
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


CHANGES = (touch, edit, edit_in_secret, upgrade, give_away, protect, add_a_name, link)
# A launch itself looks at a module that it takes from the snapshot, and imports what is other.
HELD_MODULE = "lib/*/json/__init__.py"
FILES = ("bin/python3.*", "lib/libpython*", HELD_MODULE, "lib/*/os.py", "**/some.pth")


@pytest.mark.parametrize("change", CHANGES)
def test_each_file_changed_alone(machine: Machine, change: Callable[[Path], None]) -> None:
    if change is give_away:
        require_root()
    hook, snapshot = machine.directory / "hooks" / "hook.py", snapshot_of(machine)
    root = machine.directory / "python"
    for pattern in FILES:
        for path in sorted(root.glob(pattern))[:1]:
            key_anew(snapshot)
            assert machine.launch(hook).resumed
            content = path.read_bytes()
            change(path)
            warm = machine.launch(hook)
            if pattern != HELD_MODULE:
                assert not warm.resumed, path
                assert str(path.parent) in warm.reason, path
            assert warm.shown == machine.user.source(hook).shown, path
            assert warm.status == 2
            path.write_bytes(content)  # what the snapshot holds


def test_a_copy_of_the_program_changed_alone(machine: Machine) -> None:
    hook, snapshot = machine.directory / "hooks" / "hook.py", snapshot_of(machine)
    content = snapshot.read_bytes()
    copies = [each for each in snapshot.parent.glob("program-*") if each.name.encode() in content]
    assert copies
    for path in copies:
        key_anew(snapshot)
        assert machine.launch(hook).resumed
        path.write_bytes(path.read_bytes())
        warm = machine.launch(hook)
        assert (warm.resumed, path.name in warm.reason) == (False, True)
        assert warm.shown == machine.user.source(hook).shown


def in_own_mounts(machine: Machine, what: str, over: str, hook: Path) -> list[bytes]:
    """What the source prints, the trace, and what a launch prints if a file lies over another."""
    setup = f'mount --bind "{what}" "{over}"; "$1" "$3"; exec "$0" "$@"'
    launcher = str(machine.user.runtime / "launch.py")
    words = [str(machine.snapshots.loader), machine.user.python, launcher, str(hook)]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", setup, *words],
        env={**machine.user.environment(), "HOOKS_COMPILE_TRACE": "/dev/stdout"},
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if b"unshare" in done.stderr or b"mount" in done.stderr:
        pytest.skip("needs the right to mount")
    assert (done.returncode, done.stderr) == (2, b"")
    return done.stdout.splitlines()


def test_another_time_zone_and_another_locale(machine: Machine) -> None:
    hook, snapshot = machine.directory / "hooks" / "hook.py", snapshot_of(machine)
    key_anew(snapshot)
    assert machine.launch(hook).resumed
    zone = "/usr/share/zoneinfo/Asia/Kathmandu"
    if Path(zone).exists() and Path("/etc/localtime").exists():
        source, trace, warm = in_own_mounts(machine, zone, "/etc/localtime", hook)
        assert source == warm
        assert b"+0545" in source
        assert b"cold: /etc/localtime" in trace
    locale = next(path for path in snapshot.read_bytes().split(b"\0") if b"/locale" in path)
    if Path(os.fsdecode(locale)).exists():
        source, trace, warm = in_own_mounts(machine, "/dev/null", os.fsdecode(locale), hook)
        assert source == warm
        assert b"cold: " in trace


def of_all_users() -> Found:
    """An interpreter that every user can start."""
    for each in interpreters():
        if all(parent.stat().st_mode & 0o1 for parent in each.executable.parents):
            return each
    return pytest.skip("needs a Python for all users")


def test_another_user_and_sudo_with_kept_home() -> None:
    require_root()
    found = of_all_users()
    with tempfile.TemporaryDirectory(prefix="hooks-compile-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        user = User.create(directory, found).with_env(
            HOME=str(directory), HOOKS_COMPILE_TRACE=str(directory / "trace")
        )
        machine = Machine.of(user, directory)
        hook = machine.write(
            "import os, json\nprint(os.getresuid(), os.getresgid(), json.dumps(1))\n"
        )
        machine.make(hook)
        give_all(directory)
        key_anew(snapshot_of(machine))

        def become(*ids: int) -> Callable[[], None]:
            def change() -> None:
                os.setgroups([])
                os.setresgid(*ids[3:])
                os.setresuid(*ids[:3])

            return change

        owner = become(*(12345,) * 6)
        for before, is_resumed in (
            (owner, True),
            (become(12345, 12345, 12345, 12345, 12346, 12345), False),
            (become(12345, 12345, 0, 12345, 12345, 0), True),  # what it may become is no key
            (become(0, 12345, 0, 0, 12345, 0), False),
            (None, False),  # sudo with the HOME of its user
            (owner, True),
        ):
            (directory / "trace").write_bytes(b"")
            (directory / "trace").chmod(0o666)
            warm = machine.launch(hook, before=before)
            assert warm.shown == user.source(hook, before=before).shown
            assert warm.status == 0, warm
            trace = (directory / "trace").read_text("utf-8")
            assert trace.startswith("resumed\thit\t") == is_resumed, trace
        for before in (None, become(*(12346,) * 6), owner):
            assert user.wrapped(hook, before=before).shown == user.source(hook, before=before).shown


def give_all(directory: Path) -> None:
    """Give a directory and all in it to a user."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, 12345, 12345)
