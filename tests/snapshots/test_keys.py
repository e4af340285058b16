"""A snapshot is used only if everything that the interpreter looked at is as it was."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots import loader_build, snapshot_keys, steering
from hooks_compile.snapshots.site_code import is_harmless_pth
from hooks_compile.snapshots.snapshot_keys import IS_MISSING, IS_ONLY_PASSED, Look
from hooks_compile.snapshots.tracee import SnapshotError
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = NEEDS_LOADER

PROGRAM = "import sys\nimport json, re\nprint(sys.path, sys.flags, json.dumps(1))\n"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine whose hook has a snapshot. Each test leaves it as it was."""
    machine = Machine.create(tmp_path_factory.mktemp("machine"), interpreters()[0])
    hook = machine.write(PROGRAM)
    machine.make(hook)
    assert machine.launch(hook).resumed
    return machine


@pytest.fixture
def hook(machine: Machine) -> Path:
    """Its hook."""
    return machine.directory / "hooks" / "hook.py"


def require_cold(
    machine: Machine, hook: Path, reason: str, before: Callable[[], object] | None = None
) -> None:
    """A launch is cold for this reason, and right."""
    warm = machine.launch(hook, before=before)
    assert not warm.resumed
    assert reason in warm.reason
    assert warm.shown == machine.user.source(hook, before=before).shown


@pytest.mark.parametrize(
    "variable",
    [
        *("PYTHONPATH", "PYTHONUTF8", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "LC_ALL"),
        *("TZ", "HOME", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_LIBRARY_PATH", "OPENSSL_CONF"),
        *("SETUPTOOLS_USE_DISTUTILS", "LANGUAGE"),
    ],
)
def test_a_variable_that_start_up_reads(machine: Machine, hook: Path, variable: str) -> None:
    other = Machine(machine.user.with_env(**{variable: "0"}), machine.directory, machine.snapshots)
    require_cold(other, hook, "no snapshot for this interpreter and environment")


def test_a_variable_that_it_does_not_read_is_no_key(machine: Machine, hook: Path) -> None:
    other = machine.user.with_env(CLAUDE_PROJECT_DIR="/x", PATH="/usr/bin", GIT_DIR="x")
    assert Machine(other, machine.directory, machine.snapshots).launch(hook).resumed


def test_files_that_it_looked_at(machine: Machine, hook: Path) -> None:
    environment = machine.interpreter.executable.parent.parent
    (site_packages,) = environment.glob("lib/python*/site-packages")
    new = site_packages / "new.pth"
    new.write_text("/nowhere\n", encoding="utf-8")
    try:
        require_cold(machine, hook, str(site_packages))
    finally:
        new.unlink()
    settings = environment / "pyvenv.cfg"
    status, content = settings.stat(), settings.read_bytes()
    settings.write_bytes(content + b"# more\n")
    require_cold(machine, hook, "cold: ")
    settings.write_bytes(content)
    os.utime(settings, ns=(status.st_atime_ns, status.st_mtime_ns))
    require_cold(machine, hook, str(settings))  # its ctime is another
    machine.make(hook)
    assert machine.launch(hook).resumed


def test_another_launcher(machine: Machine, hook: Path) -> None:
    launcher = machine.user.runtime / "launch.py"
    launcher.write_bytes(launcher.read_bytes())
    require_cold(machine, hook, str(launcher))
    machine.make(hook)
    assert machine.launch(hook).resumed


def test_a_file_that_was_missing(machine: Machine, hook: Path) -> None:
    there = machine.interpreter.executable.parent / "pyvenv.cfg"
    shutil.copy(there.parent.parent / "pyvenv.cfg", there)
    try:
        assert not machine.launch(hook).resumed
    finally:
        there.unlink()
    assert machine.launch(hook).resumed


def test_limits_and_rights(machine: Machine, hook: Path) -> None:
    def lower_stack() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 8 << 20))

    require_cold(machine, hook, "the stack limit is another", before=lower_stack)

    for megabytes in (24, 30, 40):  # it may fit, or not

        def lower_memory(size: int = megabytes << 20) -> None:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))

        assert machine.launch(hook, before=lower_memory).shown == machine.launch(hook).shown

    def ignore_crashes() -> None:
        signal.signal(signal.SIGSEGV, signal.SIG_IGN)

    require_cold(machine, hook, "a signal can't be handled", before=ignore_crashes)
    for before in (
        lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)),
        lambda: ctypes.CDLL(None).prctl(38, 1, 0, 0, 0),  # PR_SET_NO_NEW_PRIVS
        lambda: os.umask(0o777),
        lambda: ctypes.CDLL(None).personality(0x0040000),  # ADDR_NO_RANDOMIZE
    ):
        assert machine.launch(hook, before=before).resumed


@pytest.mark.parametrize("what", ["snapshots", "place", "file"])
@pytest.mark.parametrize("mode", [0o40, 0o2])
def test_what_others_can_use(machine: Machine, hook: Path, what: str, mode: int) -> None:
    directory = machine.snapshots.place(machine.user.python, machine.user.environment()).directory
    file = directory / "standard"
    path = {"snapshots": directory.parent, "place": directory, "file": file}[what]
    before = path.stat().st_mode & 0o777
    path.chmod(before | mode)
    try:
        require_cold(machine, hook, "others can write to the snapshots")
    finally:
        path.chmod(before)
    assert machine.launch(hook).resumed


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_user_and_one_with_kept_home(machine: Machine, hook: Path) -> None:
    directory = machine.snapshots.place(machine.user.python, machine.user.environment()).directory
    os.chown(directory, 12345, 12345)
    try:
        require_cold(machine, hook, "others can write to the snapshots")
    finally:
        os.chown(directory, 0, 0)

    def become_other_user() -> None:
        os.setresuid(12345, 0, 0)

    assert not machine.launch(hook, before=become_other_user).resumed
    assert machine.launch(hook).resumed


