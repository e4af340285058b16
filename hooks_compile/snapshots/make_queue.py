"""The queue of the background maker: what is made when a launch asks for it.

Launches that resumed no snapshot, or an old one, put requests into it and start the maker.
Nothing that a work tree brings is started: a request is followed only for an interpreter for which
the user has turned snapshots on, and only if the environment names no directory of modules.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from hooks_compile import files
from hooks_compile.errors import HooksCompileError
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.snapshots import launch_probe, making
from hooks_compile.snapshots.snapshot_store import KINDS, Place, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

MAKER = "maker"
_REQUEST = ".request"
_LARGEST_REQUEST = 1 << 20
_MADE_ANEW_S = 24 * 3600
_LOWEST_PRIORITY = 19
# Variables by which whoever chooses the environment has the maker execute other code.
_NAMES_CODE = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "LD_", "GCONV_PATH", "OPENSSL_")


class Request(NamedTuple):
    """A wish for snapshots of ``python`` for launches with ``environment``."""

    python: str
    environment: Mapping[str, str]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what ``launcher/snapshot/request.py`` writes."""
        python, *entries = map(os.fsdecode, data.split(b"\0"))
        pairs = (entry.partition("=") for entry in entries)
        return cls(python, {name: value for name, _, value in pairs})


def write_command(snapshots: Store) -> None:
    """Write down how the maker is started: launches have no other way to know."""
    # -E: a launch has the environment of a hook, which may name other modules
    words = [sys.executable, "-E", "-m", "hooks_compile", "snapshot", "refresh"]
    content = "\0".join(words).encode("utf-8", "surrogateescape")
    files.replace_if_changed(snapshots.directory / MAKER, content)


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
        if b"\0" in data:
            found.append(Request.parse(data))
    return found


def _follow(snapshots: Store, request: Request) -> list[making.Made]:
    """Make what a request is for, if it is missing, old, or not resumed any more."""
    if request.python not in {place.python for place in snapshots.places()}:
        return []  # the user has turned snapshots on for other interpreters
    place = snapshots.place(request.python, request.environment)
    if any(name.startswith(_NAMES_CODE) for name in place.environment):
        return []
    if _is_young(place) and not launch_probe.cold_reason(snapshots, place):
        return []
    path = os.environ.get("PATH", os.defpath)
    env = {"PATH": path, **place.environment}
    try:
        interpreter = resolve(request.python, cwd=Path("/"), env=env)
    except HooksCompileError:
        return []  # the interpreter is not there any more
    return making.make_all(snapshots, [interpreter], place.environment)


def _is_young(place: Place) -> bool:
    """Return whether all snapshots of a place are there, and of today."""
    paths = [place.directory / kind for kind in KINDS]
    oldest = time.time() - _MADE_ANEW_S
    return all(path.exists() and path.stat().st_mtime > oldest for path in paths)
