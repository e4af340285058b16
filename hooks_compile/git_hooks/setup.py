"""What ``init`` does about git: our own hooks, or the lines that pre-commit needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile import git
from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import hook_status as git_hook_status
from hooks_compile.git_hooks import installer as git_hooks
from hooks_compile.git_hooks import pre_commit_lines
from hooks_compile.git_hooks.steps import Do

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PRE_COMMIT_FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
_HEADING = "git hooks, which compile what a checkout, merge or commit changed:"


@dataclass(frozen=True, slots=True)
class GitPlan:
    """What a person reads, and how many changes our git hooks take in ``root``."""

    root: Path
    lines: tuple[str, ...]
    steps: int = 0

    @property
    def summary(self) -> str:
        """Return ``git's hooks`` where they are to be installed, else ""."""
        return "git's hooks" if self.steps else ""

    def apply(self, env: Mapping[str, str]) -> None:
        """Install the hooks, where that was planned. Raises GitError, HooksCompileError."""
        if self.steps:
            git_hooks.install(self.root, env)


def leftover(root: Path) -> str:
    """Return the line about what ``uninit`` leaves to the user in ``root``, "" for nothing."""
    for name in _PRE_COMMIT_FILES:
        path = root / name
        if path.is_file() and "hooks-compile" in path.read_text(errors="replace"):
            return f"git hooks: {name} names hooks-compile: take its lines out yourself"
    return ""


def plan(root: Path, env: Mapping[str, str]) -> GitPlan:
    """Plan for the project ``root``; writes nothing.

    Where pre-commit is configured its file is the user's to edit, so the lines are only told.
    Raises GitError where git refuses, HooksCompileError where our command is not to be found.
    """
    if git.work_tree(root) is None:
        return GitPlan(root, ("git hooks: none, this is no git repository",))
    for name in _PRE_COMMIT_FILES:
        if (root / name).is_file():
            return GitPlan(root, _pre_commit_lines(root / name))
    try:
        planned = git_hooks.install(root, env, dry_run=True)
    except HooksCompileError as error:
        remedy = f"{error.remedy}; or leave git's hooks alone: --no-git"
        raise type(error)(error.cause, path=error.path, remedy=remedy) from error
    steps = [step for step in planned if step.do is not Do.LEAVE]
    if not steps:
        return GitPlan(root, ("git hooks: installed already",))
    told = (f"  {str(step).replace(f'{root}/', '')}" for step in steps)
    return GitPlan(root, (_HEADING, *told), len(steps))


def _pre_commit_lines(path: Path) -> tuple[str, ...]:
    if "hooks-compile-sync" in path.read_text(errors="replace"):
        return (f"git hooks: {path.name} has hooks-compile-sync",)
    in_toml = path.suffix == ".toml"
    origin = pre_commit_lines.installed_from()
    lines = pre_commit_lines.as_toml(origin) if in_toml else pre_commit_lines.as_yaml(origin)
    manager = "prek" if in_toml else "pre-commit"
    return (
        f"git hooks: add these lines to {path.name}, then run: {manager} install --install-hooks",
        *(f"    {line}".rstrip() for line in lines),
    )


def is_installed(root: Path, env: Mapping[str, str]) -> bool:
    """Tell whether git runs our hook for any event in ``root``. Raises GitError."""
    if git.work_tree(root) is None:
        return False
    return any(event.how for event in git_hook_status.status(root, env).events)
