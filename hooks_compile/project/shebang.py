"""Whether a script's first line hands it to Python: bytes in, an answer out."""

from __future__ import annotations

import re

HEAD = 256
"""How many bytes of a script are enough: Linux reads no more of it (execve(2))."""

_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)*t?(?:\.exe)?\Z")
# They run the script that the kernel appends, given the words that say so.
_RUNNERS = frozenset({"hatch", "mise", "pdm", "pipenv", "pipx", "pixi", "poetry", "rye", "uv"})
_ENV_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir", "-P", "-L", "-U"})


def is_python(head: bytes) -> bool:
    """Whether ``head``, the first bytes of a file, starts a Python script.

    Sees ``/usr/bin/python3``, ``/usr/bin/env python3 -u``, ``env -S VAR=1 python3 -u`` and
    runners: ``env -S uv run --script``, ``env -S poetry run python``.
    """
    if not head.startswith(b"#!"):
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
    """What env(1) would run: ``words`` without its options and assignments."""
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
