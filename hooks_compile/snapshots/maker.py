"""Makes a snapshot of an interpreter: starts it, stops it behind its imports, writes its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile import files
from hooks_compile.snapshots import elf, snapshot_keys, steering
from hooks_compile.snapshots.processor import PROCESSOR
from hooks_compile.snapshots.site_code import is_harmless_pth
from hooks_compile.snapshots.snapshot_file import Image, Machine, Segment, pack
from hooks_compile.snapshots.snapshot_keys import Look
from hooks_compile.snapshots.tracee import LONGEST_LIFE_S, PAGE, SnapshotError, Tracee

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.snapshots.snapshot_keys import KeyedPath
    from hooks_compile.snapshots.steering import Stopped
from hooks_compile.snapshots.tracee import MemoryMap

# Zero bytes of this size are mapped as new memory instead of from the file: fewer bytes on disk,
# but one more call at each launch.
_SMALLEST_HOLE = 64 * PAGE
# Code and constants of this size are mapped from their own file, which all processes share: the
# snapshot is smaller, but three more calls are needed.
_SMALLEST_OF_FILE = 32 * PAGE
# What lies below the stack pointer is not used: a function may use 128 bytes, and the rest is new.
_BELOW_STACK_POINTER = 4 * PAGE
_ATTEMPTS = 3
# How launcher/snapshot/stop.py ends.
_IS_UNKNOWN, _IS_ALONE = 3, 4
_READABLE, _WRITABLE, _EXECUTABLE = 1, 2, 4
# An id as low as this may be any number in memory, so it can't be recognized there.
_LOWEST_PID = 1000
# The kernel's own files say something else to each process, or each time.
_NOT_KEYED = ("/proc/", "/sys/", "/dev/")


def make(python: str, launcher: Path, env: Mapping[str, str], held: Sequence[str]) -> bytes:
    """Return the bytes of a snapshot of ``python``, an absolute path, that holds modules.

    ``launcher`` is launch.py in the runtime directory. Of ``env`` only what
    :func:`~snapshot_keys.keyed_environment` returns is given to the interpreter. No code of a hook
    is executed. Raises SnapshotError if there can be none.
    """
    variable = snapshot_keys.refused_variable(env)
    if variable:
        raise SnapshotError(
            f"{variable} is set, and acts at each start of Python", remedy=f"unset {variable}"
        )
    keyed = snapshot_keys.keyed_environment(env)
    words = [python, str(launcher), "--snapshot", *held]
    own = _rehearse(words, keyed)
    _use_up_low_pids()
    for _ in range(_ATTEMPTS):
        image, unsettled = _take(words, keyed, launcher, own)
        if not unsettled:
            return pack(image)
        time.sleep(2 * snapshot_keys.RACY_S)
    raise SnapshotError("it is modified all the time", path=Path(unsettled[0].path))


def _take(
    words: Sequence[str], env: Mapping[str, str], launcher: Path, own: frozenset[str]
) -> tuple[Image, list[KeyedPath]]:
    """Return the image of an interpreter, and what was modified too shortly before.

    ``own`` are paths at which the resumed interpreter looks when it needs them.
    """
    begun = snapshot_keys.current_time()
    with Tracee(words[0], words, env) as tracee:
        stopped = steering.run_to_stop(tracee)
        _require_only_streams(tracee)
        maps = [area for area in tracee.maps() if stopped.placed.holds(area)]
        keys = _keys(stopped, words[0], launcher, maps)
        segments = list(_segments(tracee, stopped, maps))
        left = own - {segment.path for segment in segments}
        checked = [key for key in keys if key.path not in left]
        image = _image(tracee, stopped, maps, words[0], checked, segments)
    return image, [key for key in keys if not snapshot_keys.is_settled(key, begun)]


def _rehearse(words: Sequence[str], env: Mapping[str, str]) -> frozenset[str]:
    """Start the interpreter once as usual: it writes the bytecode that it lacks.

    Return the paths at which it will look itself.
    """
    try:
        done = subprocess.run(
            words,
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LONGEST_LIFE_S,
        )
    except subprocess.TimeoutExpired:
        raise SnapshotError(f"a start of it takes over {LONGEST_LIFE_S} s") from None
    if done.returncode == _IS_UNKNOWN:
        raise SnapshotError(
            "a .pth file or a sitecustomize loads a module that may act in each process",
            remedy="hooks-compile doctor",
        )
    if done.returncode != _IS_ALONE:
        last = (done.stderr.decode(errors="replace").splitlines() or [""])[-1]
        raise SnapshotError(f"the launcher ended with status {done.returncode}: {last}")
    return frozenset(os.fsdecode(path) for path in done.stdout.split(b"\0") if path)


def _use_up_low_pids() -> None:
    """Fork until process ids are distinctive: in a container they begin at 1."""
    while True:
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        if pid >= _LOWEST_PID:
            return


def _require_only_streams(tracee: Tracee) -> None:
    open_files = sorted(map(int, os.listdir(f"/proc/{tracee.pid}/fd")))  # noqa: PTH208 - names are numbers
    if open_files != [0, 1, 2]:
        raise SnapshotError("the interpreter keeps a file open that it opened while it started")


def _keys(
    stopped: Stopped, python: str, launcher: Path, maps: Sequence[MemoryMap]
) -> list[KeyedPath]:
    """Return what the snapshot depends on."""
    runtime = str(launcher.parent)
    looks = [Look(python, is_link=True), Look(python, is_link=False)]
    for look in stopped.looks:
        path = look.path
        is_keyed = not path.startswith(_NOT_KEYED) and path.rstrip("/") not in ("", runtime)
        # a relative path is one of the working directory /, where the hook does not start
        if path.startswith("/") and is_keyed and "/__pycache__/" not in path:
            looks.append(look)
    looks += [Look(area.path, is_link=False) for area in maps if area.path.startswith("/")]
    keys = snapshot_keys.identify(looks, stopped.listed)
    for key in keys:
        if key.path.endswith(".pth"):
            _require_harmless_pth(Path(key.path))
    return keys


def _require_harmless_pth(path: Path) -> None:
    """Raise SnapshotError for a ``.pth`` file whose lines execute something that is not known."""
    if not is_harmless_pth(path.name, files.read_bytes(path).decode("utf-8", "replace")):
        raise SnapshotError(
            "this file executes code at each start of Python, and it is not known what it does",
            path=path,
        )


def _image(
    tracee: Tracee,
    stopped: Stopped,
    maps: Sequence[MemoryMap],
    python: str,
    keys: Sequence[KeyedPath],
    segments: Sequence[Segment],
) -> Image:
    """Return all that the loader needs. Raises SnapshotError."""
    general = stopped.state.general
    buffer, buffer_size = (general[name] for name in PROCESSOR.arguments[1:3])  # of read(2)
    environ = elf.address_of(b"environ", _loaded_files(maps, python))
    if not environ:
        raise SnapshotError("the C library has no variable environ")
    hwcap, hwcap2 = snapshot_keys.processor_capabilities()
    limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
    machine = Machine(limit & (1 << 64) - 1, hwcap, hwcap2, snapshot_keys.boot_id())
    name = Path(f"/proc/{tracee.pid}/comm").read_text("utf-8", "replace").strip()
    return Image(
        python=python,
        process_name=name,
        registers=PROCESSOR.saved(stopped.state),
        buffer=buffer,
        buffer_size=buffer_size,
        environ=environ,
        segments=segments,
        actions=stopped.actions,
        thread=stopped.thread,
        keys=keys,
        machine=machine,
    )


def _loaded_files(maps: Sequence[MemoryMap], python: str) -> list[tuple[str, int]]:
    """Return each mapped file with its first address; the program comes first."""
    first: dict[str, int] = {}
    for area in maps:
        if area.path.startswith("/"):
            first.setdefault(area.path, area.start)
    program = os.path.realpath(python)
    return sorted(first.items(), key=lambda item: item[0] != program)


def _segments(tracee: Tracee, stopped: Stopped, maps: Sequence[MemoryMap]) -> Iterator[Segment]:
    """Give the memory in the order of addresses; neighbours that are alike become one."""
    waiting: Segment | None = None
    for part in _parts(tracee, stopped, maps):
        if waiting and _continues(waiting, part):
            data = waiting.data + part.data
            waiting = waiting._replace(length=waiting.length + part.length, data=data)
            continue
        if waiting:
            yield waiting
        waiting = part
    if waiting:
        yield waiting


def _continues(one: Segment, other: Segment) -> bool:
    return (
        one.end == other.address
        and one.protection == other.protection
        and bool(one.data) == bool(other.data)
        and not (one.path or other.path)
    )


def _parts(tracee: Tracee, stopped: Stopped, maps: Sequence[MemoryMap]) -> Iterator[Segment]:
    stack_start, stack_end = stopped.placed.stack
    top = stopped.state.general[PROCESSOR.stack]
    used_from = (top - _BELOW_STACK_POINTER) // PAGE * PAGE
    for area in maps:
        if area.is_shared and area.protection & _WRITABLE:
            raise SnapshotError("the interpreter shares memory with others")
        start = area.start
        if stack_start <= start < stack_end and start < used_from:
            yield Segment(start, used_from - start, area.protection)
            start = used_from
        if not area.protection & _READABLE:
            yield Segment(start, area.end - start, area.protection)
            continue
        data = tracee.read(start, area.end - start)
        if _is_as_in_its_file(area, data):
            yield Segment(start, len(data), area.protection, path=area.path, offset=area.offset)
            continue
        protection = area.protection
        if protection == _READABLE and area.path.startswith("/"):
            protection |= _EXECUTABLE  # as the code beside it: each segment costs a launch 3 us
        yield from _without_holes(start, protection, data)


def _is_as_in_its_file(area: MemoryMap, data: bytes) -> bool:
    """Return whether memory is to be mapped from the program or library that it is of."""
    if (
        not area.path.startswith("/")
        or area.protection & _WRITABLE
        or len(data) < _SMALLEST_OF_FILE
    ):
        return False
    with Path(area.path).open("rb") as file:
        file.seek(area.offset)
        return file.read(len(data)) == data


def _without_holes(start: int, protection: int, data: bytes) -> Iterator[Segment]:
    """Divide ``data`` into what is to be written and large areas of zero bytes."""
    hole = bytes(_SMALLEST_HOLE)
    at = begun = 0
    while at < len(data):
        if data[at : at + _SMALLEST_HOLE] != hole:
            at += PAGE
            continue
        end = at + _SMALLEST_HOLE
        while data[end : end + PAGE] == hole[:PAGE]:
            end += PAGE
        if at > begun:
            yield Segment(start + begun, at - begun, protection, data[begun:at])
        yield Segment(start + at, end - at, protection)
        at = begun = end
    if begun < len(data):
        yield Segment(start + begun, len(data) - begun, protection, data[begun:])
