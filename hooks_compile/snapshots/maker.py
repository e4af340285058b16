"""Makes a snapshot of an interpreter: starts it, stops it behind its imports, writes its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files
from hooks_compile.snapshots import elf, snapshot_keys, steering
from hooks_compile.snapshots.processor import PROCESSOR
from hooks_compile.snapshots.site_code import is_harmless_pth
from hooks_compile.snapshots.snapshot_file import HUGE_PAGE, Image, Machine, Segment, pack
from hooks_compile.snapshots.snapshot_keys import Look
from hooks_compile.snapshots.tracee import LONGEST_LIFE_S, PAGE, SnapshotError, Tracee

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hooks_compile.snapshots.snapshot_file import Part
    from hooks_compile.snapshots.snapshot_keys import KeyedPath
    from hooks_compile.snapshots.steering import Stopped

    Copy = Callable[[Path, int, int], Path]
from hooks_compile.snapshots.tracee import MemoryMap

# Zero bytes of this size are mapped as new memory instead of from the file: fewer bytes on disk,
# but one more call at each launch.
_SMALLEST_HOLE = 64 * PAGE
# Code and constants of this size are mapped from their own file, which all processes share: the
# snapshot is smaller, but two more calls are needed.
_SMALLEST_OF_FILE = 32 * PAGE
# Launches write to about 150 small pages of each of the first huge pages of the heap. A page fault
# takes 2.5 us, and a copy of the huge page 145 us. Behind them such pages are fewer.
_COPIED_HUGE_PAGES = 2
# Each launch executes code of these. So they are mapped from a copy: see Store.copy_program.
_OF_EACH_LAUNCH = ("libpython", "libc.so", "libc-", "ld-linux")
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


def make(
    python: str, launcher: Path, env: Mapping[str, str], held: Sequence[str], copy: Copy
) -> list[Part]:
    """Return the bytes of a snapshot of ``python``, an absolute path, that holds modules.

    ``launcher`` is launch.py in the runtime directory. Of ``env`` only what
    :func:`~snapshot_keys.keyed_environment` returns is given to the interpreter. ``copy`` copies
    the beginning of a program: see ``Store.copy_program``. No code of a hook is executed. Raises
    SnapshotError if there can be none.
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
        image, unsettled = _take(words, keyed, launcher, own, copy)
        if not unsettled:
            return pack(image)
        time.sleep(2 * snapshot_keys.RACY_S)
    raise SnapshotError("it is modified all the time", path=Path(unsettled[0].path))


def _take(
    words: Sequence[str], env: Mapping[str, str], launcher: Path, own: frozenset[str], copy: Copy
) -> tuple[Image, list[KeyedPath]]:
    """Return the image of an interpreter, and what was modified too shortly before.

    ``own`` are paths at which the resumed interpreter looks when it needs them.
    """
    begun = snapshot_keys.current_time()
    with Tracee(words[0], words, env) as tracee:
        stopped = steering.run_to_stop(tracee)
        _require_only_streams(tracee)
        maps = [area for area in tracee.maps() if stopped.placed.holds(area)]
        looks = _looks(stopped, words[0], launcher)
        sources = _sources(looks, maps)
        mapped = [_look(source.path) for source in sources.values()]
        keys = snapshot_keys.identify([*looks, *mapped], stopped.listed)
        _require_harmless_pth(keys)
        copies = _copy_programs(maps, words[0], copy)
        segments = list(_segments(tracee, stopped, maps, sources | copies))
        segments = _with_copied_heap(segments, stopped.placed.heap)
        left = own - {segment.path for segment in segments}
        checked = [key for key in keys if key.path not in left]
        checked += snapshot_keys.identify([_look(source.path) for source in copies.values()], ())
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
    """Start threads until their ids, which are also process ids, are distinctive.

    In a container they begin at 1, and elsewhere they begin anew at some time.
    """
    for _ in range(_LOWEST_PID):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        if (thread.native_id or 0) >= _LOWEST_PID:
            return


def _require_only_streams(tracee: Tracee) -> None:
    open_files = sorted(map(int, os.listdir(f"/proc/{tracee.pid}/fd")))  # noqa: PTH208 - names are numbers
    if open_files != [0, 1, 2]:
        raise SnapshotError("the interpreter keeps a file open that it opened while it started")


def _looks(stopped: Stopped, python: str, launcher: Path) -> list[Look]:
    """Return what the interpreter looked at, as far as the snapshot depends on it."""
    runtime = str(launcher.parent)
    looks = [Look(python, is_link=True), Look(python, is_link=False)]
    for look in stopped.looks:
        path = look.path
        is_keyed = not path.startswith(_NOT_KEYED) and path.rstrip("/") not in ("", runtime)
        # a relative path is one of the working directory /, where the hook does not start
        if path.startswith("/") and is_keyed and "/__pycache__/" not in path:
            looks.append(look)
    return looks


