"""What ``init`` and ``uninit`` do about git: our own hooks, or the lines that pre-commit needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.errors import HooksCompileError
from hooks_compile.git_hooks import installer, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hooks_compile.git import Repository
    from hooks_compile.git_hooks.steps import Step

_PRE_COMMIT_FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
_GUARD = "command -v hooks-compile >/dev/null || exit 0; exec hooks-compile"
PRE_COMMIT_LINES = f"""\
default_install_hook_types: [pre-commit, post-checkout, post-merge, post-rewrite, post-commit]
repos:
  - repo: local
    hooks:
      - id: hooks-compile
        name: compile changed Python hooks
        language: system
        entry: sh -c '{_GUARD} compile --changed "$@"' --
        types_or: [python, json, toml, shell]
        require_serial: true
      - id: hooks-compile-sync
        name: sync compiled Python hooks
        language: system
        entry: sh -c '{_GUARD} sync --git-hook' --
        always_run: true
        pass_filenames: false
        require_serial: true
        stages: [post-checkout, post-merge, post-rewrite, post-commit]
"""
"""They call the command of this machine. A colleague without it can still commit."""

_REMOVAL = "git hooks, of which only ours are removed:"


class GitPlan(NamedTuple):
    """The lines that a person reads, and the steps that ``steps.apply`` takes."""

    lines: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def plan(root: Path, env: Mapping[str, str], repository: Repository | None) -> GitPlan:
    """Plan for ``init`` in the project ``root``; write nothing.

    ``repository`` is that of ``root``, None outside of git. If pre-commit is configured, the plan
    only shows the lines: its file is the user's to edit.
    Raises GitError or HooksCompileError if a step will be refused: call it before any change.
    """
    if repository is None:
        return GitPlan(("git hooks: none, this is no git repository",))
    if configured := _pre_commit_files(root):
        return GitPlan(_pre_commit_lines(configured[0]))
    planned = _checked(installer.plan_install, repository, env)
    changes = tuple(steps.changes(planned))
    about = ", which compile what a checkout, merge or commit changed:"
    heading = f"git hooks{about if changes else ': nothing to change'}"
    return GitPlan((heading, *_shown(planned, root)), changes)


def plan_removal(root: Path, env: Mapping[str, str], repository: Repository | None) -> GitPlan:
    """Plan for ``uninit`` in the project ``root``; write nothing.

    Raises as :func:`plan` does.
    """
    if repository is None:
        return GitPlan()
    planned = _checked(installer.plan_uninstall, repository, env)
    lines = [_REMOVAL, *_shown(planned, root)] if planned else []
    lines += [
        f"git hooks: {path.name} names hooks-compile: take its lines out yourself"
        for path in _pre_commit_files(root)
        if b"hooks-compile" in path.read_bytes()
    ]
    return GitPlan(tuple(lines), tuple(steps.changes(planned)))


def _checked(
    planning: Callable[..., list[Step]], repository: Repository, env: Mapping[str, str]
) -> list[Step]:
    """Return the steps that ``planning`` gives, all of which can be taken, or raise."""
    try:
        planned = planning(repository, env)
        steps.check(planned)
    except HooksCompileError as error:
        remedy = f"{error.remedy}; or leave git's hooks alone: --no-git"
        raise type(error)(error.cause, path=error.path, remedy=remedy) from error
    return planned


def _shown(planned: list[Step], root: Path) -> list[str]:
    return [f"  {str(step).replace(f'{root}/', '')}" for step in planned]


def _pre_commit_files(root: Path) -> list[Path]:
    return [root / name for name in _PRE_COMMIT_FILES if (root / name).is_file()]


def _pre_commit_lines(path: Path) -> tuple[str, ...]:
    from hooks_compile.install.installed import revision  # noqa: PLC0415 - slow, and rarely needed

    if b"hooks-compile-sync" in path.read_bytes():
        return (f"git hooks: {path.name} has hooks-compile-sync",)
    way = "pre-commit install --install-hooks"
    if path.suffix == ".toml":
        way = "prek install --install-hooks (prek util yaml-to-toml gives them its form)"
    return (
        f"git hooks: add these lines to {path.name}, then run: {way}",
        *(f"    {line}" for line in PRE_COMMIT_LINES.splitlines()),
        f"    # or the same ids from the repository of hooks-compile, rev: {revision()}",
    )
