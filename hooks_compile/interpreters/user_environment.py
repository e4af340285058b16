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

    - A virtual environment that a tool made for us (pre-commit, prek, pipx, uv tool), or that
      nothing names: its ``bin`` is removed from PATH, and VIRTUAL_ENV if it names it.
    - One that VIRTUAL_ENV names, because a person activated it: it is kept. The agent has it, too.
    - A Python of pyenv, asdf or mise, whose ``bin`` its shim has put before the shims on PATH: it
      is removed, so that the shims decide again. So is the one that a shim of pyenv chose for the
      hook that asks us.

    PYTHONHOME and __PYVENV_LAUNCHER__ are always removed: they change any Python that we start.
    """
    result = {name: value for name, value in env.items() if name not in _STARTERS}
    directories = result.get("PATH", os.defpath).split(os.pathsep)
    if sys.prefix == sys.base_prefix:
        kept = directories
    else:
        is_named = "VIRTUAL_ENV" in env and _is_same(env["VIRTUAL_ENV"], sys.prefix)
        if is_named and not any(Path(sys.prefix, mark).exists() for mark in _TOOLS_MARKS):
            return result
        if is_named:
            del result["VIRTUAL_ENV"]
        kept = [each for each in directories if not _is_our_bin(each)]
    kept = _without_the_choice_of_a_shim(kept, env)
    if kept != directories:
        result["PATH"] = os.pathsep.join(kept)
    return result


def _is_our_bin(directory: str) -> bool:
    # The directory itself may be reached through links, but the files in it are links out of it.
    return directory != "" and _is_same(directory, os.path.dirname(sys.executable))  # noqa: PTH120 - strings


def _without_the_choice_of_a_shim(directories: list[str], env: Mapping[str, str]) -> list[str]:
    ours = os.path.realpath(sys.prefix)
    asked = env.get("PYENV_ROOT", "/") if "PYENV_DIR" in env else "/"
    for position, directory in enumerate(directories):
        root, _, name = os.path.realpath(directory).rpartition(os.sep)
        if name == "shims" and (root == os.path.realpath(asked) or ours.startswith(root + os.sep)):
            chosen = f"{asked}/versions/"
            before = [
                each
                for each in directories[:position]
                if not (_is_our_bin(each) or each.startswith(chosen))
            ]
            return before + directories[position:]
    return directories


def _is_same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