def _look(path: str) -> Look:
    return Look(path, is_link=False)


class _Source(NamedTuple):
    """The file that a launch maps instead of another one, whose bytes it has from ``at`` on."""

    path: str
    at: int


def _sources(looks: Sequence[Look], maps: Sequence[MemoryMap]) -> dict[str, _Source]:
    """Return by the path of each mapped file the one by which the interpreter opened it."""
    opened = {os.path.realpath(look.path): look.path for look in looks if not look.is_link}
    mapped = (area.path for area in maps if area.path.startswith("/"))
    return {path: _Source(opened.get(path, path), 0) for path in mapped}


def _require_harmless_pth(keys: Sequence[KeyedPath]) -> None:
    """Raise SnapshotError for a ``.pth`` file whose lines execute something that is not known."""
    for path in [Path(key.path) for key in keys if key.path.endswith(".pth")]:
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


def _copy_programs(maps: Sequence[MemoryMap], python: str, copy: Copy) -> dict[str, _Source]:
    """Copy what each launch executes code of; return the copies by the path of the file."""
    program = os.path.realpath(python)
    areas: dict[str, list[MemoryMap]] = {}
    for area in filter(is_shared_code, maps):
        if area.path == program or Path(area.path).name.startswith(_OF_EACH_LAUNCH):
            areas.setdefault(area.path, []).append(area)
    copies = {}
    for path, parts in areas.items():
        size = max(area.offset + area.end - area.start for area in parts)
        at = (parts[0].start - parts[0].offset) % HUGE_PAGE  # so that huge pages can be mapped
        if size >= _SMALLEST_OF_FILE:
            copies[path] = _Source(str(copy(Path(path), size, at)), at)
    return copies


def is_shared_code(area: MemoryMap) -> bool:
    """Return whether ``area`` is of a file, and nothing was or can be written to it."""
    return area.path.startswith("/") and not area.protection & _WRITABLE


def _segments(
    tracee: Tracee, stopped: Stopped, maps: Sequence[MemoryMap], sources: Mapping[str, _Source]
) -> Iterator[Segment]:
    """Give the memory in the order of addresses; neighbours that are alike become one."""
    waiting: Segment | None = None
    for part in _parts(tracee, stopped, maps, sources):
        if waiting and _continues(waiting, part):
            data = waiting.data + part.data
            waiting = waiting._replace(length=waiting.length + part.length, data=data)
            continue
        if waiting:
            yield waiting
        waiting = part
    if waiting:
        yield waiting


def _with_copied_heap(segments: list[Segment], heap: int) -> list[Segment]:
    """Let launches copy the beginning of the heap into huge pages.

    What is not mapped between its segments becomes memory, too.
    """
    end = heap + _COPIED_HUGE_PAGES * HUGE_PAGE
    inside = [each for each in segments if heap <= each.address < end]
    is_usual = {each.protection for each in inside} == {_READABLE | _WRITABLE}
    if not is_usual or segments[-1].end < end:
        return segments
    memory = bytearray(end - heap)
    kept = [each for each in segments if each not in inside]
    for each in inside:
        data = each.data[: end - each.address]
        at = each.address - heap
        memory[at : at + len(data)] = data
        if each.end > end:
            left = each.data[end - each.address :]
            kept.append(each._replace(address=end, length=each.end - end, data=left))
    for at in range(0, len(memory), HUGE_PAGE):
        data = bytes(memory[at : at + HUGE_PAGE])
        kept.append(Segment(heap + at, HUGE_PAGE, _READABLE | _WRITABLE, data, is_copied=True))
    return sorted(kept)


def _continues(one: Segment, other: Segment) -> bool:
    return (
        one.end == other.address
        and one.protection == other.protection
        and bool(one.data) == bool(other.data)
        and one.path == other.path
        and (not one.path or one.offset + one.length == other.offset)
    )


def _parts(
    tracee: Tracee, stopped: Stopped, maps: Sequence[MemoryMap], sources: Mapping[str, _Source]
) -> Iterator[Segment]:
    stack_start, stack_end = stopped.placed.stack
    top = stopped.state.general[PROCESSOR.stack]
    used_from = (top - _BELOW_STACK_POINTER) // PAGE * PAGE
    sizes: Counter[str] = Counter()
    for area in maps:
        sizes[area.path] += (area.end - area.start) * is_shared_code(area)
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
        protection = area.protection
        if is_shared_code(area):
            protection |= _EXECUTABLE  # as the code beside it: each segment costs a launch 3 us
            source = sources[area.path]
            offset = area.offset + source.at
            if sizes[area.path] >= _SMALLEST_OF_FILE and _is_as_in_file(source.path, offset, data):
                yield Segment(start, len(data), protection, path=source.path, offset=offset)
                continue
        yield from _without_holes(start, protection, data)


def _is_as_in_file(path: str, offset: int, data: bytes) -> bool:
    with Path(path).open("rb") as file:
        file.seek(offset)
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
