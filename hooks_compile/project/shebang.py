"""Whether a file without a suffix is a Python script, by its first bytes: pure."""

from __future__ import annotations

import re

HEAD = 256
"""Bytes that :func:`is_python` needs; Linux reads no more of a first line (execve(2))."""

_PATH = rb"(?:\S*[/\\])?"
_PYTHON = _PATH + rb"(?:python|pypy)\d*(?:\.\d+)*t?(?:\.exe)?(?=\s|$)"
# env(1) with its options and assignments; atomic, because the line may be a stranger's
_ENV = _PATH + rb"env\s+(?>(?:-\w*S|--split-string=)\s*|-[uC]\s+\S+\s+|-\S+\s+|\w+=\S*\s+)*+"
# They run the script whose path the kernel appends, if their arguments say so.
_RUNNER = (
    _PATH + rb"(?:pipx\s.*\brun\b|uv\s(?=.*\brun\b).*\s(?:-s|--script|--gui-script)\b"
    rb"|(?:hatch|mise|pdm|pipenv|pixi|poetry|rye|uv)\s.*\brun\s.*" + _PYTHON + rb")"
)
_FIRST_LINE = re.compile(rb"#!\s*(?:" + _ENV + rb")?(?:" + _PYTHON + rb"|" + _RUNNER + rb")")


def is_python(head: bytes) -> bool:
    """Return whether ``head``, the first HEAD bytes of a file, begins a Python source.

    Known first lines are ``/usr/bin/python3``, ``/usr/bin/env python3 -u``, ``env -S VAR=1 python3
    -u`` and runners: ``env -S uv run --script``, ``env -S poetry run python``. A zip archive with
    such a line (zipapp, shiv, pex) is no source; no source has a NUL byte.
    """
    return b"\0" not in head and _FIRST_LINE.match(head.partition(b"\n")[0]) is not None
