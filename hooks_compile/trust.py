"""What may be started: nothing that the work tree brings.

A clone, a branch or a pull request may put a ``git`` or a ``python3`` into a directory of the tree
that is on PATH, or replace a virtual environment there. A tree that holds the home directory is
the user's own (dotfiles): there PATH is used as it is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PYTHONS = ("python", "pypy")


def tree_around(directory: Path) -> Path:
    """Return the outermost directory with a ``.git`` that holds ``directory``, or ``directory``.

    git is not asked, because git is what we look for.
    """
    real = Path(os.path.realpath(directory))
    trees = [each for each in (real, *real.parents) if os.path.lexists(each / ".git")]
    return next((tree for tree in reversed(trees) if not _is_users_own(tree, os.environ)), real)


def search_path(path: str, *roots: Path) -> str:
    """Return the directories of ``path``, a PATH, that are absolute and outside of ``roots``."""
    kept = (each for each in path.split(os.pathsep) if _is_outside(Path(each), *roots))
    return os.pathsep.join(kept)


def environment(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return ``env`` with a PATH on which no program is found in ``root``."""
    if _is_users_own(root, env):
        return dict(env)
    return {**env, "PATH": search_path(env.get("PATH", os.defpath), root)}


def command(name: str, env: Mapping[str, str], root: Path) -> str:
    """Return what to start for ``name`` in :func:`environment`: ``name`` itself, or a path.

    If the first ``name`` on PATH is in the tree and leads to a Python outside, as the ``python3``
    of a virtual environment does, the path of that Python is returned. The virtual environment
    that a person activated (VIRTUAL_ENV) is used as it is.
    """
    if os.sep in name or _is_users_own(root, env):
        return name
    for candidate in _candidates(name, env.get("PATH", os.defpath)):
        if _is_outside(candidate.parent, root):
            return name
        target = python(candidate, root, env)
        if target:
            return target
    return name


def python(path: Path, root: Path, env: Mapping[str, str]) -> str:
    """Return the Python to start for ``path``; "" if there is none that may be started.

    A path outside of ``root``, or in the virtual environment that a person activated, is returned
    as it is. For any other the Python outside of ``root`` to which it leads is returned.
    """
    activated = env.get("VIRTUAL_ENV", "")
    if _is_outside(path.parent, root) or (activated and path.parent == Path(activated, "bin")):
        return str(path)
    target = Path(os.path.realpath(path))
    try:
        is_ours = target.stat().st_uid in (0, os.geteuid())
    except OSError:
        return ""
    is_python = target.name.startswith(_PYTHONS)
    return str(target) if is_python and is_ours and _is_outside(target.parent, root) else ""


def _candidates(name: str, path: str) -> Iterator[Path]:
    directories = (Path(each) for each in path.split(os.pathsep))
    for candidate in (each / name for each in directories if each.is_absolute()):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate


def _is_outside(directory: Path, *roots: Path) -> bool:
    real = Path(os.path.realpath(directory))
    return directory.is_absolute() and not any(real.is_relative_to(root) for root in roots)


def _is_users_own(root: Path, env: Mapping[str, str]) -> bool:
    return Path(os.path.realpath(env.get("HOME") or "/")).is_relative_to(root)
