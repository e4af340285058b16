"""The ways to launch a hook that are measured against its source, each built by its own tool.

A way that its tool refuses raises HooksCompileError: it gets a line with the reason, no figures.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import runtime_directory, wrapper
from hooks_compile.interpreters.resolve import find, is_shim
from hooks_compile.model import HookSource
from hooks_compile.snapshots import loader_build, making
from hooks_compile.snapshots.snapshot_store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hooks_compile.bench.scratch import Copy
    from hooks_compile.model import CompileResult, Interpreter

BUILD_TIMEOUT_S: Final = 600
_PYC_LAUNCHER: Final = """#!/usr/bin/env bash
# the usual recipe: bytecode without docstrings and asserts, made anew if the source is newer
[ {source} -nt {compiled} ] && {python} -OO -c 'import py_compile, sys
py_compile.compile(sys.argv[1], sys.argv[2])' {source} {compiled}
exec {python} -OO {compiled} "$@"
"""
# What an interpreter says about linking a program with it, separated by NULs.
_EMBEDDING_FLAGS: Final = r"""
import sysconfig
get = lambda name: sysconfig.get_config_var(name) or ""
print("\0".join([
    "-I" + sysconfig.get_path("include"),
    "-L" + get("LIBDIR"), "-L" + get("LIBPL"), "-Wl,-rpath," + get("LIBDIR"),
    "-lpython" + get("LDVERSION"),
    *get("LIBS").split(), *get("SYSLIBS").split(), *get("LINKFORSHARED").split(),
]), end="")
"""


class Built(NamedTuple):
    """What launches a hook in one way, and what it took: seconds and bytes, 0 if nothing."""

    words: tuple[str, ...]
    seconds: float = 0.0
    size: int = 0


class Job(NamedTuple):
    """A hook in a copy of the project, and what a way to launch it needs to know.

    ``build`` is an empty directory; ``env`` is what the launches get.
    """

    hook: Path
    copy: Copy
    python: Interpreter
    env: Mapping[str, str]

    @property
    def build(self) -> Path:
        """A directory for what is built."""
        return self.copy.top / "build"

    def run(self, *words: str | Path) -> None:
        """Run a tool. Raises HooksCompileError with its last line if it fails."""
        self.build.mkdir(exist_ok=True)
        try:
            done = subprocess.run(
                words,
                cwd=self.build,
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=BUILD_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise HooksCompileError(f"{words[0]} takes over {BUILD_TIMEOUT_S} s") from None
        if done.returncode:
            said = done.stdout.strip().splitlines() or [f"exit status {done.returncode}"]
            raise HooksCompileError(f"{Path(words[0]).name} failed: {said[-1]}")

    def tool(self, name: str, remedy: str) -> str:
        """Return the path of a program. Raises HooksCompileError if it is not installed."""
        beside_us = f"{Path(sys.executable).parent}{os.pathsep}{self.env.get('PATH', '')}"
        found = shutil.which(name, path=beside_us)
        if found is None:
            raise HooksCompileError(f"{name} is not installed", remedy=remedy)
        return found


def build(name: str, job: Job) -> Built:
    """Build a way to launch ``job.hook``. Raises HooksCompileError if that can't be done."""
    begun = time.perf_counter()
    words, made = WAYS[name](job)
    return Built(words, time.perf_counter() - begun if made else 0.0, sum(map(_size, made)))


