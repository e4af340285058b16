"""A copy of the project for each way to launch its hooks, so that no hook touches the user's files.

Each way has a copy of its own: what a hook writes at one launch, it finds at the next, and all ways
find the same. A hook can still reach the network and absolute paths; nothing prevents that here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.project.search import walk_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.project.record import Project

LARGEST_COPY: Final = 200 << 20
# What a launch finds below the home directory, and what is too large to copy.
_KEPT_HOMES: Final = {
    "PYENV_ROOT": ".pyenv",
    "UV_CACHE_DIR": ".cache/uv",
    "PYTHONUSERBASE": ".local",
}
_DISTORTING: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
# They name what is the user's own: a session, a configuration, a file that an agent reads.
_OF_THE_USER: Final = (
    *("GIT_", "HOOKS_COMPILE", "SSH_", "XDG_", "GPG_", "OLDPWD"),
    *("CLAUDE", "CODEX_", "COPILOT_", "CURSOR_", "GEMINI_"),
)


class Copy(NamedTuple):
    """A copy of the project with a home and a temporary directory of its own."""

    top: Path

    @property
    def project(self) -> Path:
        """The copied work tree."""
        return self.top / "project"

    @property
    def event(self) -> Path:
        """The file that holds what the hook reads from stdin."""
        return self.top / "event"

    def environment(self, env: Mapping[str, str], original: Path) -> dict[str, str]:
        """Return ``env`` as hooks in this copy get it; ``original`` is the project's root."""
        home = Path(env.get("HOME") or "/")
        kept = {
            name: value.replace(str(original), str(self.project))
            for name, value in env.items()
            if name not in _DISTORTING and not name.startswith(_OF_THE_USER)
        }
        for name, below in _KEPT_HOMES.items():
            if (home / below).is_dir():
                kept.setdefault(name, str(home / below))
        return {
            **kept,
            "HOME": str(self.top / "home"),
            "TMPDIR": str(self.top / "tmp"),
            "PWD": str(self.project),
            "HOOKS_COMPILE_HOME": str(self.top / "runtime"),
            "CLAUDE_PROJECT_DIR": str(self.project),
        }

    def neutral(self, output: bytes) -> bytes:
        """Return an output without what only names this copy."""
        return output.replace(os.fsencode(self.top), b"COPY")


class Scratch:
    """The copies of one project in a new ``directory``."""

    def __init__(self, project: Project, directory: Path) -> None:
        """Choose what is copied. Raises HooksCompileError if it is too much."""
        self._root = project.root
        self._repository = project.repository
        self._directory = directory
        self._names = self._chosen()
        self._count = 0

    def copy(self) -> Copy:
        """Make one more copy. Raises OSError, and GitError if git can't clone the repository."""
        copy = Copy(self._directory / f"{self._count:02}")
        self._count += 1
        for name in ("home", "tmp"):
            (copy.top / name).mkdir(parents=True)
        if self._repository is None:
            copy.project.mkdir()
        else:
            self._clone(copy.project)
        for name in self._names:
            source, target = self._root / name, copy.project / name
            if source.is_symlink() or source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        return copy

    def _clone(self, target: Path) -> None:
        # --shared: objects are read from the user's repository, and written only to the copy.
        root = str(self._root)
        git.run(
            ["clone", "--quiet", "--shared", "--no-checkout", root, str(target)], cwd=target.parent
        )
        # A hook that pushes must not reach the user's repository.
        git.run(["remote", "remove", "origin"], cwd=target)
        try:
            git.run(["read-tree", "HEAD"], cwd=target)
        except GitError:
            return  # no commit yet

    def _chosen(self) -> list[str]:
        # git still lists a file whose directory somebody has replaced by a link.
        names = [name for name in self._all_names() if self._is_in_place(self._root / name)]
        size = 0
        for name in names:
            path = self._root / name
            size += path.lstat().st_size if path.exists() else 0
            if size > LARGEST_COPY:
                raise HooksCompileError(
                    f"the project has more than {LARGEST_COPY >> 20} MiB of files: each way to "
                    "launch a hook would get a copy of them",
                    path=self._root,
                    remedy="add what is generated or large to .gitignore",
                )
        return names

    @staticmethod
    def _is_in_place(path: Path) -> bool:
        """Return whether no symlink leads to the directory of ``path``, below the real root."""
        return os.path.realpath(path.parent) == str(path.parent)

    def _all_names(self) -> Iterator[str]:
        if self._repository is not None:
            yield from git.tracked_matching(self._root, ["."], untracked=True)
            return
        for entry in walk_tree(str(self._root)):
            if not entry.is_dir(follow_symlinks=False):
                yield os.path.relpath(entry.path, self._root)
