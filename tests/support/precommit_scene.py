"""Our pre-commit hooks as users have them: from a repository, in an environment that pip built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from tests.support.repositories import GitRepo, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from tests.support.git_scene import Scene

CHECKOUT = Path(__file__).parents[2]
PRE_COMMIT = Path(sys.executable).parent / "pre-commit"
PREK = Path(sys.executable).parent / "prek"
MANAGERS = (PRE_COMMIT, PREK)
CONFIG = ".pre-commit-config.yaml"
STAGES = ("pre-commit", "post-checkout", "post-merge", "post-rewrite", "post-commit")
IDS = ("hooks-compile", "hooks-compile-sync")

# Another hook of pre-commit's, that needs no environment; {noted} is the file that it writes.
LOCAL = """\
default_install_hook_types: [pre-commit, post-checkout, post-merge]
repos:
- repo: local
  hooks:
  - id: noted
    name: noted
    language: system
    entry: sh -c 'echo "$PRE_COMMIT_CHECKOUT_TYPE" >> "{noted}"'
    always_run: true
    pass_filenames: false
    stages: [post-checkout]
"""

_SHIPPED = (
    "hooks_compile",
    "watcher",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    ".pre-commit-hooks.yaml",
)
# How pip and uv reach a package index on this machine.
_INDEX_VARIABLES = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "no_proxy", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Packaged:
    """A repository with this checkout as its only commit, and where the managers build from it."""

    repository: Path
    revision: str
    caches: Path

    @classmethod
    def create(cls, directory: Path) -> Packaged:
        """Make it in ``directory``, or find it there."""
        directory.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(directory / "lock"):
            repo = GitRepo(directory / "hooks-compile")
            if not repo.path.exists():
                shipped_repository(directory / "draft").path.rename(repo.path)
            packaged = cls(repo.path, repo.git("rev-parse", "HEAD"), directory / "caches")
            if not packaged.caches.exists():
                packaged._build()
        return packaged

    @classmethod
    def shared(cls, factory: pytest.TempPathFactory) -> Packaged:
        """The one of this test session, whichever worker makes it."""
        base = factory.getbasetemp()
        return cls.create(
            (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packaged"
        )

    @property
    def env(self) -> dict[str, str]:
        """What the managers need to find their environments, or to build them."""
        index = {n: v for n, v in os.environ.items() if n.startswith(_INDEX_VARIABLES)}
        caches = {
            "PRE_COMMIT_HOME": str(self.caches / "pre-commit"),
            "PREK_HOME": str(self.caches / "prek"),
            "PIP_CACHE_DIR": str(self.caches.parent / "pip"),
            "UV_CACHE_DIR": str(self.caches.parent / "uv"),
        }
        return {**index, **caches}

    def config(self, ids: Sequence[str] = IDS, top: str = "") -> str:
        """Return a ``.pre-commit-config.yaml`` with these hooks; ``top`` are its first lines."""
        hooks = "".join(f"  - id: {each}\n" for each in ids)
        stages = f"default_install_hook_types: [{', '.join(STAGES)}]\n"
        repo = f"- repo: {self.repository}\n  rev: {self.revision}\n  hooks:\n{hooks}"
        return f"{top}{stages}repos:\n{repo}"

    def _build(self) -> None:
        self.caches.mkdir()
        project = GitRepo.create(self.caches.parent / "builder")
        write(project.path / CONFIG, self.config())
        project.git("add", "-A")
        try:
            for manager in MANAGERS:
                subprocess.run(
                    [manager, "install", "--install-hooks"],
                    cwd=project.path,
                    env={**os.environ, **self.env},
                    check=True,
                    capture_output=True,
                    timeout=300,
                )
        except subprocess.CalledProcessError as error:
            shutil.rmtree(self.caches)
            raise AssertionError(f"{error}\n{error.stdout!r}\n{error.stderr!r}") from error


def shipped_repository(path: Path) -> GitRepo:
    """Make a repository at ``path`` whose only commit is what is shipped of this checkout."""
    repo = GitRepo.create(path)
    for name in _SHIPPED:
        _copy(CHECKOUT / name, repo.path / name)
    repo.git("add", "--all", "--force")
    repo.git("-c", "user.name=T", "-c", "user.email=t@e.invalid", "commit", "-qm", "it")
    return repo


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def with_pre_commit(scene: Scene, packaged: Packaged) -> Scene:
    """The scene with pre-commit's hooks in its work tree; the configuration is committed there."""
    ready = scene.with_env(**packaged.env)
    ready.run(PRE_COMMIT, "install", "--install-hooks")
    return ready
