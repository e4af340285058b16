"""A project with hooks, and a user who works on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support import watching as running
from tests.support.launches import User

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.repositories import GitRepo


@dataclass(frozen=True, slots=True)
class Scene:
    """A repository with two hooks, and the user who has a watcher on it."""

    repo: GitRepo
    user: User

    @property
    def root(self) -> Path:
        return self.repo.path

    @property
    def hook(self) -> Path:
        """The hook that is going to be saved."""
        return self.root / ".claude/hooks/guard.py"

    def watching(self, *words: str | Path) -> AbstractContextManager[running.Watcher]:
        return running.watching(self.user, self.root, *words)

    def assert_hit(self, hook: Path | None = None) -> None:
        """The hook is warm soon, and its next launch hits and does what the source does."""
        path = hook or self.hook
        running.wait_warm(self.user, path)
        launched = self.user.launch(path)
        assert launched.state == "hit"
        assert launched.shown == self.user.source(path).shown


@pytest.fixture
def scene(git_repo: GitRepo, tmp_path: Path) -> Scene:
    """Two committed hooks, not compiled yet."""
    git_repo.write(".claude/hooks/guard.py", running.HOOK.format("first"))
    git_repo.write(".claude/hooks/other.py", running.HOOK.format("other"))
    git_repo.commit()
    return Scene(git_repo, User.create(tmp_path))
