"""Whether a file without a suffix is a Python script, by its first bytes: pure."""

from __future__ import annotations

import re

HEAD = 256
"""Bytes that :func:`is_python` needs; Linux reads no more of a first line (execve(2))."""

_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)*t?(?:\.exe)?\Z")
# They run the script whose path the kernel appends, if their arguments say so.
_RUNNERS = frozenset({"hatch", "mise", "pdm", "pipenv", "pipx", "pixi", "poetry", "rye", "uv"})
_ENV_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir", "-P", "-L", "-U"})


def is_python(head: bytes) -> bool:
    """Return whether ``head``, the first HEAD bytes of a file, begins a Python source.

    Known first lines are ``/usr/bin/python3``, ``/usr/bin/env python3 -u``, ``env -S VAR=1 python3
    -u`` and runners: ``env -S uv run --script``, ``env -S poetry run python``. A zip archive with
    such a line (zipapp, shiv, pex) is no source; no source has a NUL byte.
    """
    if not head.startswith(b"#!") or b"\0" in head:
        return False
    words = head[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
    if words and _name(words[0]) == "env":
        words = _env_command(words[1:])
    if not words:
        return False
    command, arguments = _name(words[0]), words[1:]
    if command in _RUNNERS and "run" in arguments:
        return (
            command == "pipx"
            or (command == "uv" and not {"-s", "--script", "--gui-script"}.isdisjoint(arguments))
            or any(_PYTHON.match(_name(word)) for word in arguments)
        )
    return _PYTHON.match(command) is not None


def _env_command(words: list[str]) -> list[str]:
    """Return what env(1) would run: ``words`` without its options and assignments."""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _ENV_WITH_VALUE:
            index += 2
        elif word.startswith("--split-string="):
            return _env_command([word.partition("=")[2], *words[index + 1 :]])
        elif re.match(r"-[a-zA-Z]*S.", word):  # -Spython3, -vSpython3
            return _env_command([word.partition("S")[2], *words[index + 1 :]])
        elif word.startswith("-") or "=" in word:
            index += 1
        else:
            return words[index:]
    return []


def _name(word: str) -> str:
    return re.split(r"[/\\]", word.strip("\"'"))[-1]