def test_links_of_others_are_not_followed(machine: Machine, hook: Path, tmp_path: Path) -> None:
    directory = machine.snapshots.place(machine.user.python, machine.user.environment()).directory
    file = directory / "standard"
    moved = tmp_path / "moved"
    file.rename(moved)
    file.symlink_to(moved)
    try:
        assert not machine.launch(hook).resumed
    finally:
        moved.replace(file)
    directory.rename(moved)
    directory.symlink_to(moved)
    try:
        assert not machine.launch(hook).resumed
    finally:
        directory.unlink()
        moved.rename(directory)
    assert machine.launch(hook).resumed


def test_the_script_itself_is_no_key(machine: Machine, hook: Path) -> None:
    link = hook.with_name("link.py")
    for put in (link.symlink_to, link.hardlink_to):
        put(hook)
        warm = machine.launch(link)
        assert warm.resumed, "the snapshot is found by the file's identity"
        assert warm.shown == machine.user.source(link).shown
        link.unlink()
    missing = machine.launch(hook.with_name("missing.py"))
    assert missing.status == 2
    assert missing.state == "source"


@pytest.mark.parametrize(
    "variable", ["PYTHONHASHSEED", "LD_PRELOAD", "PYTHONFAULTHANDLER", "PYTHONMALLOC"]
)
def test_no_snapshot_is_made_of_what_has_to_happen_in_each_process(
    machine: Machine, variable: str
) -> None:
    other = Machine(machine.user.with_env(**{variable: "1"}), machine.directory, machine.snapshots)
    with pytest.raises(SnapshotError, match=variable):
        other.make()


def with_pth(machine: Machine, name: str, text: str) -> Callable[[], None]:
    environment = machine.interpreter.executable.parent.parent
    (site_packages,) = environment.glob("lib/python*/site-packages")
    path = site_packages / name
    path.write_text(text, encoding="utf-8")
    return path.unlink


@pytest.mark.parametrize(
    "text",
    [
        "import os; os.environ['X'] = '1'",
        "import sys; sys.path.insert(0, '/x')",
        "import os; os.umask(0)",
        "import sys, threading; threading.Thread(target=print).start()",
        "import sys; exec('import os; os.getpid()')",
        "import os; x = open('/etc/hostname')",
    ],
)
def test_a_pth_file_that_executes_something_unknown(machine: Machine, text: str) -> None:
    remove = with_pth(machine, "unknown.pth", text + "\n")
    try:
        with pytest.raises(SnapshotError):
            machine.make()
    finally:
        remove()


@pytest.mark.parametrize(
    ("text", "is_harmless"),
    [
        ("/some/directory\n# a comment\n", True),
        ("import sys, os\n", True),
        (
            "import os; exec('try:\\n import no_such_module\\n x()\\nexcept ImportError: pass')",
            True,
        ),
        ("import os; exec('try:\\n import json\\n x()\\nexcept ImportError: pass')", False),
        ("import os; exec('try:\\n import no_such\\nexcept ImportError: os.abort()')", False),
        ("import os; print(1)", False),
        ("import os; exec(x)", False),
        ("import os; if", False),
    ],
)
def test_which_lines_are_harmless(text: str, is_harmless: bool) -> None:
    assert is_harmless_pth("x.pth", text) == is_harmless
    assert is_harmless_pth("distutils-precedence.pth", text)


def test_identities(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "listed").mkdir()
    looks = [
        Look(str(tmp_path / name), is_link=False)
        for name in ("file", "missing", "listed", "listed/missing", "file/missing")
    ]
    looks.append(Look(str(tmp_path), is_link=True))
    keys = {key.path: key for key in snapshot_keys.identify(looks, [str(tmp_path / "listed")])}
    assert keys[str(tmp_path / "missing")].how == IS_MISSING
    assert keys[str(tmp_path / "file/missing")].how == IS_MISSING
    assert keys[str(tmp_path / "listed")].how == 0
    assert str(tmp_path / "listed/missing") not in keys, "the time of the directory says it"
    assert keys[str(tmp_path)].how & IS_ONLY_PASSED
    now = snapshot_keys.current_time()
    assert not snapshot_keys.is_settled(keys[str(tmp_path / "file")], now)
    assert snapshot_keys.is_settled(keys[str(tmp_path / "file")], now + 1)


def test_the_list_of_variables_is_that_of_the_loader() -> None:
    text = (loader_build.SOURCES / "loader.c").read_text("utf-8")
    start = text.index("keyed[][20] = {")
    quoted = text[start : text.index("};", start)].split('"')[1::2]
    assert quoted == list(snapshot_keys.KEYED)
    assert steering.STOP_FD == 1023


def test_a_debugger_of_the_launch_changes_nothing(machine: Machine, hook: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    words = [
        *("strace", "-f", "-o", os.devnull, str(machine.snapshots.loader), machine.user.python),
        *(str(machine.user.runtime / "launch.py"), str(hook)),
    ]
    done = subprocess.run(words, env=machine.user.environment(), capture_output=True, check=False)
    assert done.stdout == machine.user.source(hook).stdout
