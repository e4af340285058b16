"""A user whose hooks are launched with ``uv run``: the real uv, on a machine without a network."""

from __future__ import annotations

import resource
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from hooks_compile.install import runtime_directory
from tests.support.launches import TIMEOUT_S, WRAPPER, Launched, default_interpreter
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.interpreters_found import Found

BLOCK = "# /// script\n# dependencies = []\n# ///\n"
# Who started the hook, and in which environment it runs.
WHO = """\
import os, sys
starter = os.readlink(f"/proc/{os.getppid()}/exe")
print("uv" if os.path.basename(starter) == "uv" else "us", sys.prefix, sys.version_info[:2])
"""
REPORT = """\
import json, os, resource, signal, site, sys
ignored = [s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN]
print(json.dumps({
    "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "flags": list(sys.flags),
    "executable": sys.executable, "prefix": sys.prefix, "path": sys.path, "cwd": os.getcwd(),
    "base": getattr(sys, "_base_executable", None), "modules": sorted(sys.modules),
    "environ": list(os.environ.items()), "bytes": [str(pair) for pair in os.environb.items()],
    "umask": os.umask(0o22), "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
    "ignored": [int(s) for s in ignored], "file": __file__, "session": os.getsid(0),
    "open": sorted(os.listdir("/dev/fd")), "names": sorted(globals()), "stdin": sys.stdin.read(),
}), flush=True)
os.system("env")
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """``bin`` is the first directory on PATH: it holds uv and ``python3``."""

    root: Path
    bin: Path
    env: Mapping[str, str]

    @classmethod
    def create(cls, root: Path, found: Found | None = None) -> Machine:
        """Set one up in an empty directory, with the launcher, and nothing recorded."""
        if not Path("/proc/self/environ").exists():
            pytest.skip("records are made where /proc tells how uv was started")
        machine = cls(root, root / "bin", {})
        machine.bin.mkdir(parents=True)
        (machine.bin / "uv").symlink_to(find_uv_bin())
        (machine.bin / "python3").symlink_to((found or default_interpreter()).executable)
        runtime_directory.ensure(machine.runtime)
        for directory in ("home", "tmp", "wheels", "work"):
            (root / directory).mkdir()
        return machine

    @property
    def runtime(self) -> Path:
        """The user's runtime directory."""
        return self.root / "runtime"

    @property
    def work(self) -> Path:
        """Where commands run if nothing else is said."""
        return self.root / "work"

    def environment(self) -> dict[str, str]:
        """What this user's processes see."""
        return {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),  # uv leaves its locks there
            "LANG": "C.UTF-8",
            "PWD": str(self.work),
            "UV_CACHE_DIR": str(self.root / "cache"),
            "UV_FIND_LINKS": str(self.root / "wheels"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_OFFLINE": "1",
            "HOOKS_COMPILE_HOME": str(self.runtime),
            **self.env,
        }

    def with_env(self, **env: str) -> Machine:
        """The same machine with more in the environment."""
        return replace(self, env={**self.env, **env})

    def hook(self, text: str, name: str = "hook.py", block: str = BLOCK) -> Path:
        """Write a hook with a block of metadata."""
        return write(self.work / name, block + text)

    def uv(self, *words: str | Path, **how: object) -> Launched:
        """``uv run WORDS``, as it was before."""
        return self.run(["uv", "run", *map(str, words)], **how)  # type: ignore[arg-type]

    def wrapped(self, *words: str | Path, **how: object) -> Launched:
        """The same through the wrapper."""
        return self.run(["sh", str(WRAPPER), "--uv", *map(str, words)], **how)  # type: ignore[arg-type]

    def recorded(self, *words: str | Path, **how: object) -> Launched:
        """A launch through the wrapper behind one that made the record."""
        self.wrapped(*words, **how)
        return self.wrapped(*words, **how)

    def run(
        self,
        words: Sequence[str],
        *,
        cwd: Path | None = None,
        stdin: bytes = b"",
        limit: int | None = None,
    ) -> Launched:
        """Run a command as this user; ``limit`` is that of open files, where it may be raised."""
        trace = self.root / "trace"
        trace.write_text("")
        here = cwd or self.work

        def lower() -> None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit or hard, hard))

        done = subprocess.run(
            words,
            cwd=here,
            env={**self.environment(), "PWD": str(here), "HOOKS_COMPILE_TRACE": str(trace)},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            preexec_fn=lower,
        )
        lines = trace.read_text(errors="surrogateescape").splitlines()
        assert len(lines) <= 1, f"one launch, several trace lines: {lines}"
        state, reason, *_ = (*(lines or [""])[0].split("\t"), "", "")
        return Launched(done.returncode, done.stdout, done.stderr, state, reason)

    def record(self, hook: Path) -> Path:
        """Where the launches of a hook are recorded that is named by its absolute path."""
        return Path(f"{self.runtime}/uv{hook}.uv")

    def wheel(self, name: str, version: str) -> None:
        """Offer a package with a module of its name that knows its version."""
        info = f"{name}-{version}.dist-info"
        path = self.root / "wheels" / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            # Python takes two sources of one size and one second for the same
            size = "\n" * int(version[0])
            archive.writestr(f"{name}.py", f"VERSION = {version!r}{size}")
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            archive.writestr(
                f"{info}/WHEEL",
                "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            archive.writestr(
                f"{info}/RECORD",
                f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
            )

    def own_uv(self) -> Path:
        """Put a copy of uv in the place of the link, and return it."""
        path = self.bin / "uv"
        path.unlink()
        shutil.copy2(find_uv_bin(), path)
        return path


def needs(*names: str) -> dict[str, str]:
    """A block of metadata with dependencies."""
    return {"block": f"# /// script\n# dependencies = {list(names)!r}\n# ///\n".replace("'", '"')}


def asked(launched: Launched) -> bool:
    """Whether uv chose, by what WHO printed."""
    assert launched.status == 0, launched
    who = launched.stdout.split()[0]
    assert who in (b"uv", b"us")
    return who == b"uv"


def remove(path: Path) -> None:
    """Remove a file or a directory."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