def _source(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    return (str(job.python.executable), str(job.hook)), []


def _wrapper(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    entries = [result.entry for result in _compile(job) if result.entry]
    script = job.hook.parent / wrapper.NAME
    python = f"--python={job.python.executable}"
    return ("/bin/sh", str(script), python, str(job.hook)), entries


def _resumed(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    words, _ = _wrapper(job)
    snapshots = Store(runtime_directory.location(job.env))
    try:
        loader = loader_build.loader()
    except loader_build.LoaderError as error:
        raise HooksCompileError(f"no snapshots here: {error}") from error
    snapshots.create()
    snapshots.turn_on(loader)
    made = making.make_all(snapshots, [job.python], job.env)
    for each in made:
        if each.error is not None:
            raise HooksCompileError(str(each.error))
    return words, [path for path in snapshots.directory.rglob("*") if path.is_file()]


def _compile(job: Job) -> list[CompileResult]:
    """Compile the hook and the modules beside it; write the wrapper and the runtime directory."""
    runtime = runtime_directory.location(job.env)
    runtime_directory.ensure(runtime)
    wrapper.write(job.hook.parent)
    with Compiler([job.python], runtime_directory.read_key(runtime)) as compiler:
        results = compiler.compile([HookSource(job.hook)])
        modules = [p for p in job.hook.parent.glob("*.py") if p != job.hook]
        compiler.modules([HookSource(path, "local module") for path in modules], write=True)
    return results


def _shim(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    path = find("python3", cwd=job.copy.project, env=job.env)
    if not is_shim(path):
        raise HooksCompileError("python3 on PATH is no shim: this is the source")
    return (str(path), str(job.hook)), []


def _pyc(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    compiled, script = job.build / f"{job.hook.stem}.pyc", job.build / "launch.sh"
    program = "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2])"
    job.run(job.python.executable, "-OO", "-c", program, job.hook, compiled)
    names = {"source": job.hook, "compiled": compiled, "python": job.python.executable}
    quoted = {name: shlex.quote(str(path)) for name, path in names.items()}
    script.write_text(_PYC_LAUNCHER.format(**quoted), encoding="utf-8")
    return (job.tool("bash", "install bash"), str(script)), [compiled]


def _cython(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    cython = job.tool("cython", "pip install 'hooks-compile[bench]'")
    compiler = job.tool("cc", "install a C compiler")
    source, program = job.build / "hook.c", job.build / "hook"
    # a hook's name may be none that a module can have
    job.run(cython, "--embed", "-3", "--module-name", "hook", "-o", source, job.hook)
    flags = subprocess.run(
        [job.python.executable, "-c", _EMBEDDING_FLAGS],
        capture_output=True,
        text=True,
        check=True,
        env=dict(job.env),
    )
    job.run(compiler, "-O2", "-o", program, source, *flags.stdout.split("\0"))
    return (str(program),), [program]


def _nuitka(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    program = job.build / "hook.bin"
    output = f"--output-filename={program.name}"
    python = _python_with_nuitka(job)
    job.run(python, "-m", "nuitka", "--assume-yes-for-downloads", output, job.hook)
    return (str(program),), [program]


def _python_with_nuitka(job: Job) -> Path:
    """Return the hook's Python or our own of the same version, whichever has Nuitka."""
    candidates = [job.python.executable]
    if job.python.version == sys.version_info[:3]:
        candidates.append(Path(sys.executable))
    for python in candidates:
        with contextlib.suppress(HooksCompileError):
            job.run(python, "-m", "nuitka", "--version")
            return python
    raise HooksCompileError(
        f"Nuitka is not installed for {job.python.label}",
        remedy=f"{shlex.quote(str(job.python.executable))} -m pip install nuitka",
    )


def _pypy(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    return (job.tool("pypy3", "install PyPy (pypy3)"), str(job.hook)), []


def _uv(job: Job) -> tuple[tuple[str, ...], list[Path]]:
    uv = job.tool("uv", "install uv")
    python = f"--python={job.python.executable}"
    return (uv, "run", "--offline", "--quiet", python, "--script", str(job.hook)), []


WAYS: Final[dict[str, Callable[[Job], tuple[tuple[str, ...], Sequence[Path]]]]] = {
    "source": _source,
    "wrapper": _wrapper,
    "resumed": _resumed,
    "shim": _shim,
    "pyc": _pyc,
    "cython": _cython,
    "nuitka": _nuitka,
    "pypy": _pypy,
    "uv": _uv,
}


def _size(path: Path) -> int:
    return path.stat().st_size
