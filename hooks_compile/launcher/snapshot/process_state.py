"""What a started interpreter holds of its process: words, environment, signals, randomness, ids."""

import _signal  # type: ignore[import-not-found] # typeshed lacks it
import posix
import sys
from typing import Any, Dict, List

from hooks_compile.launcher.resumed import RESUMED
from hooks_compile.launcher.snapshot.streams import open_streams

_COERCED = b"LC_CTYPE"  # Python itself may set it at its start (PEP 538)
_SIGNALS = range(1, 65)


def restore_process(answer: bytes, launcher: str, settings: Dict[str, Any]) -> None:
    """Give the interpreter this process, as a start would have.

    ``answer`` is what ``fill_buffer`` in loader.c writes. ``launcher`` is the path of launch.py as
    it was when the snapshot was taken. Raises ValueError if Python would not start like this.
    """
    count = int.from_bytes(answer[:8], "little")
    ignored = int.from_bytes(answer[8:16], "little")
    texts = answer[16:-1].split(b"\0")
    restore_environment(texts[count:])
    encoding, errors = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    words = [text.decode(encoding, errors) for text in texts[:count]]
    words[1] = launcher
    RESUMED["words"] = list(words)
    sys.orig_argv[:] = words
    sys.argv[:] = words[1:]
    for number in _SIGNALS:
        if ignored >> (number - 1) & 1:
            _signal.signal(number, _signal.SIG_IGN)
    open_streams(settings)


def restore_environment(entries: List[bytes]) -> None:
    """Set ``os.environ``. The C library has it already, but for what Python sets itself."""
    environ: Any = posix.environ
    coerced = environ.get(_COERCED)
    environ.clear()
    for entry in entries:
        name, equals, value = entry.partition(b"=")
        if equals:
            environ.setdefault(name, value)
    if coerced is not None and _COERCED not in environ:
        environ[_COERCED] = coerced
        posix.putenv(_COERCED, coerced)
