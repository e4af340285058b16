"""What ``init`` and ``uninit`` do about git: our own hooks, or the lines that pre-commit needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import installer, pre_commit_lines, steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hooks_compile.git import Repository
    from hooks_compile.git_hooks.steps import Step

_PRE_COMMIT_FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
_HEADING = "git hooks, which compile what a checkout, merge or commit changed:"
_REMOVAL = "git hooks, of which ours are removed:"


@dataclass(frozen=True, slots=True)
class GitPlan:
    """The lines that a person reads, and the steps that :meth:`apply` takes."""

    lines: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def summary(self) -> str:
        """Return ``git's hooks`` if something is to be changed, else ""."""
        return "git's hooks" if self.steps else ""

    def apply(self, env: Mapping[str, str]) -> None:
        """Take the steps. Raises GitError or HooksCompileError."""
        installer.apply(self.steps, env)


def plan(root: Path, env: Mapping[str, str], repository: Repository | None) -> GitPlan:
    """Plan for ``init`` in the project ``root``; write nothing.

    ``repository`` is that of ``root``, None outside of git. If pre-commit is configured, the plan
    only shows the lines: its file is the user's to edit.
    Raises GitError or HooksCompileError if a step will be refused: call it before any change.
    """
    if repository is None:
        return GitPlan(("git hooks: none, this is no git repository",))
    for name in _PRE_COMMIT_FILES:
        if (root / name).is_file():
            return GitPlan(_pre_commit_lines(root / name))
    try:
        planned = installer.plan_install(repository, env)
        steps.check(planned)
    except HooksCompileError as error:
        raise _with_way_out(error) from error
    changes = tuple(steps.changes(planned))
    heading = _HEADING if changes else "git hooks: installed already"
    return GitPlan((heading, *_shown(planned, root)), changes)


def plan_removal(root: Path, env: Mapping[str, str], repository: Repository | None) -> GitPlan:
    """Plan for ``uninit`` in the project ``root``; write nothing.

    Raises as :func:`plan` does.
    """
    if repository is None:
        return GitPlan()
    try:
        planned = installer.plan_uninstall(repository, env)
        steps.check(planned)
    except HooksCompileError as error:
        raise _with_way_out(error) from error
    lines = (_REMOVAL, *_shown(planned, root)) if planned else ()
    return GitPlan((*lines, *_leftover(root)), tuple(steps.changes(planned)))


def _shown(planned: Sequence[Step], root: Path) -> list[str]:
    return [f"  {str(step).replace(f'{root}/', '')}" for step in planned]


def _with_way_out(error: HooksCompileError) -> HooksCompileError:
    remedy = f"{error.remedy}; or leave git's hooks alone: --no-git"
    return type(error)(error.cause, path=error.path, remedy=remedy)


def _leftover(root: Path) -> tuple[str, ...]:
    """Return the line about what ``uninit`` leaves to the user in ``root``, if there is one."""
    for name in _PRE_COMMIT_FILES:
        path = root / name
        if path.is_file() and "hooks-compile" in path.read_text(errors="replace"):
            return (f"git hooks: {name} names hooks-compile: take its lines out yourself",)
    return ()


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
