"""What importing a module does besides defining names, as far as it can be observed.

``python -m tests.import_effects [MODULE...]`` shows it for every interpreter that is found.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.runtime import deferral_table
from tests import interpreters_found

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBE = Path(__file__).with_name("import_probe.py")
MARK = "/where-an-import-begins-and-ends"
# Of a library's own files, and of memory.
_PLAIN_CALLS = {
    *("access", "brk", "close", "fstat", "futex", "getdents64", "ioctl", "lseek", "lstat"),
    *("madvise", "mmap", "mprotect", "mremap", "munmap", "newfstatat", "open", "openat"),
    *("pread64", "read", "readlink", "rt_sigreturn", "stat", "statx"),
}
# selectors tries whether they work
_TRIED = {"epoll_create", "epoll_create1", "poll"}
# Where the dynamic loader looks for shared libraries.
_SEARCHED = {"/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"}


def effects(executable: Path, module: str) -> dict[str, list[str]]:
    """Return what was seen, ``effects`` and ``imports``, when ``executable`` imports ``module``."""
    done = _run([str(executable), "-I", "-S", str(PROBE), module, MARK])
    found: dict[str, list[str]] = json.loads(done.stdout)
    if done.stderr:
        found["effects"].append(f"prints {done.stderr}")
    return found


def calls(executable: Path, module: str) -> list[str]:
    """Return the system calls of the same import that do more than read the library.

    A warning is an error then.
    """
    words = ["strace", "-f", str(executable), "-I", "-S", "-W", "error", str(PROBE), module, MARK]
    # the words of the command are the first that have it
    lines = _run(words).stderr.split(f'"{MARK}"')[2].split("\n")[1:-1]
    library = executable.resolve().parent.parent
    return [line for line in lines if not _is_plain(line, str(library))]


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done


def _is_plain(line: str, library: str) -> bool:
    call = re.sub(r"^\[pid +\d+\] ", "", line).partition("(")[0]
    if call in _TRIED:
        return True
    return (
        call in _PLAIN_CALLS
        and "O_WRONLY" not in line
        and all(
            path.startswith((library, "/etc/ld.so.cache")) or ".so" in path or path in _SEARCHED
            for path in re.findall(r'"(/[^"]*)"', line)
        )
    )


def main() -> int:
    """Print what each module does under each interpreter."""
    for found in interpreters_found.found():
        for name in sys.argv[1:] or sorted(deferral_table.MODULES):
            if found.is_cpython:
                seen = effects(found.executable, name)["effects"]
                print(found.name, name, *seen, *calls(found.executable, name), sep="\n    ")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
