"""Compiles the loader: when the package is built, or else when snapshots are turned on."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parent / "loader"
_MACHINE = platform.machine()
# Where the package carries the compiled loader.
BUILT = SOURCES / f"loader-{_MACHINE}"
_PAGE = 4096
_OF_MACHINE = {
    "x86_64": ("-march=x86-64", "-fcf-protection=none"),
    "aarch64": ("-march=armv8-a", "-mbranch-protection=none"),
}
_COMPILERS = ("cc", "gcc", "clang")
# It lies where neither the kernel nor a program that is not position-independent puts anything.
# Its code does not depend on its address, which is above the 4 GiB that other code can name.
_ADDRESS = "0x200000000"
_OPTIONS = (
    *("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wconversion"),
    *("-ffreestanding", "-fno-stack-protector", "-fpie"),
    *("-fno-asynchronous-unwind-tables", "-static", "-nostdlib", "-no-pie"),
    *("-Wl,-z,noseparate-code", "-Wl,-z,norelro", "-Wl,--build-id=none", "-s"),
)
# GNU ld and LLVM's ld name this option differently.
_PLACEMENTS = (f"-Wl,-Ttext-segment={_ADDRESS}", f"-Wl,--image-base={_ADDRESS}")
_TIMEOUT_S = 120


class LoaderError(Exception):
    """The loader can't be compiled: the message says why."""


def options() -> tuple[str, ...]:
    """Return the options of the compiler for this machine."""
    return (*_OPTIONS, *_OF_MACHINE[_MACHINE], f'-DPROCESSOR="{_MACHINE}.h"')


def is_supported_machine() -> bool:
    """Return whether there is a loader for the processor and system of this machine."""
    if sys.platform != "linux" or _MACHINE not in _OF_MACHINE:
        return False
    return os.sysconf("SC_PAGE_SIZE") == _PAGE


def is_available() -> bool:
    """Return whether there is a loader, or a compiler for it."""
    return BUILT.exists() or (is_supported_machine() and any(_compilers()))


def loader() -> bytes:
    """Return the loader that the package carries, or compile it now. Raises LoaderError."""
    if BUILT.exists():
        return BUILT.read_bytes()
    return compile_loader()


def compile_loader() -> bytes:
    """Return the loader, compiled with the first compiler that can. Raises LoaderError."""
    if not is_supported_machine():
        size = os.sysconf("SC_PAGE_SIZE")
        raise LoaderError(f"no loader for {sys.platform} on {_MACHINE} with pages of {size} bytes")
    said = "there is no C compiler (cc, gcc, clang, or the package ziglang)"
    with tempfile.TemporaryDirectory(prefix="hooks-compile-") as directory:
        output = Path(directory, "loader")
        for command in _compilers():
            for placement in _PLACEMENTS:
                words = [*command, *options(), placement, "-o", str(output), "loader.c"]
                done = subprocess.run(
                    words,
                    cwd=SOURCES,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=_TIMEOUT_S,
                )
                if done.returncode == 0:
                    return output.read_bytes()
                said = f"{' '.join(command)} fails: {(done.stderr.splitlines() or [''])[-1]}"
    raise LoaderError(said)


def _compilers() -> Iterator[list[str]]:
    for name in _COMPILERS:
        path = shutil.which(name)
        if path:
            yield [path]
    if importlib.util.find_spec("ziglang"):
        yield [sys.executable, "-m", "ziglang", "cc", "-target", f"{_MACHINE}-linux-musl"]
