"""The single changes of ``git-hooks``, and where they are made: planned, checked, then made."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile import files, git
from hooks_compile.errors import GitError, HooksCompileError, pasted
from hooks_compile.install import runtime_directory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.git import Repository, Setting

SECTION = "hook.hooks-compile"
"""Our settings in git's configuration."""

TEMPLATE = "git-template"
"""The directory in the runtime directory that an older git makes new repositories from."""

_SETTINGS = (
    r"^(core\.hookspath|init\.templatedir|hook\.hooks-compile\..*|filter\.lfs\..*|annex\.uuid)$"
)


class Do(StrEnum):
    """What a step does to a file or a setting."""

    WRITE = "write"
    REMOVE = "remove"
    CONFIG = "git config"
    LEAVE = "leave"  # nothing; the reason says why


@dataclass(frozen=True, slots=True)
class Step:
    """One change, or why there is none; ``str()`` of it is a line for a person.

    ``path`` is the file concerned (for CONFIG the configuration, or ANYWHERE for the user's),
    ``content`` and ``mode`` are those of a written file, ``arguments`` those of ``git config``.
    """

    do: Do
    path: Path
    why: str = ""
    content: bytes = b""
    mode: int = 0o755
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return ``write /.../hooks/post-merge (why)``."""
        what = shlex.join(self.arguments) if self.do is Do.CONFIG else self.path
        return f"{self.do} {what}" + (f" ({self.why})" if self.why else "")

    def as_json(self) -> dict[str, object]:
        """Return the step as JSON values."""
        words = {"do": str(self.do), "path": str(self.path), "why": self.why}
        return {**words, "arguments": list(self.arguments)}


class Place(NamedTuple):
    """Where a plan works: in one repository, or without one for all repositories of the user.

    ``settings`` are those of git that concern us. ``directories`` are those of hooks that belong to
    this repository or user alone, the one in use first.
    """

    repository: Repository | None
    settings: Sequence[Setting]
    directories: Sequence[Path]

    @classmethod
    def find(cls, repository: Repository | None, runtime: Path) -> Place:
        """Ask git for the settings; one process."""
        if repository is None:
            found = cls(None, git.settings(git.ANYWHERE, _SETTINGS), [])
            template = (found.paths("init.templatedir") or [runtime / TEMPLATE])[-1]
            directories = [*found.paths("core.hookspath")[-1:], template / "hooks"]
            return found._replace(directories=directories)
        settings = git.settings(repository.work_tree, _SETTINGS)
        used = Path(os.path.realpath(repository.hooks_path))
        usual = repository.common_dir / "hooks"
        inside = (repository.work_tree, repository.common_dir)
        is_own = any(used.is_relative_to(os.path.realpath(each)) for each in inside)
        scopes = [each.scope for each in settings if each.name == "core.hookspath"]
        is_own |= scopes[-1:] in (["local"], ["worktree"])
        return cls(repository, settings, list(dict.fromkeys((used, usual))) if is_own else [usual])

    def own(self) -> list[Setting]:
        """Return the settings of the scope in which we write."""
        scope = "local" if self.repository else "global"
        return [each for each in self.settings if each.scope == scope]

    def values(self, name: str) -> list[str]:
        """Return the values of a setting of ours, in all scopes."""
        return [each.value for each in self.settings if each.name == f"{SECTION}.{name}"]

    def paths(self, name: str) -> list[Path]:
        """Return the directories that a setting of the scope names."""
        found = (each.value for each in self.own() if each.name == name and each.value)
        return [Path(os.path.expanduser(value)) for value in found]  # noqa: PTH111 - never raises

    def write(self, *arguments: str, why: str = "") -> Step:
        """Return the step that changes the configuration in which we write."""
        if self.repository is None:
            return Step(Do.CONFIG, git.ANYWHERE, why, arguments=("--global", *arguments))
        path = self.repository.common_dir / "config"
        return Step(Do.CONFIG, path, why, arguments=("--file", str(path), *arguments))


def apply(plan: Sequence[Step], env: Mapping[str, str]) -> None:
    """Take the steps of a plan. Raises GitError or HooksCompileError.

    What this user can't write is found before the first change.
    """
    check(plan)
    runtime = runtime_directory.location(env)
    if any(step.path.is_relative_to(runtime) and step.do is not Do.REMOVE for step in plan):
        runtime_directory.ensure(runtime)
    take(plan)


def check(steps: Sequence[Step]) -> None:
    """Raise HooksCompileError if one of the steps can't be taken, before any is taken.

    It finds directories that this user can't write, or that lie on a read-only file system.
    """
    for step in changes(steps):
        if step.path == git.ANYWHERE:
            continue  # git finds the user's configuration
        directory = next(each for each in step.path.parents if each.exists())
        fault, remedy = "is read-only", f"ls -ld {pasted(directory)}"
        if not directory.is_dir():
            fault, remedy = "is no directory", "git config --show-origin core.hooksPath"
        elif files.is_writable_directory(directory):
            continue
        cause = f"{fault}, but git's hooks need a change there: {step}"
        raise HooksCompileError(cause, path=directory, remedy=remedy)


def take(steps: Sequence[Step]) -> None:
    """Take the steps in order. Raises HooksCompileError for the first that fails.

    The error says how many were taken before it.
    """
    planned = changes(steps)
    for done, step in enumerate(planned):
        try:
            _take(step)
        except (GitError, OSError) as error:
            refusal = files.refusal(error) if isinstance(error, OSError) else error
            made = f" ({done} of {len(planned)} changes were made)" if done else ""
            cause = f"can't {step.do}: {refusal.cause}{made}"
            raise type(refusal)(cause, path=refusal.path, remedy=refusal.remedy) from error


def changes(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that change something."""
    return [step for step in steps if step.do is not Do.LEAVE]


def _take(step: Step) -> None:
    match step.do:
        case Do.WRITE:
            step.path.parent.mkdir(parents=True, exist_ok=True)
            files.replace(step.path, step.content, mode=step.mode)
        case Do.REMOVE if step.path.is_dir():
            shutil.rmtree(step.path)
        case Do.REMOVE:
            step.path.unlink(missing_ok=True)
        case Do.CONFIG:
            git.run(["config", *step.arguments], cwd=git.ANYWHERE)
