"""The queue of the background maker: who asks for snapshots, and what is made then.

Launches that went cold, sync, git hooks and the watcher put requests into it and start the maker.
Nothing that a work tree brings is started: a request is followed only for an interpreter for which
the user has turned snapshots on, and only if the environment names no directory of modules.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from hooks_compile import files
from hooks_compile.entries.compiler import Compiler
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import runtime_directory
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.model import HookSource
from hooks_compile.snapshots import making, snapshot_keys
from hooks_compile.snapshots.import_sets import import_sets
from hooks_compile.snapshots.snapshot_store import Place, Store, set_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hooks_compile.model import CompileResult
    from hooks_compile.snapshots.import_sets import ImportSet

MAKER = "maker"
_REQUEST = ".request"
_LARGEST_REQUEST = 1 << 20
_MADE_ANEW_S = 24 * 3600
_LOWEST_PRIORITY = 19
# Variables by which whoever chooses the environment has the maker execute other code.
_NAMES_CODE = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "LD_", "GCONV_PATH", "OPENSSL_")


class Request(NamedTuple):
    """A wish for snapshots of ``python`` for ``scripts``.

    Without an ``environment`` it is for each for which there are snapshots already.
    """

    python: str
    scripts: tuple[Path, ...]
    environment: Mapping[str, str] | None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what ``launcher/snapshot/request.py`` writes."""
        python, script, *entries = map(os.fsdecode, data.split(b"\0"))
        pairs = (entry.partition("=") for entry in entries)
        return cls(python, (Path(script),), {name: value for name, _, value in pairs})


def write_command(snapshots: Store) -> None:
    """Write down how the maker is started: launches have no other way to know."""
    # -E: a launch has the environment of a hook, which may name other modules
    words = [sys.executable, "-E", "-m", "hooks_compile", "snapshot", "refresh"]
    content = "\0".join(words).encode("utf-8", "surrogateescape")
    files.replace_if_changed(snapshots.directory / MAKER, content)


def ask(snapshots: Store, pythons: Iterable[str], scripts: Iterable[Path]) -> None:
    """Ask for snapshots for ``scripts``, and start the maker. Does nothing if snapshots are off."""
    if not snapshots.is_on:
        return
    wanted = "\0".join(map(str, scripts))
    for python in pythons:
        content = f"{python}\0{wanted}".encode("utf-8", "surrogateescape")
        name = f"{snapshot_keys.hash_bytes(content):016x}.sync{_REQUEST}"
        files.replace(snapshots.directory / name, content)
    with contextlib.suppress(OSError):
        words = files.read_own(snapshots.directory / MAKER).split(b"\0")
        # by a shell that ends at once: nobody waits for the maker
        subprocess.run(
            ["/bin/sh", "-c", '"$@" &', "sh", *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )


def ask_after_sync(runtime: Path, results: Iterable[CompileResult]) -> None:
    """Ask for snapshots for the hooks that are new since the maker has run."""
    snapshots = Store(runtime)
    try:
        last = (snapshots.directory / MAKER).stat().st_mtime
    except FileNotFoundError:
        return  # they are being turned off
    compiled: dict[str, list[Path]] = {}
    for result in results:
        if result.ok and result.source.path.stat().st_ctime > last:
            python = str(result.interpreter.executable)
            compiled.setdefault(python, []).append(result.source.path)
    for python, scripts in compiled.items():
        ask(snapshots, [python], scripts)


def refresh(snapshots: Store) -> int:
    """Do what was asked for; return how many snapshots were made. One process does it at a time."""
    os.nice(_LOWEST_PRIORITY)
    _take_signals_back()
    with contextlib.suppress(FileNotFoundError):  # they are being turned off
        os.utime(snapshots.directory / MAKER)
    made = 0
    while snapshots.is_on and (requests := _take_requests(snapshots)):
        for request in requests:
            made += sum(each.error is None for each in _follow(snapshots, request))
    return made


def _take_signals_back() -> None:
    """Ignore no signal: whoever has started us may, and the tests of a snapshot would see it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in signal.valid_signals() - {signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _take_requests(snapshots: Store) -> list[Request]:
    """Return the requests, and remove their files."""
    found = []
    for path in sorted(snapshots.directory.glob(f"*{_REQUEST}")):
        try:
            data = files.read_own(path, _LARGEST_REQUEST)
            path.unlink()
        except OSError:
            continue  # another maker has it
        if path.name.endswith(f".sync{_REQUEST}"):
            python, *scripts = map(os.fsdecode, data.split(b"\0"))
            found.append(Request(python, tuple(map(Path, scripts)), None))
        elif data.count(b"\0") >= 1:
            found.append(Request.parse(data))
    return found


def _follow(snapshots: Store, request: Request) -> list[making.Made]:
    """Make what a request is for, as far as it is missing or old."""
    environments = [
        each.environment for each in snapshots.places() if each.python == request.python
    ]
    if not environments:
        return []  # the user has turned snapshots on for other interpreters
    if request.environment is not None:
        keyed = snapshot_keys.keyed_environment(request.environment)
        environments = [keyed]
    made = []
    for environment in environments:
        if any(name.startswith(_NAMES_CODE) for name in environment):
            continue
        try:
            sets = _sets(snapshots, request, environment)
        except HooksCompileError:
            continue  # the interpreter is not there any more
        made += making.make_all(snapshots, sets, environment)
    return made


def _sets(snapshots: Store, request: Request, environment: Mapping[str, str]) -> list[ImportSet]:
    """Return what is missing or old, for the scripts of the request and those known before."""
    known = {
        Path(script)
        for snapshot in snapshots.snapshots()
        if snapshot.python == request.python
        for script in snapshot.scripts
    }
    scripts = sorted(path for path in {*known, *request.scripts} if path.is_file())
    path = os.environ.get("PATH", os.defpath)
    interpreter = resolve(request.python, cwd=Path("/"), env={"PATH": path, **environment})
    key = runtime_directory.read_key(snapshots.runtime)
    with Compiler([interpreter], key) as compiler:
        results = compiler.check([HookSource(path) for path in scripts])
    place = snapshots.place(request.python, environment)
    is_stale = not _is_resumed(snapshots, place)
    return [
        one
        for one in import_sets([interpreter], results, key)
        if is_stale or not _is_there(place.directory, one)
    ]


def _is_resumed(snapshots: Store, place: Place) -> bool:
    """Return whether a launch is resumed from the base: nothing that it depends on has changed."""
    with snapshots.locked(), snapshots.scratch() as directory:
        script, trace = directory / "probe.py", directory / "trace"
        script.write_bytes(b"")
        env = {**place.environment, "PATH": os.defpath, "HOOKS_COMPILE_TRACE": str(trace)}
        launcher = str(snapshots.runtime / "launch.py")
        words = [str(snapshots.loader), place.python, launcher, str(script)]
        subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return trace.exists() and trace.read_bytes().startswith(b"resumed\t")


def _is_there(directory: Path, one: ImportSet) -> bool:
    """Return whether a set has a snapshot of today, for each of its scripts."""
    paths = [directory / set_name(one.imports)]
    paths += [directory / snapshot_keys.script_name(script.stat()) for script in one.scripts]
    if not all(path.exists() for path in paths):
        return False
    status = [path.stat() for path in paths]
    is_young = status[0].st_mtime > time.time() - _MADE_ANEW_S
    return is_young and len({each.st_ino for each in status}) == 1
