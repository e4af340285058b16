"""Signals that wait until a new process is known: only then can it be ended because of them."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def handle(handler: Callable[[int, Any], object], *numbers: int) -> dict[int, Any]:
    """Handle these signals, unless they are ignored; return the handlers that were there."""
    heeded = [each for each in numbers if signal.getsignal(each) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heeded}


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Let signals that end this process wait for the end of the context; in the main thread only.

    Until Popen returns, nobody knows the new process.
    """
    came: list[int] = []
    wait = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = handle(lambda number, _: came.append(number), *wait)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
