"""Runs the worker for the process that has started this one.

A request is a length of 4 bytes (little-endian) and as many bytes of marshalled ``(order, paths)``.
The reply has the same form, with the outcomes.
"""

import marshal
import os
import sys
from typing import IO, Any, Tuple

from hooks_compile.compile_worker.worker import Order, Outcome, Problem, perform

# The marshal format that every Python reads.
_PLAIN = 2


def send(stream: IO[bytes], message: Any) -> None:
    """Write a message of builtin types. Raises BrokenPipeError if nobody reads."""
    data = marshal.dumps(message, _PLAIN)
    stream.write(len(data).to_bytes(4, "little") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Return the next message. Raises EOFError if there is none, or only a part of it."""
    size = stream.read(4)
    data = stream.read(int.from_bytes(size, "little"))
    if len(size) < 4 or len(data) < int.from_bytes(size, "little"):
        raise EOFError
    return marshal.loads(data)


def outcome_of(parts: Tuple[Any, ...]) -> Outcome:
    """Return the outcome that a reply has as a tuple of builtin types."""
    return Outcome._make((*parts[:-1], parts[-1] and Problem(*parts[-1])))


def main() -> None:
    """Answer requests on stdin until there are no more."""
    while True:
        try:
            order, paths = receive(sys.stdin.buffer)
        except EOFError:
            os._exit(0)  # all is written, and the end of an interpreter takes 4 ms
        outcomes = perform(Order(*order), paths)
        parts = [(*each[:-1], each.problem and tuple(each.problem)) for each in outcomes]
        send(sys.stdout.buffer, parts)
