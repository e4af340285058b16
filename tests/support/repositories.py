"""Real git repositories for tests."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A work tree with a few short words for what tests do to it."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> GitRepo:
        """Make an empty repository at ``path``; its path is free of symlinks."""
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path.resolve())
        repo.git("init", "--quiet")
        return repo

    def git(self, *arguments: str | os.PathLike[str]) -> str:
        """Run git here as a user would and return its stdout, stripped; fails if git does."""
        command = ["git", "-C", str(self.path), *(os.fspath(each) for each in arguments)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, f"{command}: {os.fsdecode(done.stderr)}"
        return os.fsdecode(done.stdout).strip()

    def write(
        self, name: str | os.PathLike[str], text: str | bytes = "", *, executable: bool = False
    ) -> Path:
        """Write a file, with its directories, and return its path."""
        return write(self.path / name, text, executable=executable)

    def commit(self, message: str = "change") -> str:
        """Commit everything that git does not ignore; returns the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
        return self.git("rev-parse", "HEAD")

    def worktree(self, path: Path, branch: str = "other") -> GitRepo:
        """Add a linked worktree on a new branch (the repository needs a commit)."""
        self.git("worktree", "add", "--quiet", "-b", branch, path)
        return GitRepo(path.resolve())

    def submodule(self, other: GitRepo, name: str) -> GitRepo:
        """Add ``other`` (which needs a commit) as a submodule called ``name``."""
        self.git(
            "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.path, name
        )
        return GitRepo(self.path / name)


def write(path: Path, text: str | bytes = "", *, executable: bool = False) -> Path:
    """Write a file, with its directories, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    if executable:
        path.chmod(0o755)
    return path
