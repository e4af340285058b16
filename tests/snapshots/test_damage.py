"""Damaged snapshots, refused calls and crashes end in a cold launch or as the hook would end."""

from __future__ import annotations

import os
import platform
import random
import struct
from typing import TYPE_CHECKING

import pytest

from hooks_compile.doctor.machine_checks import check_snapshots
from hooks_compile.snapshots import snapshot_keys
from hooks_compile.snapshots.snapshot_file import LARGEST_HEADER, checksum
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters, loader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = NEEDS_LOADER


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with a base snapshot."""
    machine = Machine.create(tmp_path_factory.mktemp("machine"), interpreters()[-1])
    machine.make()
    return machine


@pytest.fixture
def hook(machine: Machine) -> Path:
    """A hook that is resumed from the base."""
    return machine.write("import os\nprint('ran', os.path.basename(__file__))\n")


@pytest.fixture
def base(machine: Machine) -> Path:
    """The base snapshot."""
    env = machine.user.environment()
    return machine.snapshots.place(machine.user.python, env).directory / "base"


def replaced(base: Path, content: bytes) -> bytes:
    """Put ``content`` into the place of the snapshot; return what was there."""
    before = base.read_bytes()
    draft = base.with_name("draft")
    draft.write_bytes(content)
    draft.chmod(0o600)
    draft.replace(base)
    return before


def test_each_word_of_the_header(machine: Machine, hook: Path, base: Path) -> None:
    content = base.read_bytes()
    (size,) = struct.unpack_from("<Q", content, 16)
    assert 4096 <= size <= LARGEST_HEADER
    dice = random.Random(1)  # noqa: S311 - the same damage in each run
    places = [*range(0, 400, 8), *(dice.randrange(400, size) for _ in range(20))]
    try:
        for place in places:
            damaged = bytearray(content)
            damaged[place] ^= 1 << dice.randrange(8)
            replaced(base, bytes(damaged))
            warm = machine.launch(hook)
            assert (warm.resumed, warm.status, warm.stdout) == (False, 0, b"ran hook.py\n"), place
            assert "damaged" in warm.reason
    finally:
        replaced(base, content)
    assert machine.launch(hook).resumed


def test_truncated_anywhere(machine: Machine, hook: Path, base: Path) -> None:
    content = base.read_bytes()
    try:
        for length in (1, 100, 4096, 8192, len(content) // 2, len(content) - 1):
            replaced(base, content[:length])
            warm = machine.launch(hook)
            assert (warm.resumed, warm.stdout) == (False, b"ran hook.py\n"), length
        replaced(base, content + b"x")
        assert not machine.launch(hook).resumed
    finally:
        replaced(base, content)


def test_tables_outside_of_the_header_are_refused_even_with_a_right_checksum(
    machine: Machine, hook: Path, base: Path
) -> None:
    content = base.read_bytes()
    (size,) = struct.unpack_from("<Q", content, 16)
    try:
        for place in range(32, 64, 4):
            damaged = bytearray(content)
            struct.pack_into("<I", damaged, place, 0x7FFFFFF8)
            struct.pack_into("<Q", damaged, 8, checksum(damaged[:size]))
            replaced(base, bytes(damaged))
            warm = machine.launch(hook)
            assert (warm.resumed, warm.stdout) == (False, b"ran hook.py\n"), place
    finally:
        replaced(base, content)


def with_registers(content: bytes, change: dict[int, int]) -> bytes:
    """A snapshot with other registers, by their number in the loader's header."""
    (size,) = struct.unpack_from("<Q", content, 16)
    damaged = bytearray(content)
    for number, value in change.items():
        struct.pack_into("<Q", damaged, 152 + 8 * number, value)
    struct.pack_into("<Q", damaged, 8, checksum(damaged[:size]))
    return bytes(damaged)


RIP, RSP = (32, 31) if platform.machine() == "aarch64" else (12, 13)


@pytest.mark.parametrize(
    "change", [{RIP: 8}, {RIP: 0x7FFFFFFFFFF0}, {RSP: 0}], ids=["null", "kernel", "stack"]
)
def test_a_crash_before_the_hook_begins_ends_in_a_cold_launch(
    machine: Machine, hook: Path, base: Path, change: dict[int, int]
) -> None:
    content = replaced(base, with_registers(base.read_bytes(), change))
    try:
        warm = machine.launch(hook)
    finally:
        replaced(base, content)
    assert (warm.resumed, warm.status, warm.shown[1:]) == (False, 0, (b"ran hook.py\n", b""))
    assert "crashed before the hook began" in warm.reason
    assert machine.snapshots.crashes() == []


def test_an_address_that_is_taken(machine: Machine, hook: Path, base: Path) -> None:
    content = base.read_bytes()
    (size,) = struct.unpack_from("<Q", content, 16)
    at, count = struct.unpack_from("<II", content, 32)
    for number in (0, count // 2, count - 1):
        damaged = bytearray(content)
        struct.pack_into("<Q", damaged, at + 32 * number, 0x200000000)  # the loader itself is there
        struct.pack_into("<Q", damaged, 8, checksum(damaged[:size]))
        replaced(base, bytes(damaged))
        try:
            warm = machine.launch(hook)
        finally:
            replaced(base, content)
        assert (warm.resumed, warm.stdout) == (False, b"ran hook.py\n")
        assert "memory is refused" in warm.reason


CRASHING = "import os\nimport ctypes\nprint('began', flush=True)\nctypes.string_at(8)\n"


def test_a_hook_that_crashes_is_recorded_and_turned_off_and_the_third_turns_off_all(
    machine: Machine, base: Path
) -> None:
    content = base.read_bytes()
    hooks = [machine.write(CRASHING, f"crash{n}.py") for n in range(3)]
    for number, hook in enumerate(hooks, 1):
        os.link(base, base.with_name(snapshot_keys.script_name(hook.stat())))
        warm = machine.launch(hook)
        assert warm.resumed
        assert warm.shown == machine.user.source(hook).shown
        assert warm.status == -11
        records = machine.snapshots.crashes()
        assert len(records) == number
        assert records[-1].read_text("utf-8") == f"11\t{hook}"
        assert machine.snapshots.is_on == (number < 3)
        findings = list(check_snapshots(machine.user.runtime))
        assert sum(finding.level == "problem" for finding in findings) == number
        if number < 3:
            again = machine.launch(hook)
            assert not again.resumed
            assert "a hook crashed" in again.reason
    machine.snapshots.turn_on(loader())
    assert machine.snapshots.crashes() == []
    assert base.read_bytes() == content, "nothing was modified in place"


def test_a_handler_of_the_hook_is_its_own(machine: Machine) -> None:
    hook = machine.write(
        "import faulthandler, signal, sys\n"
        "print(signal.getsignal(signal.SIGSEGV), signal.getsignal(signal.SIGABRT))\n"
        "sys.stdout.flush()\n"
        "faulthandler.enable()\nfaulthandler._sigsegv()\n",
        "handler.py",
    )
    cold, warm = machine.user.source(hook), machine.launch(hook)
    assert warm.resumed
    assert (warm.status, warm.stdout) == (cold.status, cold.stdout)
    assert b"Segmentation fault" in warm.stderr
    assert machine.snapshots.crashes() == []
