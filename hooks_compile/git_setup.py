"""What ``init`` does about git: our own hooks, or the lines that pre-commit needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import git, git_hook_status, git_hooks
from hooks_compile.git_hook_steps import Do

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PRE_COMMIT_LINES = """\
default_install_hook_types: [pre-commit, post-checkout, post-merge, post-rewrite, post-commit]
repos:
  - repo: URL of the hooks-compile repository
    rev: a tag of it
    hooks:
      - id: hooks-compile
      - id: hooks-compile-sync"""
_PRE_COMMIT_FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")


@dataclass(frozen=True, slots=True)
class GitPlan:
    """What a person reads, and whether our git hooks are to be installed in ``root``."""

    root: Path
    lines: tuple[str, ...]
    changes_something: bool

    def apply(self, env: Mapping[str, str]) -> None:
        """Install the hooks, where that was planned. Raises GitError, HooksCompileError."""
        if self.changes_something:
            git_hooks.install(self.root, env)


def plan(root: Path, env: Mapping[str, str]) -> GitPlan:
    """Plan for the project ``root``; writes nothing.

    Where pre-commit is configured its file is the user's to edit, so the lines are only told.
    Raises GitError where git refuses.
    """
    if git.work_tree(root) is None:
        return GitPlan(root, ("not a git repository: no git hooks",), changes_something=False)
    for name in _PRE_COMMIT_FILES:
        if (root / name).exists():
            if "hooks-compile-sync" in (root / name).read_text(errors="replace"):
                lines: tuple[str, ...] = (f"{name}: has hooks-compile-sync",)
            else:
                told = (f"{name}: add these lines, then run: pre-commit install --install-hooks",)
                lines = (*told, *(f"    {line}" for line in PRE_COMMIT_LINES.splitlines()))
            return GitPlan(root, lines, changes_something=False)
    steps = [step for step in git_hooks.install(root, env, dry_run=True) if step.do is not Do.LEAVE]
    return GitPlan(root, tuple(map(str, steps)), changes_something=bool(steps))


def is_installed(root: Path, env: Mapping[str, str]) -> bool:
    """Tell whether git runs our hook for any event in ``root``. Raises GitError."""
    if git.work_tree(root) is None:
        return False
    return any(event.how for event in git_hook_status.status(root, env).events)
