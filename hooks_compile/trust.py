"""Programs are looked up outside of the work tree: what it brings is not started.

A clone, a branch or a pull request may put a ``git`` or a ``python3`` where PATH leads into the
tree, or replace the virtual environment that was there. A tree that holds the home folder is the
user's own (dotfiles): there PATH counts as it is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PYTHONS = ("python", "pypy")


def tree_around(folder: Path) -> Path:
    """Return the outermost folder with a ``.git`` that holds ``folder``, or ``folder`` itself.

    git itself is not asked: it is what we look for.
    """
    real = Path(os.path.realpath(folder))
    trees = [each for each in (real, *real.parents) if os.path.lexists(each / ".git")]
    return next((tree for tree in reversed(trees) if not _is_users_own(tree, os.environ)), real)


def search_path(path: str, *roots: Path) -> str:
    """Return the folders of ``path``, a PATH, that are absolute and in none of ``roots``."""
    kept = (folder for folder in path.split(os.pathsep) if _is_outside(Path(folder), *roots))
    return os.pathsep.join(kept)


def environment(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return ``env`` with a PATH on which no program is found in ``root``."""
    if _is_users_own(root, env):
        return dict(env)
    return {**env, "PATH": search_path(env.get("PATH", os.defpath), root)}


def command(name: str, env: Mapping[str, str], root: Path) -> str:
    """Return what to start for ``name`` in :func:`environment`: itself, or a path.

    It is a path where PATH leads into the tree first, and from there on to a Python outside, as
    a virtual environment does. One that a person activated (VIRTUAL_ENV) stays what it is.
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
    """Return the Python that is to be started for ``path``; "" for none.

    It is ``path`` where that is outside of ``root`` or in the virtual environment that a person
    activated; else the Python outside that it leads to.
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
    folders = (Path(folder) for folder in path.split(os.pathsep))
    for candidate in (folder / name for folder in folders if folder.is_absolute()):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            yield candidate


def _is_outside(folder: Path, *roots: Path) -> bool:
    real = Path(os.path.realpath(folder))
    return folder.is_absolute() and not any(real.is_relative_to(root) for root in roots)


def _is_users_own(root: Path, env: Mapping[str, str]) -> bool:
    return Path(os.path.realpath(env.get("HOME") or "/")).is_relative_to(root)
