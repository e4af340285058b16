"""The standard streams, made as ``create_stdio`` in Python/pylifecycle.c makes them."""

import _io
import posix
import sys
from typing import Any, Dict

_NAMES = ("stdin", "stdout", "stderr")
_DIRECTORY = 0o040000


def stream_settings() -> Dict[str, Any]:
    """Return how Python has made each stream, by name, and let go of the streams.

    The settings are encoding, errors, and whether what is written goes out at once (``-u``).
    """
    settings = {}
    for name in _NAMES:
        stream = getattr(sys, name)
        settings[name] = (stream.encoding, stream.errors, stream.write_through)
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
    return settings


def open_streams(settings: Dict[str, Any]) -> None:
    """Set ``sys.stdin``, ``sys.stdout`` and ``sys.stderr`` for the descriptors of this process.

    ``settings`` are those of :func:`stream_settings`. Raises ValueError for a stdin that Python
    refuses.
    """
    for descriptor, name in enumerate(_NAMES):
        try:
            mode = posix.fstat(descriptor).st_mode
        except OSError:
            continue  # closed: the stream is None
        if descriptor == 0 and mode & 0o170000 == _DIRECTORY:
            raise ValueError("stdin is a directory")
        stream = new_stream(descriptor, name, *settings[name])
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def new_stream(descriptor: int, name: str, encoding: str, errors: str, at_once: bool) -> Any:
    """Return a standard stream."""
    mode = "w" if descriptor else "r"
    buffer: Any = _io.open(
        descriptor, f"{mode}b", 0 if at_once and descriptor else -1, None, None, None, False
    )
    raw = buffer.raw if hasattr(buffer, "raw") else buffer
    raw.name = f"<{name}>"
    by_line = not at_once and (descriptor == 2 or raw.isatty())
    stream: Any = _io.TextIOWrapper(buffer, encoding, errors, "\n", by_line, at_once)
    stream.mode = mode
    return stream
