"""The native program: how it is compiled, what it consists of, and which system calls it makes."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots import loader_build
from hooks_compile.snapshots.processor import PROCESSOR
from hooks_compile.snapshots.tracee import Tracee
from tests.support.snapshot_machine import NEEDS_LOADER, Machine, interpreters, loader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = NEEDS_LOADER

# Where the loader's code is: see loader_build.
CODE = range(0x200000000, 0x200100000)
BEFORE = {
    *("read", "close", "fstat", "openat", "newfstatat", "pread64", "geteuid", "getuid", "getegid"),
    *("getgid", "prlimit64", "faccessat", "clock_gettime", "time", "brk"),
}
RESUMING = BEFORE | {
    *(
        "rt_sigaction",
        "sigaltstack",
        "mmap",
        "munmap",
        "madvise",
        "mincore",
        "prctl",
        "set_tid_address",
    ),
    *("set_robust_list", "rseq", *(["arch_prctl"] if platform.machine() == "x86_64" else [])),
}
HEADER = f"{platform.machine()}.h"
NUMBERS = {
    number: name.lower()
    for name, number in (
        (name, int(number))
        for name, number in re.findall(
            r"SYS_(\w+) = (\d+)", (loader_build.SOURCES / HEADER).read_text("utf-8")
        )
    )
}


def test_it_is_short() -> None:
    lines = {
        name: len((loader_build.SOURCES / name).read_text("utf-8").splitlines())
        for name in ("loader.c", "x86_64.h", "aarch64.h")
    }
    assert lines["loader.c"] <= 600
    assert lines["x86_64.h"] <= 110, "what depends on the processor"
    assert lines["aarch64.h"] <= 110


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_it_compiles_without_a_warning() -> None:
    options = [each for each in loader_build.options() if not each.startswith("-Wl,")]
    done = subprocess.run(
        ["gcc", *options, "-Werror", "-c", "-o", os.devnull, "loader.c"],
        cwd=loader_build.SOURCES,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump")
def test_every_x86_64_can_execute_it(tmp_path: Path) -> None:
    program = tmp_path / "loader"
    program.write_bytes(loader())
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True
    ).stdout
    instructions = set(re.findall(r"^\s+[0-9a-f]+:\s+(?:rep \w+|(\w+))", text, re.MULTILINE))
    assert len(instructions) > 20, "objdump has found code"
    # All of AVX begins with v; BMI, ADX, MOVBE and POPCNT came after the first processors.
    newer = {
        *("andn", "bextr", "blsi", "blsmsk", "blsr", "bzhi", "mulx", "pdep", "pext", "rorx"),
        *("sarx", "shlx", "shrx", "adcx", "adox", "movbe", "popcnt", "lzcnt", "tzcnt", "crc32"),
        *("endbr64", "pshufb", "palignr", "ptest"),
    }
    assert not {each for each in instructions if each.startswith("v")} | (instructions & newer)
    assert not re.search("ymm|zmm|xmm(1[6-9]|[23][0-9])", text)


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf")
def test_it_needs_no_library_and_no_memory_that_is_writable_and_executable(tmp_path: Path) -> None:
    program = tmp_path / "loader"
    program.write_bytes(loader())
    text = subprocess.run(
        ["readelf", "-lW", program], capture_output=True, text=True, check=True
    ).stdout
    assert "INTERP" not in text
    assert "DYNAMIC" not in text
    assert "0x0000000200000000" in text


def calls_of(machine: Machine, words: list[str], env: dict[str, str]) -> list[str]:
    """The system calls of the loader, until it is another program or the resumed Python."""
    calls: list[str] = []
    with Tracee(words[0], words, env) as tracee:
        while True:
            registers = tracee.next_stop()
            if registers[PROCESSOR.program_counter] not in CODE:
                return calls
            name = NUMBERS.get(registers.number, str(registers.number))
            calls.append(name)
            if name == "execve":
                return calls
            tracee.next_stop()


def test_it_makes_only_these_system_calls(tmp_path: Path) -> None:
    machine = Machine.create(tmp_path, interpreters()[-1])
    hook = machine.write("print('ran')\n")
    machine.make(hook)
    words = [
        *(str(machine.snapshots.loader), machine.user.python),
        *(str(machine.user.runtime / "launch.py"), str(hook)),
    ]
    env = machine.user.environment()
    resumed = calls_of(machine, words, env)
    assert set(resumed) == RESUMING - {"faccessat", "munmap", "read"} | {"read"}
    first = resumed.index("sigaltstack")
    assert set(resumed[:first]) <= BEFORE, "nothing is mapped before all is checked"
    cold = calls_of(machine, words, env | {"LANG": "POSIX"})
    assert set(cold) <= BEFORE | {"execve"}
    assert cold[-1] == "execve"
    unwanted = calls_of(machine, words, env | {"HOOKS_COMPILE_SNAPSHOT": "0"})
    assert unwanted[-1] == "execve"
    assert len(unwanted) < 4
