"""The environment of hooks, as the user's own shell has it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOLS_MARKS: Final = (
    ".install_state_v1",  # pre-commit
    ".install_state_v2",
    ".prek-hook.json",
    "pipx_metadata.json",
    "uv-receipt.toml",  # uv tool
)
_STARTERS: Final = ("PYTHONHOME", "__PYVENV_LAUNCHER__")


def user_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` as the user's own shell has it: without the environment that we run in.

    - If we run in a virtual environment that a tool made for us (pre-commit, prek, pipx, uv tool),
      its ``bin`` is removed from PATH, and VIRTUAL_ENV if it names it. No hook runs there.
    - If VIRTUAL_ENV names the one that we run in, a person activated it. It is kept, because an
      agent that is started from that shell has it as well; so is any other that was activated.
    - If nothing names the one that we run in, its ``bin`` is removed from PATH.
    - If we run in no virtual environment, but in a Python of pyenv, asdf or mise, its shim has put
      the ``bin`` of that Python before the shims on PATH. It is removed: the shims decide again.

    PYTHONHOME and __PYVENV_LAUNCHER__ are always removed: they change any Python that we start.
    """
    result = {name: value for name, value in env.items() if name not in _STARTERS}
    directories = result.get("PATH", os.defpath).split(os.pathsep)
    if sys.prefix == sys.base_prefix:
        kept = _without_the_choice_of_a_shim(directories)
    else:
        is_named = "VIRTUAL_ENV" in env and _is_same(env["VIRTUAL_ENV"], sys.prefix)
        if is_named and not _is_made_by_a_tool(Path(sys.prefix)):
            return result
        if is_named:
            del result["VIRTUAL_ENV"]
        kept = [each for each in directories if not _is_our_bin(each)]
    if kept != directories:
        result["PATH"] = os.pathsep.join(kept)
    return result


def _is_made_by_a_tool(prefix: Path) -> bool:
    return any((prefix / mark).exists() for mark in _TOOLS_MARKS)


def _is_our_bin(directory: str) -> bool:
    # The directory itself may be reached through links, but the files in it are links out of it.
    return directory != "" and _is_same(directory, os.path.dirname(sys.executable))  # noqa: PTH120 - strings


def _without_the_choice_of_a_shim(directories: list[str]) -> list[str]:
    ours = os.path.realpath(sys.prefix)
    for position, directory in enumerate(directories):
        root, _, name = os.path.realpath(directory).rpartition(os.sep)
        if name == "shims" and ours.startswith(root + os.sep):
            before = [each for each in directories[:position] if not _is_our_bin(each)]
            return before + directories[position:]
    return directories


def _is_same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
